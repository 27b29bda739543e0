# SPDX-License-Identifier: LGPL-2.1-only
"""The ramdisk of a Linux domain that runs Debian's xenstored, as examples/xenstored/ and docs/stubdom.md have it."""

from pathlib import Path

from ..base import cc, elf, kernels, packages, paths
from ..base.cpio import Archive
from ..machine import dom0
from . import images

EXAMPLE = paths.REPO / "examples/xenstored"
MODULES = ["xen-evtchn", "xen-gntdev", "xen-privcmd"]


def ramdisk(store: packages.Store) -> Path:
    archive = Archive()
    archive.chardev("/dev/console", 5, 1)
    archive.directory("/tmp", 0o1777)
    archive.copy(packages.busybox(store), "/bin/busybox")
    archive.file("/init", (EXAMPLE / "init").read_bytes(), 0o755)
    archive.copy(cc.built("xsd.so", [EXAMPLE / "xsd.c"], "-shared", "-fPIC"), "/xsd.so")
    daemon = packages.xen_dirs()[-1] / "bin" / "xenstored"
    archive.copy(daemon, "/usr/sbin/xenstored")
    for library in elf.libraries(daemon):
        archive.copy(library)
    dom0.modules(archive, store, kernels.dom0(), MODULES)
    return images.named("xenstored", archive.finish())

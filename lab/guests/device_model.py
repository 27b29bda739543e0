# SPDX-License-Identifier: LGPL-2.1-only
"""A guest's device model in a Linux stub domain, as examples/devicemodel/ and docs/stubdom.md have it: the ramdisk of that
domain, and what stock libxl wants of dom0 for it."""

from pathlib import Path

from ..base import kernels, packages, paths
from ..base.cpio import Archive
from ..machine import dom0
from . import images

KERNEL = "6.1-cloud"  # whose modules the ramdisk has
MODULES = ["xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xen-blkfront"]
QEMU = "usr/libexec/xen-qemu-system-i386"  # where Debian's libxl looks for it
KEYMAP = "usr/share/qemu/keymaps/en-us"  # which QEMU reads for -vnc none as well
SEABIOS = "usr/share/seabios/bios-256k.bin"
PROXY = "vchan-socket-proxy"


def ramdisk(store: packages.Store) -> Path:
    archive = Archive()
    archive.chardev("/dev/console", 5, 1)
    archive.directory("/tmp", 0o1777)
    archive.copy(packages.busybox(store), "/bin/busybox")
    archive.file("/init", (paths.REPO / "examples/devicemodel/init").read_bytes(), 0o755)
    dom0.program(archive, store.unpacked("qemu-system-xen") / QEMU, f"/{QEMU}")
    dom0.program(archive, packages.xen_dirs()[-1] / "bin" / PROXY, f"/usr/bin/{PROXY}")
    for tool in ("xenstore-read", "xenstore-list"):
        dom0.program(archive, paths.root() / "usr/bin" / tool)
    dom0.modules(archive, store, kernels.KERNELS[KERNEL], MODULES)
    return images.named("device-model", archive.finish())


def in_dom0(store: packages.Store) -> bytes:
    """Further files of dom0: an HVM guest's firmware, QEMU for a stub domain's consoles and disks, the other end of QMP."""
    archive = Archive()
    xen = packages.xen_dirs()[-1]
    dom0.program(archive, store.unpacked("qemu-system-xen") / QEMU, f"/{QEMU}")
    dom0.program(archive, xen / "bin" / PROXY)
    archive.symlink(f"/usr/bin/{PROXY}", f"..{dom0.WRAPPER.removeprefix('/usr')}")
    archive.copy(xen / "boot/hvmloader", paths.in_release(xen / "boot/hvmloader"))
    archive.copy(store.unpacked("qemu-system-data") / KEYMAP, f"/{KEYMAP}")
    archive.copy(store.unpacked("seabios") / SEABIOS, f"/{SEABIOS}")
    return archive.finish()

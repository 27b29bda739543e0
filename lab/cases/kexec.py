# SPDX-License-Identifier: LGPL-2.1-only
"""A guest that replaces its kernel by itself, up to where xl stops it.

Linux in an HVM container leaves for its next kernel by a shutdown with reason soft_reset, and goes on when Xen has
closed its event channels.  xl sees to that by libxl_domain_soft_reset(), which takes HVM guests only: a PVH guest is
destroyed, whoever built it.
"""

import re
import time
from pathlib import Path

from ..base import kernels
from ..base.cpio import Archive
from ..base.kernels import Kernel
from ..base.packages import Store
from ..machine import dom0
from ..machine.host import Host
from ..guests import evidence, images
from .case import Case

HERE = Path(__file__).resolve().parent
TOOL = Path("sbin/kexec")
SECONDS = 180
# what xl logs of its resolve, and of its cleaning up when libxl_domain_soft_reset() has failed
REFUSED = re.compile(r"Action for shutdown reason code 5 is soft-reset\n(?:.*\n)*Done\. Rebooting now\n"
                     r"(?:.*\n)*.*libxl_domain_destroy")


def initramfs(store: Store, kernel: Kernel) -> Path:
    """The lab's usual one, and behind it kexec, its libraries, the kernel and the usual one once more."""
    usual = images.initramfs(store, kernel.arch)
    archive = Archive()
    dom0.program(archive, store.unpacked("kexec-tools") / TOOL, "/bin/kexec")
    archive.symlink("/etc/mtab", "/proc/self/mounts")  # where kexec looks for sysfs, and in it for the RSDP
    archive.file("/modes/kexec", (HERE / "kexec.sh").read_bytes())
    archive.copy(kernels.image(store, kernel), "/kexec/vmlinuz")
    archive.copy(usual, "/kexec/initrd")
    return images.named(f"guest-kexec-{kernel.id}", usual.read_bytes() + archive.finish())


def follow(host: Host, case: Case, directory: Path) -> list[str]:
    """From the first kernel's evidence on: what is wrong."""
    domid = int(host.check(f"xl domid {case.name}"))
    gone = _gone(host, case.name)
    said = evidence.from_xen_log(host.log(), domid)
    if "@@pvboot-kexec loaded 1@@" not in said:
        return [f"nothing was loaded: {said.strip().splitlines()[-1:]}"]
    log = host.check(f"cat /var/log/xen/xl-{case.name}.log")
    (directory / "xl.log").write_text(log)
    if not gone:
        return [f"the domain is still there after {SECONDS} s"]
    return [] if REFUSED.search(log) else ["the domain is gone, but not for want of a soft reset: see xl.log"]


def _gone(host: Host, domain: str) -> bool:
    deadline = host.clock() + SECONDS
    while not host.run(f"xl list {domain}")[0]:
        if host.clock() > deadline:
            return False
        time.sleep(1)
    return True

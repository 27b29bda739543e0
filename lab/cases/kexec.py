# SPDX-License-Identifier: LGPL-2.1-only
"""A guest that replaces its kernel by itself: by kexec, or after a panic.

Linux in an HVM container leaves for its next kernel by a shutdown with reason soft_reset, and goes on when Xen has
closed its event channels.  xl sees to that by libxl_domain_soft_reset(), which takes HVM guests only: a PVH guest is
destroyed.  With the plugin, guests of ours go on.
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
from .case import OURS, Case

HERE = Path(__file__).resolve().parent
TOOLS = ("kexec", "vmcore-dmesg")
SECONDS = 180  # for one kernel, of its machine's clock
SAID = re.compile(r"^@@pvboot-kexec (.*)@@$", re.M)
# what xl logs of its resolve, and of its cleaning up when libxl_domain_soft_reset() has failed
REFUSED = re.compile(r"Action for shutdown reason code 5 is soft-reset\n(?:.*\n)*Done\. Rebooting now\n"
                     r"(?:.*\n)*.*libxl_domain_destroy")
GRANTED = re.compile(r"^Action for shutdown reason code 5 is soft-reset$", re.M)
NODE = re.compile(r'^(/\S*) = "(.*)" +\((.*)\)$', re.M)  # xenstore-ls -fp
BEFORE, AFTER = "xenstore-before.txt", "xenstore-after.txt"
ELF = "7f454c4602010100000000000000000004"  # 64 bits, little-endian, version 1; ET_CORE: elf.h


def initramfs(store: Store, kernel: Kernel) -> Path:
    """The lab's usual one, and behind it kexec, its libraries and the kernel."""
    usual = images.initramfs(store, kernel.arch)
    archive = Archive()
    for tool in TOOLS:
        dom0.program(archive, store.unpacked("kexec-tools") / "sbin" / tool, f"/bin/{tool}")
    archive.symlink("/etc/mtab", "/proc/self/mounts")  # where kexec looks for sysfs, and in it for the RSDP
    for mode in ("kexec", "kexeced"):
        archive.file(f"/modes/{mode}", (HERE / "kexec.sh").read_bytes())
    archive.copy(kernels.image(store, kernel), "/kexec/vmlinuz")
    return images.named(f"guest-kexec-{kernel.id}", usual.read_bytes() + archive.finish())


def follow(host: Host, case: Case, directory: Path) -> list[str]:
    """From the first kernel's evidence on: what is wrong."""
    domid = int(host.check(f"xl domid {case.name}"))
    times = int((re.search(r"pvlab\.kexecs=(\d+)", case.cmdline) or [0, 1])[1])
    said, gone = _wait(host, case, domid, times)
    log = host.check(f"cat /var/log/xen/xl-{case.name}.log")
    (directory / "xl.log").write_text(log)
    (directory / "kexec.txt").write_text("\n".join(said) + "\n")
    crash = "pvlab.crash" in case.cmdline
    if said[:1] != ["junk 1"]:
        return [f"the guest has made no node: {said[:1]}"]
    if not said[1:] or not said[1].startswith("loaded 0 1" if crash else "loaded 1 0"):
        return [f"nothing was loaded: {said[:2]}"]
    if case.path not in OURS:
        return refused(gone, log)
    if said[-1] != "done":
        return [f"{'the domain is gone' if gone else f'no end after {SECONDS} s'}; last word: {said[-1]!r}"]
    console = host.check(f"cat /var/log/xen/console/guest-{case.name}.log")
    (directory / "console-kexec.log").write_text(console)
    after = _nodes(host, domid)
    (directory / AFTER).write_text(after)
    return nodes_stayed((directory / BEFORE).read_text(), after, domid) + went_on(said, log, times, crash, host.check(f"xl domid {case.name}").strip() == str(domid)) + \
        second_kernel(evidence.parse(console), evidence.rounds(console) - 1, times)


def _nodes(host: Host, domid: int) -> str:
    """All that this domain may know of, with owners and permissions."""
    return host.run(f"""
        xenstore-ls -fp /local/domain/{domid}
        vm=$(xenstore-read /local/domain/{domid}/vm) && xenstore-ls -fp $vm
        xenstore-ls -fp /local/domain/0/backend/console/{domid}""")[1]


def note_nodes(host: Host, name: str, directory: Path) -> None:
    """As the toolstack leaves them, before the guest runs."""
    (directory / BEFORE).write_text(_nodes(host, int(host.check(f"xl domid {name}"))))


def _wait(host: Host, case: Case, domid: int, times: int) -> tuple[list[str], bool]:
    """What the guest said through the debug port, until it says that it is done or is gone; and whether it is gone."""
    deadline = host.clock() + SECONDS * times
    while True:
        gone = host.run(f"xl list {case.name}")[0] != 0
        said = SAID.findall(evidence.from_xen_log(host.log(), domid))
        if gone or said[-1:] == ["done"] or host.clock() > deadline:
            return said, gone
        time.sleep(1)


def nodes_stayed(before: str, after: str, domid: int) -> list[str]:
    """Of the nodes: as the toolstack made them, with owners and permissions, and no others, such as the first kernel's own.
    The rings' ports are others, xenconsoled names the terminal, and of its own the guest may say what it likes."""
    was, now = ({path: (value, perms) for path, value, perms in NODE.findall(text)} for text in (before, after))
    home = f"/local/domain/{domid}"
    others = {f"{home}/{node}" for node in ("store/port", "console/port", "console/tty")}
    if f"{home}/name" not in was:
        return ["no nodes were seen before"]
    wrong = [f"{path} has come or stayed" for path in now.keys() - was.keys()]
    wrong += [f"{path} is gone" for path in was.keys() - now.keys()]
    for path in was.keys() & now.keys():
        if was[path][1] != now[path][1]:
            wrong.append(f"{path} is {now[path][1]}, was {was[path][1]}")
        elif was[path][0] != now[path][0] and path not in others and not was[path][1].startswith(f"n{domid}"):
            wrong.append(f"{path} says {now[path][0]!r}, said {was[path][0]!r}")
    return wrong


def refused(gone: bool, log: str) -> list[str]:
    if not gone:
        return [f"the domain is still there after {SECONDS} s"]
    return [] if REFUSED.search(log) else ["the domain is gone, but not for want of a soft reset: see xl.log"]


def went_on(said: list[str], log: str, times: int, crash: bool, same: bool) -> list[str]:
    """Of the way there, and of what works in the last kernel."""
    wrong = [] if same else ["the guest is another domain now"]
    if len(GRANTED.findall(log)) != times or "Action for shutdown reason code 3" in log:
        wrong.append(f"xl has granted {len(GRANTED.findall(log))} soft resets, expected {times}: see xl.log")
    if "slept" not in said:
        wrong.append("time stands still")
    if not any(re.fullmatch(r"uuid [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", word) for word in said):
        wrong.append(f"xenstore does not answer: {[word for word in said if word.startswith('uuid')]}")
    core = re.search(r"^vmcore (\d+) (\S+)$", "\n".join(said), re.M)
    if crash and not (core and core[2].startswith(ELF)):
        wrong.append(f"no readable /proc/vmcore: {core and core[0]}")
    if crash and not re.search(r"^dmesg \d{2,} Kernel panic - not syncing: sysrq triggered crash$", "\n".join(said), re.M):
        wrong.append("the dead kernel's last words are not in its dump")
    return wrong


def second_kernel(found: evidence.Evidence, rounds: int, times: int) -> list[str]:
    """What the last kernel told of itself, on its console."""
    wrong = [] if rounds == times else [f"{rounds} kernels more have shown their evidence on the console, not {times}"]
    if (kind := found.tree("hypervisor").get("guest_type")) != "PVH":
        wrong.append(f"guest_type is {kind!r} in the next kernel")
    if "pvlab.mode=kexeced" not in found.text("cmdline"):
        wrong.append(f"it is no next kernel: /proc/cmdline is {found.text('cmdline').strip()[:200]!r}")
    if found.text("clocksource").strip() != "xen":
        wrong.append(f"clocksource {found.text('clocksource').strip()} in the next kernel")
    return wrong

# SPDX-License-Identifier: LGPL-2.1-only
"""Domains that `pvboot launch` makes on a real Xen: each path to userland, with and without xenstored, kernels on emulated
timers; beside the same guest of xl, with the same entry.  What a hundred of them leave: cycles.py.
"""

import dataclasses
import fnmatch
import re
import time

from ..base import kernels
from ..base.cpio import Archive
from ..base.errors import LabError, Timeout
from ..guests import evidence, images
from ..judges import launched
from ..machine import dom0
from ..machine.install import STOCK_XL, XL
from ..cases.case import CONSOLE, Case
from . import census, cycles, grub, memtest
from .testbed import KERNEL, Testbed, prepared

LAUNCH = "/usr/bin/pvboot launch"
LOG = "/var/log/xen/console/guest-{name}.log"
SAID = "/tmp/launched"
LOCKED_UP = "soft lockup - CPU"  # with what it prints of its stack nothing can be compared
GUEST_SECONDS = 150
TRIES = 3            # the emulator loses a guest now and then, see ../README.md
SLEPT = "@@pvboot-slept@@"
PVLAB_SLEEP = f"sleep 1\necho {SLEPT} | e9\n"


@dataclasses.dataclass(frozen=True)
class Guest:
    entry: str
    vcpus: int = 1
    kernel: str = KERNEL
    alone: bool = False    # without xenstored, its console attached to
    timers: bool = False   # by port 0xe9, since there is no other way

    @property
    def name(self) -> str:
        return f"{self.kernel}-{self.entry}-{self.vcpus}{'-alone' if self.alone else ''}{'-timers' if self.timers else ''}"


PV = "pv"
ENTRIES = ("linux64", "linux32", "pvh", "vmlinux64", "stub", PV)
MEMTEST = "memtest"  # no Linux at all
GRUB = "grub"        # nor this, as a PV guest
TIMERS = (Guest("linux32", 2, "686", timers=True), Guest("linux64", 2, timers=True),
          *(Guest(entry, 1, MEMTEST, timers=True) for entry in ("linux32", "linux64")))
SHORT = (*(Guest(entry) for entry in ENTRIES), *(Guest(entry, 4) for entry in ENTRIES), Guest("linux64", 2, alone=True), TIMERS[0], Guest(PV, 1, GRUB))
EVERY = (*(Guest(entry, vcpus, kernel, alone) for kernel in (KERNEL, "6.1", "6.12") for entry in ENTRIES for vcpus in (1, 4)
           for alone in (False, True)), *TIMERS, Guest(PV, 1, GRUB))


def chosen(select: str | None) -> tuple[Guest, ...]:
    """Those whose names match; the short list, if nothing is said."""
    found = SHORT if select is None else tuple(guest for guest in EVERY if fnmatch.fnmatch(guest.name, select))
    if not found and select:
        raise LabError(f"no guest is called {select!r}; there are {EVERY[0].name} and so on")
    return found


def launch(count: int, select: str | None) -> int:
    guests = chosen(select)
    with prepared("launch") as testbed:
        at = testbed.files()
        at[MEMTEST] = testbed.host.put_once(memtest.image(testbed), f"{dom0.DIRECTORY}/memtest")
        at[GRUB] = testbed.host.put_once(grub.image(), f"{dom0.DIRECTORY}/grub-pv")
        for kernel in {guest.kernel for guest in guests} - at.keys():
            at[kernel] = testbed.host.put_once(kernels.image(testbed.store, kernels.KERNELS[kernel]), f"{dom0.DIRECTORY}/vmlinuz-{kernel}")
        at["i386"] = testbed.host.put_once(images.initramfs(testbed.store, "i386"), f"{dom0.DIRECTORY}/initrd-i386")
        at["seeing"] = testbed.host.put_once(images.seeing(testbed.store), f"{dom0.DIRECTORY}/seeing")
        at["sleep"] = testbed.host.put_once(_sleeper(), f"{dom0.DIRECTORY}/sleep.cpio")
        _warm_up(testbed, at)
        twins: dict[str, evidence.Evidence] = {}
        for guest in guests:
            _guest(testbed, at, guest, twins)
        if count:
            cycles.run(testbed, at, count)
        wrong = [step for step in testbed.steps if step.wrong]
        print("".join(f"{step.phase}: {step.what}: {step.wrong or 'as it should'}\n" for step in testbed.steps
                      if step.phase != "cycle" or step.wrong), end="")
        return 1 if wrong else 0


def _warm_up(testbed: Testbed, at: dict[str, str]) -> None:
    """The first guest of a boot leaves the empty /libxl and /vm in xenstore, whoever makes it."""
    config = testbed.config(Case("warm-up", "xl-pvh", KERNEL, memory=128), at[KERNEL], at["ramdisk"])
    testbed.host.check(f"{STOCK_XL} create -p {config} && {STOCK_XL} destroy warm-up")


def _sleeper():
    archive = Archive()
    archive.file("/modes/sleep", PVLAB_SLEEP.encode())
    return images.named("sleep", archive.finish())


def command(guest: Guest, at: dict[str, str]) -> str:
    words = [LAUNCH, f"--name {guest.name}", "--memory 256", f"--vcpus {guest.vcpus}", f"--entry {guest.entry}"]
    if guest.kernel == MEMTEST:
        return " ".join([*words, "--timers", at[MEMTEST]])
    if guest.kernel == GRUB:
        return " ".join([*words, "--console", "--wait", at[GRUB]])
    if guest.timers:
        xen_unaware = guest.kernel == "686"
        return " ".join([*words, "--timers", f"--ramdisk {at['i386' if xen_unaware else 'ramdisk']}", f"--ramdisk {at['sleep']}",
                         f"--cmdline '{'' if xen_unaware else 'nopv '}pvlab.mode=sleep pvlab.out=e9'", at[guest.kernel]])
    words += ["--no-xenstore", "--console", "--wait"] if guest.alone else []
    return " ".join([*words, f"--ramdisk {at['seeing']}", f"--cmdline '{CONSOLE} pvlab.mode=evidence'", at[guest.kernel]])


def _guest(testbed: Testbed, at: dict[str, str], guest: Guest, twins: dict[str, evidence.Evidence]) -> None:
    before, started = testbed.settled(), time.monotonic()
    for tries in range(TRIES):
        text, wrong = _once(testbed, at, guest)
        testbed.keep(f"{guest.name}{f'.{tries}' if wrong else ''}.log", text)
        if not wrong:
            break
    after = testbed.settled()
    # Xen's pools grow with a first guest of a shape: whether pages are lost, the cycles tell
    left = [line for line in census.compare(before, after) if not line.startswith("free pages")]
    if not wrong and not guest.timers and guest.kernel != GRUB:  # with timers it has no twin: xl gives an HVM guest a device model
        try:
            wrong = _compared(testbed, guest, evidence.parse(text), _twin(testbed, at, guest, twins))
        except (ValueError, Timeout) as lost:
            wrong = f"xl's guest: {lost}"
    testbed.add("guest", f"{guest.name}{f', try {tries + 1}' if tries else ''}", time.monotonic() - started, after,
                wrong or "; ".join(left))


def _once(testbed: Testbed, at: dict[str, str], guest: Guest) -> tuple[str, str]:
    """What it said, what is wrong."""
    if guest.kernel == MEMTEST:
        return memtest.once(testbed, guest.name, command(guest, at))
    if guest.kernel == GRUB:
        return grub.once(testbed, command(guest, at))
    mark = len(testbed.host.log())
    try:
        rc, out, err = testbed.host.run(_script(guest, command(guest, at)), GUEST_SECONDS + 120)
    except Timeout as late:
        testbed.host.run(f"pvboot destroy --force {guest.name}")
        return "", str(late)
    text = out
    if guest.timers:
        domid = int(re.search(r"^@domid (\d+)$", err, re.M).group(1))
        text = _until(testbed, domid, mark)
        testbed.host.run(f"pvboot destroy {guest.name}")
    return text, f"exit {rc}: {err.strip()[-200:]}" if rc else _judge(guest, text)


def _compared(testbed: Testbed, guest: Guest, ours: evidence.Evidence, xl: evidence.Evidence) -> str:
    found = launched.differences(ours, xl)
    testbed.keep(f"{guest.name}.differences", launched.table(found, guest.alone, guest.entry))
    lines = [f"{line.side}'s alone: {line.text}" for line in launched.unexplained(found, guest.alone, guest.entry)]
    return f"{len(lines)} differences that nobody has explained, {lines[0]}" if lines else ""


def _script(guest: Guest, launched: str) -> str:
    """Its console on standard output."""
    if guest.timers:
        return f"echo @domid $({launched}) >&2"
    log = SAID if guest.alone else LOG.format(name=guest.name)
    wait = f"""
        for i in $(seq {GUEST_SECONDS * 2}); do
            grep -q '@@pvboot-done' {log} 2>/dev/null && break
            pvboot list | grep -q '^{guest.name} .*crashed' && break
            sleep 0.5
        done
        cat {log}"""
    if guest.alone:  # ended by a signal, which has to take the domain along
        return f"""
            rm -f {SAID}
            {launched} < /dev/null > {SAID} 2> /tmp/launch-err &
            job=$!{wait}
            kill -TERM $job
            wait $job
            rc=$?
            cat /tmp/launch-err >&2
            rm -f {SAID} /tmp/launch-err
            [ $rc = 143 ]"""
    return f"rm -f {log}\n{launched} >&2 || exit\n{wait}\npvboot destroy {guest.name} && rm -f {log}"


def _until(testbed: Testbed, domid: int, mark: int) -> str:
    deadline = testbed.host.clock() + GUEST_SECONDS
    text = ""
    while SLEPT not in text and testbed.host.clock() < deadline:
        time.sleep(0.5)
        text = evidence.from_xen_log(testbed.host.log()[mark:], domid)
    return text


def _judge(guest: Guest, text: str) -> str:
    try:
        found = evidence.parse(text)
    except ValueError as error:
        return str(error)
    if LOCKED_UP in found.text("dmesg"):
        return "the emulated CPUs stood still: a soft lockup"
    if found.text("nproc").strip() != str(guest.vcpus):
        return f"{found.text('nproc').strip()} vCPUs are up"
    if guest.timers:
        return "" if SLEPT in text else "sleep 1 does not return"
    kind = found.tree("hypervisor").get("guest_type")
    return "" if kind == ("PV" if guest.entry == PV else "PVH") else f"guest_type is {kind}"


def _twin(testbed: Testbed, at: dict[str, str], guest: Guest, twins: dict[str, evidence.Evidence]) -> evidence.Evidence:
    """The same guest of xl and the plugin, with the same entry, or of stock xl, of type pv: what differs is of who made it."""
    path = "xl-pv" if guest.entry == PV else guest.entry
    case = Case(f"xl-{guest.kernel}-{guest.entry}-{guest.vcpus}", path, guest.kernel, vcpus=guest.vcpus)
    for tries in range(TRIES):
        if case.name in twins:
            break
        try:
            text = _of_xl(testbed, case, testbed.config(case, at[guest.kernel], at["seeing"]))
            testbed.keep(f"{case.name}.log", text)
            found = evidence.parse(text)
        except (ValueError, Timeout):
            testbed.host.run(f"{STOCK_XL} destroy {case.name}")
            if tries == TRIES - 1:
                raise
            continue
        if LOCKED_UP not in found.text("dmesg") or tries == TRIES - 1:
            twins[case.name] = found
    return twins[case.name]


def _of_xl(testbed: Testbed, case: Case, config: str) -> str:
    log = LOG.format(name=case.name)
    return testbed.host.check(f"""
        rm -f {log}
        {XL} create {config} >&2 || exit
        for i in $(seq {GUEST_SECONDS * 2}); do
            grep -q '@@pvboot-done' {log} && break
            {STOCK_XL} list {case.name} | grep -q ' ...[sc].. ' && break
            sleep 0.5
        done
        cat {log}
        rm -f {log} /var/log/xen/xl-{case.name}.log*
        {STOCK_XL} destroy {case.name}""", GUEST_SECONDS + 60)

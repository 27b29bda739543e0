# SPDX-License-Identifier: LGPL-2.1-only
"""python3 -m lab soak: create, destroy, reboot and fail, over and over in one boot of Xen, and a census after each.

Stock xl does the same with stock guests first: what grows there is not ours.
"""

import dataclasses
import itertools
import re
import time
from pathlib import Path

from ..base import cc, paths
from ..machine import install
from ..machine.install import STOCK_XL
from ..judges.messages import complaint
from ..cases.case import Case
from . import census, growth
from .testbed import KERNEL, Step, Testbed, prepared

HERE = Path(__file__).resolve().parent
ENTRIES = ("pvh", "linux32", "linux64", "vmlinux64", "stub")
TO_USERLAND = 19         # each nineteenth guest is unpaused and has to reach its userland: prime to the number of entries
BOOT_SECONDS = 240
FROM_USERLAND = "console=hvc0 quiet rdinit=/sbin/reboot"
FEWEST = 4               # counted cycles of a phase that a verdict can rest on


# --- create and destroy -------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Guest:
    xl: str
    case: Case
    config: str
    kernel: str

    @property
    def console(self) -> str:
        return f"/var/log/xen/console/guest-{self.case.name}.log"


def _guest(testbed: Testbed, at: dict[str, str], path: str, kernel: str = KERNEL, **more) -> Guest:
    case = Case(f"soak/{path}{'-' + kernel if more else ''}", path, KERNEL, **{"memory": 128, **more})
    return Guest(install.XL if case.needs_pvboot else STOCK_XL, case, testbed.config(case, at[kernel], at["ramdisk"]), at[kernel])


def create_and_destroy(testbed: Testbed, phase: str, guests: list[Guest], warm_up: int, count: int) -> None:
    for number, one in zip(range(warm_up + count), itertools.cycle(guests)):
        to_userland = number % TO_USERLAND == TO_USERLAND - 1
        started = time.monotonic()
        rc, said, found = testbed.after(_life(one, to_userland), BOOT_SECONDS + 60)
        testbed.add(phase, one.case.path + (" to userland" if to_userland else ""), time.monotonic() - started, found,
                   f"exit {rc}: {complaint(said)}" if rc else "", counted=number >= warm_up)


def _life(one: Guest, to_userland: bool) -> str:
    if not to_userland:
        return f"{one.xl} create -p {one.config} && {one.xl} destroy {one.case.name}"
    return f"""
        rm -f {one.console}
        {one.xl} create {one.config} || exit 1
        for i in $(seq {BOOT_SECONDS * 2}); do grep -q '^@@pvboot-done' {one.console} && break; sleep 0.5; done
        grep -q '^@@pvboot-done' {one.console} || echo 'xl: no userland after {BOOT_SECONDS} s'
        {one.xl} destroy {one.case.name} && grep -q '^@@pvboot-done' {one.console}"""


# --- reboots --------------------------------------------------------------------------------------------------------------

def reboot(testbed: Testbed, phase: str, one: Guest, other_kernel: str, warm_up: int, count: int, says: str = "") -> None:
    """One guest that reboots itself, under the one xl that has created it.

    That xl destroys the old domain and sleeps before it builds the new one.  There it stops (halt.c), and the census is
    taken when the daemons have let go of the old one: what it has left is then all there is.
    """
    log = f"/var/log/xen/xl-{one.case.name}.log"
    before = testbed.settled()
    testbed.host.check(f"rm -f {log}* {one.console}; {_halting(testbed, one)} create {one.config}")
    for number in range(warm_up + count):
        started = time.monotonic()
        rc, monitor, err = testbed.host.run(f"""
            monitor=$(sed -n 's/^Waiting for domain.*pid \\([0-9]*\\).*/\\1/p' {log} | head -n 1)
            until grep -q '^State:.T' /proc/$monitor/status; do
                [ -e /proc/$monitor/fd/0 ] || {{ tail -n 3 {log} >&2; exit 1; }}
                sleep 0.1
            done
            echo $monitor""", timeout=BOOT_SECONDS)
        found = testbed.settled()
        if rc:
            testbed.add(phase, one.case.path, time.monotonic() - started, found, f"gone: {complaint(err)}")
            break
        testbed.add(phase, one.case.path, time.monotonic() - started, found, counted=number >= warm_up)
        if number == warm_up + count - 1:  # the next is one that stays to be destroyed
            testbed.host.check(f"cp {other_kernel} {one.kernel}.new && mv {one.kernel}.new {one.kernel}")
        testbed.host.check(f"kill -CONT {monitor}")
    _, said, after = testbed.after(f"""
        for i in $(seq 100); do {STOCK_XL} destroy {one.case.name} && break; sleep 0.2; done
        grep -c '{says or 'x'}' {one.console}""")
    wrong = census.compare(before, after)
    if says and int(said.split()[-1]) < count:
        wrong.append(f"it has said {says!r} {said.split()[-1]} times")
    testbed.add(f"{phase}, after", one.case.path, 0, after, "; ".join(wrong))


def _halting(testbed: Testbed, one: Guest) -> str:
    shim = cc.built("halt.so", [HERE / "halt.c"], "-shared", "-fPIC")
    plugin = f":{install.LIBDIR}/pvboot-xl.so" if one.case.needs_pvboot else ""
    return f"env LD_PRELOAD={testbed.host.put_once(shim, f'/usr/lib/pvlab/{shim.name}')}{plugin} {STOCK_XL}"


# --- builds that fail ------------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Failure:
    name: str
    wanted: str                 # what xl has to say
    path: str = "linux64"
    kernel: str = KERNEL        # a name of Testbed.files()
    more: dict = dataclasses.field(default_factory=dict)
    kill: bool = False          # the confined parser, once it is there


FAILURES = (
    Failure("usage", r"pvboot: usage: ", more={"config": {"pvboot_entri": "linux64"}}),
    Failure("malformed", r"pvboot: malformed: ", kernel="short"),
    Failure("spoilt", r"pvboot: malformed: ", "pvh", kernel="spoilt"),
    Failure("unreadable", r"pvboot: unreadable: ", kernel="directory"),
    Failure("unsupported", r"pvboot: unsupported: ", kernel="686"),
    Failure("limit", r"pvboot: limit: ", more={"cmdline": "x" * 2048}),
    Failure("no-fit", r"pvboot: nofit: ", more={"memory": 48}),        # from here on there is a domain to take back
    Failure("no-memory", r"pvboot: xen: ", more={"memory": 2048}),
    Failure("no-dump", r"pvboot: host: ", more={"config": {"pvboot_dump": "/proc/none"}}),  # at the very end
    Failure("killed", r"pvboot: sandbox: ", "pvh", kernel="6.1", kill=True),
)
STOCK_FAILURES = (
    Failure("stock-malformed", r"rror", "xl-pvh", kernel="short"),
    Failure("stock-no-fit", r"rror", "xl-pvh", more={"memory": 8}),
    Failure("stock-no-memory", r"rror", "xl-pvh", more={"memory": 2048}),
)


def fail(testbed: Testbed, phase: str, failures: tuple[Failure, ...], at: dict[str, str], warm_up: int,
         count: int) -> None:
    wanted = []
    for failure in failures:
        case = Case(f"soak/{failure.name}", failure.path, KERNEL, **{"memory": 128, **failure.more})
        wanted.append((failure, case, testbed.config(case, at[failure.kernel], at["ramdisk"])))
    for number, (failure, case, config) in zip(range(warm_up + count), itertools.cycle(wanted)):
        started = time.monotonic()
        xl = install.XL if case.needs_pvboot else STOCK_XL
        rc, said, found = testbed.after(f"""{KILLER if failure.kill else ""}
            {xl} create -p {config} || exit 3
            {STOCK_XL} destroy {case.name}""")
        wrong = "" if rc and re.search(failure.wanted, said) else f"exit {rc}: {complaint(said)}"
        testbed.add(phase, failure.name, time.monotonic() - started, found, wrong, counted=number >= warm_up)


# The one that only looks at the header is soon gone; the one that unpacks stays.
KILLER = """
(for i in $(seq 300); do
    at=$(grep -l '^pvboot-parse' /proc/[0-9]*/cmdline 2>/dev/null | head -n 1 | cut -d/ -f3)
    [ -n "$at" ] && sleep 0.5 && kill -9 $at && break
    sleep 0.05
done) > /dev/null 2>&1 &"""


# --- all of it ------------------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Plan:
    cycles: int = 200
    reboots: int = 50
    failures: int = 50
    warm_up: int = 10  # more of each, not counted

    def stock(self, count: int) -> int:
        """The control: long enough to show a slope, not longer."""
        return max(FEWEST, count // 8)


def soak(plan: Plan) -> int:
    started = time.monotonic()
    with prepared("soak") as testbed:
        _run(testbed, plan)
    text, leaks = summary(testbed.steps)
    text += f"{time.monotonic() - started:.0f} s in all\n"
    (paths.lab() / "soak/summary.txt").write_text(text)
    print(text, end="")
    return 1 if leaks else 0


def _run(testbed: Testbed, plan: Plan) -> None:
    at = testbed.files()
    stock = [_guest(testbed, at, "xl-pvh")]
    ours = [_guest(testbed, at, path) for path in ENTRIES]

    def rebooting(path: str, kernel: str, **more) -> Guest:
        return _guest(testbed, at, path, kernel, config={"on_reboot": "restart"}, **more)

    for one in stock + ours:  # the first guests of a boot leave the empty /libxl and /vm, and pages in Xen's pools
        testbed.host.check(_life(one, False))
    warm_up = plan.warm_up
    fail(testbed, "stock failures", STOCK_FAILURES, at, warm_up, plan.stock(plan.failures))
    fail(testbed, "failures", FAILURES, at, warm_up, plan.failures)
    reboot(testbed, "stock reboots", rebooting("xl-pvh", "reset-pvh"), at[KERNEL], warm_up, plan.stock(plan.reboots))
    reboot(testbed, "reboots", rebooting("linux64", "reset"), at[KERNEL], warm_up, plan.reboots)
    reboot(testbed, "reboots from userland", rebooting("linux64", KERNEL, memory=96, cmdline=FROM_USERLAND), at[KERNEL],
           1, max(FEWEST, plan.reboots // 10), says="reboot: Restarting system")
    create_and_destroy(testbed, "stock cycles", stock, warm_up, plan.stock(plan.cycles))
    create_and_destroy(testbed, "cycles", ours, warm_up, plan.cycles)


def summary(steps: list[Step]) -> tuple[str, list[str]]:
    """The table, a column for each phase, and its last lines; what leaked or went wrong."""
    bad = [f"{step.phase} {step.number}, {step.what}: {step.wrong}" for step in steps if step.wrong]
    columns = [["", "counted", *(steps[0].figures if steps else ())]]
    for phase, group in itertools.groupby(steps, key=lambda step: step.phase):
        figures = [step.figures for step in group if step.counted]
        if len(figures) >= FEWEST:
            found = growth.trends(figures)
            columns.append([phase, str(len(figures)), *map(_cell, found)])
            bad += [f"{phase}: {row.name}: {row.first} at first, {row.last} at last"
                    for row in found if row.leak and not phase.startswith("stock")]
        elif not phase.endswith(", after"):
            bad.append(f"{phase}: {len(figures)} cycles are not enough")
    widths = [max(map(len, column)) for column in columns]
    text = "".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() + "\n" for row in zip(*columns))
    return text + "".join(f"{line}\n" for line in bad or ["nothing leaked"]), bad


def _cell(row: growth.Trend) -> str:
    """What it is throughout; or from what to what, and how much that is per cycle."""
    changed = f"..{row.last} ({row.slope:+.2f})" if row.last != row.first or abs(row.slope) >= 0.01 else ""
    return f"{row.first}{changed}{' LEAK' if row.leak else ''}"

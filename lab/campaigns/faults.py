# SPDX-License-Identifier: LGPL-2.1-only
"""python3 -m lab faults: in a real dom0, under the real xl, builds are interrupted (interrupted.py), their files do
not answer (stalls.py), and their requests fail one at a time.

After each failure one line tells why, or the guest was built all the same; nothing may be left.
"""

import dataclasses
import time

from ..base import cc, paths
from ..machine import install
from ..machine.install import STOCK_XL
from ..judges.messages import complaint
from ..cases.case import Case
from . import census, fault_points, interrupted, stalls
from .fault_points import Request
from .interrupted import BUILD_SECONDS
from .testbed import KERNEL, Testbed, prepared

STOCK = "xl-pvh"
SWEPT = {"linux64": None, "pvh": ("xen",)}  # None: requests of every kind
ON_DEMAND = ("xc_domain_set_pod_target",)  # only for a guest with maxmem above memory
SOURCES = ("lab/campaigns/faults.c", "tests/fake/fault.c", "tests/fake/host.c", "tests/fake/process.c",
           "tests/offline/gate.c")


@dataclasses.dataclass(frozen=True)
class Builder:
    """An xl with the shim in front, and the config it is to build."""

    testbed: Testbed
    name: str
    preload: str
    config: str

    def command(self, fail: str = "", trace: str = "") -> str:
        env = {"LD_PRELOAD": self.preload, "PVBOOT_FAIL": fail, "PVBOOT_FAIL_TRACE": trace}
        words = " ".join(f"{key}={value}" for key, value in env.items() if value)
        return f"env {words} {STOCK_XL} create -p {self.config}"

    def destroy(self) -> None:
        self.testbed.host.run(f"{STOCK_XL} destroy {self.name}")

    def trace(self) -> list[Request]:
        said = self.testbed.host.check(f"""
            {self.command(trace="/tmp/trace")} >&2
            rc=$?; cat /tmp/trace; rm /tmp/trace; exit $rc""")
        self.testbed.keep(f"trace-{self.name}.txt", said)
        self.destroy()
        return fault_points.parse_trace(said)


def builder(testbed: Testbed, shim: str, at: dict[str, str], path: str, name: str = "", **more) -> Builder:
    case = Case(f"faults/{name or path}", path, KERNEL, memory=128, **more)
    preload = f"{shim}:{install.LIBDIR}/pvboot-xl.so" if case.needs_pvboot else shim
    return Builder(testbed, case.name, preload, testbed.config(case, at[KERNEL], at["ramdisk"]))


# --- one request fails --------------------------------------------------------------------------------------------------

def sweep(testbed: Testbed, one: Builder, path: str, sites: tuple[str, ...] | None, names: tuple[str, ...] = ()) -> None:
    trace = [request for request in one.trace() if not sites or request.site in sites]
    if names:
        trace = fault_points.middle(trace, names)
    chosen = fault_points.faults(fault_points.sample(trace))
    names = {request.name for request in trace}
    print(f"{path}: {len(trace)} requests of {len(names)} functions; {len(chosen)} fail", flush=True)
    before = testbed.settled()
    for request, error in chosen:
        started = time.monotonic()
        rc, said, after = testbed.after(f"""
            timeout {BUILD_SECONDS} {one.command(f'{request.site}:{request.number}:{error}')} || exit $?
            {STOCK_XL} destroy {one.name}""")
        wrong = fault_points.judge(request, rc, said, census.compare(before, after))
        testbed.add(f"requests, {path}", f"{request.name} {request.number}, errno {error}: "
                   + (complaint(said) if rc else "built"), time.monotonic() - started, after, wrong)
        before = after


# --- all of it -----------------------------------------------------------------------------------------------------------

def faults() -> int:
    started = time.monotonic()
    with prepared("faults") as testbed:
        _run(testbed)
    wrong = [step for step in testbed.steps if step.wrong]
    phases = list(dict.fromkeys(step.phase for step in testbed.steps))
    for phase in phases:
        steps = [step for step in testbed.steps if step.phase == phase]
        print(f"{phase}: {len(steps)} faults, {sum(bool(step.wrong) for step in steps)} wrong")
    print(f"{len(testbed.steps)} faults, {len(wrong)} wrong, {time.monotonic() - started:.0f} s")
    return 1 if wrong or not testbed.steps else 0


def _run(testbed: Testbed) -> None:
    library = cc.built("faults.so", [paths.REPO / source for source in SOURCES], "-shared", "-fPIC",
                           "-U_FORTIFY_SOURCE", "-I", str(paths.REPO / "tests/fake"))
    shim = testbed.host.put_once(library, f"/usr/lib/pvlab/{library.name}")
    at = testbed.files()
    stock = builder(testbed, shim, at, STOCK)
    ours = {path: builder(testbed, shim, at, path) for path in SWEPT}
    for one in (stock, *ours.values()):  # the first guests of a boot leave the empty /libxl and /vm
        one.trace()
    usual = interrupted.signals(testbed, stock, STOCK, fault_points.middle(stock.trace(), interrupted.IN_XEN), None)
    for path, one in ours.items():
        trace = one.trace()
        points = fault_points.middle(trace, interrupted.IN_PARSER + interrupted.IN_XEN)
        interrupted.signals(testbed, one, path, points, usual)
        interrupted.meanwhile(testbed, one, path, trace)
    stalls.stalls(testbed, at)
    for path, sites in SWEPT.items():
        sweep(testbed, ours[path], path, sites)
    one = builder(testbed, shim, at, "linux64", "on-demand", config={"maxmem": 2 * 128})
    sweep(testbed, one, "linux64 with memory on demand", ("xen",), ON_DEMAND)
    warnings = census.warnings(testbed.host.log())
    testbed.add("Xen's log", f"{len(warnings)} lines of alarm", 0, testbed.settled(), "; ".join(warnings[:3]))

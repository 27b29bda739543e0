# SPDX-License-Identifier: LGPL-2.1-only
"""python3 -m lab faults: in a real dom0, under the real xl, builds are interrupted (lab/interrupted.py), their files do
not answer (lab/stalls.py), and their requests fail one at a time.

After each failure one line tells why, or the guest was built all the same; nothing may be left.
"""

import dataclasses
import time

from . import census, fault_points, interrupted, stalls
from .fault_points import Request
from .ground import KERNEL, Ground, prepared
from .interrupted import BUILD_SECONDS
from .base import cc, paths
from .machine import install
from .machine.install import STOCK_XL
from .judges.messages import complaint
from .cases.case import Case

STOCK = "xl-pvh"
SWEPT = {"linux64": None, "pvh": ("xen",)}  # None: requests of every kind
ON_DEMAND = ("xc_domain_set_pod_target",)  # only for a guest with maxmem above memory
SOURCES = ("lab/faults.c", "tests/fake/fault.c", "tests/fake/host.c", "tests/fake/process.c", "tests/offline/gate.c")


@dataclasses.dataclass(frozen=True)
class Builder:
    """An xl with the shim in front, and the config it is to build."""

    ground: Ground
    name: str
    preload: str
    config: str

    def command(self, fail: str = "", trace: str = "") -> str:
        env = {"LD_PRELOAD": self.preload, "PVBOOT_FAIL": fail, "PVBOOT_FAIL_TRACE": trace}
        words = " ".join(f"{key}={value}" for key, value in env.items() if value)
        return f"env {words} {STOCK_XL} create -p {self.config}"

    def destroy(self) -> None:
        self.ground.host.run(f"{STOCK_XL} destroy {self.name}")

    def trace(self) -> list[Request]:
        said = self.ground.host.check(f"""
            {self.command(trace="/tmp/trace")} >&2
            rc=$?; cat /tmp/trace; rm /tmp/trace; exit $rc""")
        self.ground.keep(f"trace-{self.name}.txt", said)
        self.destroy()
        return fault_points.parse_trace(said)


def builder(ground: Ground, shim: str, at: dict[str, str], path: str, name: str = "", **more) -> Builder:
    case = Case(f"faults/{name or path}", path, KERNEL, memory=128, **more)
    preload = f"{shim}:{install.LIBDIR}/pvboot-xl.so" if case.needs_pvboot else shim
    return Builder(ground, case.name, preload, ground.config(case, at[KERNEL], at["ramdisk"]))


# --- one request fails --------------------------------------------------------------------------------------------------

def sweep(ground: Ground, one: Builder, path: str, sites: tuple[str, ...] | None, names: tuple[str, ...] = ()) -> None:
    trace = [request for request in one.trace() if not sites or request.site in sites]
    if names:
        trace = fault_points.middle(trace, names)
    chosen = fault_points.faults(fault_points.sample(trace))
    names = {request.name for request in trace}
    print(f"{path}: {len(trace)} requests of {len(names)} functions; {len(chosen)} fail", flush=True)
    before = ground.settled()
    for request, error in chosen:
        started = time.monotonic()
        rc, said, after = ground.after(f"""
            timeout {BUILD_SECONDS} {one.command(f'{request.site}:{request.number}:{error}')} || exit $?
            {STOCK_XL} destroy {one.name}""")
        wrong = fault_points.judge(request, rc, said, census.compare(before, after))
        ground.add(f"requests, {path}", f"{request.name} {request.number}, errno {error}: "
                   + (complaint(said) if rc else "built"), time.monotonic() - started, after, wrong)
        before = after


# --- all of it -----------------------------------------------------------------------------------------------------------

def faults() -> int:
    started = time.monotonic()
    with prepared("faults") as ground:
        _run(ground)
    wrong = [step for step in ground.steps if step.wrong]
    phases = list(dict.fromkeys(step.phase for step in ground.steps))
    for phase in phases:
        steps = [step for step in ground.steps if step.phase == phase]
        print(f"{phase}: {len(steps)} faults, {sum(bool(step.wrong) for step in steps)} wrong")
    print(f"{len(ground.steps)} faults, {len(wrong)} wrong, {time.monotonic() - started:.0f} s")
    return 1 if wrong or not ground.steps else 0


def _run(ground: Ground) -> None:
    library = cc.built("faults.so", [paths.REPO / source for source in SOURCES], "-shared", "-fPIC",
                           "-U_FORTIFY_SOURCE", "-I", str(paths.REPO / "tests/fake"))
    shim = ground.host.put_once(library, f"/usr/lib/pvlab/{library.name}")
    at = ground.files()
    stock = builder(ground, shim, at, STOCK)
    ours = {path: builder(ground, shim, at, path) for path in SWEPT}
    for one in (stock, *ours.values()):  # the first guests of a boot leave the empty /libxl and /vm
        one.trace()
    usual = interrupted.signals(ground, stock, STOCK, fault_points.middle(stock.trace(), interrupted.IN_XEN), None)
    for path, one in ours.items():
        trace = one.trace()
        points = fault_points.middle(trace, interrupted.IN_PARSER + interrupted.IN_XEN)
        interrupted.signals(ground, one, path, points, usual)
        interrupted.meanwhile(ground, one, path, trace)
    stalls.stalls(ground, at)
    for path, sites in SWEPT.items():
        sweep(ground, ours[path], path, sites)
    one = builder(ground, shim, at, "linux64", "on-demand", config={"maxmem": 2 * 128})
    sweep(ground, one, "linux64 with memory on demand", ("xen",), ON_DEMAND)
    warnings = census.warnings(ground.host.log())
    ground.add("Xen's log", f"{len(warnings)} lines of alarm", 0, ground.settled(), "; ".join(warnings[:3]))

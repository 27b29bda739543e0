# SPDX-License-Identifier: LGPL-2.1-only
"""What stamps.c wrote: one build, step by step; and what timed.c said of the command around it."""

import dataclasses
import re

from ..base.errors import LabError

# what libxl asks for, by the name under which it is shown, in order
PHASES = {
    "config": ("xlu_cfg_readdata",),
    "files": ("xc_dom_allocate", "xc_dom_kernel_file", "xc_dom_module_file"),
    "parse": ("xc_dom_boot_xen_init", "xc_dom_parse_image"),
    "populate": ("xc_dom_mem_init", "xc_dom_boot_mem_init"),
    "load": ("xc_dom_build_image",),
    "boot": ("xc_dom_boot_image", "xc_dom_gnttab_init"),
    "release": ("xc_dom_release",),
}
_PHASE_OF = {step: phase for phase, steps in PHASES.items() for step in steps}


@dataclasses.dataclass(frozen=True)
class Build:
    phases: dict[str, float]  # seconds
    cpu: float                # seconds of xl and of the children it waited for, in these phases
    counts: dict[str, int]    # in these phases; empty: it was timed
    xl_kib: int               # the most that xl had resident, until the release
    child_kib: int            # of its children the largest; one that was spawned begins with what xl had

    @property
    def seconds(self) -> float:
        return sum(self.phases.values())


def parse(text: str) -> Build:
    """LabError if it is not one whole build."""
    phases, spent = dict.fromkeys(PHASES, 0.0), {}
    for name, begin, end in re.findall(r"^step (\S+) (.*) > (.*)$", text, re.M):
        if name not in _PHASE_OF:
            raise LabError(f"stamps: {name}: of no known phase")
        before, after = _fields(begin), _fields(end)
        for field, value in after.items():
            spent[field] = spent.get(field, 0) + value - before[field]
        phases[_PHASE_OF[name]] += (after["ns"] - before["ns"]) / 1e9
    last = re.search(r"^end (.*)$", text, re.M)
    if not last or not phases["release"]:
        raise LabError("stamps: the build did not come to its end")
    ends = _fields(last.group(1))
    del spent["ns"]
    return Build(phases, spent.pop("cpu_us") / 1e6, spent, ends["xl_kib"], ends["child_kib"])


def took(said: str) -> dict[str, float]:
    """"create" and, if there was something to wait for, "userland", seconds; "processes", how many were started."""
    found = re.search(r"^took (\d+) processes (\d+)$", said, re.M)
    if not found:
        raise LabError(f"timed said nothing: {said.strip()[-300:]}")
    until = re.search(r"^until (\d+)$", said, re.M)
    return {"create": int(found.group(1)) / 1e9, "processes": int(found.group(2)),
            **({"userland": int(until.group(1)) / 1e9} if until else {})}


def _fields(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", text)}

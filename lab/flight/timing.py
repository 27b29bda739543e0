# SPDX-License-Identifier: LGPL-2.1-only
"""Where the time goes: phases of xl create and of the guest, read from their logs."""

import re

# libxenguest's calls in their order; a phase lasts from one's first appearance to the next's
_CALLS = (("xl and libxl, before", "xc_dom_allocate"), ("read files", "xc_dom_parse_image: called"),
          ("parse and unpack", "xc_dom_mem_init"), ("allocate", "xc_dom_build_image: called"),
          ("copy", "xc_dom_boot_image: called"), ("start state and hypercalls", "xc_dom_release: called"),
          ("libxl, after", "@rc 0"))
TOOLSTACK = tuple(name for name, _ in _CALLS)
GUEST = ("enter and unpack", "start_kernel", "init")
INIT_MARK, DONE_MARK = "@@pvboot-mark init@@", "@@pvboot-mark done@@"


def toolstack(said: str) -> dict[str, float]:
    """From xl -vvv's lines with seconds since its start before each, and pvboot's own log within them."""
    phases: dict[str, float] = {}
    last = 0.0
    for name, call in _CALLS:
        match = re.search(rf"^(\d+\.\d+) .*{re.escape(call)}", said, re.M)
        if not match:
            return {}
        phases[name] = round(float(match.group(1)) - last, 4)
        last = float(match.group(1))
    builder = {f"builder: {name}": int(us) / 1e6
               for name, us in re.findall(r"pvboot: domain \d+ phase (\S+) (\d+) us", said)}
    return {**phases, "create": round(last, 4), **builder}


def guest(marks: list[tuple[float, str]], unpaused: float) -> dict[str, float]:
    """From lines on the debug port, stamped by Xen: the kernel's first, then the marks of its init."""
    kernel = next((at for at, line in marks if "Linux version" in line), None)
    init = next((at for at, line in marks if INIT_MARK in line), None)
    done = next((at for at, line in marks if DONE_MARK in line), None)
    points = (unpaused, kernel, init, done)
    if None in points:
        return {}
    phases = {name: round(b - a, 4) for name, a, b in zip(GUEST, points, points[1:])}
    return {**phases, "guest": round(init - unpaused, 4)}

# SPDX-License-Identifier: LGPL-2.1-only
"""What a Linux with the patches of linux/ says of its hypervisor: in dmesg, and before it has a console on port 0xe9.

Places of the marks, in order: `unz` in the decompressor, `know` and `pre` in the first instructions of the kernel proper, `post`
before common code, `ask` where CPUID is asked.
"""

import dataclasses
import re

from ..guests.evidence import Evidence
from . import handover
from .sentences import normalised

PLACES = ("unz", "know", "pre", "post", "ask")
NODE_DATA_AT = 40  # docs/handover.md
HEADER_AT, HEADER_END = 0x1f1, 0x290  # boot_params.hdr, Linux Documentation/arch/x86/zero-page.rst
PARTS = (("before the header", slice(0, HEADER_AT)), ("after it", slice(HEADER_END, None)))
_PREFIX = "early hypervisor: "
_MARK = re.compile(r"^(\S{4}) (\w+) ([0-9a-f]{16})$", re.M)
_FOUND = re.compile(r"(\S+), boot_params filled by ([a-z ]+) \((\d+)\), data at (0x[0-9a-f]+)$")
_KNOWN = re.compile(r"known (\d+) TSC cycles before CPUID was asked, which says (.+)$")
_HOOKS = re.compile(r"hooks ran (\d+) and (\d+) cycles before$")
FILLERS = {1: "toolstack", 2: "stub", 3: "boot loader"}
SAME_TICK = 100  # of what is printed and what is marked beside it: a part in this


@dataclasses.dataclass(frozen=True)
class Wanted:
    filler: int
    detected: str              # what CPUID says
    places: tuple[str, ...] = PLACES


def said(found: Evidence) -> list[str]:
    """Its lines in dmesg, without what every line of the series begins with."""
    return [line.partition(_PREFIX)[2] for line in found.text("dmesg").splitlines() if _PREFIX in line]


def marks(port: str) -> dict[str, int]:
    """By place, the TSC; `port` is what was written to 0xe9."""
    return {place: int(tsc, 16) for kind, place, tsc in _MARK.findall(port.replace("\r", "")) if kind == "XenV"}


def judge(found: Evidence, port: str, wanted: Wanted) -> list[str]:
    """What is wrong with what a kernel says that was handed a good node."""
    lines, at = said(found), marks(port)
    matched = [pattern.match(line) for pattern, line in zip((_FOUND, _KNOWN, _HOOKS), lines)]
    if len(lines) != 3 or None in matched:
        return [f"dmesg: {lines}"]
    who, known, hooks = matched
    nodes = [data for kind, data in found.setup_data().values() if kind == handover.NODE]
    data = int.from_bytes(nodes[0][NODE_DATA_AT:NODE_DATA_AT + 8], "little") if nodes else None
    says = {"signature": (who[1], "XenVMMXenVMM"), "filler": (who[2], FILLERS[wanted.filler]),
            "its number": (int(who[3]), wanted.filler), "data": (int(who[4], 16), data),
            "detected": (known[2], wanted.detected), "marks": (tuple(at), wanted.places)}
    wrong = [f"{name}: {is_!r}, not {should!r}" for name, (is_, should) in says.items() if is_ != should]
    return wrong or _distances(at, int(known[1]), int(hooks[1]), int(hooks[2]))


def _distances(at: dict[str, int], known: int, pre: int, post: int) -> list[str]:
    """Time goes on from mark to mark, and by as much as the kernel says."""
    ticks = list(at.values())
    if ticks != sorted(ticks):
        return [f"marks: not in order: {at}"]
    return [f"{place}: {number} cycles, by the marks {at['ask'] - at[place]}"
            for place, number in (("know", known), ("pre", pre), ("post", post))
            if abs(at["ask"] - at[place] - number) > max(number // SAME_TICK, 100_000)]


def ignored(found: Evidence, port: str, reason: str) -> list[str]:
    """What is wrong where the node is one that must not be believed: said once, and no hook ran."""
    wanted = [f"SETUP_HYPERVISOR ignored: {reason}"]
    wrong = [] if said(found) == wanted else [f"dmesg: {said(found)}, not {wanted}"]
    return wrong + _silent(port)


def without(found: Evidence, port: str) -> list[str]:
    """What is wrong where there is no node."""
    return ([f"dmesg: {said(found)}"] if said(found) else []) + _silent(port)


def _silent(port: str) -> list[str]:
    return [f"port 0xe9: {marks(port)}"] if marks(port) else []


def differing(one: Evidence, other: Evidence) -> list[str]:
    """Of two kernels: lines of dmesg that only one of them has, but for numbers and the build's own line; and what they show
    of boot_params, but for the part that is each file's own."""
    first, second = ({line for line in normalised(found.text("dmesg")) if not line.startswith("Linux version")}
                     for found in (one, other))
    wrong = [f"dmesg: {sign} {line}" for sign, some in (("-", first - second), ("+", second - first)) for line in sorted(some)]
    pages = [found.sections["boot_params"] for found in (one, other)]
    return wrong + [f"boot_params: {part}" for part, of in PARTS
                    if pages[0][of] != pages[1][of]]

# SPDX-License-Identifier: LGPL-2.1-only
"""Does a figure grow with every cycle?  Pure: lists of numbers in, a verdict out.

What is counted (pages, nodes, descriptors, ports) must not grow at all: the best of the last quarter is held against
the best of the first, so that a moment's use is no leak and one lost page is one.  What begins only in the last quarter
shows in the best of the last few cycles; there, Xen may have taken the few pages by which one of its pools grows.
Resident memory comes and goes in pages and arenas: its slope must stay under a KiB per cycle, over the second half, and
over the last quarter unless all that came in it is no more than what a pool takes once.
"""

import dataclasses
import statistics

from ..judges.leaks import POOL_PAGES

RSS_LIMIT = 1.0            # KiB per cycle
RSS_POOL = 64              # KiB
FEW = 5                    # cycles at the end, and not all of them in a moment's use
GROWTH = {"free pages": POOL_PAGES}
SHRINKS = ("free pages",)  # a leak makes these fewer


@dataclasses.dataclass(frozen=True)
class Trend:
    name: str
    cycles: int
    first: int             # the best of the first quarter, of cycles
    last: int              # the best of the last few
    slope: float           # per cycle; of RSS over the second half
    leak: bool


def slope(values: list[int]) -> float:
    """Least squares, per cycle."""
    if len(values) < 2:
        return 0.0
    return statistics.linear_regression(range(len(values)), values).slope


def trend(name: str, counted: list[int]) -> Trend:
    quarter = max(1, len(counted) // 4)
    best = max if name in SHRINKS else min
    late = counted[-quarter:]
    first, last = best(counted[:quarter]), best(late[-FEW:])
    if name.startswith("RSS"):
        per_cycle = slope(counted[len(counted) // 2:])
        leak = per_cycle >= RSS_LIMIT or (slope(late) >= RSS_LIMIT and last - late[0] > RSS_POOL)
        return Trend(name, len(counted), first, last, per_cycle, leak)

    def lost(then: int) -> int:
        return first - then if name in SHRINKS else then - first
    leak = lost(best(late)) > 0 or lost(last) > GROWTH.get(name, 0)
    return Trend(name, len(counted), first, last, slope(counted), leak)


def trends(cycles: list[dict[str, int]]) -> list[Trend]:
    return [trend(name, [figures[name] for figures in cycles]) for name in cycles[0]]

# SPDX-License-Identifier: LGPL-2.1-only
"""Does a figure grow with every cycle?  Pure: lists of numbers in, a verdict out.

What is counted (pages, nodes, descriptors, ports) must not grow at all: the best of the last quarter is held against
the best of the first, so that a moment's use is no leak and one lost page is one.  Resident memory comes and goes in
pages and arenas: its slope over the second half must stay under a KiB per cycle.
"""

import dataclasses
import statistics

RSS_LIMIT = 1.0            # KiB per cycle
SHRINKS = ("free pages",)  # a leak makes these fewer


@dataclasses.dataclass(frozen=True)
class Trend:
    name: str
    cycles: int
    first: int             # the best of the first quarter, of cycles
    last: int              # the best of the last
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
    first, last = best(counted[:quarter]), best(counted[-quarter:])
    if name.startswith("RSS"):
        per_cycle = slope(counted[len(counted) // 2:])
        return Trend(name, len(counted), first, last, per_cycle, per_cycle >= RSS_LIMIT)
    lost = first - last if name in SHRINKS else last - first
    return Trend(name, len(counted), first, last, slope(counted), lost > 0)


def trends(cycles: list[dict[str, int]]) -> list[Trend]:
    return [trend(name, [figures[name] for figures in cycles]) for name in cycles[0]]

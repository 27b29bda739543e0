# SPDX-License-Identifier: LGPL-2.1-only
"""Times of several runs, and what may be said about them."""

import dataclasses
import statistics

from . import model
from .record import Record
from .timing import GUEST, TOOLSTACK

THRESHOLD_RUNS = 5      # fewer say nothing
THRESHOLD_MADS = 3.0    # nor do medians closer than this many median absolute deviations
THRESHOLD_SHARE = 0.05  # nor closer than this share of the smaller

__all__ = ["GUEST", "TOOLSTACK", "Sample", "by_group", "sample", "verdict"]


@dataclasses.dataclass
class Sample:
    n: int
    median: float
    mad: float


def sample(values: list[float]) -> Sample:
    middle = statistics.median(values)
    return Sample(len(values), middle, statistics.median(abs(value - middle) for value in values))


def verdict(a: Sample, b: Sample) -> str:
    """Of b against a, in words; or why there is none."""
    few = min(a.n, b.n)
    if few < THRESHOLD_RUNS:
        return f"no verdict: {few} runs, {THRESHOLD_RUNS} are needed"
    gap = b.median - a.median
    noise = THRESHOLD_MADS * max(a.mad, b.mad)
    if abs(gap) <= noise or abs(gap) <= THRESHOLD_SHARE * min(a.median, b.median):
        return "no verdict: within the noise"
    return f"{abs(gap):.2f} s {'slower' if gap > 0 else 'faster'} (x{b.median / a.median:.2f})"


def by_group(record: Record) -> dict[str, dict[str, dict[str, Sample]]]:
    """{group: {path: {phase: sample}}} of the jobs that passed; where there are repeats, of those alone."""
    runs: dict[str, dict[str, dict[str, list[float]]]] = {}
    repeated = {job.cell.group for job in record.jobs.values() if job.cell.round}
    for job in record.jobs.values():
        if job.status != model.PASS or not job.times or bool(job.cell.round) != (job.cell.group in repeated):
            continue
        of = runs.setdefault(job.cell.group, {}).setdefault(job.cell.column, {})
        for phase, seconds in job.times.items():
            of.setdefault(phase, []).append(seconds)
    return {group: {path: {phase: sample(values) for phase, values in runs[group][path].items()}
                    for path in model.in_order(runs[group])}
            for group in sorted(runs, key=lambda name: (name not in repeated, name))}

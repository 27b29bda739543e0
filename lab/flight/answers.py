# SPDX-License-Identifier: LGPL-2.1-only
"""What an answer to a claim is: seen in jobs of a record, all of which have to pass a test that could fail."""

import dataclasses
from collections.abc import Callable

from . import model
from .model import Job
from .record import Record

HOLDS, PARTLY, REFUTED, OPEN, ANSWERED = "holds", "holds in part", "refuted", "open", "answered"


@dataclasses.dataclass
class Answer:
    result: str
    text: str
    cells: str = ""    # where it was seen, as --select takes it


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """What no record of a flight holds."""

    text: str
    cases: tuple[str, ...]   # of `lab run`
    verb: str = ""           # or the lab's verb that shows it

    def __str__(self) -> str:
        if self.verb:
            return f"*Not from this record, but from* `lab {self.verb}`: {self.text}"
        cases = ", ".join(f"`{case}`" for case in self.cases)
        return f"*Not from this record, but from lab cases* {cases}: {self.text}"


@dataclasses.dataclass
class Claim:
    id: str
    claim: str
    experiment: str
    answer: Callable[[Record], Answer]
    elsewhere: Elsewhere | None = None


def jobs(record: Record, *paths: str) -> list[Job]:
    """Those that ran and were looked at."""
    return [job for _, job in sorted(record.jobs.items()) if job.cell.path in paths and not job.cell.round
            and job.status in model.EXECUTED and job.handover]


def read_back(record: Record, *paths: str) -> list[Job]:
    return [job for job in jobs(record, *paths) if job.guest]


def _cells(of: list[Job]) -> str:
    return " ".join(f"`*/{column}`" for column in model.in_order({job.cell.column for job in of}))


def each(of: list[Job], test: Callable[[Job], bool], text: str) -> Answer:
    """`text` may name {n} and {kernels}."""
    if not of:
        return Answer(OPEN, "waits for a flight in which such a job ran")
    bad = [job.cell.id for job in of if not test(job)]
    if bad:
        return Answer(REFUTED, f"not so in {', '.join(bad)} ({len(bad)} of {len(of)})", _cells(of))
    kernels = ", ".join(sorted({job.cell.kernel for job in of}))
    return Answer(HOLDS, text.format(n=len(of), kernels=kernels), _cells(of))


def both(first: Answer, second: Answer) -> Answer:
    """Two observations as one: the first that is not as expected, else what was seen in each."""
    for answer in (first, second):
        if answer.result != HOLDS:
            return answer
    return Answer(HOLDS, f"{first.text}; {second.text}", f"{first.cells} {second.cells}")


def but(answer: Answer, result: str, more: str = "") -> Answer:
    """What holds, under another name."""
    return dataclasses.replace(answer, result=result, text=answer.text + more) if answer.result == HOLDS else answer

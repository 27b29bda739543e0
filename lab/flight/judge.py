# SPDX-License-Identifier: LGPL-2.1-only
"""What a flight comes to: every job against its baseline, every difference against the rules."""

import collections
import dataclasses

from . import abi, baseline, grid, model
from .baseline import NEVER, REGR, Verdict
from .model import Job
from .record import Record

EXIT_OK, EXIT_JOBS, EXIT_LOOKS = 0, 1, 5


@dataclasses.dataclass
class Outcome:
    record: Record
    grids: list[grid.Grid]
    verdicts: dict[str, Verdict]
    looks: dict[str, list[str]]

    @property
    def look_count(self) -> int:
        return sum(map(len, self.looks.values()))

    @property
    def exit_code(self) -> int:
        """New unexplained differences, else jobs that should have passed, else nothing."""
        if any(verdict.new_looks for verdict in self.verdicts.values()):
            return EXIT_LOOKS
        return EXIT_JOBS if any(verdict.word in (REGR, NEVER) for verdict in self.verdicts.values()) else EXIT_OK

    @property
    def summary(self) -> str:
        count = collections.Counter(job.status for job in self.record.jobs.values())
        words = collections.Counter(verdict.word for verdict in self.verdicts.values())
        statuses = ", ".join(f"{count[status]} {status}" for status in model.STATUSES if count[status])
        executed = sum(count[status] for status in model.EXECUTED)
        return (f"{executed} jobs executed: {statuses}; {words[REGR]} {REGR}, {words[NEVER]} {NEVER}; "
                f"{self.look_count} unexplained differences")

    def job(self, group: str, column: str) -> Job:
        return self.record.jobs[f"{group}/{column}"]


def judge(record: Record, before: dict) -> Outcome:
    record = dataclasses.replace(record, jobs={name: again(job, record.kernel(job.cell.kernel))
                                               for name, job in record.jobs.items()})
    grids = grid.grids(record)
    looks = {f"{g.group}/{column}": g.looks(column) for g in grids for column in g.columns}
    looks = {name: found for name, found in looks.items() if found}
    verdicts = {name: baseline.judge(job, looks.get(name, []), before.get(name)) for name, job in record.jobs.items()}
    return Outcome(record, grids, verdicts, looks)


def again(job: Job, kernel: dict) -> Job:
    """The job by the demands of today, which may be stricter than those it was run under."""
    broken = {"capture-handover": abi.broken(abi.check(job, kernel)),
              "collect": abi.broken(abi.check_read_back(job, kernel))}
    new = {name: [line for line in lines if f"{name}: {line}" not in job.reasons] for name, lines in broken.items()}
    steps = [_failed(step, new[step.name]) if new.get(step.name) else step for step in job.steps]
    reasons = [f"{name}: {line}" for name, lines in new.items() for line in lines]
    status = model.worst([job.status, model.FAIL]) if reasons else job.status
    return dataclasses.replace(job, status=status, steps=steps, reasons=job.reasons + reasons)


def _failed(step: model.Step, lines: list[str]) -> model.Step:
    return dataclasses.replace(step, status=model.FAIL, detail="\n".join(filter(None, [step.detail, *lines])))

# SPDX-License-Identifier: LGPL-2.1-only
"""The record of a flight: JSON lines, first what flies, then each job as it ends.  Everything else is made from it."""

import dataclasses
import json
import os
from pathlib import Path

from ..errors import LabError
from . import model
from .model import Job

FILE = "record.jsonl"


@dataclasses.dataclass
class Record:
    flight: dict                  # what the jobs have in common: versions, digests, kernels
    jobs: dict[str, Job]          # by cell id; of several runs of one cell the last
    experiments: dict[str, dict] = dataclasses.field(default_factory=dict)  # by the claim they are for

    def finished(self) -> set[str]:
        return {name for name, job in self.jobs.items() if job.status in model.FINISHED}


def read(path: Path) -> Record:
    """A last line without its end is what a killed writer left: it does not count."""
    record = Record({}, {})
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            row = json.loads(line)
            if row["record"] == "flight":
                record.flight = row
            elif row["record"] == "experiment":
                record.experiments[row["id"]] = row
            else:
                record.jobs[row["id"]] = model.from_json(row)
        except (ValueError, KeyError, TypeError) as error:
            raise LabError(f"{path}: line {number}: {error!r}") from None
    return record


def merged(directories: list[Path]) -> Record:
    """Several hosts' records of one flight as one."""
    whole = Record({}, {})
    for directory in directories:
        part = read(directory / FILE)
        if whole.flight and identity(part.flight) != identity(whole.flight):
            raise LabError(f"{directory}: of another flight: {difference(whole.flight, part.flight)}")
        whole.flight = whole.flight or part.flight
        whole.experiments |= part.experiments
        for name, job in part.jobs.items():
            old = whole.jobs.get(name)
            if old is None or old.status not in model.FINISHED or job.status in model.FINISHED:
                whole.jobs[name] = job
    return whole


class Writer:
    """Appends to a record.  What was half written when its writer was killed is cut off first."""

    def __init__(self, directory: Path, flight: dict, replace: bool = False) -> None:
        """`replace`: another flight's record in the way is put aside; otherwise it is an error."""
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / FILE
        self.record = Record({}, {})
        if self.path.exists():
            self._cut()
            self.record = read(self.path)
            if replace and identity(self.record.flight) != identity(flight):
                self.path.rename(self.path.with_name(f"old-{self.record.flight.get('started', '')}.jsonl"))
                self.record = Record({}, {})
        if not self.record.flight:
            self.record.flight = flight
            self._append(flight)
        elif identity(self.record.flight) != identity(flight):
            raise LabError(f"{self.path} is of another flight: {difference(self.record.flight, flight)};"
                           " choose another --out")

    def add(self, job: Job) -> None:
        self.record.jobs[job.cell.id] = job
        self._append(model.to_json(job))

    def add_experiment(self, name: str, found: dict) -> None:
        row = {"record": "experiment", "id": name, **found}
        self.record.experiments[name] = row
        self._append(row)

    def _append(self, row: dict) -> None:
        with self.path.open("a") as out:
            out.write(json.dumps(row, sort_keys=True, separators=(",", ":")) + "\n")
            out.flush()
            os.fsync(out.fileno())

    def _cut(self) -> None:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with self.path.open("r+b") as out:
                out.truncate(whole)


def identity(flight: dict) -> dict:
    """What must not change in the middle of a flight."""
    return {"built": flight.get("built"), "xen": flight.get("xen"),
            "kernels": {name: kernel["sha256"] for name, kernel in flight.get("kernels", {}).items()}}


def difference(a: dict, b: dict) -> str:
    one, other = identity(a), identity(b)
    return ", ".join(f"{key} {one[key]} / {other[key]}" for key in one if one[key] != other[key])

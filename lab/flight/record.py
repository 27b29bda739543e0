# SPDX-License-Identifier: LGPL-2.1-only
"""The record of a flight: JSON lines, first what flies, then each job as it ends.  Everything else is made from it."""

import dataclasses
import json
import os
from pathlib import Path

from ..base import paths
from ..base.errors import Malformed, Usage
from . import model
from .model import Job

FILE = "record.jsonl"


@dataclasses.dataclass
class Record:
    flight: dict                  # what the jobs have in common: versions, digests, kernels
    jobs: dict[str, Job]          # by cell id; of several runs of one cell the last
    experiments: dict[str, dict] = dataclasses.field(default_factory=dict)  # by the claim they are for

    def kernel(self, name: str) -> dict:
        """As `pvboot inspect` sees it, and its setup header."""
        return self.flight.get("kernels", {}).get(name, {})

    def finished(self) -> set[str]:
        return {name for name, job in self.jobs.items() if job.status in model.FINISHED}


def read(path: Path) -> Record:
    """A last line without its end is what a killed writer left: it does not count."""
    record = Record({}, {})
    for number, line in enumerate(paths.read(path).split(b"\n")[:-1], 1):
        try:
            row = json.loads(line)
            if row["record"] == "flight":
                record.flight = row
            elif row["record"] == "experiment":
                record.experiments[row["id"]] = row
            else:
                record.jobs[row["id"]] = model.from_json(row)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Malformed(f"{path}: line {number} is no record: {error!r}") from None
    return record


def merged(directories: list[Path]) -> Record:
    """Several hosts' records of one flight as one."""
    whole = Record({}, {})
    for directory in directories:
        part = read(directory / FILE)
        if not part.flight:
            raise Malformed(f"{directory / FILE}: it does not say what was flown")
        if whole.flight and (other := difference(whole.flight, part.flight)):
            raise Usage(f"{directory}: of another flight: {other}")
        whole.flight = _joined(whole.flight, part.flight)
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
            if replace and difference(self.record.flight, flight):
                self.path.rename(self.path.with_name(f"old-{self.record.flight.get('started', '')}.jsonl"))
                self.record = Record({}, {})
        if self.record.flight and (other := difference(self.record.flight, flight)):
            raise Usage(f"{self.path}: of another flight: {other}; choose another --out")
        joined = _joined(self.record.flight, flight)
        if joined != self.record.flight:
            self.record.flight = joined
            self._append(joined)

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


def _joined(old: dict, new: dict) -> dict:
    """The header of a flight that goes on: as it began, with the kernels that came later."""
    return {**new, **old, "kernels": {**new["kernels"], **old.get("kernels", {})}}


def difference(a: dict, b: dict) -> str:
    """What two parts of one flight may not differ in; "" when they do not."""
    found = [f"{key} {a.get(key)} / {b.get(key)}" for key in ("built", "xen") if a.get(key) != b.get(key)]
    one, other = a.get("kernels", {}), b.get("kernels", {})
    found += [f"kernel {name} {one[name]['sha256'][:12]} / {other[name]['sha256'][:12]}" for name in one.keys() & other.keys()
              if one[name]["sha256"] != other[name]["sha256"]]
    return ", ".join(found)

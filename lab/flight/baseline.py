# SPDX-License-Identifier: LGPL-2.1-only
"""A flight against the one that was accepted before, in osstest's words."""

import dataclasses
import json
from pathlib import Path

from ..base import paths
from ..base.errors import Malformed
from . import model
from .record import Record

REGR, LIKE, NEVER, OK = "REGR", "like", "never pass", ""


@dataclasses.dataclass
class Verdict:
    word: str                 # REGR, like, never pass, blocked, or nothing for what passes
    text: str                 # as the report says it
    new_looks: list[str]      # differences without an explanation that the baseline does not have


def load(path: Path | None, to_be_made: bool = False) -> dict:
    """{cell id: {"status", "looks"}}; empty without a file, which is `to_be_made` then."""
    if path is None or to_be_made and not path.exists():
        return {}
    try:
        jobs = json.loads(paths.read(path))["jobs"]
        if all(isinstance(row["status"], str) and isinstance(row["looks"], list) for row in jobs.values()):
            return jobs
        raise ValueError("a job without status or looks")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"{path}: no baseline: {error!r}") from None


def dump(record: Record, looks: dict[str, list[str]], before: dict) -> str:
    """`before`, with this flight's jobs in the place of theirs."""
    jobs = before | {name: {"status": job.status, "looks": sorted(looks.get(name, []))}
                     for name, job in record.jobs.items() if not job.cell.round}
    rows = ",\n".join(f" {json.dumps(name)}: {json.dumps(jobs[name])}" for name in sorted(jobs))
    return f'{{"jobs": {{\n{rows}\n}}}}\n'


def judge(job: model.Job, looks: list[str], before: dict | None) -> Verdict:
    """`looks`: the job's differences that no rule explains; `before`: its row in the baseline."""
    new = [look for look in looks if not before or look not in before["looks"]]
    if job.status in (model.BLOCKED, model.SKIP):
        if before and before["status"] == model.PASS:
            return Verdict(REGR, f"{REGR}: {job.status} now, passed before", new)
        return Verdict(job.status, f"{job.status}: {'; '.join(job.reasons)}", new)
    if job.status == model.PASS and not new:
        return Verdict(OK, "; ".join(["pass", *job.reasons]), [])
    what = "; ".join(job.reasons + [f"unexplained: {look}" for look in new]) or job.status
    if before is None:
        return Verdict(NEVER, f"{NEVER}: {job.status}: {what}", new)
    if before["status"] == model.PASS or new:
        return Verdict(REGR, f"{REGR}: {what}", new)
    return Verdict(LIKE, f"{LIKE} the baseline ({before['status']}): {what}", new)

# SPDX-License-Identifier: LGPL-2.1-only
"""A flight as TAP 13, which prove reads, and as JUnit XML, for whoever collects those."""

import xml.etree.ElementTree as ET

from . import model
from .baseline import LIKE, REGR
from .judge import Outcome
from .model import Job


_JUNIT = {model.ERROR: "error", model.BROKEN: "error", model.BLOCKED: "skipped", model.SKIP: "skipped"}


def _good(outcome: Outcome, name: str) -> bool:
    return outcome.verdicts[name].word not in (REGR, "never pass") and not outcome.verdicts[name].new_looks


def tap(outcome: Outcome) -> str:
    """https://testanything.org/tap-version-13-specification.html; there are no subtests in it, and none here."""
    lines = ["TAP version 13", f"1..{len(outcome.record.jobs)}"]
    for number, (name, job) in enumerate(sorted(outcome.record.jobs.items()), 1):
        verdict = outcome.verdicts[name]
        directive = ""
        if _good(outcome, name) and job.status in (model.BLOCKED, model.SKIP):
            directive = f" # SKIP {_line(verdict.text)}"
        elif verdict.word == LIKE and not verdict.new_looks:
            directive = f" # TODO {_line(verdict.text)}"
        sign = "ok" if job.status == model.PASS and not verdict.new_looks or directive.startswith(" # SKIP") else "not ok"
        lines.append(f"{sign} {number} - {name}{directive}")
        lines += ["  ---", f"  status: {job.status}", f"  verdict: {_quoted(verdict.text)}",
                  f"  duration_ms: {round(_seconds(job) * 1000)}", "  ..."]
    return "\n".join(lines) + "\n"


def junit(outcome: Outcome) -> str:
    jobs = sorted(outcome.record.jobs.items())
    suite = ET.Element("testsuite", name=outcome.record.flight.get("id", "flight"), tests=str(len(jobs)),
                       failures="0", errors="0", skipped="0")
    for name, job in jobs:
        case = ET.SubElement(suite, "testcase", classname=job.cell.group, name=job.cell.column + (
            f"/time{job.cell.round}" if job.cell.round else ""), time=f"{_seconds(job):.1f}")
        verdict = outcome.verdicts[name]
        kind = _JUNIT.get(job.status, "failure")
        if kind == "skipped" and not _good(outcome, name):
            kind = "failure"
        if job.status != model.PASS or verdict.new_looks:
            ET.SubElement(case, kind, message=_xml(verdict.text))
            count = kind + ("s" if kind != "skipped" else "")
            suite.set(count, str(int(suite.get(count)) + 1))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _seconds(job: Job) -> float:
    return sum(step.seconds for step in job.steps)


def _line(text: str) -> str:
    return " ".join(text.replace("#", "\\#").split())


def _quoted(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def _xml(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)

# SPDX-License-Identifier: LGPL-2.1-only
"""Which jobs get another chance, and what is kept of the first."""

import pytest

from lab.base import progress
from lab.judges import leaks, messages
from lab.flight import baseline, execute, job, model, recipes
from lab.flight.model import Cell, Job

CELL = Cell("6.1", "linux64")
GROWN, LEAK = "free memory changed by -2 pages", "domain left behind: x"
DIED, CRASHED = "the guest shut down or crashed; its last words: x", f"Xen: {messages.TRIPLE_FAULT}"
PASSED = {}
TRIPLE_FAULT = {"userland": (model.CRASH, DIED), "shutdown": (model.CRASH, CRASHED)}
CRASH = {"userland": (model.CRASH, DIED)}
LATE = {"userland": (model.FAIL, "no userland after 240 s")}


def left(*lines):
    return {"leak-check": (model.FAIL, "\n".join(lines))}


def made(steps) -> Job:
    done = Job(CELL)
    for step in done.steps:
        step.status, step.detail = steps.get(step.name, (model.PASS, ""))
    done.conclude()
    return done


def broken() -> Job:
    return Job(CELL, model.BROKEN, ["the machine ended"])


class Record(list):
    add = list.append


@pytest.mark.parametrize("tries, status, reasons", [
    ([PASSED], model.PASS, []),
    ([CRASH], model.CRASH, [f"userland: {DIED}"]),  # without Xen's word for it: no second chance
    ([TRIPLE_FAULT, PASSED], model.PASS, [f"once only: userland: {DIED}", f"once only: shutdown: {CRASHED}"]),
    ([TRIPLE_FAULT] * 5, model.CRASH, [f"userland: {DIED}", f"shutdown: {CRASHED}"]),
    ([TRIPLE_FAULT, CRASH], model.CRASH, [f"userland: {DIED}"]),
    ([left(GROWN), PASSED], model.PASS, [f"once only: leak-check: {GROWN}"]),
    ([left(GROWN)] * 5, model.FAIL, [f"leak-check: {GROWN}"]),  # a leak
    ([left(LEAK)], model.FAIL, [f"leak-check: {LEAK}"]),
    ([left(GROWN, LEAK)], model.FAIL, [f"leak-check: {GROWN}", f"leak-check: {LEAK}"]),
    ([{**LATE, **left(GROWN)}], model.FAIL, ["userland: no userland after 240 s", f"leak-check: {GROWN}"]),
    ([None, PASSED], model.PASS, ["once only: the machine ended"]),
    ([None] * 5, model.BROKEN, ["the machine ended"]),
])
def test_what_may_not_repeat_is_tried_again(monkeypatch, tries, status, reasons):
    flight = execute.Flight.__new__(execute.Flight)
    flight.writer, flight._progress = Record(), progress.Steps()
    left_over = list(tries)
    monkeypatch.setattr(flight, "_try", lambda cell: broken() if (steps := left_over.pop(0)) is None else made(steps))
    flight._one(CELL, "[1/1]")
    assert [(done.status, done.reasons) for done in flight.writer] == [(status, reasons)]
    assert left_over == []


def test_what_came_once_only_is_in_the_report():
    done = Job(CELL, model.PASS, [f"once only: leak-check: {GROWN}"])
    assert baseline.judge(done, [], None).text == f"pass; once only: leak-check: {GROWN}"


class Dom0:
    """Of one guest, whose Xen log is given."""

    def clock(self):
        return 0.0

    def __init__(self, log):
        self.log = log

    def alive(self):
        return True

    def run(self, script):
        return 0, "", ""

    def stamped_log(self):
        return self.log


def runner(tmp_path, log=""):
    given = job.Given("", "", tmp_path, tmp_path, tmp_path, "", {}, True)
    return job.Runner(Dom0(log), Job(CELL), given, tmp_path / "job")


@pytest.mark.parametrize("log, status", [
    ("(d5) [    1.0] Linux version 6.1\n", model.PASS),
    ("(XEN) [    2.0] d5v0 Triple fault - invoking HVM shutdown action 1\n", model.CRASH),
])
def test_a_triple_fault_is_a_crash_whatever_came_before(tmp_path, log, status):
    one = runner(tmp_path, log)
    one._step("shutdown")
    assert one.job.step("shutdown").status == status
    assert (tmp_path / "job" / "xen.log").read_text() == log


def test_no_guest_boots_twice_in_one_job():
    for path in model.PATHS:
        assert 'on_reboot = "preserve"' in recipes.config(Cell("6.1", path), "K", "R", "w")


def test_a_few_pages_less_are_not_passed_over(tmp_path, monkeypatch):
    one = runner(tmp_path)
    one._before = leaks.Snapshot(100, "0", (), ())
    monkeypatch.setattr(job, "SETTLE_SECONDS", -1)
    monkeypatch.setattr(one, "_snapshot", lambda: leaks.Snapshot(98, "0", (), ()))
    one._step("leak-check")
    assert (one.job.step("leak-check").status, one.job.step("leak-check").detail) == (model.FAIL, GROWN)


def test_each_step_is_told_as_it_ends(tmp_path):
    """A line a step, with what came of it."""
    told = []
    made = runner(tmp_path)
    made._told = told.append
    made._plan = lambda: (model.PASS, "")
    made._step("plan")

    def stops():
        raise job.Stop(model.FAIL, "no")
    made._unpause = stops
    made._step("unpause")
    assert [line.split(" (")[0] for line in told] == ["plan: pass", "unpause: fail"]

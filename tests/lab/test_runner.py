# SPDX-License-Identifier: LGPL-2.1-only
"""What becomes of a case when the guest, the lab or the machine fails; the summary of a run."""

import pytest

from lab.base import kernels
from lab.base.errors import HostDead, LabError, NoPackage
from lab.cases import boot, report
from lab.cases.case import Case
from lab.cases.runner import Result, Runner

CASE = Case("6.1/xl-pvh", "xl-pvh", "6.1")
GROWN = ["free memory changed by -1 pages"]


class FakeHost:
    memory_mib = 3072

    def log(self):
        return "(XEN) last words\n"


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """once: what each attempt comes to, in turn: (problems, left behind) or an exception."""
    made = Runner(FakeHost(), None, tmp_path)
    made.once, made.boots = [], 0
    monkeypatch.setattr(kernels, "image", lambda store, kernel: tmp_path)

    def ready():
        made.boots += 1

    def once(case, result):
        outcome = made.once.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(made, "_ready", ready)
    monkeypatch.setattr(made, "_once", once)
    return made


@pytest.mark.parametrize("once, status, reasons", [
    ([([], [])], "pass", []),
    ([(["wrong"], [])], "fail", ["wrong"]),
    ([([], ["domain left behind: x"])], "fail", ["left behind: domain left behind: x"]),
    ([([], GROWN), ([], [])], "pass", ["once only: free memory changed by -1 pages"]),  # a pool of Xen's grew once
    ([([], GROWN)] * 5, "fail", ["left behind: free memory changed by -1 pages"]),
    ([([], GROWN), (["wrong"], [])], "fail", ["wrong"]),
    ([(["wrong"], GROWN)], "fail", ["wrong", "left behind: free memory changed by -1 pages"]),
    ([HostDead("dead"), ([], [])], "pass", []),                                  # the machine got a second chance
    ([HostDead("dead"), HostDead("dead again")], "broken", ["dead again"]),
    ([LabError("no evidence")], "error", ["no evidence"]),
    ([ValueError("1 of 2 sections")], "error", ["1 of 2 sections"]),
])
def test_verdicts(runner, once, status, reasons):
    runner.once = list(once)
    result = runner.run(CASE)
    assert (result.status, result.reasons) == (status, reasons)
    assert runner.once == []
    assert runner.boots == sum(isinstance(outcome, HostDead) for outcome in once) + (status != "broken")


@pytest.mark.parametrize("once, status, reasons", [
    ([(["died"], []), ([], [])], "pass", ["once only: died"]),
    ([(["died"], [])] * 2 + [([], [])], "pass", ["once only: died"] * 2),
    ([(["died"], [])] * 5, "fail", ["died"]),
    ([(["died"], []), ([], GROWN), (["died"], []), ([], GROWN), (["died"], [])], "fail", ["died"]),
])
def test_a_triple_fault_may_be_the_emulations(runner, tmp_path, once, status, reasons):
    (tmp_path / CASE.name).mkdir()
    (tmp_path / CASE.name / "xen.log").write_text("(XEN) d7v0 Triple fault - invoking HVM shutdown action 1\n")
    runner.once = list(once)
    result = runner.run(CASE)
    assert (result.status, result.reasons, runner.once) == (status, reasons, [])


@pytest.mark.parametrize("console, status", [
    ("[   49.44] XSAVE consistency problem: size 832 != kernel_size 0\n[   49.44] Kernel panic - not syncing\n", "pass"),
    ("[   49.44] XSAVE consistency problem: size 832 != kernel_size 0\nRun /init\n", "fail"),
    ("[   49.44] Kernel panic - not syncing: no init\n", "fail"),
])
def test_a_kernel_that_dies_of_the_emulations_xsave_is_tried_again(runner, tmp_path, console, status):
    (tmp_path / CASE.name).mkdir()
    (tmp_path / CASE.name / "console.log").write_text(console)
    runner.once = [(["died"], []), ([], [])]
    assert runner.run(CASE).status == status


def test_a_triple_fault_that_xl_covered_up_is_none_the_less_one(tmp_path, monkeypatch):
    class Rebuilt:
        seconds, evidence = {}, None

        def __init__(self, host, case, directory, step):
            host.said += "(XEN) d7v0 Triple fault - invoking HVM shutdown action 1\n"

        def go(self, *config):
            return []

        def destroy(self):
            pass

    class Host:
        said = "(XEN) d6v0 Triple fault - invoking HVM shutdown action 1\n"  # of the case before

        def log(self):
            return self.said

        def alive(self):
            return True

    made = Runner(Host(), None, tmp_path)
    (tmp_path / CASE.name).mkdir()
    monkeypatch.setattr(boot, "Boot", Rebuilt)
    for name, value in (("_snapshot", None), ("_config", ("", {}))):
        monkeypatch.setattr(made, name, lambda *_, value=value: value)
    monkeypatch.setattr(made, "_left_behind", lambda before: [])
    assert made._once(CASE, Result(CASE)) == (["it ended in a triple fault, and xl built it anew"], [])

    def nameless(*_):
        raise LabError("can't get domid")
    monkeypatch.setattr(Rebuilt, "go", nameless)  # looked at while xl built it anew
    assert made._once(CASE, Result(CASE)) == (["can't get domid"], [])
    monkeypatch.setattr(Rebuilt, "__init__", lambda *_: None)
    with pytest.raises(LabError):
        made._once(CASE, Result(CASE))
    monkeypatch.setattr(Rebuilt, "go", lambda *_: [])
    assert made._once(CASE, Result(CASE)) == ([], [])


def test_the_log_of_a_dead_machine_is_kept(runner, tmp_path):
    runner.once = [HostDead("dead"), ([], [])]
    runner.run(CASE)
    assert (tmp_path / CASE.name / "xen-died-1.log").read_text() == "(XEN) last words\n"


def test_what_is_not_built_or_does_not_fit_is_skipped_with_the_reason(runner, tmp_path, monkeypatch):
    monkeypatch.setenv("PVBOOT_BUILD", str(tmp_path))
    assert "pvboot-xl.so is not built" in runner.run(Case("x", "linux64", "6.1")).reasons[0]
    large = runner.run(Case("x", "xl-pvh", "6.1", memory=4096))
    assert large.status == "skip" and "too little free memory" in large.reasons[0]


def test_a_kernel_that_the_archive_has_not_is_a_reason_to_skip(runner, monkeypatch):
    def image(store, kernel):
        raise NoPackage("no amd64 package of forky matches linux-binary")

    monkeypatch.setattr(kernels, "image", image)
    result = runner.run(CASE)
    assert (result.status, result.reasons, runner.boots) == ("skip", ["no amd64 package of forky matches linux-binary"], 0)


def results(*statuses):
    return [Result(CASE, status) for status in statuses]


@pytest.mark.parametrize("statuses, selected, line, good", [
    (["pass", "skip"], 2, "1 passed, 0 failed, 1 skipped", True),
    (["pass", "fail"], 2, "1 passed, 1 failed, 0 skipped", False),
    (["error", "broken"], 2, "0 passed, 2 failed, 0 skipped", False),
    (["fail"], 5, "0 passed, 5 failed, 0 skipped", False),      # stopped at the first: the others were not run
    ([], 0, "0 passed, 0 failed, 0 skipped", False),            # nothing selected is no success
])
def test_summary(statuses, selected, line, good):
    assert report.summary(results(*statuses), selected) == (line, good)


def test_a_line_a_step_where_there_is_no_terminal(capsys):
    shown = report.Progress()
    shown.begin(2, 5, CASE.id)
    shown.step("xl create took 1.0 s")
    shown.end(Result(CASE, "pass"))
    assert capsys.readouterr().out == \
        "[2/5] 6.1/xl-pvh: begins\n[2/5] 6.1/xl-pvh: xl create took 1.0 s\npass   6.1/xl-pvh\n"


def test_one_line_that_changes_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    shown = report.Progress()
    shown.begin(2, 5, CASE.id)
    shown.step("up")
    shown.end(Result(CASE, "pass"))
    lines = capsys.readouterr().out
    assert lines.count("\n") == 1 and lines.endswith("[2/5] 6.1/xl-pvh: up\r\033[Kpass   6.1/xl-pvh\n")


def test_progress_says_status_case_times_and_reason(capsys):
    result = Result(CASE, "fail", ["one", "two"], {"create": 1.25, "case": 9.0})
    report.Progress().end(result)
    assert capsys.readouterr().out == "fail   6.1/xl-pvh  (create 1.2 s): one\n       two\n"

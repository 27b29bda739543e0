# SPDX-License-Identifier: LGPL-2.1-only
"""The record: what is finished stays finished, whatever happens to the writer or the machine."""

import json

import pytest

from lab.base.errors import LabError
from lab.flight import model
from lab.flight.model import Cell, Job
from lab.flight.record import FILE, Writer, merged, read

FLIGHT = {"record": "flight", "id": "f", "built": "1", "xen": "4.17", "kernels": {}}


def ended(path: str, status: str) -> Job:
    return Job(Cell("6.1", path), status, ["because"])


def test_what_is_written_is_read(tmp_path):
    writer = Writer(tmp_path, FLIGHT)
    writer.add(ended("pvh", model.PASS))
    back = read(tmp_path / FILE)
    assert back.flight == FLIGHT
    assert back.jobs == {"6.1/1cpu/256M/small/pvh": ended("pvh", model.PASS)}


@pytest.mark.parametrize("status, finished", [("pass", True), ("fail", True), ("crash", True), ("blocked", True), ("skip", True),
                                              ("error", False), ("broken", False)])
def test_what_runs_again(tmp_path, status, finished):
    writer = Writer(tmp_path, FLIGHT)
    writer.add(ended("pvh", status))
    assert bool(read(tmp_path / FILE).finished()) is finished


def test_kernels_may_join_later_but_not_change(tmp_path):
    def flight(**kernels: str) -> dict:
        return {**FLIGHT, "kernels": {name: {"sha256": digest} for name, digest in kernels.items()}}

    Writer(tmp_path / "a", flight(old="1"))
    Writer(tmp_path / "a", flight(new="2"))
    Writer(tmp_path / "b", flight(third="3")).add(ended("pvh", model.PASS))
    assert set(read(tmp_path / "a" / FILE).flight["kernels"]) == {"old", "new"}
    assert set(merged([tmp_path / "a", tmp_path / "b"]).flight["kernels"]) == {"old", "new", "third"}
    with pytest.raises(LabError, match="kernel new 2 / 4"):
        Writer(tmp_path / "a", flight(new="4"))


def test_a_killed_writer_loses_only_its_last_line(tmp_path):
    writer = Writer(tmp_path, FLIGHT)
    writer.add(ended("pvh", model.PASS))
    writer.add(ended("linux32", model.PASS))
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-20])
    assert list(read(path).jobs) == ["6.1/1cpu/256M/small/pvh"]
    again = Writer(tmp_path, FLIGHT)
    again.add(ended("linux64", model.PASS))
    assert [job.cell.path for job in read(path).jobs.values()] == ["pvh", "linux64"]


def test_a_spoilt_line_is_an_error_with_its_number(tmp_path):
    Writer(tmp_path, FLIGHT).add(ended("pvh", model.PASS))
    path = tmp_path / FILE
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(LabError, match="line 3"):
        read(path)


def test_another_build_does_not_continue_a_flight(tmp_path):
    Writer(tmp_path, FLIGHT)
    with pytest.raises(LabError, match="built 1 / 2"):
        Writer(tmp_path, {**FLIGHT, "built": "2"})


def test_another_flights_record_can_be_put_aside(tmp_path):
    Writer(tmp_path, {**FLIGHT, "started": "then"}).add(ended("pvh", model.PASS))
    assert Writer(tmp_path, {**FLIGHT, "built": "2"}, replace=True).record.jobs == {}
    assert list(read(tmp_path / "old-then.jsonl").jobs) == ["6.1/1cpu/256M/small/pvh"]
    assert Writer(tmp_path, {**FLIGHT, "built": "2"}, replace=True).record.flight["built"] == "2"


def test_several_hosts_make_one_record(tmp_path):
    for host, path, status in (("a", "pvh", "broken"), ("b", "pvh", "pass"), ("c", "pvh", "error"), ("c", "stub", "pass")):
        Writer(tmp_path / host, FLIGHT).add(ended(path, status))
    whole = merged([tmp_path / host for host in "abc"])
    assert {job.cell.path: job.status for job in whole.jobs.values()} == {"pvh": "pass", "stub": "pass"}


def test_records_of_two_flights_do_not_mix(tmp_path):
    Writer(tmp_path / "a", FLIGHT)
    Writer(tmp_path / "b", {**FLIGHT, "xen": "4.18"})
    with pytest.raises(LabError, match="xen 4.17 / 4.18"):
        merged([tmp_path / "a", tmp_path / "b"])


@pytest.mark.parametrize("steps, status", [
    ({"plan": "pass", "userland": "pass"}, "pass"),
    ({"plan": "skip", "userland": "pass"}, "pass"),
    ({"plan": "skip"}, "skip"),
    ({"plan": "pass", "capture-handover": "fail", "userland": "pass"}, "fail"),
    ({"plan": "pass", "capture-handover": "fail", "userland": "crash"}, "crash"),
    ({}, "blocked"),
])
def test_a_job_is_as_good_as_its_worst_step(steps, status):
    job = Job(Cell("6.1", "pvh"))
    for name, word in steps.items():
        job.step(name).status, job.step(name).detail = word, "x"
    job.conclude()
    assert job.status == status
    good = ("pass",) if status == "skip" else ("pass", "skip")  # what is skipped as a whole says why
    assert job.reasons == [f"{name}: x" for name, word in steps.items() if word not in good]


def test_cells_have_ids_that_tell_them_apart():
    cells = {Cell("6.1", "pvh"), Cell("6.1", "pvh", vcpus=4), Cell("6.1", "pvh", memory=128), Cell("6.1", "pvh", initrd="large"),
             Cell("6.1", "pvh", round=1), Cell("6.12", "pvh"), Cell("6.1", "stub"), Cell("6.1", "stub", how="stock-xl")}
    assert len({cell.id for cell in cells}) == len({cell.name for cell in cells}) == 8
    assert json.loads(json.dumps(model.to_json(Job(Cell("6.1", "pvh")))))["id"] == "6.1/1cpu/256M/small/pvh"

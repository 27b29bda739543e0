# SPDX-License-Identifier: LGPL-2.1-only
"""Two flights' records side by side: which facts differ, on which paths, and what is said of them."""

import argparse
import copy
import dataclasses

import pytest

from lab.base import page
from lab.base.errors import LabError
from lab.flight import commands, versions
from lab.flight.model import Cell
from lab.flight.record import Record, Writer


@pytest.fixture
def pair(record):
    """A flight and its twin on another Xen."""
    other = copy.deepcopy(record)
    other.flight |= {"xen": "4.20", "release": "trixie"}
    return record, other


def test_twins_do_not_differ(pair):
    assert versions.differences(*pair) == {}
    text = versions.render(*pair)
    assert "| Xen 4.17 (no release said) | Xen 4.20 (trixie) |" in text
    for name, job in pair[0].jobs.items():
        assert f"| `{name}` | {job.status} | {job.status} |" in text


def test_what_differs_is_told_once_with_its_paths(pair):
    one, other = pair
    for job in other.jobs.values():
        job.guest["clocksource"] = "tsc"
    rows = versions.differences(one, other)
    row, paths = next((row, paths) for row, paths in rows.items() if row.field == "guest.clocksource")
    assert (row.one, row.other, row.why) == (next(iter(one.jobs.values())).guest["clocksource"], "tsc", "")
    assert sorted(paths) == ["linux32", "xl-pvh"] and len(rows) == 1
    assert "| `guest.clocksource` |" in versions.render(one, other)


def test_a_fact_that_only_one_has_and_one_that_is_free(pair):
    one, other = pair
    job = next(job for job in other.jobs.values() if job.cell.path == "linux32")
    job.guest["memory_kib"] += 4
    job.guest["dmesg"] = [*job.guest["dmesg"], "a | new line"]
    text = versions.render(one, other)
    assert "| `guest.dmesg: a \\| new line` | linux32 | `(absent)` | `printed` |  |" in text
    assert "what is left besides page tables" in text


def test_flights_without_a_common_cell_are_refused(pair):
    one, other = pair
    strangers = {f"x{name}": dataclasses.replace(job, cell=Cell("x", job.cell.path)) for name, job in other.jobs.items()}
    with pytest.raises(LabError, match="no cell in common"):
        versions.render(one, Record(other.flight, strangers))


def test_the_page_keeps_what_people_wrote(pair, tmp_path):
    directories = [tmp_path / name for name in ("one", "other")]
    for whole, directory in zip(pair, directories):
        writer = Writer(directory, whole.flight)
        for job in whole.jobs.values():
            writer.add(job)
    out = tmp_path / "page.md"
    out.write_text(f"before\n{versions.BEGIN}old\n{page.END}after\n")
    commands.versions_(argparse.Namespace(one=directories[0], other=directories[1], out=out))
    assert out.read_text() == f"before\n{versions.BEGIN}{versions.render(*pair)}{page.END}after\n"
    out.write_text("before\n")
    with pytest.raises(LabError, match="0 places for the table"):
        commands.versions_(argparse.Namespace(one=directories[0], other=directories[1], out=out))

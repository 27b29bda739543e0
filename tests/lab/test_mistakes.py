# SPDX-License-Identifier: LGPL-2.1-only
"""What a user may get wrong: one line with a class and its exit code, and no word of Python's."""

import pathlib
import subprocess
import sys

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]


def lab(*words, **more):
    return subprocess.run([sys.executable, "-m", "lab", *map(str, words)], cwd=REPO, capture_output=True, text=True, **more)


@pytest.fixture
def flown(tmp_path):
    """A flight of no job, and what is no flight."""
    (tmp_path / "flight").mkdir()
    (tmp_path / "flight/record.jsonl").write_text('{"record":"flight","id":"x","built":"b","started":"2026-11-29","cpus":2,"xen":"4.17","kernels":{}}\n')
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing/record.jsonl").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/record.jsonl").write_text('{"record":"job","id":"x"}\n')
    (tmp_path / "list").mkdir()
    (tmp_path / "list/record.jsonl").write_text("[1]\n")
    (tmp_path / "baseline").write_text("{}")
    (tmp_path / "rows").write_text('{"jobs": {"x": {"status": 1}}}')
    return tmp_path


ROWS = [
    ("run --select nosuch", 64, "usage: --select nosuch: no case matches; see python3 -m lab list"),
    ("list --select nosuch", 64, "usage: --select nosuch: no case matches; see python3 -m lab list"),
    ("cells --select nosuch", 64, "usage: --select nosuch: no cell matches; see python3 -m lab cells"),
    ("compare --select nosuch --out HERE/out", 64, "usage: --select nosuch: no cell matches; see python3 -m lab cells"),
    ("cell nosuch --out HERE/out", 64, "usage: no cell is called nosuch; see python3 -m lab cells"),
    ("nosuch", 64, "usage: argument VERB: invalid choice: 'nosuch'"),
    ("", 64, "usage: the following arguments are required: VERB; see python3 -m lab --help"),
    ("bench --rounds x", 64, "usage: argument --rounds: invalid int value: 'x'; see python3 -m lab bench --help"),
    ("report HERE/empty", 66, "unreadable: HERE/empty/record.jsonl: No such file or directory"),
    ("report HERE/nosuch", 66, "unreadable: HERE/nosuch/record.jsonl: No such file or directory"),
    ("report HERE/baseline", 66, "unreadable: HERE/baseline/record.jsonl: Not a directory"),
    ("report HERE/nothing", 65, "malformed: HERE/nothing/record.jsonl: it does not say what was flown"),
    ("report HERE/other", 65, "malformed: HERE/other/record.jsonl: line 1 is no record: KeyError('cell')"),
    ("report HERE/list", 65, "malformed: HERE/list/record.jsonl: line 1 is no record: TypeError("),
    ("report HERE/flight --baseline HERE/nosuch", 66, "unreadable: HERE/nosuch: No such file or directory"),
    ("report HERE/flight --baseline HERE", 66, "unreadable: HERE: Is a directory"),
    ("report HERE/flight --baseline HERE/baseline", 65, "malformed: HERE/baseline: no baseline: KeyError('jobs')"),
    ("report HERE/flight --baseline HERE/rows", 65, "malformed: HERE/rows: no baseline: "),
    ("compare --select smoke --baseline HERE/nosuch --out HERE/out", 66, "unreadable: HERE/nosuch: No such file or directory"),
    ("report HERE/flight --out HERE/baseline", 66, "unreadable: HERE/baseline: File exists"),
    ("report HERE/flight --claims HERE/no/such", 66, "unreadable: HERE/no/such: No such file or directory"),
]


@pytest.mark.parametrize("words, code, line", ROWS, ids=[row[0] or "nothing" for row in ROWS])
def test_one_line(flown, words, code, line):
    done = lab(*words.replace("HERE", str(flown)).split())
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert done.stderr.startswith(f"lab: {line}".replace("HERE", str(flown)))
    assert not (flown / "out/record.jsonl").exists()


def test_a_new_baseline_may_be_made(flown):
    done = lab("report", flown / "flight", "--baseline", flown / "new", "--accept")
    assert done.stderr == "" and (flown / "new").exists()


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("words", [["list"], ["cells"], ["--help"]], ids=" ".join)
def test_a_reader_who_has_enough(words, buffered):
    """As a program that SIGPIPE ends: no word, 128 + 13."""
    with subprocess.Popen([sys.executable, "-m", "lab", *words], cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={"PYTHONUNBUFFERED": buffered}) as running:
        running.stdout.close()
        said = running.stderr.read()
        assert (running.wait(), said) == (141, b"")

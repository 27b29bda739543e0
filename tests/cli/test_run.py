# SPDX-License-Identifier: LGPL-2.1-only
"""tests/run.py: its suites one after the other and beside each other, what it says of them, and its sums."""
import os
import pathlib
import re
import signal
import subprocess

import pytest

RUN = pathlib.Path(__file__).resolve().parents[1] / "run.py"
# Each goes on when the other has come: a FIFO is opened by both or by nobody.
MEET = ["one=closing=echo here >{0}/a && cat {0}/b && echo 2 passed", "two=tap=cat {0}/a && echo here >{0}/b && echo ok 1"]


def suites(tmp_path, *words, timeout=60):
    return subprocess.run([RUN, "--logs", tmp_path / "logs", *words], capture_output=True, text=True, timeout=timeout)


@pytest.fixture
def meeting(tmp_path):
    subprocess.run(["mkfifo", tmp_path / "a", tmp_path / "b"], check=True)
    return [suite.format(tmp_path) for suite in MEET]


def names(done):
    return re.findall(r"^(?:ok|FAIL) +(\w+) ", done.stdout, re.M)


def test_beside_each_other(tmp_path, meeting):
    done = suites(tmp_path, "--processors", "2", meeting[0], "--beside", meeting[1])
    assert names(done) == ["one", "two"] and done.stdout.splitlines()[-1] == "3 passed, 0 failed, 0 skipped"


def test_in_the_order_of_the_arguments(tmp_path):
    """Also where the last has long ended, and in one piece."""
    late = f"late=plain=until [ -e {tmp_path}/done ]; do sleep 0.1; done; echo of late; false"
    done = suites(tmp_path, "--processors", "2", late, "--beside", "early=closing=echo '1 passed, 1 failed'; exit 1",
                  f"last=plain=touch {tmp_path}/done")
    assert names(done) == ["late", "early", "last"] and done.returncode == 1
    assert re.search(r"^FAIL late .*\n     \| of late\n     whole output: .*\n"
                     r"FAIL early .*\n     \| 1 passed, 1 failed\n", done.stdout, re.M)
    assert done.stdout.splitlines()[-1] == "2 passed, 2 failed, 0 skipped"
    assert (tmp_path / "logs/late.log").read_text().endswith("of late\n\nexit code 1\n")


def test_who_has_ended_goes_on_with_what_either_may_run(tmp_path, meeting):
    """Both of them, beside the one that still runs."""
    late = f"late=plain=until [ -e {tmp_path}/done ]; do sleep 0.1; done"
    done = suites(tmp_path, "--processors", "2", late, "--beside", "early=plain=true", "--either",
                  "first=plain=true", f"second=plain=touch {tmp_path}/done")
    assert names(done) == ["late", "early", "first", "second"] and done.returncode == 0
    done = suites(tmp_path, "--processors", "2", "a=plain=true", "--beside", "b=plain=true", "--either", *meeting)
    assert names(done) == ["a", "b", "one", "two"] and done.stdout.splitlines()[-1] == "5 passed, 0 failed, 0 skipped"


def test_one_processor(tmp_path):
    """In line: those beside come last."""
    said = tmp_path / "said"
    words = [f"{name}=plain=sleep {wait}; echo {name} >>{said}" for name, wait in (("a", 0.3), ("b", 0.1), ("c", 0), ("d", 0))]
    done = suites(tmp_path, "--processors", "1", *words[:2], "--beside", words[2], "--either", words[3])
    assert names(done) == ["a", "b", "c", "d"] and said.read_text().split() == ["a", "b", "c", "d"]


def test_no_case_is_a_failure(tmp_path):
    done = suites(tmp_path, "none=tap=true", "--beside", "zero=closing=echo 0 passed")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "0 passed, 2 failed, 0 skipped")


@pytest.mark.parametrize("number, code, ignored", [(signal.SIGINT, -2, False), (signal.SIGTERM, 143, False),
                                                   (signal.SIGHUP, 129, False), (signal.SIGTERM, 143, True)])
def test_interrupted(tmp_path, number, code, ignored):
    """As from a terminal, where all of them are sent it: what runs ends, what has not begun does not begin."""
    begun = [tmp_path / "first", tmp_path / "beside"]
    disposed = ["env", f"--{'ignore' if ignored else 'default'}-signal=INT"]  # in a script's background it is ignored
    with subprocess.Popen([*disposed, RUN, "--logs", tmp_path / "logs", "--processors", "2",
                           f"first=plain=touch {begun[0]}; exec sleep 60", f"next=plain=touch {tmp_path}/next",
                           "--beside", f"beside=plain=touch {begun[1]}; exec sleep 60", f"next2=plain=touch {tmp_path}/next",
                           "--either", f"next3=plain=touch {tmp_path}/next"],
                          start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        while not all(b.exists() for b in begun):
            assert run.poll() is None
        os.killpg(run.pid, number)
        run.communicate(timeout=30)
    assert run.returncode == code
    assert not (tmp_path / "next").exists()

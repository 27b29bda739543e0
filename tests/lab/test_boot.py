# SPDX-License-Identifier: LGPL-2.1-only
"""How long a guest is waited for, on a machine whose clock stands in for the emulator's."""

import pytest

from lab.base.errors import LabError
from lab.cases import boot, expectations
from lab.cases.case import Case

END = "the domain has shut down or crashed"


class Dom0:
    """Each look takes its wall time, of which the machine has had a share; answers: exit status and bytes said."""

    def __init__(self, answers, share=1.0):
        self.answers, self.share = iter(answers), share
        self.wall = 0.0

    def clock(self):
        return self.wall * self.share

    def run(self, script, timeout=0):
        self.wall += 2
        rc, size = next(self.answers)
        return rc, "" if rc == 0 else f"{size}\n", ""


def silence(looks):
    return [(1, 100)] * looks


def waited(tmp_path, answers, share=1.0, rounds=1):
    host = Dom0(answers, share)
    return boot.Boot(host, Case("6.1/linux64", "linux64", "6.1"), tmp_path)._wait(rounds), host.wall


@pytest.mark.parametrize("answers, share, problem, seconds", [
    ([(1, 10), (1, 20), (0, 0)], 1.0, None, 6),
    (silence(99), 1.0, "no userland, and 60 s without a word", 62),
    (silence(99) + [(0, 0)], 0.25, None, 200),                    # four times as slow: as long as 50 s alone
    (silence(199), 0.25, "no userland, and 60 s without a word", 242),
    (((1, n) for n in range(999)), 1.0, "no userland after 600 s", 600),  # it talks, and comes to no end
    ([(1, 5), (4, 5)], 1.0, END, 4),
    ([(3, 5)], 1.0, "the domain is gone", 2),
    ([*silence(20), (1, 101), *silence(20), (0, 0)], 1.0, None, 84),  # it spoke in between
])
def test_a_guest_is_waited_for_by_the_machines_clock(tmp_path, answers, share, problem, seconds):
    assert waited(tmp_path, answers, share) == (problem, seconds)


def test_a_look_that_fails_is_the_labs_fault(tmp_path):
    with pytest.raises(LabError, match="6.1/linux64: exit 127"):
        waited(tmp_path, [(127, 0)])


def phases(*names):
    return "".join(f"domainbuilder: detail: pvboot: domain 3 phase {name} 1234 us\n" for name in names)


@pytest.mark.parametrize("case, said, wrong", [
    ({}, phases("load"), None),
    ({"dumped": False}, phases("parse", "unpack", "plan", "load"), None),
    ({"dumped": False}, phases("parse", "unpack-aside", "plan", "load"), "['unpack-aside']"),
    ({"dumped": False}, phases("parse", "plan", "load"), "[], expected ['unpack']"),
    ({"dumped": False, "cached": True}, phases("parse", "plan", "load"), None),
    ({"dumped": False, "cached": True}, phases("parse", "unpack", "plan", "load"), "['unpack'], expected []"),
    ({"dumped": False, "cached": True}, "", "no phases"),
])
def test_where_a_kernel_was_unpacked(case, said, wrong):
    found = expectations.unpacked_elsewhere(Case("k/p", "pvh", "6.1-cloud", **case), said)
    assert [wrong in line for line in found] == [True] if wrong else not found

# SPDX-License-Identifier: LGPL-2.1-only
"""When what is left of an interrupted build is right."""

import signal

import pytest

from lab.base.errors import LabError
from lab.campaigns import fault_points, interrupted
from lab.campaigns.interrupted import MEANWHILE, NOT_STOPPED

DESTROYED, PAUSED, KILLED, STUTTERS = MEANWHILE
DOMAIN = ["free pages: 900 before, 800 after", "domains: new: 7 paused 100"]
USUAL = {"free pages", "domains", "xenstore nodes"}


@pytest.mark.parametrize("rc, at_once, usual, left, wrong", [
    (137, DOMAIN, USUAL, [], ""),
    (137, DOMAIN, None, [], ""),
    (137, [*DOMAIN, "processes: new: pvboot-parse"], USUAL, [], "stock does not leave at its death: processes"),
    (137, DOMAIN, USUAL, DOMAIN[1:], "left behind: domains: new: 7 paused 100"),
    (0, DOMAIN, USUAL, [], "exit 0"),
    (143, DOMAIN, USUAL, [], "exit 143"),
])
def test_signal(rc, at_once, usual, left, wrong):
    assert interrupted.judge_signal(signal.SIGKILL, rc, at_once, usual, left) == wrong


@pytest.mark.parametrize("what, rc, lines, left, wrong", [
    (DESTROYED, 3, 1, [], ""),
    (DESTROYED, 3, 0, [], ""),
    (DESTROYED, 3, 2, [], "2 lines tell why"),
    (DESTROYED, 0, 0, [], "exit 0"),
    (DESTROYED, 139, 1, [], "exit 139"),
    (PAUSED, 0, 0, [], ""),
    (PAUSED, 124, 0, [], "exit 124"),
    (PAUSED, 0, 0, DOMAIN[1:], "left behind: domains: new: 7 paused 100"),
    (PAUSED, NOT_STOPPED, 0, [], "xl did not come to that request"),
    (KILLED, 137, 0, [], ""),
    (KILLED, 0, 0, [], "exit 0"),
    (STUTTERS, 0, 0, [], ""),
    (STUTTERS, 3, 1, [], "exit 3"),
])
def test_meanwhile(what, rc, lines, left, wrong):
    assert interrupted.judge_meanwhile(what, rc, lines, left) == wrong


def test_points_are_from_the_middle_of_the_build():
    trace = fault_points.parse_trace("xen 1 f\nxen 2 g\nxen 3 f\nxen 4 f\n")
    assert [(r.name, r.number) for r in fault_points.middle(trace, ("f", "g"))] == [("f", 3), ("g", 2)]


def test_a_point_that_no_build_comes_to():
    with pytest.raises(LabError, match="never comes to h$"):
        fault_points.middle(fault_points.parse_trace("xen 1 f\n"), ("f", "h"))


def test_every_signal_that_ends_a_process_by_hand():
    assert {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP} <= set(interrupted.SIGNALS)

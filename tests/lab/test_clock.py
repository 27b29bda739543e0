# SPDX-License-Identifier: LGPL-2.1-only
"""A machine's clock under a made-up scheduler, and the real one asked of a real process."""

import subprocess
import time

import pytest

from lab.machine import clock
from lab.machine.clock import Clock


class Scheduler:
    """Wall time and what each thread has had and waited for, in seconds."""

    def __init__(self, **threads):
        self.wall = 100.0
        self.used = {name: [0.0, 0.0] for name in threads}
        self.shares = threads

    def passes(self, seconds):
        """A tenth of a second at a time; each thread has its share of it on a processor, and waits for its share."""
        for _ in range(round(seconds * 10)):
            self.wall += 0.1
            for name, share in self.shares.items():
                for i in (0, 1):
                    self.used[name][i] += share[i] * 0.1

    def threads(self):
        return {name: (round(ran * 1e9), round(waited * 1e9)) for name, (ran, waited) in self.used.items()}


@pytest.mark.parametrize("threads, lived", [
    ({"vcpu": (1, 0)}, 60),                                   # alone on its processor
    ({"vcpu": (0.02, 0)}, 60),                                # asleep: what waits for ever has to be noticed
    ({}, 60),                                                 # no machine, or no statistics of the scheduler's
    ({"vcpu": (0.25, 0.75)}, 15),                             # three others want the same processor
    ({"vcpu0": (0.5, 0.5), "vcpu1": (0.5, 0.5)}, 30),         # both are held up at once
    ({"vcpu0": (0.5, 0.5), "vcpu1": (0, 0)}, 30),
    ({"vcpu": (0, 1)}, 0),
])
def test_what_the_emulator_did_not_get_does_not_count(threads, lived):
    scheduler = Scheduler(**threads)
    ticks = Clock(scheduler.threads, lambda: scheduler.wall)
    seen = []
    for _ in range(60):
        scheduler.passes(1)
        seen.append(ticks())
    assert seen[-1] == pytest.approx(lived, abs=0.01)
    assert seen == sorted(seen)


def test_each_time_counts_as_it_was():
    scheduler = Scheduler(vcpu=(0.1, 0.9))
    ticks = Clock(scheduler.threads, lambda: scheduler.wall)
    scheduler.passes(10)
    assert ticks() == pytest.approx(1)
    scheduler.shares["vcpu"] = (1, 0)
    scheduler.passes(10)
    assert ticks() == pytest.approx(11)


def test_another_machine_in_its_place_does_not_turn_it_back():
    scheduler = Scheduler(old=(1, 0))
    ticks = Clock(scheduler.threads, lambda: scheduler.wall)
    scheduler.passes(5)
    before = ticks()
    scheduler.used, scheduler.shares = {"old": [0.0, 0.0], "new": [0.0, 0.0]}, {"new": (0.5, 0.5)}
    scheduler.passes(4)
    assert (before, ticks()) == (pytest.approx(5), pytest.approx(7))


def test_a_real_process_tells_of_all_its_threads():
    busy = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    try:
        before = clock.threads(busy.pid)
        time.sleep(0.5)
        after = clock.threads(busy.pid)
    finally:
        busy.kill()
        busy.wait()
    assert list(after) == [str(busy.pid)]
    assert 0.1e9 < sum(after[str(busy.pid)]) - sum(before.get(str(busy.pid), (0, 0))) < 2e9  # running or waiting
    assert clock.threads(busy.pid) == {}

# SPDX-License-Identifier: LGPL-2.1-only
"""What counts as growing."""

import random

import pytest

from lab.campaigns import growth


def noisy(n, rate=0.0, seed=1):
    """A figure that is held a little higher for a moment now and then, and grows by @rate per cycle."""
    chance = random.Random(seed)
    return [100 + int(i * rate) + (chance.random() < 0.2) * chance.randint(1, 3) for i in range(n)]


def test_a_moments_use_is_no_leak():
    assert not growth.trend("event channels", noisy(200)).leak


@pytest.mark.parametrize("rate", [1, 0.1, 0.01])
def test_a_leak_is_found_however_slow(rate):
    assert growth.trend("event channels", noisy(210, rate)).leak


def test_one_thing_lost_for_good_is_a_leak():
    assert growth.trend("xenstore nodes", [50] * 100 + [51] * 100).leak


@pytest.mark.parametrize("begins", [0, 100, 150, 151, 170, 190, 194])
def test_a_leak_is_found_whenever_it_begins(begins):
    late = [max(0, i - begins) for i in range(200)]
    assert growth.trend("event channels", [18 + n for n in late]).leak
    assert growth.trend("free pages", [384633 - 5 * n for n in late]).leak


def test_what_happens_to_be_in_use_at_the_end_is_no_leak():
    assert not growth.trend("event channels", [18] * 196 + [19] * 4).leak
    assert growth.trend("event channels", [18] * 195 + [19] * 5).leak


def test_one_of_xens_pools_may_grow_once_near_the_end():
    assert not growth.trend("free pages", [1000] * 180 + [996] * 20).leak
    assert growth.trend("free pages", [1000] * 180 + [995] * 20).leak
    assert growth.trend("free pages", [1000] * 150 + [999] * 50).leak  # not near the end: nothing is to come any more


def test_free_pages_leak_downwards():
    assert growth.trend("free pages", [1000 - i for i in range(60)]).leak
    assert not growth.trend("free pages", [1000 + i for i in range(60)]).leak
    assert not growth.trend("event channels", [1000 - i for i in range(60)]).leak


@pytest.mark.parametrize("kib_per_cycle, leak", [(0, False), (0.5, False), (1.5, True), (4, True)])
def test_memory_may_come_in_steps_but_not_go_on(kib_per_cycle, leak):
    in_pages = [2000 + int(i * kib_per_cycle) // 4 * 4 for i in range(210)]
    assert growth.trend("RSS of xl, KiB", in_pages).leak is leak


@pytest.mark.parametrize("begins, leak", [(150, True), (170, True), (190, False)])
def test_memory_that_begins_to_go_late(begins, leak):
    """Ten cycles of 4 KiB are what a pool may take once."""
    assert growth.trend("RSS of xl, KiB", [2000 + 4 * max(0, i - begins) for i in range(200)]).leak is leak


def test_memory_taken_once_near_the_end():
    assert not growth.trend("RSS of xl, KiB", [2000] * 180 + [2064] * 20).leak


def test_memory_taken_at_first_and_kept():
    assert not growth.trend("RSS of xl, KiB", [2000 + min(i, 60) * 4 for i in range(210)]).leak


def test_slope_is_per_cycle():
    assert growth.trend("processes", [3 * i for i in range(40)]).slope == pytest.approx(3)

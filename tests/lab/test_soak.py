# SPDX-License-Identifier: LGPL-2.1-only
"""The soak's verdict on what was recorded."""

from lab.campaigns import soak
from lab.campaigns.testbed import Step

REST = {"free pages": 1000, "xenstore nodes": 40, "RSS of xenstored, KiB": 2000}


def cycles(phase, n=30, wrong="", warm_up=10, **growth):
    grown = {"free pages": 0, "xenstore nodes": 0, **{name.replace("_", " "): by for name, by in growth.items()}}
    return [Step(phase, i + 1, "linux64", 1.0, {name: at + i * grown.get(name, 0) for name, at in REST.items()}, wrong, i >= warm_up)
            for i in range(n)]


def test_nothing_grows():
    text, bad = soak.summary(cycles("stock cycles") + cycles("cycles"))
    assert bad == [] and text.endswith("nothing leaked\n") and "LEAK" not in text


def test_a_page_per_cycle():
    text, bad = soak.summary(cycles("stock cycles") + cycles("cycles", free_pages=-1))
    assert len(bad) == 1 and bad[0].startswith("cycles: free pages: 990 at first, 97") and "LEAK" in text


def test_what_stock_leaks_is_shown_and_is_not_ours():
    text, bad = soak.summary(cycles("stock cycles", xenstore_nodes=1) + cycles("cycles"))
    assert bad == [] and "LEAK" in text


def test_a_cycle_that_went_wrong():
    assert soak.summary(cycles("cycles", wrong="xl: no"))[1][0] == "cycles 1, linux64: xl: no"


def test_what_is_left_after_a_phase():
    after = Step("reboots, after", 1, "linux64", 0, REST, "xenstore nodes: new: /vm/x")
    assert soak.summary(cycles("reboots") + [after])[1] == ["reboots, after 1, linux64: xenstore nodes: new: /vm/x"]


def test_a_phase_cut_short_is_no_success():
    assert soak.summary(cycles("cycles", n=10))[1] == ["cycles: 0 cycles are not enough"]


def test_what_the_first_guests_take_is_not_counted():
    steps = cycles("cycles")
    for step in steps[:10]:
        step.figures["xenstore nodes"] = step.number
    assert soak.summary(steps)[1] == []

# SPDX-License-Identifier: LGPL-2.1-only
"""What the confined parser may cost."""

import pytest

from lab.campaigns import bench


def samples(off, strict):
    return {f"6.1/pvh/{mode}": [{"create": seconds} for seconds in runs] for mode, runs in (("off", off), ("strict", strict))}


@pytest.mark.parametrize("off, strict, good", [
    ([1.0, 1.0, 1.0], [1.0, 1.05, 1.05], True),
    ([1.0, 1.0, 1.0], [1.06, 1.06, 1.0], False),
    ([0.01, 0.01, 0.01], [0.012, 0.012, 0.012], True),   # 2 ms of a short time
    ([0.01, 0.01, 0.01], [0.013, 0.013, 0.013], False),
    ([1.0, 9.0, 5.0], [1.01, 9.01, 5.01], True),         # pairs, whatever else goes on
])
def test_five_percent_and_two_milliseconds(off, strict, good):
    text, verdict = bench.sandbox_table(samples(off, strict))
    assert verdict is good and ("OVER" in text) is not good

# SPDX-License-Identifier: LGPL-2.1-only
"""Is it the same guest that goes on, and where?"""
import pytest

from lab.campaigns.migrate import COUNTED, judge


def counted(*numbers, xen="4.20.5-pre", up=1):
    return COUNTED.findall("".join(f"@@count {n} on {xen}, {up} up@@\r\n" for n in numbers))


@pytest.mark.parametrize("said,wrong", [
    (counted(7, 8, 9), ""),
    (counted(8, 9, 10), ""),                       # the 7th was still said where it came from
    (counted(9, 10, 11), "counts [9, 10, 11] after 7"),
    (counted(1, 2, 3), "counts [1, 2, 3] after 7"),  # booted anew
    (counted(8, 10, 11), "counts [8, 10, 11] after 7"),
    (counted(8, 9, 10, xen="4.17.7"), "names Xen 4.17.7, not 4.20.5-pre"),
    (counted(8, 9, 10, up=2), "2 vCPUs are up"),
])
def test_judge(said, wrong):
    assert judge(said, 7, "4.20.5-pre", 1) == wrong

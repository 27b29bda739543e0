# SPDX-License-Identifier: LGPL-2.1-only
"""What many domains may leave: no more of Xen's pages than stock's leave, and nothing else."""

import dataclasses

import pytest

from lab.campaigns import cycles

from test_census import REST


def looks(*pages, **more):
    """By turns of stock and launch, from 1000 free pages on; `more` is left at the end."""
    who = ["", *(["stock", "launch"] * len(pages))][:len(pages) + 1]
    free = [1000 - sum(pages[:n]) for n in range(len(pages) + 1)]
    found = [(name, dataclasses.replace(REST, free_pages=n)) for name, n in zip(who, free)]
    return [*found[:-1], (found[-1][0], dataclasses.replace(found[-1][1], **more))]


@pytest.mark.parametrize("pages", [(0, 0, 0, 0), (6, 8, 1, 2), (30, 3, 0, 0), (0, 4, 0, 0), (-3, 3, 0, 0)])
def test_what_xen_keeps_for_stock_too(pages):
    assert cycles.wrong(looks(*pages)) == []


@pytest.mark.parametrize("pages", [(0, 5, 0, 0), (3, 25, 3, 25), (-40, 5, 0, 0)])
def test_what_only_ours_lose(pages):
    found = cycles.wrong(looks(*pages))
    assert len(found) == 1 and found[0].startswith(f"free pages: {pages[1] + pages[3]} fewer by launch")


def test_anything_else_is_left_by_nobody():
    assert cycles.wrong(looks(6, 6, ports=31)) == ["event channels: 30 before, 31 after"]
    assert cycles.wrong(looks(6, 6, nodes=("/x",)))[0] == "xenstore nodes: new: /x"

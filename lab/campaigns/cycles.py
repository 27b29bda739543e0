# SPDX-License-Identifier: LGPL-2.1-only
"""Domains of launch, and stock xl's beside them, made, started and destroyed over and over: is anything left?

Xen keeps pages of its own for later: its pools grow with the first domains, whoever makes them.  So stock in the same boot
is the measure of what may be gone: what launch loses beyond that is lost.
"""

import time

from ..judges.leaks import POOL_PAGES
from ..machine.install import STOCK_XL
from ..cases.case import Case
from . import census
from .testbed import KERNEL, Testbed

BLOCK = 25          # cycles between two looks
IDLE_SECONDS = 5    # before a look, for Xen to scrub and dom0 to come to rest
OURS, STOCK = "launch", "stock"


def run(testbed: Testbed, at: dict[str, str], count: int) -> None:
    """`count` of ours, and as many of stock's, by turns."""
    config = testbed.config(Case("cycle-stock", "xl-pvh", KERNEL, memory=128, vcpus=4), at[KERNEL], at["ramdisk"])
    once = {STOCK: f"{STOCK_XL} create {config} && {STOCK_XL} destroy cycle-stock",
            OURS: f"pvboot launch --name cycle --memory 128 --vcpus 4 --entry linux64 --ramdisk {at['ramdisk']} {at[KERNEL]} &&"
                  " pvboot destroy cycle"}
    for first in once.values():  # they leave the empty directories of xenstore and a file of xl's
        testbed.host.check(first)
    looks = [("", _look(testbed))]
    started = time.monotonic()
    for done in range(0, count, BLOCK):
        some = min(BLOCK, count - done)
        for who, script in once.items():
            before = time.monotonic()
            rc, said, _ = testbed.after(f"for i in $(seq {some}); do {script} || exit; done", 20 + 10 * some)
            looks.append((who, _look(testbed)))
            testbed.add("cycle", f"{some} of {who}", time.monotonic() - before, looks[-1][1],
                        f"exit {rc}: {said[-200:]}" if rc else "")
    testbed.add("cycles", f"{count} of launch, {count} of stock", time.monotonic() - started, looks[-1][1], "; ".join(wrong(looks)))


def _look(testbed: Testbed) -> census.Census:
    time.sleep(IDLE_SECONDS)
    return testbed.settled()


def lost(looks: list[tuple[str, census.Census]]) -> dict[str, int]:
    """Pages that Xen had no more, by whose cycles these were."""
    found = {OURS: 0, STOCK: 0}
    for (_, before), (who, after) in zip(looks, looks[1:]):
        found[who] += before.free_pages - after.free_pages
    return found


def wrong(looks: list[tuple[str, census.Census]]) -> list[str]:
    found = [line for line in census.compare(looks[0][1], looks[-1][1]) if not line.startswith("free pages")]
    pages = lost(looks)
    if pages[OURS] > max(0, pages[STOCK]) + POOL_PAGES:
        found.append(f"free pages: {pages[OURS]} fewer by launch, {pages[STOCK]} by stock")
    return found

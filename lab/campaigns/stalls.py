# SPDX-License-Identifier: LGPL-2.1-only
"""A real xl whose kernel or ramdisk lies on a file system that never answers (tests/confine/unanswered.c).

Stock xl waits there until it is killed: the control.
"""

import re
import signal
import time

from ..base import cc, paths
from ..machine.install import STOCK_XL, XL
from ..judges.messages import complaint
from ..cases.case import Case
from . import census, fault_points
from .interrupted import DESTROY_ALL
from .testbed import KERNEL, Testbed

DIRECTORY = "/run/unanswered"
FILE = f"{DIRECTORY}/file"
SAYS = rf"^pvboot: unreadable: {FILE}: stalls: 0 bytes in \d+ ms, limit \d+$"
PATIENCE = 100  # seconds; a kernel is asked for with the config and by the build
STOCK, STOCK_PATIENCE = "xl-pvh", 40
LATE = 128 + signal.SIGTERM


def judge(ours: bool, rc: int, said: str, left: list[str]) -> str:
    if left:
        return f"left behind: {'; '.join(left)}"
    if not ours:
        return "" if rc == LATE else f"stock xl did not wait: exit {rc}"
    if rc in (0, LATE):
        return f"exit {rc}"
    return "" if re.search(SAYS, said, re.M) and fault_points.lines(said) == 1 else "no line says that it stalls"


def stalls(testbed: Testbed, at: dict[str, str]) -> None:
    source = paths.REPO / "tests/confine/unanswered.c"
    program = cc.built("unanswered", [source])
    unanswered = testbed.host.put_once(program, f"/usr/lib/pvlab/{program.name}")
    testbed.host.check(f"mkdir {DIRECTORY}")
    files = {"kernel": (FILE, at["ramdisk"]), "ramdisk": (at[KERNEL], FILE)}
    how = {"kernel": "ignore", "ramdisk": "swallow"}
    before = testbed.settled()
    for path, what in (("pvh", "kernel"), ("pvh", "ramdisk"), ("linux64", "kernel"), ("linux64", "ramdisk"),
                       (STOCK, "kernel")):
        ours = path != STOCK
        started = time.monotonic()
        config = testbed.config(Case(f"stalls/{path}/{what}", path, KERNEL, memory=128), *files[what])
        rc, said, after = testbed.after(f"""
            timeout {PATIENCE if ours else STOCK_PATIENCE} {unanswered} {how[what]} {DIRECTORY} {XL if ours else STOCK_XL} create -p {config}
            rc=$?
            {DESTROY_ALL if not ours else ""}
            exit $rc""")
        wrong = judge(ours, rc, said, census.compare(before, after))
        testbed.add(f"stalls, {path}", f"{what}: {complaint(said) if ours else 'waits for ever'}", time.monotonic() - started,
                   after, wrong)
        before = after

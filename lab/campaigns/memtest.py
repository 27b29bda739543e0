# SPDX-License-Identifier: LGPL-2.1-only
"""memtest86+: a bzImage that is no Linux, in a domain that has timers.  There is no VGA adapter; what it writes to where one
would be is memory of the guest, and is read there."""

import re
import time
from pathlib import Path

from ..machine.install import LIBDIR, STOCK_XL
from .testbed import Testbed

PACKAGE = r"memtest86\+"
IMAGE = "boot/memtest86+x64.bin"
SCREEN, ROWS, COLUMNS = 0xb8000, 25, 80  # of a VGA adapter's text mode, a byte for the colour of each
KEPT = "/root/screen"
BETWEEN = 5   # seconds from one look to the next
LOOKS = 20


def image(testbed: Testbed) -> Path:
    return testbed.store.unpacked(PACKAGE, below="boot") / IMAGE


def once(testbed: Testbed, name: str, command: str) -> tuple[str, str]:
    """Its last screen, and what is wrong."""
    rc, out, err = testbed.host.run(command)
    if rc:
        return "", f"exit {rc}: {err.strip()[-200:]}"
    screens: list[str] = []
    while len(screens) < LOOKS and judge(screens):
        time.sleep(BETWEEN)
        screens.append(_screen(testbed, int(out)))
    testbed.host.run(f"pvboot destroy {name}; rm -r {KEPT}")
    return screens[-1], judge(screens)


def _screen(testbed: Testbed, domid: int) -> str:
    testbed.host.check(f"""
        mkdir -p {KEPT}
        {STOCK_XL} pause {domid}
        {LIBDIR}/pvboot-capture -o {KEPT} {domid} screen={SCREEN}:{2 * ROWS * COLUMNS} > /dev/null
        rc=$?
        {STOCK_XL} unpause {domid}
        exit $rc""")
    return text(testbed.host.get(f"{KEPT}/screen.bin"))


def text(cells: bytes) -> str:
    shown = "".join(chr(code) if 0x20 <= code < 0x7f else " " for code in cells[::2])
    return "\n".join(shown[at:at + COLUMNS].rstrip() for at in range(0, len(shown), COLUMNS))


def judge(screens: list[str]) -> str:
    """It tests, its clock goes, and it finds no errors."""
    last = screens[-1] if screens else ""
    if not re.search(r"^\s*Memtest86\+ v\d", last) or "Status: Testing" not in last:
        return "memtest86+ does not test"
    times = {time for screen in screens for time in re.findall(r"Time: +(\d+:\d\d:\d\d)", screen)}
    if len(times) < 2:
        return f"its clock stands at {', '.join(times) or 'nothing'}"
    return "" if re.search(r"Errors: 0\b", last) else "it finds errors"

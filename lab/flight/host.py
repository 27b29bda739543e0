# SPDX-License-Identifier: LGPL-2.1-only
"""The lab's machine with Xen's clock in its log, so that what guests print tells when it was printed."""

import re

from ..base import packages
from ..machine import host

_STAMP = re.compile(r"^(\((?:XEN|d\d+)\) )\[ *(\d+\.\d+)\] ", re.M)
_TRIES = 5
_BUFFER = 199  # Xen prints what a domain wrote when there is a newline, or this many characters


class Host(host.Host):
    """`log()` is without stamps, as everybody else expects it; `marks()` has them."""

    clock_offset = 0.0  # Xen's clock less dom0's uptime

    def boot(self, store: packages.Store) -> float:
        seconds = super().boot(store)
        self.check("xl set-parameters console_timestamps=boot")
        self.clock_offset = self._calibrate()
        return seconds

    def log(self) -> str:
        return _STAMP.sub(r"\1", super().log())

    def stamped_log(self) -> str:
        return super().log()

    def _calibrate(self) -> float:
        """A line of Xen's between two looks at the uptime, of several tries the one with the closest looks."""
        best = (float("inf"), 0.0)
        for _ in range(_TRIES):
            start = len(self.stamped_log())
            before, after = map(float, self.check(
                "read a _ < /proc/uptime; xl debug-keys t; read b _ < /proc/uptime; echo $a $b").split())
            stamps = _STAMP.findall(self.stamped_log()[start:])
            if stamps:
                best = min(best, (after - before, float(stamps[-1][1]) - (before + after) / 2))
        return best[1]


def marks(stamped: str, domid: int) -> list[tuple[float, str]]:
    """What one domain wrote to the debug port, line by line as it wrote them: Xen's time in seconds, line."""
    pattern = re.compile(rf"^\(d{domid}\) \[ *(\d+\.\d+)\] (.*)$", re.M)
    lines: list[tuple[float, str]] = []
    goes_on = False
    for stamp, text in pattern.findall(stamped):
        text = text.rstrip("\r")
        if goes_on:
            lines[-1] = (lines[-1][0], lines[-1][1] + text)
        else:
            lines.append((float(stamp), text))
        goes_on = len(text) == _BUFFER
    return lines

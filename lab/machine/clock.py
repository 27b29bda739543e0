# SPDX-License-Identifier: LGPL-2.1-only
"""How long a machine has lived: wall time, less what its emulator wanted of a processor and did not get.

Beside others on the same processors an emulator comes to a half or a quarter of what it does alone, and a guest that is
merely slow must not count as hung.  Its processor time alone would not do either: a guest that waits for ever uses none.
On a quiet machine this is wall time.
"""

import time
from collections.abc import Callable
from pathlib import Path

WINDOW = 0.25  # seconds; the kernel adds a wait when it ends, so this has to be many of its time slices

Threads = dict[str, tuple[int, int]]  # by number: nanoseconds on a processor, nanoseconds waiting for one


class Clock:
    """Called, the seconds so far."""

    def __init__(self, threads: Callable[[], Threads], now: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._now = now
        self._counted = 0.0
        self._at = now()
        self._seen = threads()

    def __call__(self) -> float:
        now = self._now()
        if now - self._at >= WINDOW:
            seen = self._threads()
            ran, waited = (sum(max(0, used[i] - self._seen.get(thread, (0, 0))[i]) for thread, used in seen.items())
                           for i in (0, 1))
            self._counted += (now - self._at) * (ran / (ran + waited) if ran + waited else 1)
            self._at, self._seen = now, seen
        return self._counted


def threads(pid: int) -> Threads:
    """Of a process; none if it is gone.  Linux Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat."""
    found = {}
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            ran, waited, _ = (task / "schedstat").read_text().split()
        except (OSError, ValueError):
            continue
        found[task.name] = (int(ran), int(waited))
    return found

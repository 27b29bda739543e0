# SPDX-License-Identifier: LGPL-2.1-only
"""What is going on: on a terminal in one line that changes, elsewhere in a line a step."""

import sys


class Steps:
    """Of one thing after another: "[3/8] name: step"."""

    def __init__(self) -> None:
        self._tty = sys.stdout.isatty()
        self._what = ""

    def begin(self, number: int, total: int, name: str) -> None:
        self._what = f"[{number}/{total}] {name}"
        self.step("begins")

    def step(self, text: str) -> None:
        """What is being done, or has just been."""
        if self._tty:
            print(f"\r\033[K{self._what}: {text}", end="", flush=True)
        else:
            print(f"{self._what}: {text}", flush=True)

    def say(self, text: str) -> None:
        """A line that stays."""
        print(("\r\033[K" if self._tty else "") + text, flush=True)

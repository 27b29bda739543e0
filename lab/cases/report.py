# SPDX-License-Identifier: LGPL-2.1-only
"""What the developer sees of a run, and what is kept of it."""

import json
from pathlib import Path

from ..base.progress import Steps
from .runner import Result


class Progress(Steps):
    """One line that stays for each case, besides its steps."""

    def end(self, result: Result) -> None:
        times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.seconds.items() if name != "case")
        line = f"{result.status:6} {result.case.id}" + (f"  ({times})" if times else "")
        if result.reasons:
            line += f": {result.reasons[0]}"
        self.say(line)
        for reason in result.reasons[1:6]:
            print(f"       {reason}")


def summary(results: list[Result], selected: int) -> tuple[str, bool]:
    """The last line, and whether the run is a success.  What was not run is not a success."""
    passed = sum(r.status == "pass" for r in results)
    skipped = sum(r.status == "skip" for r in results)
    failed = selected - passed - skipped
    return f"{passed} passed, {failed} failed, {skipped} skipped", failed == 0 and selected > 0


def write(results: list[Result], out: Path) -> None:
    rows = [{"case": r.case.id, "status": r.status, "reasons": r.reasons,
             "seconds": {name: round(value, 2) for name, value in r.seconds.items()}} for r in results]
    (out / "results.json").write_text(json.dumps(rows, indent=1) + "\n")

# SPDX-License-Identifier: LGPL-2.1-only
"""The verbs: compare flies and reports; cells, cell and report are the same in pieces, for many hosts."""

import argparse
import collections
import fcntl
import os
from pathlib import Path

from ..base import kernels, page, paths
from ..base.errors import LabError, Usage
from . import baseline, cells, claims, execute, htmlreport, judge, model, record, tap, versions
from .judge import Outcome

BASELINE = Path(__file__).parent / "baseline.json"
ROUNDS = 5


def register(verb) -> None:
    """`verb` makes a subparser of a function; lab/__main__.py has it."""
    sub = verb(compare, "boot one kernel through every path, many kernels and shapes; compare; report")
    _matrix(sub)
    sub.add_argument("--out", type=Path, help="the flight's directory (default: flight/); a flight of the same build that"
                     " is there is resumed, another one's record put aside")
    sub.add_argument("--anew", action="store_true", help="do not resume")
    sub.add_argument("--minutes", type=float, default=0, metavar="N", help="begin no job later than this; then exit 75")
    _report(sub)
    sub = verb(cells_, "list the cells of the matrix, one id per line")
    _matrix(sub)
    sub = verb(cell, "run cells that --out does not have yet; 0: all passed, 1: some failed, 75: try again")
    sub.add_argument("id", nargs="+")
    sub.add_argument("--out", type=Path, required=True)
    sub = verb(report, "one report of the records in several directories")
    sub.add_argument("dir", type=Path, nargs="+")
    sub.add_argument("--out", type=Path, help="where the report goes (default: the first directory)")
    _report(sub)
    sub = verb(versions_, "where the same cells of two flights differ, for instance on two versions of Xen")
    sub.add_argument("one", type=Path)
    sub.add_argument("other", type=Path)
    sub.add_argument("--out", type=Path, help="the page that has a place for it (docs/platforms.md); default: standard output")


def versions_(args: argparse.Namespace) -> int:
    text = versions.render(*(record.read(directory / record.FILE) for directory in (args.one, args.other)))
    if args.out:
        paths.write(args.out, page.with_table(paths.read(args.out).decode(), versions.BEGIN, text))
    else:
        print(text, end="")
    return 0


def _matrix(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--select", default="", metavar="GLOB,...", help="only these cells; 'smoke' is a fixed few")
    sub.add_argument("--rounds", type=int, default=0, help=f"repeats of one shape for timing ({ROUNDS} give verdicts)")


def _report(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--baseline", type=Path, default=BASELINE, help="what was accepted before (default: the committed one)")
    sub.add_argument("--accept", action="store_true", help="put this flight's jobs into the baseline, in the place of what it has for them")
    sub.add_argument("--claims", type=Path, metavar="FILE", help="write docs/claims.md from this flight")


def _wanted(args: argparse.Namespace) -> list[model.Cell]:
    wanted = cells.select(cells.matrix(list(kernels.KERNELS), args.rounds), args.select)
    if not wanted:
        raise Usage(f"--select {args.select}: no cell matches; see python3 -m lab cells")
    return wanted


def _baseline(args: argparse.Namespace) -> dict:
    return baseline.load(args.baseline, args.accept)


def compare(args: argparse.Namespace) -> int:
    _baseline(args)  # before anything is flown
    wanted, out = _wanted(args), _directory(args.out)
    with _Lock(out):
        if args.anew:
            (out / record.FILE).unlink(missing_ok=True)
        flown = execute.Flight(wanted, out, experiments=not args.select, replace=True).fly(args.minutes)
    code = _conclude(args, [out], out, {cell.id for cell in wanted})
    return code if {cell.id for cell in wanted} <= flown.jobs.keys() else os.EX_TEMPFAIL


def cells_(args: argparse.Namespace) -> int:
    for wanted in _wanted(args):
        print(wanted.id)
    return 0


def cell(args: argparse.Namespace) -> int:
    known = {cell.id: cell for cell in cells.matrix(list(kernels.KERNELS), 99)}
    unknown = [name for name in args.id if name not in known]
    if unknown:
        raise Usage(f"no cell is called {unknown[0]}; see python3 -m lab cells")
    out = _directory(args.out)
    with _Lock(out):
        whole = execute.Flight([known[name] for name in args.id], out).fly()
    statuses = {whole.jobs[name].status for name in args.id}
    if not statuses <= set(model.FINISHED):
        return os.EX_TEMPFAIL
    return 1 if statuses & {model.FAIL, model.CRASH} else 0


def report(args: argparse.Namespace) -> int:
    return _conclude(args, args.dir, (args.out or args.dir[0]).resolve(), None)


def _conclude(args: argparse.Namespace, directories: list[Path], out: Path, only: set[str] | None) -> int:
    whole = record.merged(directories)
    if only is not None:
        whole.jobs = {name: job for name, job in whole.jobs.items() if name in only}
    before = _baseline(args)
    outcome = judge.judge(whole, before)
    write(outcome, directories, out)
    if args.accept:
        paths.write(args.baseline, baseline.dump(outcome.record, outcome.looks, before))
    if args.claims:
        paths.write(args.claims, claims.render(whole))
    _print(outcome, out)
    return outcome.exit_code


def write(outcome: Outcome, directories: list[Path], out: Path) -> None:
    """Everything that is made from the record."""
    logs = {name: directory / job.cell.name for name, job in outcome.record.jobs.items() for directory in directories
            if (directory / job.cell.name).is_dir()}
    paths.made(out)
    paths.write(out / "report.html", htmlreport.render(outcome, logs, out))
    paths.write(out / "report.tap", tap.tap(outcome))
    paths.write(out / "report.xml", tap.junit(outcome))


def _print(outcome: Outcome, out: Path) -> None:
    for name, verdict in sorted(outcome.verdicts.items()):
        if verdict.text != model.PASS:
            print(f"{name}: {verdict.text[:400]}")
    looks = [(name, look) for name, found in sorted(outcome.looks.items()) for look in found]
    for name, look in looks[:40]:
        print(f"LOOK {name}: {look[:300]}")
    if len(looks) > 40:
        print(f"LOOK ... {len(looks) - 40} more, all in the report")
    print(f"report: {out / 'report.html'}")
    print(outcome.summary)
    print(closing_line(outcome))


def closing_line(outcome: Outcome) -> str:
    old = collections.Counter(verdict.word for verdict in outcome.verdicts.values() if not verdict.new_looks)
    skipped = old[model.BLOCKED] + old[model.SKIP]
    failed = len(outcome.verdicts) - old[baseline.OK] - old[baseline.LIKE] - skipped
    as_before = f", {old[baseline.LIKE]} like the baseline" if old[baseline.LIKE] else ""
    return f"{old[baseline.OK]} passed, {failed} failed{as_before}, {skipped} skipped"


def _directory(out: Path | None) -> Path:
    return paths.made((out or paths.lab() / "flight").resolve())


class _Lock:
    """One writer per flight directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"

    def __enter__(self) -> None:
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LabError(f"{self._path.parent}: another process flies here") from None

    def __exit__(self, *_) -> None:
        self._file.close()

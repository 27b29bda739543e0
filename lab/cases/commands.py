# SPDX-License-Identifier: LGPL-2.1-only
"""The verbs that boot cases: run, list, demo."""

import argparse
from pathlib import Path

from ..base import paths
from ..base.errors import Usage
from . import demo, report, runner, table
from .case import Case


def register(verb) -> None:
    """`verb` makes a subparser of a function; lab/__main__.py has it."""
    sub = verb(run_, "run the cases: boots its own Xen")
    sub.add_argument("--select", default="", metavar="GLOB,...", help="only the cases whose id matches")
    sub.add_argument("--keep-going", action="store_true", help="do not stop at the first failure")
    sub.add_argument("--out", type=Path, help="where everything is kept (default: run/ in the lab directory)")
    sub = verb(list_, "list the cases")
    sub.add_argument("--select", default="", metavar="GLOB,...")
    verb(demo_, "one guest from its plan to what it reads back")


def _wanted(args: argparse.Namespace) -> list[Case]:
    wanted = table.select(table.all_cases(), args.select)
    if not wanted:
        raise Usage(f"--select {args.select}: no case matches; see python3 -m lab list")
    return wanted


def run_(args: argparse.Namespace) -> int:
    wanted = _wanted(args)
    out = (args.out or paths.lab() / "run").resolve()
    results = runner.flight(wanted, out, args.keep_going, report.Progress())
    report.write(results, out)
    line, good = report.summary(results, len(wanted))
    print(line)
    return 0 if good else 1


def list_(args: argparse.Namespace) -> int:
    for case in _wanted(args):
        print(f"{case.id:32} {case.path:10} {case.kernel:10} {case.vcpus} vCPU {case.memory} MiB"
              + (f"  refused: {case.refused}" if case.refused else ""))
    return 0


def demo_(args: argparse.Namespace) -> int:
    return demo.demo()

# SPDX-License-Identifier: LGPL-2.1-only
"""The verbs of bench: bench and bench-native."""

import argparse
import json
from pathlib import Path

from ..base import page, paths
from ..base.kernels import KERNELS
from . import growth, native, run, sandbox, tables

STORED = paths.REPO / "docs" / "bench.json"
README = paths.REPO / "README.md"


def register(verb) -> None:
    """`verb` makes a subparser of a function; lab/__main__.py has it."""
    sub = verb(bench, "what a build costs, stock PVH beside each entry (docs/bench.md)")
    _common(sub, run.KERNELS, run.ROUNDS)
    sub.add_argument("--userland", action="store_true", help="let the guests run, until their init prints")
    sub.add_argument("--sandbox", action="store_true", help="what it costs to confine the parser, in pairs")
    sub.add_argument("--growth", action="store_true", help="larger guests, kernels and ramdisks, and eight at once")
    sub.add_argument("--json", type=Path, metavar="FILE", help="keep all figures there")
    sub.add_argument("--readme", action="store_true",
                     help="write README.md's table from docs/bench.json; alone, without measuring")
    sub = verb(bench_native, "CPU time of a build on a fake Xen, natively")
    _common(sub, run.KERNELS, 9)


def _common(sub: argparse.ArgumentParser, kernels: tuple[str, ...], rounds: int) -> None:
    sub.add_argument("--rounds", type=int, default=rounds)
    sub.add_argument("--kernels", type=_words(KERNELS), default=kernels, metavar="K,K", help=f"of {', '.join(KERNELS)}")
    sub.add_argument("--paths", type=_words(run.PATHS), metavar="P,P",
                     help=f"of {', '.join(run.PATHS)}; stock is measured always")


def _words(known):
    def words(text: str) -> tuple[str, ...]:
        for word in text.split(","):
            if word not in known:
                raise argparse.ArgumentTypeError(f"{word}: not one of {', '.join(known)}")
        return tuple(text.split(","))
    return words


def bench(args: argparse.Namespace) -> int:
    if args.sandbox:
        text, good = sandbox.table(sandbox.measure(args.rounds))
        print(text, end="")
        return 0 if good else 1
    if args.growth:
        report = growth.measure(args.paths or growth.PATHS, args.rounds)
        print(growth.table(report), end="")
        _keep(report, args.json or paths.made(paths.lab() / "bench") / "growth.json")
        return 0
    if not args.readme or args.json:
        report = run.measure(run.cases(args.kernels, args.paths or run.PATHS), args.rounds, args.userland)
        print(tables.times(report), tables.counts(report), sep="\n", end="")
        _keep(report, args.json or paths.lab() / "bench" / "samples.json")
    if args.readme:
        README.write_text(page.with_table(README.read_text(), tables.BEGIN, tables.readme(json.loads(STORED.read_text()))))
    return 0


def bench_native(args: argparse.Namespace) -> int:
    wanted = run.cases(args.kernels, args.paths or run.PATHS)
    print(native.table(native.measure(wanted, args.rounds)), end="")
    return 0


def _keep(report: dict, path: Path) -> None:
    path.write_text(json.dumps(report, indent=1) + "\n")

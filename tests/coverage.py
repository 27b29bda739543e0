#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""How much of parser, plan and verifier the tests have run, by gcov; fails below the thresholds.

usage: coverage.py [--missing] BUILD

BUILD holds the objects and counters of a build with COV=1 whose tests have run.  A branch is one way out of one
condition, as gcc compiles it without optimisation: each operand of && and || has two.
"""
import argparse
import json
import pathlib
import subprocess
import sys

LINES, BRANCHES = 95.0, 90.0
GROUPS = {
    "parser": ["builder/image/*"],
    "plan": ["builder/plan/*", "builder/base/memmap"],
    "verifier": ["sandbox/verify", "builder/check/*"],
}


def percent(hit, of):
    return 100.0 * hit / of if of else 100.0


class Count:
    """Lines and branches of one source file: those that ran, those there are, and which did not."""

    def __init__(self):
        self.lines = self.lines_hit = self.branches = self.branches_hit = 0
        self.missing = []

    def add(self, line):
        taken = [b["count"] > 0 for b in line["branches"]]
        self.lines += 1
        self.lines_hit += line["count"] > 0
        self.branches += len(taken)
        self.branches_hit += sum(taken)
        if not line["count"] or not all(taken):
            self.missing.append((line["line_number"], sum(taken), len(taken), line["count"]))

    def __iadd__(self, other):
        for name in ("lines", "lines_hit", "branches", "branches_hit"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def row(self, name):
        return (f"{name:26} {self.lines_hit:5}/{self.lines:<5} {percent(self.lines_hit, self.lines):6.1f} %"
                f" {self.branches_hit:6}/{self.branches:<5} {percent(self.branches_hit, self.branches):6.1f} %")

    def enough(self):
        return percent(self.lines_hit, self.lines) >= LINES and percent(self.branches_hit, self.branches) >= BRANCHES


def count(build, source):
    obj = build / "src" / f"{source}.o"
    out = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", obj], capture_output=True,
                         check=True).stdout
    total = Count()
    for report in out.splitlines():
        for file in json.loads(report)["files"]:
            if file["file"] == f"src/{source}.c":
                for line in file["lines"]:
                    total.add(line)
    if not total.lines:
        sys.exit(f"coverage: {obj}: no counters")
    return total


def show_missing(source, total):
    text = pathlib.Path(f"src/{source}.c").read_text().splitlines()
    for number, taken, branches, ran in total.missing:
        print(f"    {number:4} {'not run' if not ran else f'{taken} of {branches}':8} {text[number - 1].strip()}")


def expand(patterns):
    """Sources below src/, without .c."""
    return [str(f.relative_to("src").with_suffix("")) for p in patterns for f in sorted(pathlib.Path("src").glob(p + ".c"))]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--missing", action="store_true", help="list what did not run")
    p.add_argument("build", type=pathlib.Path)
    args = p.parse_args()
    bad = []
    print(f"{'':26} {'lines':>11} {'':8} {'branches':>12}")
    for group, sources in GROUPS.items():
        whole = Count()
        for source in expand(sources):
            total = count(args.build, source)
            print(total.row("  " + source))
            if args.missing:
                show_missing(source, total)
            whole += total
        print(whole.row(group))
        if not whole.enough():
            bad.append(group)
    if bad:
        print(f"coverage: {', '.join(bad)} below {LINES:.0f} % of lines or {BRANCHES:.0f} % of branches")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

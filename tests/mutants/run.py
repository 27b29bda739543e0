#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""Plant each bug of the list in a copy of the sources, run the tests that need no Xen, and say who noticed.

usage: run.py [--must N] [--only N,N] SCRATCH COMMAND...

SCRATCH is emptied and gets the copy; COMMAND builds and runs the tests there, and fails when they do.  It has to pass
without a bug first, and with a bug to fail by a test or a sanitizer that says so: what only fails to compile or to link
has caught nothing.  Exit code 1: fewer than --must were caught; 2: the list and the sources have parted.
"""
import argparse
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = pathlib.Path(__file__).resolve().parent / "list"
CPU_SECONDS = 120  # of one process: a dropped check may also be the end of a loop
# a test, a sanitizer, a fuzz target's invariant, or the end of CPU_SECONDS
WHO = re.compile(r"(?:\[  FAILED  \]|not ok \d+ -) (\S+)|(?:SUMMARY: |runtime error: |does not hold: )(.{0,80})|"
                 r"(CPU time limit exceeded)")


def read_list():
    """[(file, old, new)]; the text of each file is there exactly once."""
    bugs, bad = [], 0
    for block in LIST.read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if line and line[0] != "#"]
        if not lines:
            continue
        file, old, new = lines[0][2:], lines[1][2:], lines[2][2:]
        found = (ROOT / file).read_text().count(old)
        if found != 1 or [line[:2] for line in lines] != ["@ ", "- ", "+ "]:
            print(f"{file}: {found} times, not once: {old}")
            bad = 1
        bugs.append((file, old, new))
    return None if bad else bugs


def copy_sources(scratch):
    """As git has them, and what stands beside them uncommitted."""
    shutil.rmtree(scratch, ignore_errors=True)
    files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout.splitlines()
    for name in files:
        if (ROOT / name).is_file():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, scratch / name)


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def run(scratch, command):
    """Did it fail, and what does its output name?"""
    done = subprocess.run(command, cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, preexec_fn=limit)
    text = done.stdout.decode(errors="replace")
    names = WHO.search(text)
    return done.returncode != 0, next((g for g in names.groups() if g), "") if names else "", text


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--must", type=int, default=0)
    p.add_argument("--only", type=lambda s: {int(n) for n in s.split(",")})
    p.add_argument("scratch", type=pathlib.Path)
    p.add_argument("command", nargs=argparse.REMAINDER)
    args = p.parse_args()
    bugs = read_list()
    if not bugs:
        return 2
    copy_sources(args.scratch)
    failed, who, text = run(args.scratch, args.command)
    if failed:
        print(f"without a bug the tests fail: {who}\n" + "\n".join(text.splitlines()[-20:]))
        return 2
    caught, tried, survivors = 0, 0, []
    for number, (file, old, new) in enumerate(bugs, 1):
        if args.only and number not in args.only:
            continue
        path, start, tried = args.scratch / file, time.monotonic(), tried + 1
        good = path.read_text()
        path.write_text(good.replace(old, new))
        failed, who, text = run(args.scratch, args.command)
        path.write_text(good)
        if failed and not who:
            print(f"{number:2} {file}: fails, but no test says so: {old}\n" + "\n".join(text.splitlines()[-12:]))
            return 2
        caught += failed
        if not failed:
            survivors.append(f"{number} {file}: {old}")
        print(f"{number:2} {'caught' if failed else 'SURVIVED':8} {time.monotonic() - start:5.0f} s  {file}: {old[:70]}"
              f"{'  <- ' + who if who else ''}", flush=True)
    print(f"{caught} of {tried} caught")
    for line in survivors:
        print(f"survived: {line}")
    return 1 if caught < (tried if args.only else args.must) else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""Run the test suites and count.

Each suite is a name and a command; its whole output goes to a log, one line goes to the terminal, and the
last line of all is `N passed, N failed, N skipped`.  A suite's cases are counted from what its own runner
reports: TAP (cmocka), pytest's or the lab's closing line; a plain check is one case, judged by its exit code.
A suite that runs no case at all has failed.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

CLOSING = re.compile(r"(\d+) (passed|failed|skipped|errors?|error)\b")


def count_tap(text):
    passed = failed = skipped = 0
    for line in text.splitlines():
        if re.match(r"(not )?ok\b.*# SKIP", line):  # cmocka 1.1 says "not ok" of what it skips
            skipped += 1
        elif re.match(r"ok\b", line):
            passed += 1
        elif re.match(r"not ok\b", line):
            failed += 1
    return passed, failed, skipped


def count_closing(text):
    """The last line that says how many passed or failed."""
    for line in reversed(text.splitlines()):
        words = CLOSING.findall(line)
        if words:
            n = {"passed": 0, "failed": 0, "skipped": 0}
            for number, word in words:
                n["failed" if word.startswith("error") else word] += int(number)
            return n["passed"], n["failed"], n["skipped"]
    return 0, 0, 0


def count(kind, text, rc):
    if kind == "tap":
        passed, failed, skipped = count_tap(text)
    elif kind == "closing":
        passed, failed, skipped = count_closing(text)
    else:
        passed, failed, skipped = (1, 0, 0) if rc == 0 else (0, 1, 0)
    if passed + failed + skipped == 0 or (rc != 0 and failed == 0):
        failed += 1
    return passed, failed, skipped


def run_suite(name, kind, command, logs):
    log = logs / (name.replace("/", "-") + ".log")
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    start = time.monotonic()
    done = subprocess.run(command, shell=True, env=env, stdin=subprocess.DEVNULL, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    log.write_text(f"$ {command}\n{done.stdout}\nexit code {done.returncode}\n")
    passed, failed, skipped = count(kind, done.stdout, done.returncode)
    print(f"{'FAIL' if failed else 'ok':4} {name:28} {passed:4} passed {failed:3} failed {skipped:3} skipped "
          f"{time.monotonic() - start:6.1f} s", flush=True)
    if failed:
        print("".join(f"     | {line}\n" for line in done.stdout.splitlines()[-25:]), end="")
        print(f"     whole output: {log}", flush=True)
    for line in done.stdout.splitlines():
        if skipped and re.search(r"\bskip(ped)?\b[: ]", line, re.I) and not CLOSING.search(line):
            print(f"     {line.strip()}")
    return passed, failed, skipped


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--logs", type=pathlib.Path, required=True)
    p.add_argument("suite", nargs="+", help="NAME=KIND=COMMAND; KIND is tap, closing or plain")
    args = p.parse_args()
    args.logs.mkdir(parents=True, exist_ok=True)
    total = [0, 0, 0]
    for suite in args.suite:
        name, kind, command = suite.split("=", 2)
        total = [a + b for a, b in zip(total, run_suite(name, kind, command, args.logs))]
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())

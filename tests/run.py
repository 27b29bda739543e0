#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""Run the test suites and count.

Each suite is a name and a command; its whole output goes to a log, one line goes to the terminal, and the
last line of all is `N passed, N failed, N skipped`.  A suite's cases are counted from what its own runner
reports: TAP (cmocka), pytest's or the lab's closing line; a plain check is one case, judged by its exit code.
A suite that runs no case at all has failed.

Suites run one after the other, and where there are two processors those after --beside do so beside them.  Whichever of
the two ends first goes on with those after --either.  What is said of each comes in one piece, and in the order of the
arguments.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
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


class Runner:
    """Runs commands, each in a session of its own; when stopped, ends those that run and begins no more."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running = set()
        self._stopped = False

    def run(self, command):
        """Its exit code and its output; None if nothing is to be begun any more."""
        with self._lock:
            if self._stopped:
                return None
            env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
            process = subprocess.Popen(command, shell=True, env=env, stdin=subprocess.DEVNULL, text=True, errors="replace",
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
            self._running.add(process)
        text, _ = process.communicate()
        with self._lock:
            self._running.remove(process)
        return process.returncode, text

    def stop(self):
        """As from a terminal; where that is ignored, as it is behind a shell's &, they ignore it as well."""
        number = signal.SIGTERM if signal.getsignal(signal.SIGINT) == signal.SIG_IGN else signal.SIGINT
        with self._lock:
            self._stopped = True
            for process in self._running:
                os.killpg(process.pid, number)


def run_suite(suite, logs, runner):
    """Its counts, and what is to be said of it."""
    name, kind, command = suite.split("=", 2)
    start = time.monotonic()
    ended = runner.run(command)
    if ended is None:
        return (0, 0, 0), ""
    rc, text = ended
    log = logs / (name.replace("/", "-") + ".log")
    log.write_text(f"$ {command}\n{text}\nexit code {rc}\n")
    passed, failed, skipped = count(kind, text, rc)
    said = [f"{'FAIL' if failed else 'ok':4} {name:28} {passed:4} passed {failed:3} failed {skipped:3} skipped "
            f"{time.monotonic() - start:6.1f} s"]
    lines = text.splitlines()
    if failed:
        said += [*(f"     | {line}" for line in lines[-25:]), f"     whole output: {log}"]
    said += [f"     {line.strip()}" for line in lines
             if skipped and re.search(r"\bskip(ped)?\b[: ]", line, re.I) and not CLOSING.search(line)]
    return (passed, failed, skipped), "\n".join(said)


def begin(own, shared, ended, logs, runner):
    """Its own suites, and then of those that anybody may run, as long as there are any."""
    for suite in itertools.chain(own, taken(shared)):
        try:
            ended[suite].set_result(run_suite(suite, logs, runner))
        except Exception as error:
            ended[suite].set_exception(error)


def taken(shared):
    with contextlib.suppress(IndexError):
        while True:
            yield shared.popleft()


def results(lanes, either, logs):
    """Of each suite, in order, as soon as it and those before it have ended."""
    runner = Runner()
    shared = collections.deque(either)
    ended = {suite: concurrent.futures.Future() for suite in [*itertools.chain(*lanes), *either]}
    with contextlib.ExitStack() as end:
        pool = end.enter_context(concurrent.futures.ThreadPoolExecutor(len(lanes)))
        end.callback(runner.stop)  # before the pool's own end, which waits
        for own in lanes:
            pool.submit(begin, own, shared, ended, logs, runner)
        for suite in ended.values():
            yield suite.result()


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--logs", type=pathlib.Path, required=True)
    p.add_argument("--processors", type=int, default=len(os.sched_getaffinity(0)), help="(default: this machine's)")
    p.add_argument("suite", nargs="+", help="NAME=KIND=COMMAND; KIND is tap, closing or plain")
    p.add_argument("--beside", nargs="+", metavar="suite", default=[], help="suites that need nothing of those before")
    p.add_argument("--either", nargs="+", metavar="suite", default=[], help="suites that may run beside any other")
    args = p.parse_args()
    args.logs.mkdir(parents=True, exist_ok=True)
    for end in signal.SIGTERM, signal.SIGHUP:
        signal.signal(end, lambda number, _: sys.exit(128 + number))
    total = [0, 0, 0]
    lanes = [args.suite, args.beside] if args.processors > 1 else [args.suite + args.beside]
    for counts, said in results(lanes, args.either, args.logs):
        total = [a + b for a, b in zip(total, counts)]
        print(said, flush=True)
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())

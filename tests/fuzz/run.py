#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""Fuzz each target for so many seconds of processor time, and say what came of it.

usage: run.py [--seconds N] [--jobs N] FUZZERS WORK TARGET...

FUZZERS has fuzz-TARGET and corpus/TARGET; WORK keeps TARGET/{corpus,findings,log} from run to run.  Processor time and
not the clock's: a run beside others is slower, but not worth less.  A fuzzer that executes nothing, or does not go on
until its time is up, is a finding.  Exit code 1: there is a finding.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

# bytes; far above any seed, far below where a target gets slow
MAX_LEN = {"header": 8192, "elf": 8192, "image": 16384, "codecs": 16384, "verify": 8192, "decode": 8192}
INTERRUPTED = 72  # libFuzzer's exit code after SIGINT
COLUMNS = "{:10} {:>8} {:>12} {:>8} {:>7} {:>9} {:>7} {:>9}"


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stop_at(process, seconds):
    """Wait for @process, and interrupt it when its time is up; the processor time it had, and what it ended with."""
    used = 0.0
    while process.poll() is None:
        used = max(used, cpu_seconds(process.pid))
        if used >= seconds:
            process.send_signal(signal.SIGINT)
            process.wait()
            break
        time.sleep(min(1.0, max(0.05, seconds - used)))
    return used, process.returncode


def wrong_with(executed, code):
    """What is a finding without a file: it did not run, or not to the end."""
    if code != INTERRUPTED:
        return f"ended by itself with {code}"
    return "" if executed else "has executed nothing"


def count(pattern, text):
    """The last number after @pattern; 0 when there is none."""
    found = re.findall(pattern + r"\s*(\d+)", text)
    return int(found[-1]) if found else 0


def run(fuzzers, work, target, seconds):
    where = work / target
    for name in ("corpus", "findings"):
        (where / name).mkdir(parents=True, exist_ok=True)
    command = [fuzzers / f"fuzz-{target}", f"-max_len={MAX_LEN.get(target, 4096)}", "-rss_limit_mb=2048", "-timeout=20",
               "-print_final_stats=1", f"-artifact_prefix={where}/findings/", where / "corpus",
               fuzzers / "corpus" / target]
    if target == "verify":  # an answer is a fixed size: shorter inputs are none
        command.insert(1, "-len_control=0")
    with open(where / "log", "w", errors="replace") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        used, code = stop_at(process, seconds)
    text = (where / "log").read_text(errors="replace")
    found = len(list((where / "findings").iterdir()))
    executed = count(r"number_of_executed_units:", text) or count(r"\n#", text)
    print(COLUMNS.format(target, f"{used:.0f} s", executed, f"{executed / max(used, 0.01):.0f}", count(r"cov:", text),
                         count(r"ft:", text), len(list((where / "corpus").iterdir())), found), flush=True)
    wrong = wrong_with(executed, code)
    if wrong:
        print(f"{target}: {wrong}", flush=True)
    if found or wrong:
        print("".join(f"     | {line}\n" for line in text.splitlines()[-45:]), end="", flush=True)
    return bool(found or wrong)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("fuzzers", type=pathlib.Path)
    p.add_argument("work", type=pathlib.Path)
    p.add_argument("target", nargs="+")
    args = p.parse_args()
    print(COLUMNS.format("target", "CPU", "executions", "per s", "edges", "features", "inputs", "findings"), flush=True)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        found = list(pool.map(lambda t: run(args.fuzzers, args.work, t, args.seconds), args.target))
    return 1 if any(found) else 0


if __name__ == "__main__":
    sys.exit(main())

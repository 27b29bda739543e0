# SPDX-License-Identifier: LGPL-2.1-only
"""The confinement attacked on dom0's own kernel, which has another Landlock and another scheduler than the machine that
builds: the programs of `make confine-c` run in both, and each has to have judged as many things, all of them well.
"""

import dataclasses
import os
import re
import subprocess
from pathlib import Path

from ..base import elf, packages, paths, ready
from ..base.errors import LabError
from ..machine.host import Host

PROGRAMS = ("test_attacks", "test_callers", "test_confine", "test_verify")
ATTACKER = "pvboot-attack"
AT = "/usr/lib/pvlab/confine"
SECONDS = 900  # some 800 processes under emulation
NEEDS = "/bin/true"  # which an attack executes, and an upgrade puts in the helper's place


@dataclasses.dataclass(frozen=True)
class Verdicts:
    """Lines of TAP."""

    good: int
    bad: tuple[str, ...]
    skipped: tuple[str, ...]


def parse(said: str) -> Verdicts:
    lines = re.findall(r"^(?:not )?ok\b.*$", said, re.M)
    skipped = tuple(line for line in lines if "# SKIP" in line)  # cmocka says "not ok" of these
    judged = [line for line in lines if line not in skipped]
    return Verdicts(sum(line.startswith("ok") for line in judged),
                    tuple(line for line in judged if line.startswith("not")), skipped)


def judge(here: Verdicts, rc: int, there: Verdicts) -> str:
    """What is wrong in dom0; @here: the same program on the machine that builds."""
    if there.bad:
        return f"{len(there.bad)} failed: {there.bad[0]}"
    if rc:
        return f"exit {rc}"
    if not there.good or there.good + len(there.skipped) != here.good + len(here.skipped):
        return f"{there.good} judged and {len(there.skipped)} skipped, {here.good} and {len(here.skipped)} where it was built"
    return ""


def confine() -> int:
    ready.ensure()
    build = paths.build()
    programs = [build / "tests/confine" / name for name in PROGRAMS]
    missing = [str(path) for path in (*programs, build / ATTACKER) if not path.exists()]
    if missing:
        raise LabError(f"not built: {missing[0]}; run: make confine-c")
    host = Host(paths.made(paths.lab() / "confine") / "host", cpus=1)
    try:
        print(f"booting Xen: {host.boot(packages.Store()):.0f} s", flush=True)
        return _run(host, programs, build / ATTACKER)
    finally:
        host.stop()


def _run(host: Host, programs: list[Path], attacker: Path) -> int:
    helper = _place(host, attacker)
    print(host.check("uname -sr; cat /sys/kernel/security/lsm 2>/dev/null || true").strip(), flush=True)
    failed = 0
    for program in programs:
        here = parse(_here(program, attacker))
        rc, said, err = host.run(f"CMOCKA_MESSAGE_OUTPUT=TAP {_place(host, program)} {helper}", SECONDS)
        (paths.lab() / "confine" / f"{program.name}.txt").write_text(said + err)
        there = parse(said + err)
        wrong = judge(here, rc, there)
        failed += bool(wrong)
        print(f"{program.name}: {there.good} ok, {len(there.bad)} not ok, {len(there.skipped)} skipped"
              f"{': ' if wrong else ''}{wrong}", *there.skipped, sep="\n    ", flush=True)
    print(f"{len(programs) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _place(host: Host, program: Path) -> str:
    """The program and its libraries."""
    for library in elf.libraries(program):
        host.put_once(library, str(library))
    return host.put_once(program, f"{AT}/{program.name}")


def _here(program: Path, attacker: Path) -> str:
    done = subprocess.run([program, attacker], env=dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP"), capture_output=True,
                          text=True, errors="replace", timeout=SECONDS)
    return done.stdout + done.stderr

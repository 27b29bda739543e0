# SPDX-License-Identifier: LGPL-2.1-only
"""A build of a real xl interrupted at one of its requests: by a signal, or stopped there while something around it ends.

What stock xl leaves when it is killed is the measure: the domain it was building, which `xl destroy` takes away.
"""

import dataclasses
import signal
import time

from ..machine.install import STOCK_XL
from ..judges.messages import complaint
from . import census, fault_points
from .fault_points import Request
from .testbed import Testbed

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
IN_XEN = ("xc_domain_populate_physmap", "xenforeignmemory_map", "xc_domain_hvm_setcontext")
IN_PARSER = ("poll",)  # waiting for the confined parser; soak.py kills that one
AWAY_SECONDS = 3       # how long xenstored does not answer
NOT_STOPPED = 99
BUILD_SECONDS = 60
DESTROY_ALL = f"""
    for id in $({STOCK_XL} list | awk '$2 > 0 {{ print $2 }}'); do {STOCK_XL} destroy $id; done"""
_STOPPED = """
    timeout {seconds} {command} > /tmp/said 2>&1 &
    job=$!
    for i in $(seq 400); do
        xl=$(cat /proc/[0-9]*/stat 2>/dev/null | awk '$2 == "(xl)" && $3 == "T" {{ print $1 }}')
        [ -n "$xl" ] && break
        sleep 0.05
    done
    if [ -n "$xl" ]; then
        {meanwhile}
        kill -CONT $xl
    fi
    wait $job
    rc=$?
    cat /tmp/said >&2
    rm /tmp/said
    {destroy}
    [ -n "$xl" ] || exit {not_stopped}
    exit $rc"""


@dataclasses.dataclass(frozen=True)
class Meanwhile:
    """What happens while xl stands still, and what has to come of it."""

    name: str
    script: str
    ends: tuple[int, ...]  # exit statuses that are right
    says: tuple[int, ...]  # lines of ours


MEANWHILE = (
    # libxenguest may be the first to meet it, when it places the ACPI tables: then libxl tells
    Meanwhile("its domain is destroyed", DESTROY_ALL, (1, 2, 3), (0, 1)),
    Meanwhile(f"xenstored stops for {AWAY_SECONDS} s", f"""
        kill -STOP $(pidof xenstored)
        (sleep {AWAY_SECONDS}; kill -CONT $(pidof xenstored)) > /dev/null 2>&1 &""", (0,), (0,)),
    Meanwhile("xenstored stops, xl is killed, xenstored goes on", """
        kill -STOP $(pidof xenstored)
        kill -9 $xl
        kill -CONT $(pidof xenstored)""", (128 + signal.SIGKILL,), (0,)),
    Meanwhile("it is stopped and continued over and over", """
        (while kill -CONT $xl; do usleep 5000; kill -STOP $xl; done) > /dev/null 2>&1 &""", (0,), (0,)),
)


def kinds(differences: list[str]) -> set[str]:
    """Of what there was more or less: the names of census.compare() without the figures."""
    return {line.split(":")[0] for line in differences}


def judge_signal(number: int, rc: int, at_once: list[str], usual: set[str] | None, left: list[str]) -> str:
    """@usual: what a stock build leaves at the moment of its death; None: this is one."""
    more = kinds(at_once) - usual if usual is not None else ()
    if left:
        return f"left behind: {'; '.join(left)}"
    if more:
        return f"stock does not leave at its death: {', '.join(sorted(more))}"
    return "" if rc == 128 + number else f"exit {rc}"


def judge_meanwhile(what: Meanwhile, rc: int, lines: int, left: list[str]) -> str:
    if left:
        return f"left behind: {'; '.join(left)}"
    if rc == NOT_STOPPED:
        return "xl did not come to that request"
    if rc not in what.ends:
        return f"exit {rc}"
    return "" if lines in what.says else f"{lines} lines tell why"


def signals(testbed: Testbed, builder, path: str, points: list[Request], usual: set[str] | None) -> set[str]:
    """Each signal at each point; the kinds of things that were there between the death and `xl destroy`."""
    seen: set[str] = set()
    before = testbed.settled()
    for point in points:
        for number in SIGNALS:
            started = time.monotonic()
            rc, out, said = testbed.host.run(f"""
                {builder.command(f'{point.site}:{point.number}:-{int(number)}')} >&2
                rc=$?; sleep 0.3
                {testbed.script}
                exit $rc""")
            at_once = census.compare(before, census.parse(out))
            _, _, after = testbed.after(DESTROY_ALL)
            wrong = judge_signal(number, rc, at_once, usual, census.compare(before, after))
            testbed.add(f"signals, {path}", f"{number.name} at {point.name} {point.number}: {', '.join(sorted(kinds(at_once)))}",
                       time.monotonic() - started, after, wrong)
            seen |= kinds(at_once)
            before = after
    return seen


def meanwhile(testbed: Testbed, builder, path: str, trace: list[Request]) -> None:
    before = testbed.settled()
    for what in MEANWHILE:
        for point in fault_points.middle(trace, IN_XEN):
            started = time.monotonic()
            stop = builder.command(f"{point.site}:{point.number}:-{int(signal.SIGSTOP)}")
            rc, said, after = testbed.after(_STOPPED.format(
                command=stop, meanwhile=what.script, destroy=DESTROY_ALL, not_stopped=NOT_STOPPED,
                seconds=BUILD_SECONDS))
            wrong = judge_meanwhile(what, rc, fault_points.lines(said), census.compare(before, after))
            testbed.add(f"meanwhile, {path}", f"{what.name}, at {point.name} {point.number}: "
                       + (complaint(said) if rc else "built"), time.monotonic() - started, after, wrong)
            before = after

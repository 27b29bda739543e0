# SPDX-License-Identifier: LGPL-2.1-only
"""Everything in dom0 and Xen that a guest could leave behind, counted at one moment."""

import dataclasses
import re
from pathlib import Path

from ..base import cc
from ..machine.host import Host

HERE = Path(__file__).resolve().parent
LIVES_ON = ("xenstored", "xenconsoled", "xl")  # whose descriptors and memory are told apart by name
LISTED = {"domains": "domains", "xenstore nodes": "nodes", "processes": "processes", "files": "files"}
PAGE_KIB = 4
ALARM = r"\bBUG\b|\bWARN|[Gg]eneral [Pp]rotection|\bstray\b|Assertion .* failed"


@dataclasses.dataclass(frozen=True)
class Census:
    free_pages: int
    claimed_pages: int
    ports: int                       # dom0's event channels
    domains: tuple[str, ...]         # number, state, pages
    nodes: tuple[str, ...]           # xenstore
    processes: tuple[str, ...]       # names; without the kernel's threads and what takes the census
    descriptors: dict[str, int]      # of the processes of LIVES_ON, by name
    rss_kib: dict[str, int]
    memfds: int                      # anywhere in dom0
    files: tuple[str, ...]

    def figures(self) -> dict[str, int]:
        """Numbers alone, of which none may grow (free pages: shrink) with what is built and destroyed."""
        return {"free pages": self.free_pages, "claimed pages": self.claimed_pages, "event channels": self.ports,
                "memfds": self.memfds,
                **{name: len(getattr(self, field)) for name, field in LISTED.items()},
                **{f"descriptors of {name}": n for name, n in self.descriptors.items()},
                **{f"RSS of {name}, KiB": n for name, n in self.rss_kib.items()}}


def place(host: Host) -> str:
    """The script that takes a census, its program put into dom0."""
    program = cc.built("census", [HERE / "census.c"], "-lxenctrl")
    at = host.put_once(program, f"/usr/lib/pvlab/{program.name}")
    return f"""
echo @self; echo $$
echo @stat; cat /proc/[0-9]*/stat 2>/dev/null
echo @descriptors; ls -l /proc/[0-9]*/fd 2>/dev/null
echo @xen; {at}
echo @xenstore; xenstore-ls -fp
echo @files; find /tmp /run /root /var/lib/xen /dev/shm -mindepth 1 2>/dev/null
echo @end
"""


def parse(text: str) -> Census:
    parts = dict(re.findall(r"^@(\w+)\n(.*?)(?=^@\w+$|\Z)", text, re.M | re.S))
    xen = parts["xen"]
    processes = _processes(parts["stat"], int(parts["self"]))
    open_files = _descriptors(parts["descriptors"])

    def of(count) -> dict[str, int]:
        return {name: sum(count(pid) for pid, process in processes.items() if process.name == name) for name in LIVES_ON}

    return Census(
        free_pages=_number(xen, "free_pages"), claimed_pages=_number(xen, "claimed_pages"), ports=_number(xen, "ports"),
        domains=tuple(re.findall(r"^domain (.*)$", xen, re.M)),
        nodes=tuple(sorted(filter(None, parts["xenstore"].splitlines()))),
        processes=tuple(sorted(process.name for process in processes.values())),
        descriptors=of(lambda pid: len(open_files.get(pid, ()))), rss_kib=of(lambda pid: processes[pid].rss_kib),
        memfds=sum("/memfd:" in line for pid in processes for line in open_files.get(pid, ())),
        files=tuple(sorted(name for name in parts["files"].split("\n") if name and not name.startswith("/run/job-"))))


def compare(before: Census, after: Census) -> list[str]:
    """One line per difference; how much memory the daemons use says nothing after one guest."""
    found = []
    for name, was in before.figures().items():
        now = after.figures()[name]
        if now != was and name not in LISTED and not name.startswith("RSS"):
            found.append(f"{name}: {was} before, {now} after")
    for name, field in LISTED.items():
        was, now = getattr(before, field), getattr(after, field)
        found += [f"{name}: new: {x}" for x in _more(now, was)] + [f"{name}: gone: {x}" for x in _more(was, now)]
    return found


def warnings(log: str) -> list[str]:
    """Lines of Xen's own, or of dom0's kernel, that say that something is broken inside it; guests' lines do not count."""
    return [line for line in log.splitlines() if re.search(ALARM, line) and not re.search(r"^(\(XEN\) )?(\[.*\] )?\(?d[1-9]", line)]


def _more(these: tuple[str, ...], those: tuple[str, ...]) -> list[str]:
    """What these have more of than those, as often as they do."""
    rest = list(those)
    return [x for x in these if x not in rest or rest.remove(x)]


def _number(text: str, name: str) -> int:
    return int(re.search(rf"^{name} (\d+)$", text, re.M).group(1))


@dataclasses.dataclass(frozen=True)
class _Process:
    name: str
    rss_kib: int


def _processes(stat: str, own_session: int) -> dict[int, _Process]:
    """By number.  A dead one counts as long as its parent lives; what init has not looked at yet is init's affair."""
    found = {}
    for pid, name, rest in re.findall(r"^(\d+) \((.*)\) (.*)$", stat, re.M):
        state, parent, _, session, *more = rest.split()
        user_memory = int(more[16])  # 0: a thread of the kernel's, or dead
        dead = state == "Z" and parent != "1"
        if int(session) != own_session and (user_memory or dead):
            found[int(pid)] = _Process(name + (" (dead)" if dead else ""), int(more[17]) * PAGE_KIB)
    return found


def _descriptors(listing: str) -> dict[int, list[str]]:
    """The lines of ls for each process."""
    found: dict[int, list[str]] = {}
    for pid, lines in re.findall(r"^/proc/(\d+)/fd:\n(.*?)(?=^/proc/\d+/fd:$|\Z)", listing, re.M | re.S):
        found[int(pid)] = [line for line in lines.splitlines() if " -> " in line]
    return found

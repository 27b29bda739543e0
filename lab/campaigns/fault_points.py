# SPDX-License-Identifier: LGPL-2.1-only
"""Which of a build's requests are to fail, and what then is right.  Pure."""

import dataclasses
import errno
import itertools
import re

from ..base.errors import LabError

# What each kind of request may fail with; taken by turns.
ERRORS = {
    "xen": (errno.EPERM, errno.ENOMEM, errno.EINVAL, errno.ESRCH, errno.EAGAIN, errno.EBUSY),
    "alloc": (errno.ENOMEM,),
    "open": (errno.EACCES, errno.EMFILE, errno.ENOENT, errno.EIO),
    "read": (errno.EIO, errno.EINTR, errno.ENOMEM),
    "write": (errno.ENOSPC, errno.EIO),
    "memory": (errno.ENOMEM, errno.EMFILE, errno.EINVAL, errno.EPERM),
    "process": (errno.EAGAIN, errno.ENOMEM, errno.EPERM, errno.EINTR),
}
# What a build can do without an answer to: as in tests/offline/test_faults.py, which says why; and before that, while the
# config is read, asprintf() trims its text, the parser is looked for once more, libgcrypt has settings it may lack; a
# kernel that cannot be read then, or of which the build cannot tell whether it is still the same, is read by the build.
ABSORBED = {"xc_domain_populate_physmap", "calloc", "malloc", "read", "pread", "write", "poll", "fcntl", "memfd_create",
            "waitid", "realloc", "access", "fopen", "fstat", "fstatfs", "open", "openat", "pipe2", "_Fork", "fork", "pidfd_open",
            "posix_spawn", "recvmsg", "socketpair", "ftruncate", "mmap", "xenforeignmemory_restrict"}
ABORTS = 134
# Said by the libraries themselves when it is their own allocation, or their own file, that failed.
THEIR_WORDS = r"^Failed to parse config"
THEIR_END = r"^FATAL: .* in libgcrypt: "


@dataclasses.dataclass(frozen=True)
class Request:
    site: str
    number: int   # among those of its site
    name: str


def parse_trace(text: str) -> list[Request]:
    return [Request(site, int(number), name) for site, number, name in re.findall(r"^(\w+) (\d+) (\w+)$", text, re.M)]


def sample(trace: list[Request]) -> list[Request]:
    """Of each function the first, the middle and the last request."""
    chosen = []
    of = lambda r: (r.site, r.name)
    for _, group in itertools.groupby(sorted(trace, key=of), key=of):
        calls = list(group)
        chosen += sorted({calls[0], calls[len(calls) // 2], calls[-1]}, key=lambda r: r.number)
    return chosen


def middle(trace: list[Request], names: tuple[str, ...]) -> list[Request]:
    """One request of each of those functions, from the middle of a build."""
    calls = {name: [request for request in trace if request.name == name] for name in names}
    missing = [name for name, of_one in calls.items() if not of_one]
    if missing:
        raise LabError(f"the build never comes to {', '.join(missing)}")
    return [of_one[len(of_one) // 2] for of_one in calls.values()]


def faults(chosen: list[Request]) -> list[tuple[Request, int]]:
    """Each with an error, so that every error of its site has its turn."""
    turns = {site: itertools.cycle(errors) for site, errors in ERRORS.items()}
    return [(request, next(turns[request.site])) for request in chosen]


def lines(said: str) -> int:
    """How many lines of ours tell why."""
    return len(re.findall(r"^pvboot: \w+: ", said, re.M))


def judge(request: Request, rc: int, said: str, left: list[str]) -> str:
    """What is wrong after that request has failed: nothing, if one line told so and nothing is left."""
    told = lines(said)
    if left:
        return f"left behind: {'; '.join(left)}"
    if rc == 0:
        return "" if request.name in ABSORBED and not told else "built all the same"
    if rc == ABORTS and re.search(THEIR_END, said, re.M):
        return ""  # before there is a domain; pvb_digest_ready() makes it a refusal if the cause lasts
    if rc >= 124:
        return f"xl died or was late: exit {rc}"
    if not told and re.search(THEIR_WORDS, said, re.M):
        return ""
    return "" if told == 1 else f"{told} lines tell why"

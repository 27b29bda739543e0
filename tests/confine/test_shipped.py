# SPDX-License-Identifier: LGPL-2.1-only
"""The helper as it is installed, with the figures it is installed with: stopped while it parses, and looked at.

Root's, which becomes nobody, or its own user on a host that has one; nobody's own; and one of a nobody who has been given
a capability.
"""
import bz2
import fcntl
import os
import pathlib
import pwd
import random
import re
import signal
import subprocess
import time

import pytest

from kernels import ROOT, images

MIB = 1 << 20
NOBODY = 65534
OWN_UID, OWN_GID = 61001, 61002
USER = "_pvboot-parse"
PASSWD = f"root:x:0:0::/root:/bin/sh\n{USER}:x:{OWN_UID}:{OWN_GID}::/nonexistent:/usr/sbin/nologin\n"
OWNERS = {"caller": ()}  # the command that turns us into them
if os.geteuid() == 0:
    OWNERS["nobody"] = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    # root's again, on a host that has that user: PASSWD lies beside the programs
    OWNERS["own"] = ("unshare", "-m", "sh", "-c", 'mount --bind "${1%/*}/passwd" /etc/passwd && exec "$@"', "sh")
    OWNERS["capable"] = (*OWNERS["nobody"], "--inh-caps=+net_raw", "--ambient-caps=+net_raw")
# What a process of the same user may do to another that lets itself be looked at; prints the errno of each, 0 for none.
LOOK = """
import ctypes, os, sys
def errno_of(look, what):
    try:
        look(what)
    except OSError as e:
        return e.errno
    return 0
pid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
SEIZE = 0x4206
got = [errno_of(lambda n: open(f"/proc/{pid}/{n}", "rb").read(0), name) for name in ("environ", "mem", "maps", "auxv")]
got += [errno_of(os.listdir, f"/proc/{pid}/fd"), errno_of(os.readlink, f"/proc/{pid}/exe")]
print(*got, ctypes.get_errno() if libc.ptrace(SEIZE, pid, 0, 0) else 0)
"""
LOOKS = ("environ", "mem", "maps", "auxv", "fd", "exe", "ptrace")


def macro(name):
    """Its value in limits.h, as C would work it out."""
    text = (ROOT / "include/pvboot/limits.h").read_text()
    value = re.search(rf"^#define {name} \(?(\d+)(?:ull|u) ?(?:<< (\d+)\))?", text, re.M)
    return int(value[1]) << int(value[2] or 0)


def document():
    return (ROOT / "docs/security.md").read_text()


def facts(pid, name):
    """/proc/PID/status or limits: what stands before the first gap, and the rest."""
    lines = pathlib.Path(f"/proc/{pid}/{name}").read_text().splitlines()
    return {key: rest.split() for key, rest in (re.split(r":\s+|\s{2,}|:$", line, maxsplit=1) for line in lines)}


class Run:
    """A pvboot that waits for a helper which was stopped once it had begun to parse."""

    def __init__(self, owner, where):
        self.kernel = where / "vmlinuz"
        self.begun = time.monotonic()
        self.pvboot = subprocess.Popen([*OWNERS[owner], where / "pvboot", "inspect", self.kernel],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.helper = None
        while self.helper is None and self.pvboot.poll() is None:
            self.helper = self.confined_child()
        assert self.helper, self.pvboot.communicate()
        os.kill(self.helper, signal.SIGSTOP)
        while facts(self.helper, "status")["State"][0] not in "TZ":
            time.sleep(0.001)
        assert facts(self.helper, "status")["State"][0] == "T"

    def confined_child(self):
        pid = self.pvboot.pid
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            try:
                status = facts(child, "status")
            except (FileNotFoundError, ProcessLookupError):
                continue  # another one, which has read the file
            if status["Name"] == ["pvboot-parse"] and status["Seccomp"] == ["2"]:
                return int(child)
        return None

    def end(self):
        if self.pvboot.poll() is None:
            self.pvboot.kill()
            self.pvboot.communicate()


@pytest.fixture(scope="module")
def stopped(installed):
    """By owner; started at once, for they have half a minute to live."""
    payload = bz2.compress(random.Random(1).randbytes(16 * MIB))  # a second and more of a decoder's time
    (installed / "vmlinuz").write_bytes(images.bzimage(payload + (16 * MIB).to_bytes(4, "little")))
    (installed / "passwd").write_text(PASSWD)
    runs = {}
    try:
        for owner in OWNERS:
            runs[owner] = Run(owner, installed)
        yield runs
    finally:
        for run in runs.values():
            run.end()


@pytest.mark.parametrize("owner", OWNERS)
def test_limits(stopped, owner):
    run = stopped[owner]
    limits = {key: value[:2] for key, value in facts(run.helper, "limits").items()}
    cpu = macro("PVBOOT_PARSE_CPU_SECONDS")
    assert limits["Max cpu time"] == [str(cpu), str(cpu + 1)]
    for none in "open files", "processes", "core file size", "locked memory", "msgqueue size":
        assert limits[f"Max {none}"] == ["0", "0"], none
    assert limits["Max file size"] == [str(macro("PVBOOT_UNPACKED_MAX"))] * 2
    for what in "data", "stack":
        assert len(set(limits[f"Max {what} size"])) == 1
    stack = int(limits["Max stack size"][0])
    own = int(limits["Max data size"][0]) + stack
    assert own == macro("PVBOOT_DECODER_MEMORY_MAX") + 64 * MIB
    whole = macro("PVBOOT_UNPACKED_MAX") + own
    assert limits["Max address space"] == [str(run.kernel.stat().st_size + whole)] * 2
    # and the same figures where they are promised
    promise = f"| `limits` | {cpu} s of processor time, {own // MIB} MiB of its own memory, {stack // MIB} of them stack, "
    assert promise in document()
    assert f"can waste {cpu} s, {whole // MIB} MiB (its own {own // MIB}, " in document()


@pytest.mark.parametrize("owner", OWNERS)
def test_status(stopped, owner):
    run = stopped[owner]
    status = facts(run.helper, "status")
    assert (status["Seccomp"], status["NoNewPrivs"]) == (["2"], ["1"])
    for caps in "CapInh", "CapPrm", "CapEff", "CapAmb":
        assert int(status[caps][0], 16) == 0, caps
    uid, gid = user_of(owner)
    assert status["Uid"] == [str(uid)] * 4
    if os.geteuid() == 0:
        assert (status["Gid"], status["Groups"]) == ([str(gid)] * 4, [])
    assert status["PPid"] == [str(run.pvboot.pid)]
    if owner == "capable":
        assert int(facts(run.pvboot.pid, "status")["CapEff"][0], 16)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look")
@pytest.mark.parametrize("owner", OWNERS)
def test_descriptors(stopped, owner):
    """The output, which cannot grow, and the answer's pipe are left; neither the file nor the program is."""
    fd = pathlib.Path(f"/proc/{stopped[owner].helper}/fd")
    assert {entry.name: os.readlink(entry).split(":")[0] for entry in fd.iterdir()} == {"1": "/memfd", "2": "pipe"}
    output = os.open(fd / "1", os.O_RDONLY)
    try:
        assert os.fstat(output).st_size == macro("PVBOOT_UNPACKED_MAX")
        assert fcntl.fcntl(output, fcntl.F_GET_SEALS) & fcntl.F_SEAL_GROW
    finally:
        os.close(output)


def user_of(owner):
    if os.geteuid():
        return os.geteuid(), os.getegid()
    if owner == "own":
        return OWN_UID, OWN_GID
    here = [user for user in pwd.getpwall() if user.pw_name == USER and owner == "caller"]
    return (here[0].pw_uid, here[0].pw_gid) if here else (NOBODY, NOBODY)


def process_of(owner):
    """What makes a process one of the user the helper has."""
    uid, gid = user_of(owner)
    return {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}


def look(pid, who):
    """How a process of the helper's own user fares."""
    done = subprocess.run(["/usr/bin/python3", "-c", LOOK, str(pid)], capture_output=True, text=True, check=True, **who)
    return dict(zip(LOOKS, map(int, done.stdout.split()), strict=True))


@pytest.mark.parametrize("owner", OWNERS)
def test_its_own_user_cannot_look_into_it(stopped, owner):
    who = process_of(owner)
    other = subprocess.Popen(["/bin/sleep", "60"], **who)
    try:
        time.sleep(0.05)
        assert look(other.pid, who)["environ"] == 0  # whereas anybody else can be looked into
    finally:
        other.kill()
        other.wait()
    got = look(stopped[owner].helper, who)
    assert set(got.values()) <= {1, 13} and len(got) == len(LOOKS), got  # EPERM, EACCES


@pytest.mark.skipif(os.geteuid() != 0, reason="there is no other user")
@pytest.mark.parametrize("owner", OWNERS)
def test_nobody_can_stop_it_only_if_it_is_nobodys(stopped, owner):
    """What the user of its own is for: every other service that runs as nobody may send signals to nobody's processes."""
    done = subprocess.run(["sh", "-c", f"kill -0 {stopped[owner].helper}"], capture_output=True, **process_of("nobody"))
    assert (done.returncode == 0) == (user_of(owner)[0] == NOBODY), done.stderr


@pytest.mark.parametrize("owner", OWNERS)
def test_wall_clock(stopped, owner):
    """Last: what stays is killed when its time is over."""
    run = stopped[owner]
    ms = macro("PVBOOT_PARSE_WALL_MS")
    assert f"The caller waits {ms // 1000} s at most." in document()
    out, err = run.pvboot.communicate(timeout=ms / 1000 + 30)
    took = time.monotonic() - run.begun
    assert (run.pvboot.returncode, out) == (73, "")
    why = f"the confined parser was killed: over its wall-clock limit of {ms} ms"
    assert err == f"pvboot: sandbox: {run.kernel}: {why}\n"
    assert ms / 1000 <= took < ms / 1000 + 20
    assert not pathlib.Path(f"/proc/{run.helper}").exists()

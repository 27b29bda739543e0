# SPDX-License-Identifier: LGPL-2.1-only
"""A guest saved on one emulated machine goes on on another, with another release's Xen if one is named: `xl save`, the file
carried over, stock `xl restore`.  It counts aloud, so that it can be told whether it is the same guest, and on which Xen.
"""

import contextlib
import os
import re
import time
from pathlib import Path

from ..base import packages, paths, ready, release
from ..base.cpio import Archive
from ..base.errors import Timeout
from ..cases.case import Case
from ..guests import images
from ..machine import dom0
from ..machine.host import Host
from ..machine.install import STOCK_XL, XL
from .testbed import KERNEL, Testbed, prepared

PATHS = ("xl-pvh", "pvh", "linux32", "linux64", "vmlinux64", "stub")
GUESTS = (*(Case(path, path, KERNEL, memory=128, mode="count") for path in PATHS),
          Case("linux64-2", "linux64", KERNEL, vcpus=2, memory=128, mode="count"))
COUNT = """
v=/sys/hypervisor/version
i=0
while :; do
    i=$((i + 1))
    echo "@@count $i on $(cat $v/major).$(cat $v/minor)$(cat $v/extra), $(nproc) up@@" > $out
    sleep 1
done
"""
COUNTED = re.compile(r"@@count (\d+) on (\S+), (\d+) up@@")
LOG = "/var/log/xen/console/guest-{}.log"
TRIES = 3  # the emulator loses a guest now and then, see ../README.md
SECONDS = 150
AT_LEAST = 3  # numbers that it says on each machine


def migrate(to: str) -> int:
    states = paths.made(paths.lab() / "migrate")
    saved = _saved(states)
    release.choose(to)
    wrong = [name for name, last in saved.items() if not last]
    with _other() as host:
        print(f"from Xen {next((last[1] for last in saved.values() if last), '?')} to {host.xen()}", flush=True)
        for guest in GUESTS:
            if saved[guest.name]:
                started = time.monotonic()
                complaint = _goes_on(host, guest, states / f"{guest.name}.saved", *saved[guest.name])
                print(f"{guest.name}: {time.monotonic() - started:.0f} s: {complaint or 'goes on'}", flush=True)
                wrong += [guest.name] if complaint else []
    return 1 if wrong else 0


def _saved(states: Path) -> dict[str, tuple[int, str] | None]:
    """By name: the last number that it said, and the Xen that it named; None: it was not saved."""
    with prepared("migrate") as testbed:
        at = testbed.files()
        archive = Archive()
        archive.file("/modes/count", COUNT.encode())
        ramdisk = images.named("counting", images.initramfs(testbed.store, "amd64").read_bytes() + archive.finish())
        at["counting"] = testbed.host.put_once(ramdisk, f"{dom0.DIRECTORY}/counting")
        return {guest.name: _save(testbed, guest, at, states) for guest in GUESTS}


def _save(testbed: Testbed, guest: Case, at: dict[str, str], states: Path) -> tuple[int, str] | None:
    xl = XL if guest.needs_pvboot else STOCK_XL
    config = testbed.config(guest, at[guest.kernel], at["counting"])
    state = f"{guest.name}.saved"
    for _ in range(TRIES):
        rc, out, err = _run(testbed.host, guest, f"""
            rm -f {LOG.format(guest.name)} /share/files/{state}
            {xl} create {config} >&2 || exit
            {_until(guest.name, AT_LEAST)}
            {xl} save {guest.name} /tmp/{state} >&2 || exit
            mv /tmp/{state} /share/files  # a guest's pages do not go into 9p themselves
            cat {LOG.format(guest.name)}""")
        said = COUNTED.findall(out)
        if not rc and said:
            os.replace(testbed.host.share / "files" / state, states / state)
            return int(said[-1][0]), said[-1][1]
    print(f"{guest.name}: not saved: exit {rc}: {err.strip()[-300:]}", flush=True)
    return None


def _run(host: Host, guest: Case, script: str) -> tuple[int, str, str]:
    """A guest that is left when it ends, or does not end, is destroyed: the next try has its name."""
    away = f"{STOCK_XL} domid {guest.name} > /dev/null 2>&1 && {STOCK_XL} destroy {guest.name} >&2"
    try:
        return host.run(f"trap '{away}' EXIT\n{script}", 2 * SECONDS + 180)
    except Timeout as late:
        host.run(away)
        return 1, "", str(late)


def _until(name: str, count: int) -> str:
    """Shell: waits until a guest has counted to there, or is gone."""
    return f"""
            end=$(($(date +%s) + {SECONDS}))
            while [ $(date +%s) -lt $end ]; do
                [ "$(grep -c '@@count' {LOG.format(name)} 2>/dev/null)" -ge {count} ] && break
                {STOCK_XL} list {name} 2>/dev/null | grep -q ' ...[sc].. ' && exit 1
                sleep 0.5
            done"""


@contextlib.contextmanager
def _other():
    """A machine of the chosen release, with nothing of ours on it."""
    ready.ensure()
    host = Host(paths.made(paths.lab() / "migrate-to"), cpus=1)
    try:
        host.boot(packages.Store())
        yield host
    finally:
        host.stop()


def _goes_on(host: Host, guest: Case, state: Path, last: int, xen: str) -> str:
    """What is wrong with it on the other machine."""
    os.replace(state, host.share / "files" / state.name)
    rc, out, err = _run(host, guest, f"""
        {STOCK_XL} restore /share/files/{state.name} >&2 || exit
        rm /share/files/{state.name}
        {_until(guest.name, AT_LEAST)}
        timeout {SECONDS} {STOCK_XL} shutdown -w {guest.name} >&2
        rc=$?
        cat {LOG.format(guest.name)}
        exit $rc""")
    said = COUNTED.findall(out)
    if len(said) < AT_LEAST:
        return f"says no more: exit {rc}: {err.strip()[-300:]}"
    return judge(said, last, host.xen(), guest.vcpus) or (f"does not shut down: exit {rc}: {err.strip()[-300:]}" if rc else "")


def judge(said: list[tuple[str, str, str]], last: int, xen: str, vcpus: int) -> str:
    """Has it counted on, from `last` or, if that had not come out, one more, on that Xen?"""
    numbers = [int(number) for number, _, _ in said]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))) or numbers[0] not in (last, last + 1):
        return f"counts {numbers} after {last}"
    if said[-1][1] != xen:
        return f"names Xen {said[-1][1]}, not {xen}"
    return "" if said[-1][2] == str(vcpus) else f"{said[-1][2]} vCPUs are up"

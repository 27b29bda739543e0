# SPDX-License-Identifier: LGPL-2.1-only
"""A tenant who can choose kernel, ramdisk and command line brings pvboot's own stub and words that would have dom0 read
one file and write others: docs/security.md, "The confined parser"."""

import re
from pathlib import Path

from ..base import cc
from ..base.errors import LabError
from ..machine import install
from ..machine.host import Host
from ..machine.install import STOCK_XL

DUMP = "/tmp/tenants-dump"
SECRET = "/root/tenants-secret"
MARK = "what-only-dom0-may-know"
MEMORY = 16  # MiB: all of the guest's memory is searched
GREP = "/tmp/guestgrep"
KEYS = {"type": "pvh", "kernel": str(Path(install.LIBDIR) / "pvboot-stub.elf"),
        "cmdline": f"pvboot entry=linux64 ramdisks={SECRET} dump={DUMP}"}


def prepare(host: Host) -> None:
    host.put_once(cc.built("guestgrep", [Path(__file__).with_name("guestgrep.c")], "-lxenforeignmemory"), GREP)
    host.check(f"rm -rf {DUMP}; echo {MARK} > {SECRET}")


def wrong(host: Host, domain: str, said: str) -> list[str]:
    """What the words did on the host or put into the guest, if there is one; `said`: by xl -vvv."""
    found = [f"pvboot worked on it: {line}" for line in re.findall(r"pvboot: domain \d+ phase .*", said)]
    if host.run(f"test -e {DUMP}")[0] == 0:
        found.append(f"{DUMP} was written")
        if host.run(f"grep -rqF {MARK} {DUMP}")[0] == 0:
            found.append(f"the guest was handed what {SECRET} says")
    elif host.run(f"{STOCK_XL} domid {domain}")[0] == 0:
        if not _guest_has(host, domain, DUMP):
            found.append("the guest's memory has not even its own command line: the search sees nothing")
        if _guest_has(host, domain, MARK):
            found.append(f"the guest's memory has what {SECRET} says")
    host.check(f"rm -rf {DUMP} {SECRET}")
    return found


def _guest_has(host: Host, domain: str, text: str) -> bool:
    rc, _, err = host.run(f"{GREP} $({STOCK_XL} domid {domain}) {MEMORY} '{text}'")
    if rc not in (0, 1):
        raise LabError(f"searching the memory of {domain}: {err.strip()[-300:]}")
    return rc == 0

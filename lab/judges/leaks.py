# SPDX-License-Identifier: LGPL-2.1-only
"""What a guest leaves behind in Xen and xenstore, which should be nothing."""

import dataclasses
import re

# Xen's heap dump counts single pages; `xl info` only whole MiB.
SNAPSHOT = """
xl dmesg -c > /dev/null
xl debug-keys H
echo '@heap'; xl dmesg
echo '@domains'; xl list
echo '@claims'; xl info | grep outstanding_claims
echo '@xenstore'; xenstore-ls -fp
"""


POOL_PAGES = 4  # of Xen's memory, by which one of its own pools grows at a time, at most


@dataclasses.dataclass(frozen=True)
class Snapshot:
    free_pages: int
    claims: str
    domains: tuple[str, ...]
    xenstore: tuple[str, ...]


def parse(text: str) -> Snapshot:
    parts = dict(re.findall(r"^@(\w+)\n(.*?)(?=^@\w+$|\Z)", text, re.M | re.S))
    zones = re.findall(r"heap\[node=\d+\]\[zone=\d+\] -> (\d+) pages", parts["heap"])
    if not zones:
        raise ValueError("Xen's heap dump is not in its log")
    return Snapshot(
        free_pages=sum(map(int, zones)),
        claims=parts["claims"].split(":")[-1].strip(),
        domains=tuple(sorted(line.split()[0] for line in parts["domains"].splitlines()[1:])),
        xenstore=tuple(sorted(parts["xenstore"].splitlines())))


def compare(before: Snapshot, after: Snapshot) -> list[str]:
    """One line per difference."""
    found = []
    if after.free_pages != before.free_pages:
        found.append(f"free memory changed by {after.free_pages - before.free_pages:+d} pages")
    if after.claims != before.claims:
        found.append(f"outstanding claims: {before.claims} MiB before, {after.claims} after")
    found += [f"domain left behind: {name}" for name in after.domains if name not in before.domains]
    found += [f"domain gone: {name}" for name in before.domains if name not in after.domains]
    found += [f"xenstore: new: {line}" for line in sorted(set(after.xenstore) - set(before.xenstore))]
    found += [f"xenstore: gone: {line}" for line in sorted(set(before.xenstore) - set(after.xenstore))]
    return found


def may_be_growth(found: list[str]) -> bool:
    """Nothing but a few pages of Xen's memory: perhaps one of its own pools grew."""
    match = re.fullmatch(r"free memory changed by -(\d+) pages", found[0]) if len(found) == 1 else None
    return bool(match) and int(match.group(1)) <= POOL_PAGES

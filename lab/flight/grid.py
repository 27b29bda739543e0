# SPDX-License-Identifier: LGPL-2.1-only
"""Field by path: what each path handed over and what each guest read back, side by side.

Every difference from the reference column (the first path of a fixed order that has the field, so stock Xen's PVH
where it can) carries the rule that explains it, or is a LOOK.
"""

import dataclasses
import hashlib

from . import model, rules
from .model import Job
from .record import Record

REFERENCE = ("xl-pvh", "pvh", "linux32", "linux64", "vmlinux64", "stub", "grub", "xl-pv", "pv")
NEARER = {"pv": "xl-pv"}  # compared with that one, where it is there and has the field
SAME, NONE, LOOK = "same", "none", "LOOK"  # none: this path hands over no such thing
LONG = 120                                 # characters of a value, for reading
RAW = ("e820_table", "e820_entries")       # compared as the map they make


@dataclasses.dataclass
class Entry:
    value: object
    mark: str            # same, none, LOOK, or the kind of the rule
    reason: str = ""
    reference: str = ""  # the column that it was compared with


@dataclasses.dataclass
class Row:
    field: str
    reference: str
    entries: dict[str, Entry]

    @property
    def differs(self) -> bool:
        return any(entry.mark not in (SAME, NONE) for entry in self.entries.values())


@dataclasses.dataclass
class Grid:
    group: str
    columns: list[str]
    rows: list[Row]

    def looks(self, column: str) -> list[str]:
        looks = [(row, row.entries[column]) for row in self.rows if column in row.entries]
        return [f"{row.field} is {_exact(entry.value)}, {entry.reference} has {_exact(row.entries[entry.reference].value)}"
                for row, entry in looks if entry.mark == LOOK]


def grids(record: Record) -> list[Grid]:
    groups: dict[str, dict[str, Job]] = {}
    for job in record.jobs.values():
        if job.status in model.EXECUTED and not job.cell.round and (job.handover or job.guest):
            groups.setdefault(job.cell.group, {})[job.cell.column] = job
    return [grid(name, jobs, record.kernel(name.split("/")[0]))
            for name, jobs in sorted(groups.items())]


def grid(group: str, jobs: dict[str, Job], inspected: dict) -> Grid:
    columns = model.in_order(jobs)
    fields = {column: flatten(jobs[column]) for column in columns}
    context = rules.Context(jobs, fields, inspected)
    rows = []
    order = sorted(columns, key=lambda column: (REFERENCE.index(column.split(":")[0]), column))
    for field in dict.fromkeys(name for column in columns for name in fields[column]):
        reference = next(column for column in order if _speaks_of(field, fields[column]))
        rows.append(Row(field, reference, {column: _entry(field, column, _nearer(field, column, fields) or reference, context)
                                           for column in columns}))
    return Grid(group, columns, rows)


def _nearer(field: str, column: str, fields: dict[str, dict]) -> str | None:
    other = NEARER.get(column)
    return other if other in fields and _speaks_of(field, fields[other]) else None


def _entry(field: str, column: str, reference: str, context: rules.Context) -> Entry:
    fields = context.fields
    if not _speaks_of(field, fields[column]):
        return Entry(None, NONE)
    value, before = fields[column].get(field, rules.ABSENT), fields[reference].get(field, rules.ABSENT)
    if value == before:
        return Entry(value, SAME, reference=reference)
    rule = rules.explain(rules.Difference(field, column, before, value, reference), context)
    return Entry(value, rule.kind, rule.reason, reference) if rule else Entry(value, LOOK, reference=reference)


def _speaks_of(field: str, facts: dict) -> bool:
    """A path that hands over no such structure has nothing to compare; a guest that lacks a fact does."""
    return field in facts or field.startswith("guest.") and "guest.nproc" in facts


def flatten(job: Job) -> dict[str, object]:
    """Every compared fact of a job under one name."""
    found: dict[str, object] = {}
    handover, guest = job.handover, job.guest
    for name, value in handover.get("vcpu", {}).items():
        found[f"cpu.{name}"] = value
    for part in ("zero_page", "start_info", "pv_start_info"):
        for name, value in handover.get(part, {}).items():
            if name not in RAW:
                found[f"handed.{part}.{name}"] = value
    if handover:
        found["handed.page"] = handover["page"]
        for name in ("gpa", "bytes", "sha256"):
            if name in handover.get("ramdisk", {}):
                found[f"handed.ramdisk.{name}"] = handover["ramdisk"][name]
        if "rsdp" in handover:
            found["handed.rsdp"] = handover["rsdp"]["gpa"]
        if handover["e820"]:
            found["handed.e820"] = ranges(handover["e820"])
        for node in handover.get("setup_data", []):
            found[f"handed.setup_data.{node['type_name']}"] = f"{node['len']} bytes, {node.get('status') or 'raw'}"
    if guest:
        found.update(_guest(guest))
    return found


def _guest(guest: dict) -> dict[str, object]:
    found = {f"guest.{name}": guest[name] for name in
             ("guest_type", "cmdline", "nproc", "clocksource", "memory_kib", "kernel_code")}
    found["guest.e820"] = ranges(guest["e820"])
    found["guest.iomem"] = "; ".join(guest["iomem"])
    found["guest.cpu.flags"] = " ".join(guest["cpu"]["flags"])
    found |= {f"guest.cpu.{name}": value for name, value in guest["cpu"].items() if name != "flags"}
    found |= {f"guest.zero_page.{name}": value for name, value in guest["zero_page"].items() if name not in RAW}
    found |= {f"guest.acpi.{name}": digest for name, digest in guest["acpi"].items()}
    for node in guest["setup_data"].values():
        found[f"guest.setup_data.{node['type_name']}"] = f"{node['len']} bytes, {node['status'] or 'raw'}"
    found |= {f"guest.dmesg: {line}": "printed" for line in guest["dmesg"]}
    return found


def ranges(entries: list[list]) -> str:
    """A map in one order, reserved ranges cut out of RAM, neighbours of one type joined: what it means, not how it is said."""
    edges = sorted({edge for start, end, _ in entries for edge in (start, end)})
    joined: list[list] = []
    for start, end in zip(edges, edges[1:]):
        kinds = [kind for s, e, kind in entries if s <= start and end <= e]
        if not kinds:
            continue
        kind = max(kinds, key=str)  # anything else before RAM, which is type 1
        if joined and joined[-1][1] == start and joined[-1][2] == kind:
            joined[-1][1] = end
        else:
            joined.append([start, end, kind])
    return "; ".join(f"{start:x}-{end:x} type {kind}" for start, end, kind in joined)


def shown(value: object, limit: int = LONG) -> str:
    text = _text(value)
    return text if len(text) <= limit else text[:limit - 3] + "..."


def _exact(value: object) -> str:
    """As shown, and the digest of what is cut off: a baseline knows a difference by this."""
    text = _text(value)
    return shown(value) + ("" if len(text) <= LONG else f" (sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]})")


def _text(value: object) -> str:
    return f"{value:#x}" if isinstance(value, int) else str(value)

# SPDX-License-Identifier: LGPL-2.1-only
"""What was handed over against what the guest reads back.  Every difference must have a reason in the table below."""

import dataclasses
import json
import struct
import subprocess
from pathlib import Path

from ..base import paths
from ..base.errors import LabError
from ..guests.evidence import Evidence

KASLR_FLAG = 0x02       # boot.rst, loadflags bit 1
SETUP_RNG_SEED = 9      # setup_data.h
HANDOVER_TYPE = 0x50595648
START_INFO_MAP = 48     # start_info.h: memmap_entries, of which Linux can take 127
NODE_HEADER = struct.Struct("<QII")  # boot.rst, struct setup_data: next, type, len

# Fields of the zero page that Linux itself changes before user space can read them, and how far.
EDITED = {
    "loadflags": ("the decompressor notes here whether it moved the kernel (KASLR_FLAG)",
                  lambda planned, seen: planned | KASLR_FLAG == seen | KASLR_FLAG),
    "scratch": ("the decompressor's 32-bit entry has its first stack here, to find out where it runs",
                lambda planned, seen: planned == 0),
}
ISA_HOLE = (0xa0000, 0x100000)
# Of the memory map's types, the names that Linux gives them in /sys/firmware/memmap (arch/x86/kernel/e820.c).
MEMMAP_NAMES = {"System RAM": 1, "Reserved": 2, "ACPI Tables": 3, "ACPI Non-volatile Storage": 4}


@dataclasses.dataclass
class Row:
    field: str
    planned: object
    seen: object
    remark: str = ""
    wrong: bool = False


def zero_page(planned: dict, seen: dict) -> list[Row]:
    """Fields as `pvboot decode` gives them; each byte of the page is in one of them."""
    rows = []
    for field in sorted(planned.keys() | seen.keys(), key=list({**planned, **seen}).index):
        before, after = planned.get(field), seen.get(field)
        if before == after:
            rows.append(Row(field, before, after))
        elif field in EDITED and None not in (before, after) and EDITED[field][1](before, after):
            rows.append(Row(field, before, after, EDITED[field][0]))
        else:
            rows.append(Row(field, before, after, "DIFFERS", wrong=True))
    return rows


def chain(raw: bytes, base: int, first: int) -> list[tuple[int, bytes]]:
    """Type and payload of each setup_data node; `raw` lies at `base` in the guest."""
    nodes, at = [], first
    while at:
        offset = at - base
        if not 0 <= offset <= len(raw) - NODE_HEADER.size or len(nodes) > 64:
            raise ValueError(f"setup_data node at {at:#x} lies outside [{base:#x}, {base + len(raw):#x})")
        at, kind, length = NODE_HEADER.unpack_from(raw, offset)
        start = offset + NODE_HEADER.size
        if start + length > len(raw):
            raise ValueError(f"setup_data node of type {kind:#x}: {length} bytes are too many")
        nodes.append((kind, raw[start:start + length]))
    return nodes


def setup_data(planned: list[tuple[int, bytes]], seen: dict[int, tuple[int, bytes]]) -> list[Row]:
    rows = []
    after = [seen[number] for number in sorted(seen)]
    for number in range(max(len(planned), len(after))):
        before = planned[number] if number < len(planned) else None
        now = after[number] if number < len(after) else None
        row = Row(f"setup_data/{number}", _node(before), _node(now))
        if before and now and before[0] == now[0] == SETUP_RNG_SEED and not any(now[1]):
            row.remark = "Linux wipes the seed once it has used it"
        elif before != now:
            row.remark, row.wrong = "DIFFERS", True
        rows.append(row)
    return rows


def memmap(planned: list[dict], tree: dict[str, str], entry: str) -> list[Row]:
    """The plan's map against /sys/firmware/memmap, whose ends are inclusive."""
    before = [(r["start"], r["end"], r["type"]) for r in planned]
    if entry == "pvh":  # there Linux itself reserves the hole (arch/x86/platform/pvh/enlighten.c)
        before = with_hole(before)
    numbers = sorted({int(key.split("/")[0]) for key in tree})
    after = []
    for n in numbers:
        start, end, kind = (tree[f"{n}/{part}"] for part in ("start", "end", "type"))
        after.append((int(start, 0), int(end, 0) + 1, MEMMAP_NAMES.get(kind, kind)))
    rows = []
    for n in range(max(len(before), len(after))):
        was = _range(before[n]) if n < len(before) else None
        now = _range(after[n]) if n < len(after) else None
        rows.append(Row(f"memory map/{n}", was, now, "" if was == now else "DIFFERS", was != now))
    return rows


def with_hole(ranges: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The map with the ISA hole cut out of it and marked as reserved."""
    start, end = ISA_HOLE
    cut = [(*ISA_HOLE, 2)]
    for low, high, kind in ranges:
        cut += [(a, b, kind) for a, b in ((low, min(high, start)), (max(low, end), high)) if a < b]
    return sorted(cut)


def table(rows: list[Row]) -> str:
    """field / planned / guest reads back; fields that are nothing in both are left out."""
    lines = [("field", "planned", "guest reads back", "")]
    for row in rows:
        if row.planned or row.seen or row.wrong:
            seen = "=" if row.planned == row.seen else _text(row.seen)
            lines.append((row.field, _text(row.planned), seen, row.remark))
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, [*widths, 0])) for line in lines)
    return "".join(f"{line.rstrip()}\n" for line in padded)


def decode(kind: str, path: Path) -> dict:
    """`pvboot decode --json`: the fields."""
    command = [paths.own_build() / "pvboot", "decode", "--json", f"--{kind}", path]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"pvboot decode --{kind} {path}: {done.stderr.strip()}")
    return json.loads(done.stdout)["fields"]


def against_dump(dump: Path, found: Evidence, boot_params: Path) -> list[Row]:
    """Everything of a dump that the guest can tell about."""
    manifest = json.loads((dump / "manifest.json").read_text())
    segments = {segment["name"]: segment for segment in manifest["segments"]}
    rows = []
    if "start info" not in segments or (dump / segments["start info"]["file"]).read_bytes()[START_INFO_MAP]:
        rows += memmap(manifest["memmap"], found.tree("memmap"), manifest["entry"])  # else Linux asks Xen
    if "zero page" in segments:
        page = decode("zero-page", dump / segments["zero page"]["file"])
        rows += zero_page(page, decode("zero-page", boot_params))
        nodes = []
        if "setup_data" in segments:
            segment = segments["setup_data"]
            nodes = chain((dump / segment["file"]).read_bytes(), segment["gpa"], page["setup_data"])
        rows += setup_data(nodes, found.setup_data())
    return rows


def _node(node: tuple[int, bytes] | None) -> str | None:
    return f"type {node[0]:#x}, {len(node[1])} bytes" if node else None


def _range(entry: tuple) -> str:
    return f"{entry[0]:012x}-{entry[1]:012x} type {entry[2]}"


def _text(value: object) -> str:
    text = f"{value:#x}" if isinstance(value, int) else "-" if value is None else str(value)
    return text if len(text) <= 48 else text[:45] + "..."

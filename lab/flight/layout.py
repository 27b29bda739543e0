# SPDX-License-Identifier: LGPL-2.1-only
"""What lies where in a guest at its first instruction, read from the capture; and whether any of it collides."""

import dataclasses

from . import zeropage
from .model import Job

PAGE = 4096
NODE_HEADER = 16
TYPES = {1: "RAM", 2: "reserved", 3: "ACPI", 4: "ACPI NVS"}


@dataclasses.dataclass(frozen=True)
class Segment:
    name: str
    start: int
    end: int
    background: bool = False  # what the map says, on which the rest lies


def segments(job: Job, inspected: dict) -> list[Segment]:
    """Ascending.  A PV guest has no physical addresses of its own yet: none."""
    handover = job.handover
    if not handover or handover["container"] == "pv":
        return []
    found = [Segment(TYPES.get(kind, f"type {kind}"), start, end, True) for start, end, kind in handover["e820"]]
    found += _loaded(job, inspected) + _structures(job)
    return sorted(found, key=lambda s: (s.start, s.end))


def _loaded(job: Job, inspected: dict) -> list[Segment]:
    """What the toolstack put there to run: the whole window that it needs, not only the bytes that were written."""
    path = job.cell.path
    window = job.runvars.get("loaded") or inspected.get("elf_window")
    if path in ("linux32", "linux64"):
        start = zeropage.load_gpa(job, inspected)
        return [Segment("kernel", start, start + inspected["window"]["bytes"])]
    if path == "vmlinux64":
        planned = [s for s in job.runvars.get("plan", {}).get("segments", []) if s["name"] == "kernel"]
        return [Segment("kernel", s["start"], s["end"]) for s in planned]
    name = path if path in ("stub", "grub") else "kernel"
    return [Segment(name, window["pref_gpa"], window["pref_gpa"] + window["bytes"])] if window else []


def _structures(job: Job) -> list[Segment]:
    handover, cpu = job.handover, job.handover["vcpu"]
    found = []

    def add(name: str, start: int, size: int) -> None:
        if start and size:
            found.append(Segment(name, start, start + size))

    if handover["page"] == "zero page":
        add("zero page", handover["gpa"], PAGE)
        add("GDT", cpu["gdtr_base"], cpu["gdtr_limit"] + 1)
        planned = {s["name"]: s for s in job.runvars.get("plan", {}).get("segments", [])}
        tables = planned.get("page tables")
        add("page tables", cpu["cr3"], tables["end"] - tables["start"] if tables else PAGE)
    else:
        info = handover["start_info"]
        add("start info", handover["gpa"], 56 if info["version"] else 40)
        add("module list", info["modlist_paddr"], 32 * info["nr_modules"])
        add("memory map", info.get("memmap_paddr", 0), 24 * info.get("memmap_entries", 0))
        for number, module in enumerate(handover["modules"][:-1]):
            add(f"module {number}", module["paddr"], module["size"])
    add("ramdisk", handover["ramdisk"]["gpa"], handover["ramdisk"]["bytes"])
    if handover["cmdline"]:
        add("cmdline", handover["cmdline_gpa"], len(handover["cmdline"]) + 1)
    for node in handover["setup_data"]:
        add("setup_data", node["gpa"], NODE_HEADER + node["len"])
    return found


def overlaps(found: list[Segment]) -> list[tuple[Segment, Segment]]:
    """Of what must not share a byte."""
    solid = [segment for segment in found if not segment.background]
    return [(a, b) for i, a in enumerate(solid) for b in solid[i + 1:] if a.start < b.end and b.start < a.end]


def outside(found: list[Segment]) -> list[Segment]:
    """What lies, even in part, where the map has no RAM."""
    ram = [s for s in found if s.background and s.name == "RAM"]
    return [s for s in found if not s.background and not any(r.start <= s.start and s.end <= r.end for r in ram)]

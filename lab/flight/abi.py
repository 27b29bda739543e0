# SPDX-License-Identifier: LGPL-2.1-only
"""What each entry's ABI demands of vCPU 0 and of what it is handed, checked on the capture of the paused domain; and of
what the guest shows of it later.

Sources: Xen docs/misc/pvh.pandoc (PVH), Linux Documentation/arch/x86/boot.rst (32-bit and 64-bit boot protocol),
Xen public xen.h (PV).
"""

import dataclasses
import re
from collections.abc import Callable

from ..judges.readback import ISA_HOLE
from . import layout, model, zeropage
from .model import ZERO_PAGE, Cell, Job

PE, ET, NW, CD, PG, PAE, LME, LMA = 1, 1 << 4, 1 << 29, 1 << 30, 1 << 31, 1 << 5, 1 << 8, 1 << 10
TF, IF, VM = 1 << 8, 1 << 9, 1 << 17
LONG, BIG, PRESENT = 1 << 9, 1 << 10, 1 << 7  # segment attributes as SVM and VMX keep them: G D L AVL in bits 11..8
FLAT = 0xffffffff
RSDP = "RSD PTR "  # ACPI 6.4, 5.2.5.3


@dataclasses.dataclass
class Demand:
    field: str
    text: str                                  # what is demanded
    check: Callable[[dict], tuple[str, bool]]  # value as shown, is it so


@dataclasses.dataclass
class Checked:
    field: str
    text: str
    value: str
    ok: bool


def check(job: Job, kernel: dict) -> list[Checked]:
    """`kernel`: as `pvboot inspect` sees it, and its setup header."""
    if not job.handover:
        return []
    found = [Checked(demand.field, demand.text, *demand.check(job.handover)) for demand in _demands(job.cell)]
    found.append(_nothing("layout", "no overlap, all in RAM", _misplaced(job, kernel)))
    if job.cell.path in ZERO_PAGE:
        found.append(_nothing("zero_page", "the file's setup header, and 0 but for what a loader writes",
                              zeropage.handed(job, kernel)))
        found.append(_nothing("setup_data", NODE, zeropage.nodes(job.cell.path, job.handover["setup_data"])))
    return found


def check_read_back(job: Job, kernel: dict) -> list[Checked]:
    """Of the page that the guest shows, where somebody else than its kernel filled it."""
    if job.cell.path not in zeropage.LOADERS or not (job.handover and job.guest):
        return []
    found = [_nothing("guest.zero_page", "nothing wrong with it", zeropage.remarks(job))]
    if job.cell.path in zeropage.OURS:
        found.append(_nothing("guest.zero_page", "as it was filled, but for what its kernel writes",
                              zeropage.read_back(job, kernel)))
    if job.cell.path in zeropage.OURS or job.cell.how == "node":
        found.append(_nothing("guest.setup_data", NODE, zeropage.nodes_read_back(job)))
    return found


def broken(checked: list[Checked]) -> list[str]:
    return [f"{c.field} is {c.value}, the ABI demands {c.text}" for c in checked if not c.ok]


def _demands(cell: Cell) -> list[Demand]:
    if cell.path in model.PV:
        return [*PV, Demand("pv_start_info.nr_pages", f"{cell.memory} MiB", lambda h: _is_memory(h, cell.memory))]
    if cell.path not in ZERO_PAGE:
        return PVH + _given(cell) + [_lint("start_info", cell.path)]
    return (LINUX32 if cell.path == "linux32" else LINUX64) + ZEROPAGE + _given(cell) + [_lint("zero_page", cell.path)]


def _nothing(field: str, text: str, wrong: list[str]) -> Checked:
    return Checked(field, text, "; ".join(wrong) or "so", not wrong)


# --- registers ----------------------------------------------------------------------------------------------------------

def _is(name: str, value: int, text: str = "") -> Demand:
    return Demand(f"cpu.{name}", text or f"{value:#x}", lambda h: (f"{h['vcpu'][name]:#x}", h["vcpu"][name] == value))


def _bits(name: str, set_: int, clear: int, text: str) -> Demand:
    def test(handover: dict) -> tuple[str, bool]:
        value = handover["vcpu"][name]
        return f"{value:#x}", value & set_ == set_ and not value & clear
    return Demand(f"cpu.{name}", text, test)


def _flat(name: str, selector: int | None, code: bool, long_mode: bool = False) -> list[Demand]:
    """A present segment from 0 to 4 GiB, 32-bit unless long mode; code is execute/read, data read/write."""
    kind = 0xa if code else 0x2

    def test(handover: dict) -> tuple[str, bool]:
        cpu = handover["vcpu"]
        attributes = cpu[f"{name}_arbytes"]
        size = attributes & (LONG if long_mode and code else BIG)
        good = (cpu[f"{name}_base"] == 0 and cpu[f"{name}_limit"] == FLAT and attributes & PRESENT and size
                and attributes & 0xa == kind)
        text = f"base {cpu[f'{name}_base']:#x}, limit {cpu[f'{name}_limit']:#x}, attributes {attributes:#x}"
        return text, bool(good)
    mode = "64-bit " if long_mode and code else "32-bit "
    found = [Demand(f"cpu.{name}", f"{mode}{'execute/read' if code else 'read/write'}, 0 to 4 GiB", test)]
    return found if selector is None else [_is(f"{name}_sel", selector), *found]


FLAGS = _bits("rflags", 0, IF | TF | VM, "interrupts off, no trap, no VM86")
PVH = [
    _bits("cr0", PE, ~(PE | ET), "PE alone (ET cannot be cleared)"), _is("cr4", 0),
    _bits("efer", 0, LME | LMA, "not in long mode"),
    *_flat("cs", None, True), *(x for s in ("ds", "es", "ss") for x in _flat(s, None, False)),
    _is("tr_base", 0), _is("tr_limit", 0x67), FLAGS,
    Demand("start_info.magic", "0x336ec578", lambda h: (f"{h['start_info']['magic']:#x}",
                                                        h["start_info"]["magic"] == 0x336ec578)),
]
_LINUX_SEGMENTS = [("ds", 0x18), ("es", 0x18), ("ss", 0x18)]
LINUX32 = [
    _bits("cr0", PE, PG | CD | NW, "protected mode, paging off, caches on"), _bits("efer", 0, LMA, "not in long mode"),
    *_flat("cs", 0x10, True), *(x for s, selector in _LINUX_SEGMENTS for x in _flat(s, selector, False)),
    FLAGS, _is("rbx", 0), _is("rbp", 0), _is("rdi", 0),
]
LINUX64 = [
    _bits("cr0", PE | PG, CD | NW, "protected mode, paging on, caches on"),
    _bits("cr4", PAE, 1 << 12, "PAE, four levels"),
    _bits("efer", LME | LMA, 0, "long mode"),
    Demand("cpu.cr3", "page tables", lambda h: (f"{h['vcpu']['cr3']:#x}", h["vcpu"]["cr3"] != 0)),
    *_flat("cs", 0x10, True, True), *(x for s, selector in _LINUX_SEGMENTS for x in _flat(s, selector, False)), FLAGS,
]
PV = [
    Demand("pv_start_info.magic", "xen-3.0-x86_64", lambda h: (h["pv_start_info"]["magic"],
                                                               h["pv_start_info"]["magic"] == "xen-3.0-x86_64")),
    Demand("pv_start_info.shared_info", "not 0", lambda h: (f"{h['pv_start_info']['shared_info']:#x}",
                                                            h["pv_start_info"]["shared_info"] != 0)),
]


def _is_memory(handover: dict, memory: int) -> tuple[str, bool]:
    pages = handover["pv_start_info"]["nr_pages"]
    return f"{pages}", pages == memory << 8


# --- what is handed over ------------------------------------------------------------------------------------------------

def _rsdp(field: str) -> Demand:
    return Demand(field, f"address of {RSDP!r}", lambda h: (
        f"{h['rsdp']['gpa']:#x} ({h['rsdp']['signature']!r} is there)" if h["rsdp"]["gpa"] else "0x0",
        h["rsdp"]["signature"] == RSDP))


ZEROPAGE = [
    _rsdp("zero_page.acpi_rsdp_addr"),
    Demand("zero_page.sentinel", "0", lambda h: (str(h["zero_page"]["sentinel"]), h["zero_page"]["sentinel"] == 0)),
    Demand("zero_page.e820_entries", "at least 2", lambda h: (str(h["zero_page"]["e820_entries"]),
                                                              h["zero_page"]["e820_entries"] >= 2)),
]
NODE = "one hypervisor node, whole"
REMARKS = {  # what `pvboot decode` rightly remarks on in what is handed over, and whose it is
    r"memory map: entry \d+ at \S+ begins before entry \d+ ends at \S+": ("xl-pvh", "stub", "grub"),  # stock Xen's
    r"2 modules: Linux uses the first only": ("stub",),  # kernel and ramdisk, for the stub
}


def _lint(field: str, path: str) -> Demand:
    known = [text for text, paths in REMARKS.items() if path in paths]

    def test(handover: dict) -> tuple[str, bool]:
        wrong = [line for line in handover["lint"] if not any(re.fullmatch(text, line) for text in known)]
        return "; ".join(wrong) or "so", not wrong
    return Demand(field, "nothing wrong with it", test)


def _misplaced(job: Job, kernel: dict) -> list[str]:
    found = layout.segments(job, kernel)
    return [f"{a.name} overlaps {b.name}" for a, b in layout.overlaps(found)] + [
        f"{s.name} [{s.start:#x}, {s.end:#x}) is not in RAM" for s in layout.outside(found)]


def _given(cell: Cell) -> list[Demand]:
    """RAM as configured, wherever it lies: what an HVM container is told must be what the domain was given."""
    rsdp = [] if cell.path in ZERO_PAGE else [_rsdp("start_info.rsdp_paddr")]
    return rsdp + [Demand("e820", f"{cell.memory} MiB of RAM, no overlaps", lambda h: _ram(h["e820"], cell.memory))]


def _ram(e820: list[list[int]], memory: int) -> tuple[str, bool]:
    ordered = sorted(e820)
    disjoint = all(a[1] <= b[0] for a, b in zip(ordered, ordered[1:])) and all(a[0] < a[1] for a in ordered)
    ram = sum(end - start for start, end, kind in e820 if kind == 1)
    # with or without VGA and BIOS, which a PC's map does not give out; PVH kernels take them out themselves
    wanted = (memory << 20, (memory << 20) - (ISA_HOLE[1] - ISA_HOLE[0]))
    return f"{ram / 1024:.0f} KiB of RAM in {len(e820)} entries{'' if disjoint else ', overlapping'}", \
        disjoint and ram in wanted


def given_problems(handover: dict, words: str, ramdisk_sha256: str, ramdisk_bytes: int) -> list[str]:
    """Command line and ramdisk against the files they were made from."""
    wrong = []
    cmdline = handover.get("kernel_cmdline", handover.get("cmdline", ""))
    if cmdline != words:
        wrong.append(f"cmdline: handed over {cmdline!r}, asked for {words!r}")
    ramdisk = handover.get("ramdisk", {})
    if ramdisk.get("bytes") != ramdisk_bytes:
        wrong.append(f"ramdisk: {ramdisk.get('bytes')} bytes handed over, the file has {ramdisk_bytes}")
    elif "sha256" in ramdisk and ramdisk["sha256"] != ramdisk_sha256:
        wrong.append(f"ramdisk: {ramdisk['sha256']} handed over, the file is {ramdisk_sha256}")
    return wrong

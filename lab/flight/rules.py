# SPDX-License-Identifier: LGPL-2.1-only
"""Why paths may differ.  A difference that no rule explains is a LOOK, and a new one of those fails a flight.

expected: the two entries are meant to differ here.  placement: an address somebody is free to choose.  editor: the
guest's kernel, or a loader in the guest, changed it after the handover.  Rules test values wherever there is a second
source to test them against: the kernel file, the ABI's demands, another structure of the same guest.
"""

import dataclasses
import re
from collections.abc import Callable

from ..judges.readback import ISA_HOLE
from . import abi, dmesgrules, zeropage
from .model import PV, TWINS, ZERO_PAGE as OURS, Job
from .zeropage import LOADERS, UNPACKS

EXPECTED, PLACEMENT, EDITOR = "expected", "placement", "editor"
ABSENT = "(absent)"
FILLED = (*OURS, "stub", "grub")       # the kernel finds a zero page at its own entry
PVH = ("xl-pvh", "pvh", "stub", "grub")  # what starts first is a PVH ELF
HVM = (*PVH, *OURS)
ANY = (*HVM, *PV, TWINS)
GIB4 = 1 << 32
SIF_VIRT_P2M_4TOOLS = 1 << 4  # Xen's public xen.h


@dataclasses.dataclass
class Context:
    jobs: dict[str, Job]             # of one group, by column
    fields: dict[str, dict]          # theirs, flattened
    inspected: dict                  # the kernel, as `pvboot inspect` sees it, and its setup header


@dataclasses.dataclass
class Difference:
    field: str
    column: str
    before: object
    value: object
    reference: str                   # the column that `before` is from

    @property
    def path(self) -> str:
        path, before = self.column.split(":")[0], self.reference.split(":")[0]
        return TWINS if (path, before) == ("pv", "xl-pv") else path


@dataclasses.dataclass
class Rule:
    kind: str
    field: str                       # a regular expression for the whole name
    paths: tuple[str, ...]
    reason: str
    test: Callable[[Difference, Context], bool] = lambda difference, context: True


def explain(difference: Difference, context: Context) -> Rule | None:
    """The first rule that holds."""
    for rule in RULES:
        applies = difference.path in rule.paths and re.fullmatch(rule.field, difference.field)
        if applies and rule.test(difference, context):
            return rule
    if difference.field.startswith("guest.dmesg: "):
        found = dmesgrules.explain(difference.field.removeprefix("guest.dmesg: "), difference.path, difference.reference)
        return Rule(found[0], "", (), found[1]) if found else None
    return None


# --- tests --------------------------------------------------------------------------------------------------------------

def _as_in_file(d: Difference, c: Context) -> bool:
    return d.value == c.inspected.get("header", {}).get(d.field.split(".")[-1])


def _is(*values: object) -> Callable[[Difference, Context], bool]:
    return lambda d, c: d.value in values


def _abi(d: Difference, c: Context) -> bool:
    """The ABI says something about this register, and that is so."""
    checked = [x for x in abi.check(c.jobs[d.column], c.inspected)
               if d.field == x.field or d.field.startswith(f"{x.field}_")]
    return bool(checked) and all(x.ok for x in checked)


def _rsdp_of_reference(d: Difference, c: Context) -> bool:
    """Stock Xen's start info names the same address."""
    stock = c.fields.get("xl-pvh", {}).get("handed.rsdp")
    return d.value == c.fields[d.column].get("handed.rsdp", d.value) and stock in (None, d.value) and d.value != 0


def _in_ram(d: Difference, c: Context) -> bool:
    """Wherever it is, there is RAM below 4 GiB, as told to the guest."""
    return d.value < GIB4 and _is_ram(d, c)


def _is_ram(d: Difference, c: Context) -> bool:
    known = c.jobs[d.column].handover.get("e820") or c.jobs[d.column].guest.get("e820", [])
    return any(start <= d.value < end and kind == 1 for start, end, kind in known)


def _kaslr_address(d: Difference, c: Context) -> bool:
    """RAM, and a multiple of what the kernel says it can be moved by."""
    return isinstance(d.value, int) and _is_ram(d, c) and d.value % c.inspected["header"]["kernel_alignment"] == 0


def _load_gpa(d: Difference, c: Context) -> bool:
    return d.value == zeropage.load_gpa(c.jobs[d.column], c.inspected)


def _first_stack(d: Difference, c: Context) -> bool:
    return zeropage.first_stack(c.jobs[d.column], c.inspected)


def _entry(d: Difference, c: Context) -> bool:
    """One that the image offers."""
    entries = c.inspected["entries"]
    window = c.jobs[d.column].runvars.get("loaded")
    if window:  # the stub's or GRUB's own
        return window["pref_gpa"] <= d.value < window["pref_gpa"] + window["bytes"]
    return d.path in PV or d.value == entries[d.path]["gpa"]


def _whole_node(d: Difference, c: Context) -> bool:
    return not zeropage.nodes_read_back(c.jobs[d.column])


def _near(share: float) -> Callable[[Difference, Context], bool]:
    return lambda d, c: abs(d.value - d.before) <= share * d.before


def _only_ram(d: Difference, c: Context) -> bool:
    """The same RAM, and nothing else."""
    ram = [part for part in str(d.before).split("; ") if part.endswith(" type 1")]
    return [part for part in str(d.value).split("; ") if part.endswith(" type 1")] == ram


def _ram_in_one(d: Difference, c: Context) -> bool:
    """As much RAM, and all that is above 1 MiB in one stretch."""
    def ram(text: object) -> list[int]:
        spans = [part.split(" ")[0].split("-") for part in str(text).split("; ") if part.endswith(" type 1")]
        return [int(end, 16) - int(start, 16) for start, end in spans]
    return len(ram(d.value)) == 2 and sum(ram(d.value)) == sum(ram(d.before))


def _bounce_buffers(d: Difference, c: Context) -> bool:
    return 0 <= d.value - d.before <= 64 << 10  # Linux's default, in KiB


def _one_has_gpes(d: Difference, c: Context) -> bool:
    """The plugin has had the one built, and not the other."""
    ours = dmesgrules.OURS
    return ABSENT not in (d.value, d.before) and (d.column in ours) != (d.reference in ours)


def _padded(d: Difference, c: Context) -> bool:
    return d.before <= d.value < d.before + 4096


def _cut_to_bytes(d: Difference, c: Context) -> bool:
    return d.value <= d.before < d.value + 4096


def _kaslr_only(d: Difference, c: Context) -> bool:
    return d.value | 2 == c.inspected.get("header", {}).get("loadflags", 0) | 2


def _clock_was_slow(d: Difference, c: Context) -> bool:
    return dmesgrules.SLOW_CLOCK in c.jobs[d.reference if d.value == ABSENT else d.column].guest["dmesg"]


def _tsc_was_given_up(d: Difference, c: Context) -> bool:
    """Registered a second after the boot, unless that guest has marked it unstable by then."""
    return dmesgrules.SLOW_CLOCK in c.jobs[d.column if d.value == ABSENT else d.reference].guest["dmesg"]


XSAVE_FLAGS = {"avx", "avx2", "fma", "xgetbv1", "xsave", "xsaveopt"}


def _xsave_given_up(d: Difference, c: Context) -> bool:
    """All of them and no other, and the guest that has none says why."""
    has, had = (set(str(flags).split()) for flags in (d.value, d.before))
    lacks = d.column if "xsave" in had else d.reference
    return has ^ had == XSAVE_FLAGS and any(line.startswith("XSAVE consistency problem: ")
                                            for line in c.jobs[lacks].guest["dmesg"])


def _isa_hole(d: Difference, c: Context) -> bool:
    """The same but for the area from 640 KiB to 1 MiB."""
    return _without_hole(d.value) == _without_hole(d.before)


def _grub_map(d: Difference, c: Context) -> bool:
    """As GRUB tells it: each range ("start-end type kind") in whole pages."""
    whole = []
    for part in _without_hole(d.before).split("; "):
        span, _, kind = part.partition(" ")
        start, end = (int(edge, 16) for edge in span.split("-"))
        whole.append(f"{start:x}-{end + 4095 & ~4095:x} {kind}")
    return "; ".join(whole) == d.value


def _without_hole(ranges: object) -> str:
    return str(ranges).replace("0-a0000 type 1; a0000-100000 type 2; 100000-", "0-")


IN_HOLE = {"Video RAM area", "System ROM"}  # Linux names them where the map says RAM


def _grub_iomem(d: Difference, c: Context) -> bool:
    """The same in whole pages ("start-end name", ends inclusive), but for what Linux makes of the VGA and BIOS area."""
    def ranges(text: object) -> list[tuple[int, int, str]]:
        parts = (part.partition(" ")[::2] for part in str(text).split("; "))
        return [(int(span.split("-")[0], 16), int(span.split("-")[1], 16) + 4096 & ~4095, name) for span, name in parts]

    def in_hole(part: tuple[int, int, str]) -> bool:
        return ISA_HOLE[0] <= part[0] and part[1] <= ISA_HOLE[1]
    before, now = ranges(d.before), ranges(d.value)
    return [part for part in before if not in_hole(part)] == [part for part in now if not in_hole(part)] \
        and {part[2] for part in now if in_hole(part)} <= IN_HOLE


_Z = r"guest\.zero_page\."
_HZ = r"(guest|handed)\.zero_page\."

RULES = [
    # registers
    Rule(EXPECTED, r"cpu\.rip", HVM, "each entry has its own address", _entry),
    Rule(EXPECTED, r"cpu\..*", HVM, "the entry's ABI demands it", _abi),
    Rule(EXPECTED, r"cpu\.(rsi|rbx|rdi|rbp)", OURS, "a zero page is named by RSI, a start info by EBX",
         lambda d, c: d.value in (0, c.jobs[d.column].handover["gpa"])),
    Rule(PLACEMENT, r"cpu\.rbx", PVH, "where the start info lies", _in_ram),
    Rule(EXPECTED, r"cpu\.gdtr_.*", OURS, "the Linux entries want a GDT with selectors 0x10 and 0x18 in it", lambda d, c:
         c.jobs[d.column].handover["gdt"] != ""),
    Rule(EXPECTED, r"cpu\.(gdtr_.*|rsi)", PVH, "a PVH entry is promised no GDT; EBX names its structure", _is(0)),
    Rule(EXPECTED, r"cpu\..*_arbytes|cpu\..*_(sel|limit)", OURS, "selectors of the GDT that the Linux entries want", _abi),
    Rule(EXPECTED, r"cpu\..*", ("xl-pv",), "a PV guest starts in long mode on page tables of its own, at a virtual address"),
    # what is handed over
    Rule(EXPECTED, r"handed\.page", ANY, "each entry's ABI has its own structure"),
    Rule(EXPECTED, r"handed\.rsdp", ANY, "where stock Xen puts it", _rsdp_of_reference),
    Rule(EXPECTED, r"handed\.e820", HVM, "pvboot takes the VGA and BIOS area out of the map, as boot loaders on a PC do;"
         " Linux's PVH entry does it itself", _isa_hole),
    Rule(PLACEMENT, r"handed\.(ramdisk\.gpa|start_info\.(cmdline_paddr|modlist_paddr|memmap_paddr))", HVM,
         "whoever builds the domain is free to choose", _in_ram),
    Rule(EXPECTED, r"handed\.start_info\.(nr_modules|modlist_paddr)", ("stub", "grub"),
         "the stub gets the kernel as a module before the initrd; GRUB has both inside", lambda d, c:
         d.value in ((0,) if d.path == "grub" else (2,)) or "modlist" in d.field),
    Rule(EXPECTED, r"handed\.start_info\.cmdline_paddr", ("grub",), "GRUB's image has its own configuration"),
    Rule(EXPECTED, r"handed\.start_info\.memmap_entries", HVM,
         "stock Xen lists ACPI table by table, pvboot in one piece; handed.e820 compares what they mean",
         lambda d, c: d.value == len(c.jobs[d.column].handover["e820"])),
    Rule(EXPECTED, r"handed\.ramdisk\.(gpa|bytes)", ("grub",), "the initrd is inside GRUB's image", _is(0)),
    Rule(EXPECTED, r"handed\.ramdisk\.bytes", PV, "stock Xen gives a PV guest whole pages", _padded),
    Rule(PLACEMENT, r"handed\.zero_page\.(ramdisk_image|cmd_line_ptr|setup_data)", FILLED, "pvboot's plan places it",
         _in_ram),
    Rule(EXPECTED, _HZ + "code32_start", FILLED, "where the kernel was put", _load_gpa),
    # what the kernel finds
    Rule(EXPECTED, _HZ + "type_of_loader", FILLED, "who filled the page: 0x91 a toolstack, 0x92 the stub, 0x72 GRUB;"
         " Linux's PVH entry writes 0x90", lambda d, c: d.value == LOADERS[d.path]),
    Rule(EXPECTED, _HZ + "acpi_rsdp_addr", FILLED, "stock Xen's RSDP; Linux's PVH entry keeps it elsewhere",
         _rsdp_of_reference),
    Rule(EDITOR, _HZ + "loadflags", FILLED, "copied from the file; the decompressor notes KASLR in it", _kaslr_only),
    Rule(EDITOR, _Z + "scratch", UNPACKS, "startup_32 uses it as its first stack", _first_stack),
    Rule(PLACEMENT, _Z + "(ramdisk_image|cmd_line_ptr|setup_data)", HVM, "whoever fills the page is free to choose", _in_ram),
    Rule(EXPECTED, _HZ + "(setup_sects|root_flags|syssize|ram_size|vid_mode|root_dev|boot_flag|jump|header|version"
         "|realmode_swtch|start_sys_seg|kernel_version|setup_move_size|bootsect_kludge|heap_end_ptr|ext_loader_ver|initrd_addr_max"
         "|kernel_alignment|relocatable_kernel|min_alignment|xloadflags|cmdline_size|payload_offset|payload_length"
         "|pref_address|init_size|handover_offset|kernel_info_offset)", FILLED,
         "the loader copies the setup header from the file (boot.rst); Linux's PVH entry leaves it empty", _as_in_file),
    Rule(EXPECTED, _HZ + "vid_mode", FILLED, "boot.rst: 0xffff is the normal mode", _is(0xffff)),
    Rule(EXPECTED, r"guest\.setup_data\.hypervisor", zeropage.OURS, "pvboot's node: hypervisor type and data",
         _whole_node),
    Rule(EXPECTED, r"guest\.setup_data\.hypervisor", ("grub",), "GRUB knows no such node; its configuration can add it (grub:node)",
         lambda d, c: d.value == ABSENT if d.column == "grub" else _whole_node(d, c)),
    Rule(EXPECTED, r"guest\.cmdline", ("grub",), "GRUB puts BOOT_IMAGE= before it", lambda d, c:
         d.value == f"BOOT_IMAGE=/boot/vmlinuz {d.before}"),
    Rule(EXPECTED, r"guest\.cpu\.flags", ANY, "this emulation's XSAVE state size, which makes Linux give XSAVE up on some"
         " boots of every path, stock ones included", _xsave_given_up),
    Rule(EXPECTED, r"guest\.dmesg: tsc: Marking TSC unstable due to clocksource watchdog", ANY,
         "the emulation was slow just when that guest read the clock that the TSC is held to, as it says", _clock_was_slow),
    Rule(EXPECTED, r"guest\.dmesg: clocksource: tsc: mask: # max_cycles: #, max_idle_ns: # ns", ANY,
         "so slow that the guest without it has given the TSC up, as it says", _tsc_was_given_up),
    Rule(PLACEMENT, r"guest\.kernel_code", UNPACKS, "the decompressor chooses an address at random (KASLR)",
         _kaslr_address),
    Rule(EXPECTED, r"guest\.e820", ("grub",), "GRUB hands the map on in whole pages, and the VGA and BIOS area as RAM",
         _grub_map),
    Rule(EXPECTED, r"guest\.iomem", ("grub",), "GRUB hands the map on in whole pages, and the VGA and BIOS area as RAM",
         _grub_iomem),
    Rule(EXPECTED, _Z + "boot_flag", ("grub",), "GRUB has a mouse in these two bytes, and clears them", _is(0)),
    Rule(EXPECTED, _Z + "(alt_mem_k|screen_info|root_dev|heap_end_ptr)", ("grub",),
         "GRUB fills in what a kernel started in real mode would want"),
    Rule(EXPECTED, _Z + "loadflags", ("grub",), "as in the file, CAN_USE_HEAP set by GRUB, KASLR by the decompressor",
         lambda d, c: d.value & ~0x82 == c.inspected["header"]["loadflags"] & ~0x82),
    Rule(EXPECTED, _Z + "(pad_0x.*|eddbuf|edd_mbr_sig_buffer)", ("grub",),
         "GRUB does not clear the page: what is beyond the fields it knows is left over from its heap"),
    Rule(PLACEMENT, r"guest\.memory_kib", ANY, "what is left besides page tables, initrd and nodes", _near(0.01)),
    # PV, which shares nothing with the rest but the kernel
    Rule(EXPECTED, r"guest\.guest_type", PV, "it is one", _is("PV")),
    Rule(EXPECTED, r"guest\.cmdline", PV, "without the marks, for which it has no port",
         lambda d, c: f"{d.value} pvlab.marks=e9" == d.before),
    Rule(EXPECTED, r"guest\.(e820|iomem)", PV, "no ACPI, no special pages in its map",
         lambda d, c: _only_ram(d, c) or "iomem" in d.field),
    Rule(EXPECTED, r"guest\.e820", PV, "its memory is one stretch, with no hole below 4 GiB", _ram_in_one),
    Rule(EXPECTED, r"guest\.memory_kib", PV, "it needs no bounce buffers for devices below 4 GiB", _bounce_buffers),
    Rule(EXPECTED, _Z + "(type_of_loader|version|hardware_subarch)", PV,
         "its kernel writes subarch 2 and no version", _is(0x90, 0, 2)),
    Rule(EXPECTED, _Z + "(ramdisk_image|cmd_line_ptr)", ("xl-pv",), "stock Xen places it"),
    Rule(EXPECTED, _Z + "ramdisk_size", PV, "whole pages", _padded),
    Rule(EXPECTED, r"guest\.acpi\.(FACP|APIC)", HVM, "the plugin's guests are without the GPE block, whose handler spoils the"
         " MADT's checksum and what lies behind it (docs/handover.md)", _one_has_gpes),
    Rule(EXPECTED, r"guest\.acpi\..*", PV, "a PV guest has no ACPI", _is(ABSENT)),
    Rule(EXPECTED, r"guest\.cpu\..*", ("xl-pv",), "Xen shows PV guests another CPUID"),
    # our PV guest beside stock Xen's
    Rule(PLACEMENT, r"cpu\.cr3|handed\.pv_start_info\.(shared_info|store_mfn|console\.domU\.mfn)", (TWINS,),
         "machine frames, which Xen chooses"),
    Rule(EXPECTED, rf"handed\.ramdisk\.bytes|handed\.pv_start_info\.mod_len|{_Z}ramdisk_size", (TWINS,),
         "its bytes; stock Xen gives a PV guest whole pages", _cut_to_bytes),
    Rule(EXPECTED, r"handed\.pv_start_info\.flags", (TWINS,), "libxl takes SIF_VIRT_P2M_4TOOLS away, which libxenguest sets",
         lambda d, c: d.value == d.before | SIF_VIRT_P2M_4TOOLS),
]

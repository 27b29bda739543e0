# SPDX-License-Identifier: LGPL-2.1-only
"""What a guest of `pvboot launch` sees that the same guest of xl, with the same entry, does not, and the other way round.

Each difference is a line of one of the two, "section: line", and RULES say why it may be there.  One that they do not
explain is wrong.
"""

import dataclasses
import re

from ..guests.evidence import Evidence
from .sentences import CHANCE, normalised

OURS, XL = "launch", "xl"
BOTH = (OURS, XL)
VOLATILE = r"cpu\d+/(cpuidle|power|hotplug)/|cpu\d+/crash_notes|power/|cpufreq/"
OSXSAVE = 1 << 27  # CPUID.1:ECX
TSC = r"tsc: Marking TSC unstable due to clocksource watchdog|clocksource: tsc: mask: # "
WORD = 8  # bytes of the zero page in one line


@dataclasses.dataclass(frozen=True)
class Line:
    side: str     # whose guest sees it
    text: str     # "section: line"


@dataclasses.dataclass(frozen=True)
class Rule:
    reason: str
    sides: tuple[str, ...]
    patterns: tuple[str, ...]
    alone: bool = False  # holds only where there is no xenstored
    entry: str = ""      # holds only for this one


def seen(found: Evidence) -> set[str]:
    """All that is compared, a line each."""
    plain = {name: found.text(name).splitlines() for name in ("cmdline", "nproc", "clocksource", "iomem", "buses")}
    plain["cpuid"] = [_without_osxsave(line) for line in found.text("cpuid").splitlines()]
    plain["interrupts"] = [re.sub(r"^\d+: ", "", line) for line in found.text("interrupts").splitlines()]  # numbers are Linux's own
    plain["hypervisor"] = found.text("hypervisor").splitlines()
    plain["cpus"] = [line for line in found.text("cpus").splitlines() if not re.match(VOLATILE, line)]
    plain["e820"] = _ranges(found)
    plain["acpi"] = [f"{name} {digest}" for digest, name in re.findall(r"^(\S{64})  \./(\S+)$", found.text("acpi_sums"), re.M)]
    plain["dmesg"] = _one_tsc(normalised(found.text("dmesg")))
    page = found.sections["boot_params"]
    plain["zero page"] = [f"{at:03x} {page[at:at + WORD].hex()}" for at in range(0, len(page), WORD)]
    plain["setup_data"] = [f"type {kind:#x}, {len(data)} bytes" for kind, data in found.setup_data().values()]
    return {f"{name}: {line}" for name, lines in plain.items() for line in lines}


def _without_osxsave(line: str) -> str:
    """That bit tells the guest's own CR4, not what it was given."""
    cpu, leaf, sub, a, b, c, d = line.split()
    if leaf == "00000001":
        c = f"{int(c, 16) & ~OSXSAVE:08x}"
    return " ".join((cpu, leaf, sub, a, b, c, d))


def _one_tsc(sentences: list[str]) -> list[str]:
    """A TSC is a clock source, or was given up since the emulation was slow just when it was looked at: one or the other."""
    rest = [sentence for sentence in sentences if not re.match(TSC, sentence)]
    return rest if len(rest) == len(sentences) else [*rest, "tsc: a clock source, or too slow here to stay one"]


def _ranges(found: Evidence) -> list[str]:
    tree = found.tree("memmap")
    numbers = sorted({key.split("/")[0] for key in tree})
    return [" ".join(tree[f"{n}/{what}"] for what in ("start", "end", "type")) for n in numbers]


def differences(ours: Evidence, xl: Evidence) -> list[Line]:
    a, b = seen(ours), seen(xl)
    return [Line(OURS, text) for text in sorted(a - b)] + [Line(XL, text) for text in sorted(b - a)]


def reason(line: Line, alone: bool, entry: str = "") -> str:
    """Why it may be there; "": nobody knows."""
    for rule in RULES:
        holds = line.side in rule.sides and (alone or not rule.alone) and rule.entry in ("", entry)
        if holds and any(re.fullmatch(p, line.text) for p in rule.patterns):
            return rule.reason
    return ""


def unexplained(found: list[Line], alone: bool, entry: str = "") -> list[Line]:
    return [line for line in found if not reason(line, alone, entry)]


def table(found: list[Line], alone: bool, entry: str = "") -> str:
    """By reason, those without one first."""
    by_reason: dict[str, list[str]] = {}
    for line in found:
        by_reason.setdefault(reason(line, alone, entry), []).append(f"    {line.side:6} {line.text}")
    return "".join(f"{why or 'UNEXPLAINED'}\n" + "".join(f"{text}\n" for text in by_reason[why]) for why in sorted(by_reason))


_HEX = "[0-9a-f]+"

RULES: tuple[Rule, ...] = (
    Rule("each has its own tables, in one page or in nine", BOTH, (
        rf"acpi: (APIC|DSDT|FACP) {_HEX}", r"e820: 0xfc000000 0xfc00[08]\w+ ACPI Tables", r"iomem: fc000000-fc00[08]\w+ : ACPI Tables",
        r"dmesg: ACPI: (APIC|DSDT|FACP|RSDP|XSDT) .*", rf"zero page: 070 {_HEX}")),
    Rule("the size of the ACPI memory in the zero page's map", BOTH, (rf"zero page: (2e8|3[0-4][08]) {_HEX}",)),
    Rule("our ACPI is hardware-reduced, where Linux 6.1 does not look at the FACS; 6.12 does", BOTH, (
        rf"acpi: FACS {_HEX}", r"dmesg: ACPI: FACS .*", r"dmesg: ACPI: Reserving FACS table memory at .*")),
    Rule("our ACPI is hardware-reduced: it has no SCI, no GPE blocks", (XL,), (
        r"dmesg: ACPI Error: No handler or method for GPE .*, disabling event .*", r"dmesg: ACPI: Enabled # GPEs in block .*",
        r"dmesg: ACPI: OSL: SCI \(ACPI GSI #\) not registered")),
    Rule("libxl's DSDT has 128 processor objects, for hotplug", (XL,), (
        r"buses: /sys/bus/acpi/devices/LNXCPU:[0-9a-f]{2}", r"buses: /sys/class/thermal/cooling_device\d+",
        r"cpus: cpu\d+/uevent DRIVER=processor")),
    Rule("libxl's MADT promises an 8259, of which Linux reserves the interrupts", (XL,), (r"interrupts: +XT-PIC +(timer|cascade)",)),
    Rule("made of CPUID, which is compared itself; whether the kernel gave XSAVE up is this emulation's chance", BOTH, (
        r"cpus: (modalias |cpu\d+/uevent MODALIAS=)cpu:type:x86,.*",)),
    Rule("no xenstore, no interrupt from it", (XL,), (r"interrupts: +xen-dyn +-event +xenbus",), alone=True),
    Rule("no xenstore, no ring of it in the node, behind which Linux splits System RAM", BOTH, (
        r"setup_data: type 0x50595648, \d+ bytes", rf"iomem: {_HEX}-{_HEX} : System RAM"), alone=True),
    Rule("stock Xen tells a PV guest of its ramdisk's whole pages, and pvboot of its bytes", BOTH, (rf"zero page: 218 {_HEX}",), entry="pv"),
    Rule("libxl takes SIF_VIRT_P2M_4TOOLS away, which libxenguest gives: Xen's tools know a mapped p2m list", BOTH, (
        r"hypervisor: start_flags/unknown04 [01]",), entry="pv"),
    Rule("each domain has its own UUID", BOTH, (r"hypervisor: uuid .*",)),
    Rule("each domain has its own number", BOTH, (rf"cpuid: \d+ 40000004 00 {_HEX} {_HEX} {_HEX} {_HEX}",)),
    Rule("the kernel chooses where it lies, each time anew (KASLR)", BOTH, (
        rf"iomem:   {_HEX}-{_HEX} : Kernel (code|rodata|data|bss)",)),
    *(Rule(why, BOTH, tuple(f"dmesg: {pattern}" for pattern in patterns)) for why, patterns in CHANCE),
)

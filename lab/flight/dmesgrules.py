# SPDX-License-Identifier: LGPL-2.1-only
"""Lines that one guest prints and another does not, numbers as #."""

import re

from ..judges.sentences import CHANCE, SLOW_CLOCK
from .model import PATHS, PV, TWINS

EXPECTED, PLACEMENT, EDITOR = "expected", "placement", "editor"
FILLED = ("linux32", "linux64", "vmlinux64", "stub", "grub")
OURS = ("pvh", "linux32", "linux64", "vmlinux64", "stub")  # built by the plugin

GPE = (r"ACPI: Enabled # GPEs in block .*", r"ACPI Error: No handler or method for GPE .*", r"acpi LNXCPU:.*: Still not present")

# kind, paths, reason, patterns
_RULES = [
    *((EXPECTED, (*PATHS, TWINS), reason, patterns) for reason, patterns in CHANCE),
    (EXPECTED, FILLED, "the PVH entry puts its own banner up", (
        r"Booting kernel on Xen PVH", r"Booting paravirtualized kernel on Xen PVH", r"Xen version: #\.#\.#.*")),
    (EXPECTED, FILLED, "a kernel entered with a zero page learns from ACPI that this is PVH, after it has looked for"
     " devices to unplug", (r"platform_pci_unplug: .*",)),
    (EXPECTED, OURS, "its FADT has no GPE block (docs/handover.md)", GPE),
    (EXPECTED, FILLED, "Linux splits its memory map around setup_data nodes", (
        r"extended physical RAM map:", r"reserve setup_data: .*", r"e#: update \[mem #-#\] usable ==> usable")),
    (EXPECTED, PV, "a PV guest has no ACPI and no buses behind it", (
        r".*ACPI.*", r"acpi.*", r".*[Pp]n[Pp].*", r"PCI: .*", r"pci.*", r"i#: .*", r"NUMA turned off",
        r"No NUMA configuration found", r"cpuidle: .*")),
    (EXPECTED, PV, "a PV guest has no local APIC", (
        r".*APIC.*", r"x#apic enabled", r"smpboot: .*", r"no APIC, .*", r"no hardware sampling .*", r"installing Xen timer .*",
        r"Using NULL legacy PIC", r"cpu # spinlock event .*", r"xen:events: .*", r"\.\.\. .*", r"x#: Booting SMP .*",
        r"\.+ node .*", r"##")),  # "#2", "#3": further vCPUs, one by one
    (EXPECTED, PV, "a PV kernel patches itself for one vCPU first, and keeps what takes that back when more come", (
        r"SMP alternatives: .*", r"Freeing SMP alternatives memory: .*")),
    (EXPECTED, PV, "a PV guest's page tables and cache types are Xen's", (
        r"x#/PAT: .*", r"Disabled", r"MTRR.*", r"HVMOP_pagetable_dying .*", r"Using GB pages .*", r"[Hh]uge[Tt][Ll][Bb].*",
        r"p#m virtual .*", r"Remapped .*", r"Released .*", r"Speculative Store Bypass: .*")),
    (EXPECTED, PV, "a PV guest asks Xen for its memory map", (r"Xen: \[mem .*", r"BIOS-e#: .*")),
    (EXPECTED, PV, "a PV guest's memory is one stretch, with no hole below 4 GiB", (
        r"On node #, zone .*", r"clipped .*", r"Cannot find an available gap .*", r"PCI devices with unassigned .*")),
    (EXPECTED, PV, "a PV guest without devices of its own needs no bounce buffers", (
        r"software IO TLB: .*", r"PCI-DMA: .*")),
    (EXPECTED, PV, "a PV kernel says what it runs on in its own words", (
        r"Hypervisor detected: .*", r"Booting (paravirtualized )?kernel on .*", r"Xen version.*", r"Xen PV: .*",
        r"printk: (legacy )?console \[tty#\].*", r"VPMU .*", r"Performance Events:.*", r"PMU not available .*", r"Console: colour .*")),
]


def explain(line: str, path: str, reference: str = "") -> tuple[str, str] | None:
    if reference in OURS and any(re.fullmatch(pattern, line) for pattern in GPE):
        return EXPECTED, "the FADT of what it is compared with has no GPE block (docs/handover.md)"
    for kind, paths, reason, patterns in _RULES:
        if path in paths and any(re.fullmatch(pattern, line) for pattern in patterns):
            return kind, reason
    return None

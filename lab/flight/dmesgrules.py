# SPDX-License-Identifier: LGPL-2.1-only
"""Lines that one guest prints and another does not, numbers as #."""

import re

EXPECTED, PLACEMENT, EDITOR = "expected", "placement", "editor"
ANY = ("xl-pvh", "xl-pv", "pvh", "linux32", "linux64", "vmlinux64", "stub", "grub")
FILLED = ("linux32", "linux64", "vmlinux64", "stub", "grub")
PV = ("xl-pv",)

SLOW_CLOCK = "clocksource: timekeeping watchdog on CPU#: xen read-back delay of #ns, attempt #, marking unstable"

# kind, paths, reason, patterns
_RULES = [
    (EXPECTED, ANY, "how slow the emulation was just then", (
        r"clocksource: timekeeping watchdog on CPU#: xen wd-wd read-back delay of #ns",
        SLOW_CLOCK,
        r"clocksource: wd-tsc(-early)?-wd read-back delay of #ns, clock-skew test skipped!",
        r"hrtimer: interrupt took # ns",
        r"calibrate_delay_direct\(\) dropping (min|max) bogoMips estimate # = #",
        r"calibrate_delay_direct\(\) failed to get a good estimate for loops_per_jiffy\.",
        r'Probably due to long platform interrupts\. Consider using "lpj=" boot option\.')),
    (EXPECTED, ANY, "printed by work that is put off: it has run by then or it has not", (
        r"acpi LNXCPU:#[a-f]?: Still not present",)),
    (EXPECTED, ANY, "this emulation's XSAVE state size, which comes and goes on every path, stock ones included", (
        r"XSAVE consistency problem: size # != kernel_size #",
        r"WARNING: CPU: # PID: # at arch/x#/kernel/fpu/xstate\.c:# fpu__init_system_xstate\+#/#",
        r"CPUID\[#d, #[a-f]?\]: eax=# ebx=# ecx=# edx=#",
        r"x#/fpu: Supporting XSAVE feature #: '(x# floating point|SSE|AVX) registers'",
        r"x#/fpu: xstate_offset\[#\]:  #, xstate_sizes\[#\]:  #",
        r"x#/fpu: Enabled xstate features #, context size is # bytes, using 'standard' format\.")),
    (EXPECTED, FILLED, "the PVH entry puts its own banner up", (
        r"Booting kernel on Xen PVH", r"Booting paravirtualized kernel on Xen PVH", r"Xen version: #\.#\.#.*")),
    (EXPECTED, FILLED, "a kernel entered with a zero page learns from ACPI that this is PVH, after it has looked for"
     " devices to unplug", (r"platform_pci_unplug: .*",)),
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


def explain(line: str, path: str) -> tuple[str, str] | None:
    for kind, paths, reason, patterns in _RULES:
        if path in paths and any(re.fullmatch(pattern, line) for pattern in patterns):
            return kind, reason
    return None

# SPDX-License-Identifier: LGPL-2.1-only
"""A kernel's log as sentences that can be compared with another's."""

import re

_TIME = re.compile(r"^\[ *\d+\.\d+\] ")
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8,}\b|\d+")


def normalised(dmesg: str) -> list[str]:
    """The log as a set of sentences: no time, numbers as #, each once and in order; the command line is a field of its own."""
    lines = (_NUMBER.sub("#", _TIME.sub("", line)).strip() for line in dmesg.splitlines())
    kept, in_trace = [], False
    for line in lines:
        if "[ cut here ]" in line:
            in_trace = True
        elif "[ end trace" in line:
            in_trace = False
        elif not in_trace or re.match(r"(WARNING|BUG|kernel BUG|XSAVE)", line):  # of a trace what it is about
            kept.append(line)
    return list(dict.fromkeys(line for line in kept if line and "ommand line" not in line))


SLOW_CLOCK = "clocksource: timekeeping watchdog on CPU#: xen read-back delay of #ns, attempt #, marking unstable"

# What differs from one boot to the next in this emulation, whoever made the guest: reason, patterns.
CHANCE = (
    ("how slow the emulation was just then", (
        r"clocksource: timekeeping watchdog on CPU#: xen wd-wd read-back delay of #ns",
        SLOW_CLOCK,
        r"clocksource: wd-tsc(-early)?-wd read-back delay of #ns, clock-skew test skipped!",
        r"clocksource: Long readout interval, skipping watchdog check: cs_nsec: # wd_nsec: #",
        r"hrtimer: interrupt took # ns",
        r"calibrate_delay_direct\(\) dropping (min|max) bogoMips estimate # = #",
        r"calibrate_delay_direct\(\) failed to get a good estimate for loops_per_jiffy\.",
        r'Probably due to long platform interrupts\. Consider using "lpj=" boot option\.')),
    ("printed by work that is put off: it has run by then or it has not", (
        r"acpi LNXCPU:#[a-f]?: Still not present",)),
    ("this emulation's XSAVE state size, which comes and goes on every path, stock ones included", (
        r"XSAVE consistency problem: size # != kernel_size #",
        r"WARNING: CPU: # PID: # at arch/x#/kernel/fpu/xstate\.c:# fpu__init_system_xstate\+#/#",
        r"CPUID\[#d, #[a-f]?\]: eax=# ebx=# ecx=# edx=#",
        r"x#/fpu: Supporting XSAVE feature #: '(x# floating point|SSE|AVX) registers'",
        r"x#/fpu: xstate_offset\[#\]:  #, xstate_sizes\[#\]:  #",
        r"x#/fpu: Enabled xstate features #, context size is # bytes, using 'standard' format\.")),
)

# SPDX-License-Identifier: LGPL-2.1-only
"""What is made of a guest's way into its next kernel: xl's log, its words through the debug port, its console."""

import pytest

from lab.cases import kexec
from lab.guests.evidence import Evidence

RESET = "Action for shutdown reason code 5 is soft-reset\nlibxl: debug: x\nDone. Rebooting now\n"
WORDS = ["loaded 1 0, 1 left", "slept", "uuid 11111111-2222-3333-4444-555555555555", "done"]
CORE = f"vmcore 700000000 {kexec.ELF}00"
DMESG = "dmesg 400 Kernel panic - not syncing: sysrq triggered crash"


@pytest.mark.parametrize("log, fine", [
    (f"{RESET}libxl: libxl_domain_destroy: x\n", True),
    ("Action for shutdown reason code 3 is restart\nDone. Rebooting now\nlibxl: libxl_domain_destroy: x\n", False),
    (RESET, False),
])
def test_a_soft_reset_that_libxl_refuses(log, fine):
    assert (kexec.refused(True, log) == []) == fine
    assert kexec.refused(False, log)


@pytest.mark.parametrize("said, log, times, crash, same, wrong", [
    (WORDS, RESET, 1, False, True, None),
    (WORDS, RESET * 2, 2, False, True, None),
    ([*WORDS, CORE, DMESG], RESET, 1, True, True, None),
    (WORDS, RESET, 1, False, False, "another domain"),
    (WORDS, RESET, 2, False, True, "granted 1"),
    (WORDS, RESET + "Action for shutdown reason code 3 is restart\n", 1, False, True, "granted 1"),
    (WORDS[:1] + WORDS[2:], RESET, 1, False, True, "time"),
    ([*WORDS[:2], "uuid ", "done"], RESET, 1, False, True, "xenstore"),
    ([*WORDS, DMESG], RESET, 1, True, True, "vmcore"),
    ([*WORDS, "vmcore 0 ", DMESG], RESET, 1, True, True, "vmcore"),
    ([*WORDS, CORE], RESET, 1, True, True, "last words"),
    ([*WORDS, CORE, "dmesg 0 "], RESET, 1, True, True, "last words"),
])
def test_the_way_there(said, log, times, crash, same, wrong):
    found = kexec.went_on(said, log, times, crash, same)
    assert (found == []) if wrong is None else any(wrong in line for line in found)


@pytest.mark.parametrize("section, value, wrong", [
    (None, None, None),
    ("hypervisor", b"guest_type HVM\n", "guest_type"),
    ("cmdline", b"pvlab.mode=kexec\n", "no next kernel"),
    ("clocksource", b"jiffies\n", "clocksource"),
])
def test_the_next_kernel(section, value, wrong):
    sections = {"hypervisor": b"guest_type PVH\n", "cmdline": b"console=hvc0 pvlab.mode=kexeced\n", "clocksource": b"xen\n"}
    found = kexec.second_kernel(Evidence({**sections, **({section: value} if section else {})}), 1, 1)
    assert (found == []) if wrong is None else any(wrong in line for line in found)
    assert kexec.second_kernel(Evidence(sections), 0, 1)

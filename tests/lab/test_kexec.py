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


NODES = """/local/domain/1/name = "g"   (n0,r1)
/local/domain/1/store/port = "1"   (n0,r1)
/local/domain/1/console/tty = ""   (n0,r1)
/local/domain/1/data = ""   (n1)
/local/domain/1/control/feature-reboot = "1"   (n1)
/vm/u/name = "g"   (n0,r1)
"""
JUNK = '/local/domain/1/data/junk = "x"   (n1)\n'


@pytest.mark.parametrize("old, new, wrong", [
    ("", "", None),
    ('port = "1"', 'port = "3"', None),
    ('reboot = "1"', 'reboot = ""', None),
    ('tty = ""', 'tty = "/dev/pts/0"', None),
    ('/vm/u/name = "g"   (n0,r1)\n', "", "/vm/u/name is gone"),
    ('"1"   (n0,r1)', '"1"   (n0)', "/local/domain/1/store/port is n0, was n0,r1"),
    ('data = ""   (n1)', 'data = ""   (n1,r2)', "/local/domain/1/data is n1,r2, was n1"),
    ('1/name = "g"', '1/name = "h"', "/local/domain/1/name says 'h', said 'g'"),
    ("/vm/u/name", JUNK + "/vm/u/name", "/local/domain/1/data/junk has come or stayed"),
])
def test_the_nodes(old, new, wrong):
    found = kexec.nodes_stayed(NODES, NODES.replace(old, new, 1) if old else NODES, 1)
    assert found == ([] if wrong is None else [wrong])
    assert kexec.nodes_stayed("", NODES, 1) == ["no nodes were seen before"]


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

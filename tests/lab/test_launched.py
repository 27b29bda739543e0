# SPDX-License-Identifier: LGPL-2.1-only
"""What a guest of launch sees and xl's does not: found, and explained or not."""

import dataclasses

import pytest

from lab.guests.evidence import Evidence
from lab.judges import launched
from lab.judges.launched import OURS, XL, Line, Rule

PLAIN = {"cmdline": "console=hvc0\n", "nproc": "1\n", "clocksource": "xen\n", "iomem": "00000000-00000fff : Reserved\n",
         "cpuid": "0 00000000 00 0000000d 68747541 444d4163 69746e65\n", "buses": "/sys/bus/xen/devices/xenbus\n",
         "interrupts": "0: xen-percpu timer0\n", "hypervisor": "guest_type PVH\n", "cpus": "cpu0/topology/core_id 0\n",
         "memmap": "0/end 0x9ffff\n0/start 0x0\n0/type System RAM\n", "acpi_sums": f"{'a' * 64}  ./APIC\n",
         "dmesg": "[    0.000000] Linux version 6.1\n", "setup_data.0.type": "0x50595648\n"}
XL_GUEST = Evidence({**{name: text.encode() for name, text in PLAIN.items()}, "boot_params": bytes(16), "setup_data.0.data": b"12"})


def seen_by_ours(**more):
    return Evidence({**XL_GUEST.sections, **more})


@pytest.mark.parametrize("sentences,tsc", [
    (["clocksource: tsc: mask: # max_cycles: #"], 1), (["tsc: Marking TSC unstable due to clocksource watchdog"], 1),
    (["clocksource: tsc: mask: # max_cycles: #", "tsc: Marking TSC unstable due to clocksource watchdog"], 1), (["other"], 0)])
def test_a_tsc_that_is_given_up_is_one_that_was_there(sentences, tsc):
    """A guest that has none at all differs."""
    found = launched._one_tsc(sentences)
    assert sum(line.startswith("tsc: a clock source") for line in found) == tsc
    assert not any("mask: #" in line or "Marking" in line for line in found)


def test_the_same_guest():
    assert launched.differences(seen_by_ours(), XL_GUEST) == []


@pytest.mark.parametrize("section, text, ours, xl", [
    ("nproc", b"4\n", "nproc: 4", "nproc: 1"),
    ("cpuid", b"0 00000000 00 0000000d 0 0 0\n", "cpuid: 0 00000000 00 0000000d 0 0 0", f"cpuid: {PLAIN['cpuid'].strip()}"),
    ("memmap", b"0/end 0x9fbff\n0/start 0x0\n0/type System RAM\n", "e820: 0x0 0x9fbff System RAM", "e820: 0x0 0x9ffff System RAM"),
    ("acpi_sums", b"b" * 64 + b"  ./APIC\n", f"acpi: APIC {'b' * 64}", f"acpi: APIC {'a' * 64}"),
    ("dmesg", b"[    0.000000] PM: hibernation\n", "dmesg: PM: hibernation", "dmesg: Linux version #.#"),
    ("boot_params", bytes(15) + b"\x01", "zero page: 008 0000000000000001", "zero page: 008 0000000000000000"),
    ("setup_data.0.data", b"123", "setup_data: type 0x50595648, 3 bytes", "setup_data: type 0x50595648, 2 bytes"),
])
def test_a_difference_is_found_on_both_sides(section, text, ours, xl):
    assert launched.differences(seen_by_ours(**{section: text}), XL_GUEST) == [Line(OURS, ours), Line(XL, xl)]


def test_what_comes_and_goes_is_none():
    ours = seen_by_ours(cpus=b"cpu0/topology/core_id 0\ncpu0/cpuidle/state0/usage 7\n", dmesg=b"[    9.123456] Linux version 6.1\n")
    assert launched.differences(ours, XL_GUEST) == []
    on, off = (seen_by_ours(cpuid=f"0 00000001 00 00800f12 00020800 {ecx} 178bfbfd\n".encode()) for ecx in ("fef83203", "f6f83203"))
    other = seen_by_ours(cpuid=b"0 00000001 00 00800f12 00020800 f6f83201 178bfbfd\n")
    assert launched.differences(on, off) == [] and len(launched.differences(on, other)) == 2


def test_a_rule_holds_for_its_side_and_its_kind_of_guest(monkeypatch):
    monkeypatch.setattr(launched, "RULES", (Rule("why", (OURS,), ("nproc: .",)), Rule("no store", (XL,), ("buses: .*",), alone=True)))
    assert launched.reason(Line(OURS, "nproc: 4"), False) == "why"
    assert not launched.reason(Line(XL, "nproc: 4"), False) and not launched.reason(Line(OURS, "nproc: 44"), False)
    gone = Line(XL, "buses: /sys/bus/xen/devices/xenbus")
    assert launched.reason(gone, True) == "no store" and launched.unexplained([gone], False) == [gone]
    assert launched.table([gone, Line(OURS, "nproc: 4")], False).splitlines()[0] == "UNEXPLAINED"


def test_every_rule_has_a_reason_and_a_section():
    known = {line.split(":")[0] for line in launched.seen(XL_GUEST)}
    for rule in launched.RULES:
        assert rule.reason and set(rule.sides) <= {OURS, XL} and rule.patterns, dataclasses.asdict(rule)
        assert all(pattern.split(":")[0] in known for pattern in rule.patterns), rule.patterns


@pytest.mark.parametrize("side, text", [
    (OURS, f"acpi: FACP {'0' * 64}"), (OURS, f"acpi: FACS {'0' * 64}"), (XL, "e820: 0xfc000000 0xfc00803f ACPI Tables"), (OURS, "zero page: 070 200200fc00000000"),
    (XL, "dmesg: ACPI Error: No handler or method for GPE #, disabling event (#/evgpe-#)"), (OURS, "zero page: 310 0000000000100000"), (XL, "zero page: 2e8 0000000040800000"),
    (XL, "iomem:   0aa00000-0b801ef1 : Kernel code"), (OURS, "dmesg: XSAVE consistency problem: size # != kernel_size #"),
    (XL, "buses: /sys/bus/acpi/devices/LNXCPU:7f"), (XL, "interrupts: XT-PIC      timer"),
    (XL, "cpuid: 3 40000004 00 0000003e 00000003 00000007 00000000"),
])
def test_what_is_known_to_differ(side, text):
    assert launched.reason(Line(side, text), False)


@pytest.mark.parametrize("side, text", [
    (XL, "interrupts: xen-dyn    -event     xenbus"), (OURS, "setup_data: type 0x50595648, 328 bytes"),
    (XL, "iomem: 00102170-0fffffff : System RAM")])
def test_what_differs_without_xenstore_alone(side, text):
    assert launched.reason(Line(side, text), True) and not launched.reason(Line(side, text), False)


@pytest.mark.parametrize("side, text", [
    (XL, "interrupts: xen-dyn    -event     console"), (OURS, "e820: 0x0 0x9fbff System RAM"), (OURS, "zero page: 218 00e0d50f9c1a2a00"),
    (OURS, "buses: /sys/bus/acpi/devices/LNXCPU:00"), (OURS, "interrupts: XT-PIC      timer"),
    (XL, "setup_data: type 0x9, 0 bytes"), (XL, "iomem: 000a0000-000fffff : Reserved"), (OURS, "hypervisor: guest_type HVM"),
    (XL, "cpuid: 0 00000001 00 00800f12 00020800 f6f83203 178bfbfd"), (OURS, "dmesg: ACPI Error: AE_NOT_FOUND"),
])
def test_what_may_not(side, text):
    assert not launched.reason(Line(side, text), True)

# SPDX-License-Identifier: LGPL-2.1-only
"""What is wrong on every path of ours alike, or on the only one, differs from nothing: it must break a demand.

Each damage is done to a record that passes; the outcome must fail and name what was damaged.
"""

import copy

import pytest
from flight_samples import INSPECTED, IOMEM, XSAVE_GIVEN_UP, job, node, stock_handover, stub_guest, zero_page_guest

from lab.flight import abi, dmesgrules, judge, model, rules

LINUX32, STUB = "6.1/1cpu/256M/small/linux32", "6.1/1cpu/256M/small/stub"
STOCK, GRUB = "6.1/1cpu/256M/small/xl-pvh", "6.1/1cpu/256M/small/grub"
LOADED = {"pref_gpa": 0x400000, "bytes": 0x10000}
UNSORTED = "memory map: entry 2 at 0xfc008000 begins before entry 1 ends at 0xff000000"


@pytest.fixture
def flown(record):
    """With the stub's job beside, whose only page is the one that the guest shows."""
    record.jobs[STUB] = stub = job("stub", stock_handover(), stub_guest())
    stub.runvars["loaded"] = LOADED
    stub.handover["vcpu"]["rip"] = 0x400000
    stub.handover["start_info"]["nr_modules"] = 2
    stub.handover["lint"] = [UNSORTED, "2 modules: Linux uses the first only"]
    record.jobs[STOCK].handover["lint"] = [UNSORTED]
    for name in (LINUX32, STUB):
        record.jobs[name].guest["lint"] = ["loadflags: KASLR is set, which is the kernel's to set"]
    return record


def outcome(record) -> judge.Outcome:
    return judge.judge(record, {name: {"status": "pass", "looks": []} for name in (LINUX32, STUB, STOCK, GRUB)})


def test_a_record_without_damage_passes(flown):
    found = outcome(flown)
    assert (found.exit_code, found.looks) == (judge.EXIT_OK, {})
    assert [found.record.jobs[name].status for name in (LINUX32, STUB, STOCK)] == ["pass"] * 3


def both(change):
    """A bug of the filler: what is handed over, what linux32's guest shows and what the stub's does."""
    def all_pages(record):
        for page in (record.jobs[LINUX32].handover["zero_page"], record.jobs[LINUX32].guest["zero_page"],
                     record.jobs[STUB].guest["zero_page"]):
            change(page)
    return all_pages


def page(name, **fields):
    return lambda record: record.jobs[name].guest["zero_page"].update(fields)


def vcpu(**values):
    return lambda record: record.jobs[LINUX32].handover["vcpu"].update(values)


def handed(name=LINUX32, **values):
    return lambda record: record.jobs[name].handover.update(values)


def shows(name, **values):
    return lambda record: record.jobs[name].guest.update(values)


@pytest.mark.parametrize("words, damage", [
    *((f"capture-handover: zero_page is {name} 0x0", both(lambda p, name=name: p.update({name: 0})))
      for name in ("xloadflags", "initrd_addr_max", "kernel_alignment", "init_size", "code32_start", "type_of_loader")),
    ("capture-handover: zero_page is type_of_loader 0x90", both(lambda p: p.update(type_of_loader=0x90))),
    ("capture-handover: zero_page is hardware_subarch 0x2", both(lambda p: p.update(hardware_subarch=2))),
    ("capture-handover: zero_page is heap_end_ptr 0x5be0", both(lambda p: p.update(heap_end_ptr=0x5be0))),
    ("guest.zero_page is init_size 0x0, not 0x3000000", page(STUB, init_size=0)),
    ("guest.zero_page is type_of_loader 0x91, not 0x92", page(STUB, type_of_loader=0x91)),
    ("guest.zero_page is scratch 0x100000d, not 0x0", page(STUB, scratch=0x100000d)),  # whose kernel has startup_64
    ("guest.zero_page is scratch 0x4444, not 0x0", page(LINUX32, scratch=0x4444)),
    ("guest.zero_page is code32_start 0x2000000", page(LINUX32, code32_start=0x2000000)),
    ("guest.zero_page is ramdisk_image 0xfd00000", page(LINUX32, ramdisk_image=0xfd00000)),  # in RAM, and not the one handed over
    ("capture-handover: setup_data is 0 hypervisor nodes", handed(setup_data=[])),
    ("capture-handover: setup_data is 2 hypervisor nodes", handed(setup_data=[node(), node()])),
    ("capture-handover: setup_data is status bad checksum", handed(setup_data=[{**node(), "status": "bad checksum"}])),
    ("capture-handover: setup_data is node: filler is 2, not 1", handed(setup_data=[node(filler=2)])),
    ("capture-handover: setup_data is node: crc32",
     handed(setup_data=[{**node(), "data": node()["data"][:-2] + "01"}])),
    ("guest.setup_data is 0 hypervisor nodes", shows(LINUX32, setup_data={})),
    ("guest.setup_data is 0 hypervisor nodes", shows(STUB, setup_data={})),
    ("guest.setup_data is status bad checksum", shows(STUB, setup_data={"0": {**node(filler=2), "status": "bad checksum"}})),
    ("guest.setup_data is node: filler is 1, not 2", shows(STUB, setup_data={"0": node()})),
    ("not the nodes that were handed over", shows(LINUX32, setup_data={"0": {**node(), "data": node()["data"] + "00"}})),
    ("start_info is lint of stock's", handed(STOCK, lint=["lint of stock's"])),
    ("start_info is 2 modules", handed(STOCK, lint=["2 modules: Linux uses the first only"])),  # the stub's alone
    ("guest.zero_page is cmdline is not RAM", shows(STUB, lint=["cmdline is not RAM"])),
    ("layout is zero page overlaps cmdline", handed(cmdline_gpa=0x100800)),
    ("layout is kernel overlaps ramdisk", handed(ramdisk={"gpa": 0x1800000, "bytes": 0x1000})),
    ("layout is cmdline [0xfffffff, 0x1000000c) is not in RAM", handed(cmdline_gpa=0xfffffff)),
    ("cpu.cr0 is 0x40000011", vcpu(cr0=0x40000011)),
    ("cpu.cr0 is 0x20000011", vcpu(cr0=0x20000011)),
])
def test_a_damage_fails_and_is_named(flown, words, damage):
    damage(flown)
    found = outcome(flown)
    assert found.exit_code != judge.EXIT_OK
    assert words in " ".join(verdict.text for verdict in found.verdicts.values() if verdict.word == "REGR")


@pytest.mark.parametrize("cr0, ok", [(0x80000011, True), (0xc0000011, False), (0xa0000011, False), (0x11, False)])
def test_startup_64_wants_paging_and_caches(flown, cr0, ok):
    one = job("linux64", flown.jobs[LINUX32].handover, {})
    one.handover["vcpu"] |= {"rip": 0x1000200, "cr0": cr0, "cr3": 0x104000, "cr4": 0x20, "efer": 0x500,
                             "cs_arbytes": 0xa9b}
    assert [c.field for c in abi.check(one, INSPECTED) if not c.ok] == ([] if ok else ["cpu.cr0"])


def test_a_job_that_was_judged_so_when_it_ran_says_it_once(flown):
    flown.jobs[LINUX32].handover["setup_data"] = []
    again = judge.again(flown.jobs[LINUX32], INSPECTED)
    assert again.step("capture-handover").status == again.step("collect").status == again.status == model.FAIL
    assert judge.again(again, INSPECTED).reasons == again.reasons


def test_startup_32_of_the_stub_has_its_first_stack_in_the_page(flown):
    old = copy.deepcopy(INSPECTED)
    old["entries"]["linux64"] = {"ok": False, "gpa": None, "why": "xloadflags 0x4 has no XLF_KERNEL_64"}
    page(STUB, scratch=0x100000d)(flown)
    assert abi.broken(abi.check_read_back(flown.jobs[STUB], old)) == []
    assert abi.broken(abi.check_read_back(flown.jobs[STUB], INSPECTED)) != []


# --- differences that a rule must not explain ---------------------------------------------------------------------------

@pytest.mark.parametrize("field, damage", [
    ("guest.kernel_code", shows(LINUX32, kernel_code=0xaa00001)),
    ("guest.kernel_code", shows(LINUX32, kernel_code=0x20000000)),
    ("guest.kernel_code", shows(LINUX32, kernel_code=None)),
    ("guest.zero_page.scratch", page(LINUX32, scratch=0x4444)),
    ("guest.zero_page.code32_start", page(LINUX32, code32_start=0x2000000)),
    ("guest.setup_data.hypervisor", shows(STUB, setup_data={"0": node()})),
    ("guest.setup_data.rng_seed", lambda record: record.jobs[STUB].guest["setup_data"].update(
        {"1": {**node(), "type": 9, "type_name": "rng_seed"}})),
    ("guest.cpu.flags", shows(LINUX32, cpu={"flags": ["fpu"]})),        # no word of XSAVE in its log
    ("guest.cpu.flags", shows(LINUX32, cpu={"flags": ["fpu", "fma"]}, dmesg=XSAVE_GIVEN_UP)),  # not all of it
    *((f"guest.dmesg: {line}", lambda record, line=line: record.jobs[LINUX32].guest["dmesg"].append(line)) for line in (
        "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", "unchecked MSR access error: RDMSR from # at rIP: #",
        "tsc: Marking TSC unstable due to clocksource watchdog", "clocksource: Switched to clocksource jiffies")),
])
def test_a_difference_is_left_without_a_rule(flown, field, damage):
    for name in (STOCK, LINUX32, STUB):
        flown.jobs[name].guest["cpu"] = {"flags": ["fpu", *sorted(rules.XSAVE_FLAGS)]}
    assert outcome(copy.deepcopy(flown)).looks == {}
    damage(flown)
    found = outcome(flown)
    assert found.exit_code == judge.EXIT_LOOKS
    assert any(look.startswith(f"{field} is") for looks in found.looks.values() for look in looks)


def test_xsave_given_up_is_explained_by_the_guest_that_says_so(flown):
    for name in (STOCK, STUB):
        flown.jobs[name].guest["cpu"] = {"flags": ["fpu", *sorted(rules.XSAVE_FLAGS)]}
    flown.jobs[LINUX32].guest["dmesg"] = [*flown.jobs[LINUX32].guest["dmesg"], *XSAVE_GIVEN_UP[1:]]
    assert outcome(flown).looks == {}


def test_an_unstable_clock_is_explained_by_the_guest_that_could_not_read_it(flown):
    flown.jobs[LINUX32].guest["dmesg"] += [dmesgrules.SLOW_CLOCK, "tsc: Marking TSC unstable due to clocksource watchdog"]
    assert outcome(flown).looks == {}


TSC = "clocksource: tsc: mask: # max_cycles: #, max_idle_ns: # ns"


@pytest.mark.parametrize("lacks", [LINUX32, STOCK])
def test_a_tsc_that_was_given_up_is_explained_by_the_guest_that_did(flown, lacks):
    for name, one in flown.jobs.items():
        if name != lacks and "dmesg" in one.guest:
            one.guest["dmesg"] += [TSC]
    assert any(TSC in look for looks in outcome(flown).looks.values() for look in looks)
    flown.jobs[lacks].guest["dmesg"] += [dmesgrules.SLOW_CLOCK]
    assert outcome(flown).looks == {}


WHOLE = [[0, 256 << 20, 1], [0xfc000000, 0xfc009000, 3]]
GRUB_IOMEM = [IOMEM[0], "0000f0000-0000fffff System ROM", IOMEM[2], "0fc000000-0fc008fff ACPI Tables"]


@pytest.mark.parametrize("iomem, fits", [
    (GRUB_IOMEM, True),
    ([IOMEM[0], "0000a0000-0000bffff Video RAM area", *GRUB_IOMEM[1:]], True),
    (GRUB_IOMEM[:-1], False),
    ([*GRUB_IOMEM[:2], "000100000-00effffff System RAM", GRUB_IOMEM[3]], False),
    ([IOMEM[0], "0000f0000-0000fffff Reserved", *GRUB_IOMEM[2:]], False),
    ([*GRUB_IOMEM, "0fee00000-0fee00fff Local APIC"], False),
])
def test_grubs_map_is_the_same_in_whole_pages(record, iomem, fits):
    read = zero_page_guest(e820=WHOLE)
    read["iomem"] = iomem
    record.jobs = {STOCK: record.jobs[STOCK], GRUB: job("grub", {}, read)}
    looks = outcome(record).looks.get(GRUB, [])
    assert any(look.startswith("guest.iomem is") for look in looks) != fits
    assert not any(look.startswith("guest.e820 is") for look in looks)


def test_a_long_difference_is_known_by_all_of_it(flown):
    """The baseline compares the text, so what is not shown must count, too."""
    def look(last: str) -> str:
        record = copy.deepcopy(flown)
        record.jobs[LINUX32].guest["clocksource"] = "x" * 500 + last
        return next(x for x in outcome(record).looks[LINUX32] if x.startswith("guest.clocksource"))
    assert look("a") == look("a") != look("b")
    assert len(look("a")) < 250

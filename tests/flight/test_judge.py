# SPDX-License-Identifier: LGPL-2.1-only
"""Baseline words, derived cells, ABI demands, rules and the exit code."""

import copy

import pytest
from flight_samples import INSPECTED

from lab.flight import abi, baseline, cells, grid, judge, model
from lab.flight.model import Cell, Job

ID = "6.1/1cpu/256M/small/linux32"


@pytest.mark.parametrize("status, looks, before, word", [
    ("pass", [], {"status": "pass", "looks": []}, ""),
    ("pass", [], None, ""),
    ("fail", [], {"status": "pass", "looks": []}, "REGR"),
    ("crash", [], {"status": "pass", "looks": []}, "REGR"),
    ("fail", [], {"status": "fail", "looks": []}, "like"),
    ("fail", [], {"status": "crash", "looks": []}, "like"),
    ("fail", [], None, "never pass"),
    ("blocked", [], None, "blocked"),
    ("blocked", [], {"status": "blocked", "looks": []}, "blocked"),
    ("blocked", [], {"status": "pass", "looks": []}, "REGR"),
    ("skip", [], None, "skip"),
    ("pass", ["f is 1, xl-pvh has 2"], {"status": "pass", "looks": []}, "REGR"),
    ("pass", ["f is 1, xl-pvh has 2"], {"status": "pass", "looks": ["f is 1, xl-pvh has 2"]}, ""),
    ("pass", ["f is 1, xl-pvh has 2"], None, "never pass"),
])
def test_words(status, looks, before, word):
    assert baseline.judge(Job(Cell("6.1", "pvh"), status, ["why"]), looks, before).word == word


def test_a_baseline_is_read_as_it_was_written(record, tmp_path):
    path = tmp_path / "b.json"
    path.write_text(baseline.dump(record, {ID: ["x"]}, {}))
    assert baseline.load(path)[ID] == {"status": "pass", "looks": ["x"]}
    assert baseline.load(tmp_path / "none", to_be_made=True) == {}


def test_what_a_kernel_cannot_do_is_read_from_it():
    old = copy.deepcopy(INSPECTED)
    old["entries"]["linux64"] = {"ok": False, "gpa": None, "why": "xloadflags 0x4 has no XLF_KERNEL_64"}
    old["entries"]["vmlinux64"] = old["entries"]["pvh"] = {"ok": False, "gpa": None, "why": "32-bit ELF"}
    old["entries"]["pv"] = {"ok": False, "gpa": None, "why": "no Xen notes"}
    old["notes"] = {}
    assert {path: cells.blocked(Cell("686", path), old) for path in model.PATHS} == {
        "xl-pvh": "pvh: 32-bit ELF", "xl-pv": "PV: no Xen notes in the ELF", "pvh": "pvh: 32-bit ELF", "linux32": None,
        "linux64": "linux64: xloadflags 0x4 has no XLF_KERNEL_64", "vmlinux64": "vmlinux64: 32-bit ELF", "stub": None, "pv": "pv: no Xen notes",
        "grub": None}
    assert not any(cells.blocked(Cell("6.1", path), INSPECTED) for path in model.PATHS)


def test_the_matrix_has_every_kernel_on_every_path_and_takes_turns_for_timing():
    found = cells.matrix(["6.1-cloud", "686"], 2)
    assert len({cell.id for cell in found}) == len(found) == 2 * 10 + 1 + len(cells.SHAPES) * 9 + 2 * 9
    assert {cell.vcpus for cell in found} == {1, 4}
    assert {cell.memory for cell in found} >= {128, 256, 4608}
    assert [cell.path for cell in found if cell.round] == list(model.PATHS) * 2
    assert set(cells.SMOKE) == {cell.id for cell in cells.select(found, "smoke")}


def test_cells_are_flown_in_the_order_they_are_asked_for():
    found = [cell.id for cell in cells.select(cells.matrix(["6.1", "686"]), "686/*/grub,6.1/*/pvh,686/*/small/pvh,686/*/small/s*")]
    assert found == ["686/1cpu/256M/small/grub", "6.1/1cpu/256M/small/pvh", "686/1cpu/256M/small/pvh",
                     "686/1cpu/256M/small/stub", "686/1cpu/256M/small/stub:stock-xl"]
    assert cells.select(cells.matrix(["6.1"]), "") == cells.matrix(["6.1"])


def test_two_paths_that_are_as_they_should_be(record):
    outcome = judge.judge(record, {})
    assert outcome.looks == {}
    assert outcome.exit_code == 0
    marks = {row.field: row.entries["linux32"].mark for row in outcome.grids[0].rows}
    assert marks["guest.zero_page.acpi_rsdp_addr"] == marks["cpu.rip"] == "expected"
    assert marks["guest.kernel_code"] == "placement"
    assert marks["guest.nproc"] == "same"
    assert marks["handed.start_info.magic"] == "none"


def damaged(record, change) -> judge.Outcome:
    change(record.jobs[ID])
    return judge.judge(record, {ID: {"status": "pass", "looks": []}})


@pytest.mark.parametrize("field, change", [
    ("guest.zero_page.acpi_rsdp_addr", lambda j: j.guest["zero_page"].update(acpi_rsdp_addr=0x1234)),
    ("guest.zero_page.header", lambda j: j.guest["zero_page"].update(header=1)),
    ("guest.zero_page.type_of_loader", lambda j: j.guest["zero_page"].update(type_of_loader=0x21)),
    ("guest.e820", lambda j: j.guest.update(e820=[[0, 0x9f000, 1], *j.guest["e820"][1:]])),
    ("handed.e820", lambda j: j.handover.update(e820=[[0, 0x9f000, 1], *j.handover["e820"][1:]])),
    ("guest.guest_type", lambda j: j.guest.update(guest_type="HVM")),
    ("guest.dmesg: Oops", lambda j: j.guest["dmesg"].append("Oops")),
    ("guest.nproc", lambda j: j.guest.update(nproc=2)),
    ("guest.memory_kib", lambda j: j.guest.update(memory_kib=200000)),
    ("cpu.rip", lambda j: j.handover["vcpu"].update(rip=0x1000850 + 1)),
])
def test_a_difference_that_no_rule_explains_fails_with_the_field_named(record, field, change):
    outcome = damaged(record, change)
    assert outcome.exit_code == judge.EXIT_LOOKS
    assert outcome.verdicts[ID].word == "REGR"
    assert f"unexplained: {field} is" in outcome.verdicts[ID].text


def test_a_failed_job_is_exit_1(record):
    record.jobs[ID].status = "fail"
    assert judge.judge(record, {}).exit_code == judge.EXIT_JOBS


@pytest.mark.parametrize("field, change", [
    ("zero_page.acpi_rsdp_addr", lambda h: h["rsdp"].update(gpa=0, signature="")),
    ("zero_page.sentinel", lambda h: h["zero_page"].update(sentinel=0xff)),
    ("e820", lambda h: h.update(e820=[[0, 255 << 20, 1]])),
    ("e820", lambda h: h.update(e820=[*h["e820"], [0x100000, 0x200000, 2]])),
    ("zero_page", lambda h: h["lint"].append("x")),
    ("cpu.cr0", lambda h: h["vcpu"].update(cr0=0x80000011)),
    ("cpu.efer", lambda h: h["vcpu"].update(efer=0x500)),
    ("cpu.ds_sel", lambda h: h["vcpu"].update(ds_sel=0)),
    ("cpu.cs", lambda h: h["vcpu"].update(cs_limit=0xffff)),
    ("cpu.cs", lambda h: h["vcpu"].update(cs_arbytes=0xc93)),
    ("cpu.ss", lambda h: h["vcpu"].update(ss_arbytes=0xc9b)),
    ("cpu.es", lambda h: h["vcpu"].update(es_base=0x10)),
    ("cpu.rflags", lambda h: h["vcpu"].update(rflags=0x202)),
    ("cpu.rbx", lambda h: h["vcpu"].update(rbx=1)),
])
def test_what_the_abi_demands(record, field, change):
    job = record.jobs[ID]
    assert all(c.ok for c in abi.check(job, INSPECTED))
    change(job.handover)
    assert {c.field for c in abi.check(job, INSPECTED) if not c.ok} == {field}


def test_stock_registers_are_what_pvh_demands(record):
    stock = record.jobs["6.1/1cpu/256M/small/xl-pvh"]
    assert abi.broken(abi.check(stock, INSPECTED)) == []


def test_given_problems(record):
    handover = record.jobs[ID].handover
    assert abi.given_problems(handover, "console=hvc0", "ab", 0x1000) == []
    assert "asked for 'other'" in abi.given_problems(handover, "other", "ab", 0x1000)[0]
    assert "the file has 5" in abi.given_problems(handover, "console=hvc0", "ab", 5)[0]
    assert "the file is cd" in abi.given_problems(handover, "console=hvc0", "cd", 0x1000)[0]


@pytest.mark.parametrize("entries, meaning", [
    ([[0, 0x1000, 1], [0x1000, 0x2000, 1]], "0-2000 type 1"),
    ([[0x1000, 0x2000, 1], [0, 0x1000, 1]], "0-2000 type 1"),
    ([[0, 0x3000, 1], [0x1000, 0x2000, 2]], "0-1000 type 1; 1000-2000 type 2; 2000-3000 type 1"),
    ([[0, 0x1000, 1], [0x2000, 0x3000, 1]], "0-1000 type 1; 2000-3000 type 1"),
])
def test_maps_are_compared_by_what_they_mean(entries, meaning):
    assert grid.ranges(entries) == meaning



# SPDX-License-Identifier: LGPL-2.1-only
"""The claims: what a small flight answers, and that damage to what an answer rests on changes it."""

import copy

import pytest

from flight_samples import INSPECTED, NODE, RSDP, guest, job, registers, stock_handover, zero_page_handover
from lab.cases.table import all_cases
from lab.flight import claims, model
from lab.flight.model import Cell
from lab.flight.record import Record

PV, PVH, OURS_PVH, STUB, GRUB = "xl-pv", "xl-pvh", "pvh", "stub", "grub"
EARLY = {"header": 0, "type_of_loader": 0x90, "acpi_rsdp_addr": 0, "hardware_subarch": 0}
FILLED = {"header": 0x53726448, "acpi_rsdp_addr": RSDP, "hardware_subarch": 0}
PV_INFO = {"magic": "xen-3.0-x86_64", "flags": 8, "nr_pages": 65536, "pt_base": "0xffffffff84a03000"}
LONG = {"cr0": 0x80000011, "efer": 0x500}
EXPERIMENT = {"outcome": "crashed", "entry": 0x1000, "first": 0x1000, "rip": 0x1010, "said": "crashed", "steps": 5,
              "last": 0x1010, "instruction": "lgdt"}


def node(filler: int) -> dict:
    fields = {"hypervisor": 0x566e6558, "signature": b"XenVMMXenVMM".hex(), "filler": filler, "data_gpa": 0x102000}
    return {**NODE, "fields": fields}


def ours(path: str, **more: int):
    handover = {**zero_page_handover(), "setup_data": [node(1)]}
    handover["vcpu"] |= {"rip": INSPECTED["entries"][path]["gpa"], **more}
    return job(path, handover, guest(zero_page={**FILLED, "type_of_loader": 0x91}, setup_data={"0": node(1)}))


def pv():
    handover = {"container": "pv", "page": "PV start info", "gpa": 0xffffffff84a00000, "pv_start_info": PV_INFO,
                "vcpu": registers(rsi=0xffffffff84a00000), "as_hvm_start_info": ["magic 0x2d6e6578 is not 0x336ec578"]}
    return job(PV, handover, guest(guest_type="PV", zero_page={**EARLY, "hardware_subarch": 2}))


@pytest.fixture
def flight() -> Record:
    """A guest of each path, and one whose kernel has no PVH entry."""
    handover = {**stock_handover(), "start_info": {**stock_handover()["start_info"], "flags": 0}}
    enters = [job(path, handover, guest(zero_page=EARLY, dmesg=[claims.BANNER])) for path in (PVH, OURS_PVH)]
    stub = job(STUB, stock_handover(), guest(zero_page={**FILLED, "type_of_loader": 0x92}, setup_data={"0": node(2)}))
    grub = job(GRUB, stock_handover(), guest(zero_page={**FILLED, "type_of_loader": 0x72}))
    adds = job(GRUB, stock_handover(), guest(zero_page={**FILLED, "type_of_loader": 0x72}, setup_data={"0": node(3)}))
    adds.cell = Cell("6.1", GRUB, how="node")
    without = ours("linux32")
    without.cell, without.guest["guest_type"] = Cell("686", "linux32"), None
    skipped = model.job_without_run(Cell("686-pae", PVH), model.SKIP, "no")
    no_pvh = {**INSPECTED["entries"], "pvh": {"ok": False, "gpa": None}}
    kernels = {"6.1": INSPECTED, "686": {**INSPECTED, "entries": no_pvh},
               "686-pae": {**INSPECTED, "file": "vmlinuz-never-ran"}}
    about = {"record": "flight", "id": "test", "started": "2026-11-21T08:00:00Z", "xen": "4.17", "kernels": kernels}
    whole = Record(about, {}, {"C6": dict(EXPERIMENT)})
    for one in (pv(), *enters, ours("linux32"), ours("linux64", **LONG), ours("vmlinux64", **LONG), stub, grub, adds,
                without, skipped):
        whole.jobs[one.cell.id] = copy.deepcopy(one)
    return whole


def result(record: Record, name: str) -> str:
    return next(claim for claim in claims.CLAIMS if claim.id == name).answer(record).result


def test_each_claim_has_the_answer_of_a_whole_flight(flight):
    assert {claim.id: claim.answer(flight).result for claim in claims.CLAIMS} == {
        **{f"C{n}": claims.HOLDS for n in (1, 2, 3, 6, 7, 8, 9, 11, 12, 13)}, "C4": claims.ANSWERED,
        **{f"C{n}": claims.PARTLY for n in (5, 10, 14)}}


def test_a_flight_without_jobs_answers_nothing():
    empty = Record({"kernels": {}}, {})
    assert {claim.answer(empty).result for claim in claims.CLAIMS} == {claims.OPEN}


# claim, whose job, where in it, what it says instead
@pytest.mark.parametrize("name, path, where, value", [
    ("C1", PVH, "handover vcpu rsi", 0x100000),
    ("C1", PVH, "handover start_info magic", 0),
    ("C1", PV, "handover vcpu rsi", 0),
    ("C1", PV, "handover pv_start_info magic", ""),
    ("C1", PVH, "guest zero_page header", 0x53726448),
    ("C1", PV, "guest zero_page type_of_loader", 0x91),
    ("C2", "linux64", "guest dmesg", [claims.BANNER]),
    ("C2", "linux64", "handover vcpu rip", 0x1000850),
    ("C2", "linux64", "guest zero_page type_of_loader", 0x90),
    ("C2", "linux64", "guest guest_type", "HVM"),
    ("C2", "linux64", "status", model.FAIL),
    ("C3", "linux32", "handover setup_data", []),
    ("C3", "linux32", "handover setup_data 0 status", "bad checksum"),
    ("C3", "linux32", "handover setup_data 0 fields hypervisor", 0),
    ("C3", "linux32", "handover setup_data 0 fields signature", "00" * 12),
    ("C3", "linux32", "handover vcpu rsi", 0),
    ("C3", OURS_PVH, "handover start_info magic", 0),
    ("C4", PVH, "handover vcpu efer", 0x500),
    ("C4", "linux32", "handover vcpu cr0", 0x80000011),
    ("C4", "linux64", "handover vcpu efer", 0x100),
    ("C4", "vmlinux64", "handover vcpu cr0", 0x11),
    ("C4", "linux64", "status", model.CRASH),
    ("C5", PV, "handover as_hvm_start_info", ["magic 0x0 is not 0x336ec578"]),
    ("C5", PV, "handover as_hvm_start_info", []),
    ("C5", PV, "handover pv_start_info magic", "other"),
    ("C5", PV, "handover pv_start_info pt_base", 0x4a03000),
    ("C5", PVH, "handover start_info magic", 0x2d6e6578),
    ("C5", PVH, "handover start_info cmdline_paddr", 0xffffffff84a03000),
    ("C7", "linux64", "handover vcpu idtr_limit", 0xfff),
    ("C7", "linux64", "handover vcpu idtr_base", 0x1000),
    ("C7", "linux64", "handover vcpu rsi", 0x200000),
    ("C7", "linux64", "handover zero_page header", 0),
    ("C7", "linux64", "handover zero_page hardware_subarch", 2),
    ("C8", STUB, "guest zero_page type_of_loader", 0x91),
    ("C8", STUB, "guest setup_data 0 fields filler", 1),
    ("C8", STUB, "guest setup_data", {}),
    ("C8", "linux64", "guest zero_page type_of_loader", 0x92),
    ("C8", "linux32", "guest setup_data 0 fields filler", 2),
    ("C9", "linux32", "handover vcpu cr0", 0x10),
    ("C9", "linux64", "handover vcpu rip", 0x1000000),
    ("C9", "linux64", "status", model.CRASH),
    ("C11", "linux64", "guest setup_data", {}),
    ("C11", "linux64", "guest setup_data 0 data", "01"),
    ("C11", "linux64", "handover setup_data 0 type_name", "other"),
    ("C12", "linux64", "guest zero_page hardware_subarch", 2),
    ("C12", "linux64", "guest setup_data 0 fields hypervisor", 0),
    ("C12", "linux64", "guest setup_data 0 fields data_gpa", 0),
    ("C13", GRUB, "guest zero_page type_of_loader", 0x90),
    ("C13", GRUB, "guest zero_page header", 0),
    ("C13", GRUB, "guest zero_page acpi_rsdp_addr", 0),
    ("C13", GRUB, "guest setup_data", {"0": node(3)}),
    ("C13", GRUB, "status", model.FAIL),
    ("C13", f"{GRUB}:node", "guest setup_data", {}),
    ("C13", f"{GRUB}:node", "guest setup_data 0 fields filler", 1),
    ("C13", f"{GRUB}:node", "guest zero_page type_of_loader", 0x90),
    ("C14", STUB, "guest zero_page type_of_loader", 0x90),
    ("C14", STUB, "guest setup_data 0 fields filler", 1),
    ("C14", STUB, "status", model.CRASH),
])
def test_damage_refutes(flight, name, path, where, value):
    job_id = f"6.1/1cpu/256M/small/{path}"
    target = vars(flight.jobs[job_id])
    *parents, last = where.split()
    for key in parents:
        target = target[int(key) if isinstance(target, list) else key]
    target[last] = value
    assert result(flight, name) == claims.REFUTED
    assert f"| **refuted** | not so in {job_id} (" in claims.render(flight)


@pytest.mark.parametrize("changes, answer", [
    ({"outcome": "ran on"}, claims.REFUTED), ({"last": 0x1008}, claims.PARTLY), ({"steps": 1000}, claims.PARTLY),
    ({"outcome": "refused"}, claims.OPEN), ({"first": 0x2000}, claims.OPEN)])
def test_the_experiment_decides_c6(flight, changes, answer):
    flight.experiments["C6"] |= changes
    assert result(flight, "C6") == answer


def test_c6_without_a_count(flight):
    for what in ("steps", "last", "instruction"):
        del flight.experiments["C6"][what]
    assert result(flight, "C6") == claims.PARTLY


@pytest.mark.parametrize("name, path", [
    ("C2", PVH), ("C3", "linux64"), ("C4", "linux64"), ("C5", PVH), ("C8", STUB), ("C8", "linux64"), ("C13", GRUB),
    ("C14", STUB)])
def test_half_of_what_a_claim_needs_leaves_it_open(flight, name, path):
    """Without the jobs of that kind, which are those of the PVH entry, those that get a zero page, or this one."""
    kind = next(kind for kind in ((PVH, OURS_PVH), model.ZERO_PAGE, (path,)) if path in kind)
    flight.jobs = {key: one for key, one in flight.jobs.items() if one.cell.path not in kind}
    assert result(flight, name) == claims.OPEN


def test_no_banner_says_nothing_where_it_is_never_printed(flight):
    assert "3 guests of 6.1 started" in claims.CLAIMS[1].answer(flight).text  # not 686, which has no PVH entry
    flight.jobs["6.1/1cpu/256M/small/xl-pvh"].guest["dmesg"] = []
    assert result(flight, "C2") == claims.OPEN
    flight.jobs["6.1/1cpu/256M/small/linux64"].guest["dmesg"] = [claims.BANNER]
    assert result(flight, "C2") == claims.REFUTED


def test_fields_of_one_name_are_named(flight):
    assert "besides `magic`: `flags`" in claims.render(flight)
    for path, info in ((PV, "pv_start_info"), (PVH, "start_info")):
        handover = flight.jobs[f"6.1/1cpu/256M/small/{path}"].handover
        handover[info] = {key: value for key, value in handover[info].items() if key != "flags"}
    assert result(flight, "C5") == claims.HOLDS


def test_the_page_names_what_ran_and_what_comes_from_elsewhere(flight):
    text = claims.render(flight)
    assert "10 guests on Xen 4.17; kernels 6.1 (vmlinuz-test), 686 (vmlinuz-test)." in text and "never-ran" not in text
    rows = {row.split(" | ")[0].strip("| "): row for row in text.splitlines() if row.startswith("| C")}
    assert list(rows) == [f"C{n}" for n in range(1, 15)]
    assert [name for name, row in rows.items() if "*Not from this record, but from lab cases*" in row] == ["C10", "C12"]
    known = {case.id for case in all_cases()}
    assert {case for claim in claims.CLAIMS if claim.elsewhere for case in claim.elsewhere.cases} <= known

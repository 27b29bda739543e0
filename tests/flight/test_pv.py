# SPDX-License-Identifier: LGPL-2.1-only
"""The PV guest of pvboot launch: compared with stock Xen's, from which hardly anything may differ."""

import pytest
from flight_samples import INSPECTED, guest, job, pv_handover, stock_handover

from lab.flight import abi, grid, model

PAGE = {"ramdisk_size": 0x1000, "type_of_loader": 0x90}
PV_GUEST = {"guest_type": "PV", "zero_page": PAGE}


def pvh():
    return job("xl-pvh", stock_handover(), guest(zero_page=PAGE))


def beside(info: dict, read: dict) -> dict[str, grid.Entry]:
    stock = job("xl-pv", pv_handover(), guest(**PV_GUEST))
    ours = job("pv", pv_handover(**info), guest(**{**PV_GUEST, **read}))
    found = grid.grid("6.1", {"xl-pvh": pvh(), "xl-pv": stock, "pv": ours}, INSPECTED)
    return {row.field: row.entries["pv"] for row in found.rows if row.entries["pv"].mark not in (grid.SAME, grid.NONE)}


@pytest.mark.parametrize("info, read, field, mark", [
    ({"shared_info": 0x7000}, {}, "handed.pv_start_info.shared_info", "placement"),
    ({"flags": 0x18}, {}, "handed.pv_start_info.flags", "expected"),
    ({"flags": 0x1a}, {}, "handed.pv_start_info.flags", grid.LOOK),
    ({"mod_len": 0xfff}, {}, "handed.pv_start_info.mod_len", "expected"),
    ({"mod_len": 0x1001}, {}, "handed.pv_start_info.mod_len", grid.LOOK),
    ({"nr_pages": 65535}, {}, "handed.pv_start_info.nr_pages", grid.LOOK),
    ({}, {"guest_type": "PVH"}, "guest.guest_type", grid.LOOK),
    ({}, {"cpu": {"flags": ["fpu", "apic"]}}, "guest.cpu.flags", grid.LOOK),  # a PV guest's may differ from a PVH guest's
    ({}, {"acpi": {"FACP": "ab"}}, "guest.acpi.FACP", grid.LOOK),
    ({}, {"dmesg": ["Linux version #", "ACPI: Interpreter disabled."]}, "guest.dmesg: ACPI: Interpreter disabled.", grid.LOOK),
])
def test_hardly_anything_differs_from_stock_xens_pv_guest(info, read, field, mark):
    found = beside(info, read)
    assert (found[field].mark, found[field].reference) == (mark, "xl-pv")


def test_a_pv_guest_like_stock_xens_differs_in_nothing():
    assert beside({}, {}) == {}


def test_without_stock_xens_it_is_held_to_what_a_pv_guest_may_differ_in():
    found = grid.grid("6.1", {"xl-pvh": pvh(), "pv": job("pv", pv_handover(), guest(**PV_GUEST))}, INSPECTED)
    row = next(row for row in found.rows if row.field == "guest.guest_type")
    assert (row.entries["pv"].mark, row.entries["pv"].reference) == ("expected", "xl-pvh")


@pytest.mark.parametrize("path", model.PV)
def test_a_pv_guest_has_the_memory_that_was_asked_for(path):
    made = job(path, pv_handover(nr_pages=65537), guest(**PV_GUEST))
    assert abi.broken(abi.check(made, INSPECTED)) == ["pv_start_info.nr_pages is 65537, the ABI demands 256 MiB"]

# SPDX-License-Identifier: LGPL-2.1-only
"""Handed over against read back: what may differ, and that nothing else may."""

import struct

import pytest

from lab.judges import readback


def wrong(rows):
    return [row.field for row in rows if row.wrong]


def test_equal_pages():
    page = {"loadflags": 1, "e820_table": "00ff", "setup_data": 0x102000}
    assert wrong(readback.zero_page(page, dict(page))) == []


@pytest.mark.parametrize("field, before, after, bad", [
    ("loadflags", 0x01, 0x03, False),         # the decompressor moved the kernel
    ("loadflags", 0x03, 0x01, False),
    ("loadflags", 0x01, 0x81, True),          # CAN_USE_HEAP is not Linux's to set here
    ("scratch", 0, 0x100000d, False),         # a return address
    ("scratch", 7, 0x100000d, True),
    ("acpi_rsdp_addr", 0xfc008000, 0, True),
    ("e820_entries", 5, 4, True),
    ("hardware_subarch", 2, 0, True),
])
def test_edits(field, before, after, bad):
    rows = readback.zero_page({field: before}, {field: after})
    assert wrong(rows) == ([field] if bad else [])
    assert rows and all(row.remark for row in rows)


def test_a_field_that_only_one_side_has_is_a_difference():
    assert wrong(readback.zero_page({"a": 1}, {"a": 1, "b": 2})) == ["b"]
    assert wrong(readback.zero_page({"a": 1, "loadflags": 1}, {"a": 1})) == ["loadflags"]


def node(following, kind, data):
    return struct.pack("<QII", following, kind, len(data)) + data


def test_chain():
    raw = node(0x1018, 9, b"8 bytes.") + node(0, 0x50595648, b"payload")
    assert readback.chain(raw, 0x1000, 0x1000) == [(9, b"8 bytes."), (0x50595648, b"payload")]
    assert readback.chain(raw, 0x1000, 0) == []


@pytest.mark.parametrize("raw, first", [
    (node(0x9000, 1, b""), 0x1000),           # the next node is elsewhere
    (node(0, 1, b"")[:15], 0x1000),
    (struct.pack("<QII", 0, 1, 17) + bytes(16), 0x1000),
    (node(0x1000, 1, b""), 0x1000),           # its own successor
    (node(0, 1, b""), 0xfff),
])
def test_chains_that_cannot_be(raw, first):
    with pytest.raises(ValueError):
        readback.chain(raw, 0x1000, first)


@pytest.mark.parametrize("planned, seen, bad", [
    ([(9, b"seed")], {0: (9, bytes(4))}, []),
    ([(9, b"seed")], {0: (9, b"seee")}, ["setup_data/0"]),
    ([(8, b"seed")], {0: (8, bytes(4))}, ["setup_data/0"]),
    ([(1, b"a"), (2, b"b")], {0: (1, b"a")}, ["setup_data/1"]),
    ([], {0: (4, b"")}, ["setup_data/0"]),
    ([(1, b"a"), (2, b"b")], {0: (1, b"a"), 1: (2, b"b")}, []),
])
def test_setup_data(planned, seen, bad):
    assert wrong(readback.setup_data(planned, seen)) == bad


MAP = [{"start": 0, "end": 0xa0000, "type": 1}, {"start": 0xa0000, "end": 0x100000, "type": 2}]
TREE = {"0/start": "0x0", "0/end": "0x9ffff", "0/type": "System RAM",
        "1/start": "0xa0000", "1/end": "0xfffff", "1/type": "Reserved"}


@pytest.mark.parametrize("change, bad", [
    ({}, []),
    ({"0/end": "0xa0000"}, ["memory map/0"]),
    ({"1/type": "ACPI Tables"}, ["memory map/1"]),
    ({"2/start": "0x100000", "2/end": "0x1fffff", "2/type": "System RAM"}, ["memory map/2"]),
])
def test_memmap(change, bad):
    assert wrong(readback.memmap(MAP, TREE | change, "linux64")) == bad


def test_linux_reserves_the_isa_hole_of_a_pvh_guest():
    ram = [{"start": 0, "end": 0x200000, "type": 1}]
    seen = TREE | {"2/start": "0x100000", "2/end": "0x1fffff", "2/type": "System RAM"}
    assert wrong(readback.memmap(ram, seen, "pvh")) == []
    assert wrong(readback.memmap(ram, seen, "linux32")) == ["memory map/0", "memory map/1", "memory map/2"]


@pytest.mark.parametrize("before, after", [
    ([(0, 0xa0000, 1), (0x100000, 0x200000, 1)], [(0, 0xa0000, 1), (0xa0000, 0x100000, 2), (0x100000, 0x200000, 1)]),
    ([(0, 0x90000, 1)], [(0, 0x90000, 1), (0xa0000, 0x100000, 2)]),
    ([(0xf0000, 0x110000, 3)], [(0xa0000, 0x100000, 2), (0x100000, 0x110000, 3)]),
])
def test_hole(before, after):
    assert readback.with_hole(before) == after


def test_table_shows_what_is_there_and_what_is_wrong():
    text = readback.table([readback.Row("a", 16, 16), readback.Row("b", 0, 0), readback.Row("c", 1, 3, "why"),
                          readback.Row("d", 0, 5, "DIFFERS", True)])
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["a", "0x10", "="], ["c", "0x1", "0x3", "why"], ["d", "0x0", "0x5", "DIFFERS"]]

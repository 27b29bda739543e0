# SPDX-License-Identifier: LGPL-2.1-only
"""The judge of guests of an unusual shape, and what is made for them."""

import struct

import pytest

from lab.guests.evidence import Evidence
from lab.cases import variants
from lab.cases.case import Case

HOLE = (0x8000000, 0x8001000)


def found(entries=((0, 0xa0000, "System RAM"), (*HOLE, "Reserved")), high=0, nodes=(), more=""):
    page = bytearray(4096)
    struct.pack_into("<I", page, 0xc0, high)  # zero-page.rst, ext_ramdisk_image
    memmap = "".join(f"{n}/start {start:#x}\n{n}/end {end - 1:#x}\n{n}/type {kind}\n"
                     for n, (start, end, kind) in enumerate(entries))
    sections = {"boot_params": bytes(page), "memmap": memmap.encode(), "more": more.encode()}
    for n, (kind, data) in enumerate(nodes):
        sections |= {f"setup_data.{n}.type": f"{kind:#x}\n".encode(), f"setup_data.{n}.data": data}
    return Evidence(sections)


def case(path="linux64", **shape):
    return Case("6.1/x", path, "6.1", **shape)


MANY = tuple((n << 20, (n + 1) << 20, "System RAM") for n in range(200)) + ((*HOLE, "Reserved"),)


@pytest.mark.parametrize("shape, right, wrong", [
    ({"reserve": (HOLE,)}, {}, {"entries": ((0, 0xa0000, "System RAM"),)}),
    ({"reserve": (HOLE,)}, {"entries": MANY, "nodes": [(1, b"")]}, {"entries": MANY}),
    ({"reserve": (HOLE,), "ramdisk": "large"}, {"high": 1}, {}),
    ({"config": {"pvboot_rng_seed": 1}}, {"nodes": [(9, bytes(32))]}, {"nodes": [(9, b"x" * 32)]}),
    ({"config": {"pvboot_rng_seed": 1}}, {"nodes": [(9, bytes(32))]}, {}),
    ({"ramdisk": "joined"}, {"more": "second of three, and of an odd length\nthird the last\n"}, {"more": "third the last\n"}),
])
def test_judge(tmp_path, shape, right, wrong):
    assert variants.judge(case(**shape), found(**right), tmp_path) == []
    assert len(variants.judge(case(**shape), found(**wrong), tmp_path)) == 1


def test_a_map_too_long_for_linux_is_left_to_xen(tmp_path):
    (tmp_path / "start-info").write_bytes(bytes(56))
    assert variants.judge(case("pvh", reserve=(HOLE,)), found(), tmp_path) == []
    (tmp_path / "start-info").write_bytes(bytes(48) + struct.pack("<II", 303, 0))  # start_info.h: memmap_entries
    assert variants.judge(case("pvh", reserve=(HOLE,)), found(), tmp_path)


def test_another_version_in_the_kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("PVBOOT_LAB_DIR", str(tmp_path))
    image = tmp_path / "vmlinuz"
    image.write_bytes(bytes(0x20e) + struct.pack("<H", 0x20) + bytes(16) + b"6.1.0-686\0")  # boot.rst: 0x200 further on
    assert variants.kernel(case(), image) == image
    assert variants.kernel(case(kernel_says="5.4."), image).read_bytes().endswith(b"\x005.4.0-686\0")
    assert image.read_bytes().endswith(b"6.1.0-686\0")

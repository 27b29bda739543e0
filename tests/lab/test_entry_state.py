# SPDX-License-Identifier: LGPL-2.1-only
"""The judge of probe reports: what boot.rst, start_info.h and docs/stub.md ask for passes, each deviation is found."""

import json
import struct
import zlib

import pytest

from lab.judges import entry_state
from test_handover import FIRST, RSDP, node, page

KERNEL = bytes(0x1f1) + b"\1" + bytes(0x400 - 0x1f2) + b"the protected-mode part"  # boot.rst: one setup sector
FILES = {"kernel": KERNEL, "ramdisk": b"cpio", "cmdline": b"console=hvc0"}
RAM = [0x100000, 0x8000000, 1]
GDT = bytes(16) + bytes.fromhex("ffff0000009baf00") + bytes.fromhex("ffff00000093cf00")


@pytest.fixture
def dump(tmp_path):
    """Of linux64, as the toolstack writes it."""
    payload = node()
    contents = {"zero page": page(), "gdt": GDT, "ramdisk": None,
                "setup_data": struct.pack("<QII", 0, 0x50595648, len(payload)) + payload}
    gpas = {"zero page": 0x100000, "gdt": 0x104000, "ramdisk": 0x7000000, "setup_data": FIRST}
    for name, data in contents.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
    manifest = {"segments": [{"name": name, "gpa": gpas[name], "file": name} for name in contents],
                "memmap": [dict(zip(("start", "end", "type"), RAM))], "kernel_load_gpa": 0x1000000, "rsdp_gpa": RSDP,
                "handover_gpa": FIRST,
                "vcpu": {"mode": 64, "rip": 0x1000200, "rsi": 0x100000, "rbx": 0, "cr0": 0x80000011, "cr3": 0x105000,
                         "cr4": 0x20, "efer": 0x500, "gdt_gpa": 0x104000, "gdt_limit": 31, "cs": 0x10, "ds": 0x18}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def report(payload=None, stub=False, **other):
    """What a probe says that was entered by the 64-bit boot protocol, with one other vCPU."""
    payload = payload or node()
    zero_page = bytearray(page())
    zero_page[0x210] = 0x92 if stub else 0
    data_gpa, data_bytes = struct.unpack_from("<QI", payload, 40)
    at = data_gpa - FIRST - 16
    part = KERNEL[0x400:]
    flat = {"cs": [0x10, 0xffffffff, 0xa09b], **{name: [0x18, 0xffffffff, 0xc093] for name in ("ds", "es", "ss")}}
    said = {
        "entry": "linux64", **dict.fromkeys(entry_state.GENERAL + entry_state.WIDE, 0), "rsi": 0x100000, "rflags": 2, "fs": 0, "gs": 0,
        "cr0": 0x80000011, "cr3": 0x105000, "cr4": 0x20, "efer": 0x500, "mtrr_def_type": 0x806, "tr": 0, "ldtr": 0, "paging": 1, **flat,
        "gdtr": [0x104000, 31], "idtr": [0, 0], "map": [[0, 1 << 32, 0, 0x83]], "e820": [RAM], "rsdp": RSDP, "madt": RSDP + 9,
        "bsp": 0, "ap": [[2, 2]], "kernel": [0x1000000, len(part), zlib.crc32(part)],
        "ramdisk": [0x7000000, 4, zlib.crc32(b"cpio")], "setup_data": [[FIRST, 0x50595648, len(payload)]],
        "handover_status": 0, "handover_gpa": FIRST + 16, "handover_hypervisor": 0x566e6558,
        "handover_filler": 2 if stub else 1, "handover_data_gpa": data_gpa, "handover_data_bytes": data_bytes,
        "tlv": [[kind, size] for kind, size in ((1, data_bytes), (2, 16), (3, 16), (4, 10), (5, 32), (6, 32), (7, 32))],
        "hex": {"gdt": GDT.hex(), "zero_page": zero_page.hex(), "cmdline": b"console=hvc0\0".hex(),
                "setup_data_node": [(struct.pack("<QII", 0, 0x50595648, len(payload)) + payload).hex()],
                "handover_data": payload[at:at + data_bytes].hex()}}
    if stub:
        said["rsp"] = 0x7fff0
        said["tlv"] = said["tlv"][:4]
    said.update(other)
    return said


BY_STUB = node(filler=2, digests=False)


def judge(dump, said, path="linux64", vcpus=2):
    return entry_state.judge(said, entry_state.Given(path, vcpus, dump, FILES))


def test_right_ones_pass(dump):
    assert judge(dump, report()) == []
    assert judge(dump, report(BY_STUB, stub=True), path="stub") == []


@pytest.mark.parametrize("key, value", [
    ("rax", 1), ("r15", 1), ("rsp", 8), ("rsi", 0), ("rflags", 0x202), ("cr0", 0x11), ("cr3", 0), ("cr4", 0), ("efer", 0), ("mtrr_def_type", 0x800),
    ("cs", [0x10, 0xffffffff, 0xc09b]), ("ss", [0x18, 0xfffff, 0xc093]), ("fs", 0x18), ("tr", 8), ("ldtr", 8), ("paging", 0),
    ("gdtr", [0x104000, 23]), ("idtr", [0, 0xffff]), ("map", [[0, 1 << 30, 0, 0x83]]), ("e820", []), ("rsdp", 0), ("madt", 0),
    ("ap", []), ("ap", [2]), ("ap", [[2, 4]]), ("kernel", [0x1000000, 1, 0]), ("ramdisk", None), ("setup_data", []),
    ("handover_status", 1), ("handover_gpa", 0), ("handover_filler", 2), ("tlv", []), ("entry", "linux32"),
    ("unreadable", ["0x1,0x2"]),
])
def test_each_fact_counts(dump, key, value):
    assert judge(dump, report(**{key: value})) != []


@pytest.mark.parametrize("name", ["gdt", "zero_page", "cmdline", "setup_data_node", "handover_data"])
def test_each_dump_counts(dump, name):
    said = report()
    said["hex"][name] = said["hex"][name][:-1]
    assert any(line.startswith(name) for line in judge(dump, said))


def test_what_the_stub_writes_is_not_what_the_toolstack_writes(dump):
    assert len(judge(dump, report(), path="stub")) >= 3  # type_of_loader, filler, TLVs
    assert judge(dump, report(BY_STUB, stub=True)) != []

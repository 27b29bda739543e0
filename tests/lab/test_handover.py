# SPDX-License-Identifier: LGPL-2.1-only
"""The judge of hypervisor nodes: a node written by handover.h's table passes, and each way to be wrong is found."""
import hashlib
import struct
import zlib

import pytest

from lab.guests.evidence import Evidence
from lab.judges import handover

FIRST = 0x102000  # gpa of the chain's first entry; its payload lies 16 bytes on
FILES = {"kernel": b"vmlinuz", "ramdisk": b"cpio", "cmdline": b"console=hvc0"}
PORTS = {"console": 2, "xenstore": 1}
RAMDISK = (0x7000000, 4)
CMDLINE, RSDP = 0x103000, 0xfc008000


def tlv(kind, value):
    return struct.pack("<II", kind, len(value)) + value + bytes(-len(value) % 8)


def start_info(gpa, rsdp=RSDP, ramdisk=RAMDISK, cmdline=CMDLINE, modlist=None):
    """start_info.h, version 1: 56 bytes, then its one module."""
    info = struct.pack("<4I4QII", 0x336ec578, 1, 0, 1, gpa + 56 if modlist is None else modlist, cmdline, rsdp, 0, 0, 0)
    return info + struct.pack("<4Q", *ramdisk, 0, 0)


def node(filler=1, digests=True, ports=PORTS, info=None, data_gpa=None, more=b"", magic=b"PVBH"):
    payload_gpa = FIRST + 16
    gpa = payload_gpa + 64 + 8
    info = info or start_info(gpa)
    tlvs = tlv(1, info) + tlv(2, struct.pack("<QII", 0xfefff000, ports["console"], 0))
    tlvs += tlv(3, struct.pack("<QII", 0xfeffc000, ports["xenstore"], 0)) + tlv(4, b"pvboot 0.1")
    if digests:
        for kind, name in ((5, "kernel"), (6, "ramdisk"), (7, "cmdline")):
            tlvs += tlv(kind, hashlib.sha256(FILES[name]).digest())
    tlvs += more
    size = 64 + len(tlvs)
    head = magic + struct.pack("<HHII", 1, 1, size, 0) + b"XenVXenVMMXenVMM"
    head += struct.pack("<IIQIIQ", filler, 0, data_gpa or gpa, len(info), 64, 0)
    whole = head + tlvs
    return whole[:12] + struct.pack("<I", zlib.crc32(whole)) + whole[16:]


def page(subarch=0, data=0):
    """boot.rst and zero-page.rst."""
    p = bytearray(4096)
    struct.pack_into("<Q", p, 0x70, RSDP)
    struct.pack_into("<IIQ", p, 0x218, *RAMDISK, 0)
    struct.pack_into("<I", p, 0x228, CMDLINE)
    struct.pack_into("<IQ", p, 0x23c, subarch, data)
    struct.pack_into("<Q", p, 0x250, FIRST)
    return bytes(p)


@pytest.fixture
def judge(tmp_path, monkeypatch):
    monkeypatch.setattr(handover, "_decoded", lambda node, scratch: [])  # needs the built program; the lab has it

    def run(payload, path="linux64", subarch="pc", digests=1, boot_params=page()):
        keys = {"pvboot_subarch": subarch, "pvboot_digests": digests}
        sections = {"boot_params": boot_params, "setup_data.0.type": b"0x50595648\n", "setup_data.0.data": payload}
        return handover.judge(Evidence(sections), handover.Given(path, keys, FILES, PORTS), tmp_path / "node")
    return run


def test_right_ones_pass(judge):
    assert judge(node()) == []
    assert judge(node(), subarch="xen", boot_params=page(2, FIRST)) == []
    assert judge(node(filler=2, digests=False), path="stub") == []
    assert judge(node(digests=False), digests=0) == []


def flipped(at, payload=None):
    data = bytearray(payload or node())
    data[at] ^= 1
    return bytes(data)


@pytest.mark.parametrize("payload,words", [
    (node(magic=b"PVBJ"), "magic"), (flipped(4), "version"), (flipped(6), "version"), (node() + b"x", "bytes"),
    (flipped(12), "crc32"), (flipped(16), "hypervisor"), (flipped(20), "signature"), (node(filler=2), "filler"),
    (flipped(36), "flags"), (flipped(52), "tlv_off"), (flipped(56), "reserved"), (flipped(-1), "crc32"),
    (node()[:40], "40 bytes"), (node(more=tlv(5, b"again")), "twice"), (node(more=b"\t\0\0\0\xff\0\0\0"), "too long"),
    (node(more=b"1234"), "behind the last"), (node(more=tlv(9, b"a")[:-1] + b"x"), "no zeroes"),
    (node(data_gpa=0x200000), "data at 0x200000"), (node(info=start_info(FIRST + 88, rsdp=1)), "rsdp"),
    (node(info=start_info(FIRST + 88, ramdisk=(0x7000000, 5))), "ramdisk"),
    (node(info=start_info(FIRST + 88, cmdline=1)), "cmdline"),
    (node(info=start_info(FIRST + 88, modlist=0x5000)), "modules at 0x5000"),
    (node(digests=False), "sha256 of the kernel"), (node(ports={"console": 3, "xenstore": 1}), "console ring"),
    (node(ports={"console": 2, "xenstore": 0}), "xenstore ring"),
])
def test_wrong_ones_are_found(judge, payload, words):
    assert any(words in line for line in judge(payload)), judge(payload)


@pytest.mark.parametrize("subarch,boot_params,words", [
    ("pc", page(2), "hardware_subarch is 2"), ("xen", page(), "hardware_subarch is 0"),
    ("xen", page(2, FIRST + 16), "hardware_subarch_data"), ("pc", page(0, FIRST), "hardware_subarch_data"),
])
def test_subarch(judge, subarch, boot_params, words):
    assert any(words in line for line in judge(node(), subarch=subarch, boot_params=boot_params))


def test_digests_that_nobody_asked_for(judge):
    assert any("sha256 of the kernel" in line for line in judge(node(), digests=0))


def test_no_node(tmp_path):
    found = Evidence({"boot_params": page(), "setup_data.0.type": b"0x9\n", "setup_data.0.data": b""})
    assert handover.judge(found, handover.Given("linux64", {}, FILES, PORTS), tmp_path / "node")

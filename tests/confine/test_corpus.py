# SPDX-License-Identifier: LGPL-2.1-only
"""A kernel is judged the same, to the letter, whether this process parses it or the confined one does; and whatever it
is, there is one answer, or one line, and nothing stays behind."""
import os
import random
import struct

import pytest

from ending import Judge
from kernels import PACK, images, packed, pvboot, vmlinux

SEED = 20260607
EDGES = {1: [0, 1, 0x7f, 0x80, 0xff], 2: [0, 1, 0x203, 0x204, 0x7fff, 0x8000, 0xffff],
         4: [0, 1, 7, 8, 0xfff, 0x1000, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff],
         8: [0, 1, 0xfff, 0xffffffff, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 4096, (1 << 64) - 1]}
# boot.rst's table: offset, size
SETUP_HEADER = [(0x1f1, 1), (0x1f4, 4), (0x1fe, 2), (0x200, 1), (0x201, 1), (0x202, 4), (0x206, 2), (0x20e, 2),
                (0x211, 1), (0x22c, 4), (0x230, 4), (0x234, 1), (0x236, 2), (0x238, 4), (0x248, 4), (0x24c, 4),
                (0x258, 8), (0x260, 4), (0x268, 4)]
# gABI: e_ident, e_type, e_machine, e_entry, e_phoff, e_phentsize, e_phnum; then both program headers
ELF_HEADER = [(4, 1), (5, 1), (6, 1), (16, 2), (18, 2), (24, 8), (32, 8), (54, 2), (56, 2)]
PROGRAM_HEADER = [(0, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 8), (48, 8)]


def changed(data, off, size, value):
    out = bytearray(data)
    out[off:off + size] = struct.pack("<Q", value)[:size]
    return bytes(out)


def header_edges():
    good = images.bzimage()
    for off, size in SETUP_HEADER:
        for value in EDGES[size]:
            yield f"setup header {off:#x}={value:#x}", changed(good, off, size, value)
    for keep in (1, 0x1f0, 0x1ff, 0x201, 0x205, 0x206, 0x230, 0x26b, 0x26c, 0x9ff, 0xa00, 0xa01, 0xe00, len(good) - 1):
        yield f"cut at {keep:#x}", good[:keep]


def elf_edges():
    good = vmlinux()
    fields = ELF_HEADER + [(64 + 56 * i + off, size) for i in range(2) for off, size in PROGRAM_HEADER]
    for off, size in fields:
        for value in EDGES[size]:
            yield f"elf {off:#x}={value:#x}", changed(good, off, size, value)
    for keep in (3, 4, 15, 16, 63, 64, 119, 120, 175, 4096, len(good) - 1):
        yield f"elf cut at {keep}", good[:keep]
    for n in (31, 32, 72, 73):  # with the note 73 program headers and one more; 32 are 1 KiB of what is kept of them
        yield f"{n} loads", images.many_loads(images.xen_notes(images.LOAD), n)
    for size in (0, 1, 0xfffffff0):
        for at in (0, 4):
            note = len(good) - len(images.xen_notes(0))
            yield f"note size {at} {size:#x}", changed(good, note + at, 4, size)


def payloads():
    data = vmlinux()
    rng = random.Random(SEED)
    for codec in PACK:
        good = packed(codec, data)
        yield f"{codec} good", images.bzimage(good)
        for says in (0, 1, len(data) - 1, len(data) + 1, len(data) + (100 << 20), 512 << 20, (1 << 32) - 1):
            yield f"{codec} says {says}", images.bzimage(packed(codec, data, says) if codec != "gzip"
                                                         else good[:-4] + struct.pack("<I", says))
        for keep in (1, 4, 8, 9, len(good) // 2, len(good) * 99 // 100, len(good) - 1):
            yield f"{codec} keeps {keep}", images.bzimage(good[:keep])
        for _ in range(30):
            at = rng.randrange(len(good))
            yield f"{codec} flips {at}", images.bzimage(changed(good, at, 1, good[at] ^ 1 << rng.randrange(8)))
        yield f"{codec} of itself", images.bzimage(packed(codec, good))
        yield f"{codec} of text", images.bzimage(packed(codec, b"no kernel at all, only text\n" * 99))
        yield f"{codec} twice", images.bzimage(packed(codec, data)[:-4] + good)
    yield "plain", images.bzimage(data)
    yield "unknown codec", images.bzimage(b"\x89LZOnothing that is any" + bytes(64))


def others():
    yield "text", b"#!/bin/sh\nexit 0\n" * 100
    yield "zeroes", bytes(4096)
    yield "noise", random.Random(SEED).randbytes(100000)
    yield "32-bit", vmlinux(bits=32)
    yield "stub", images.elf(images.stub_notes(images.LOAD))
    yield "escapes", vmlinux(images.note("Xen", 6, b"\x1b[2Jlinux\n\0"))
    yield "long name", vmlinux(images.note("Xen", 6, b"\x1b[2J" * 2560))


GROUPS = {"header": header_edges, "elf": elf_edges, "payload": payloads, "other": others}


def verdicts(judge, path, sandbox):
    out = [judge("inspect", "--json", "--sandbox", sandbox, path)]
    for entry in ("auto", "vmlinux64"):
        out.append(judge("plan", "--json", "--entry", entry, "--sandbox", sandbox, path))
    return out


@pytest.fixture
def judge(tmp_path):
    with Judge(tmp_path) as j:
        yield j


@pytest.mark.parametrize("group", GROUPS)
def test_same_verdict(group, write, judge):
    cases = list(GROUPS[group]())
    codes = {}
    for name, data in cases:
        path = write(data)
        judge.look(name)
        here, confined = verdicts(judge, path, "off"), verdicts(judge, path, "strict")
        assert confined == here, name
        for code, _, _ in confined:
            codes[code] = codes.get(code, 0) + 1
    print(f"{group}: {len(cases)} images, verdicts {dict(sorted(codes.items()))}")
    # a corpus that is all good or all bad compares nothing
    assert len(codes) >= 2


@pytest.mark.skipif(not os.path.exists("/boot"), reason="no /boot")
def test_installed_kernels(judge):
    kernels = sorted(p for p in os.listdir("/boot") if p.startswith("vmlinuz"))
    if not kernels:
        pytest.skip("no kernel in /boot")
    for name in kernels:
        judge.look(name)
        confined = verdicts(judge, f"/boot/{name}", "strict")
        assert confined == verdicts(judge, f"/boot/{name}", "off")
        assert confined[0][0] == 0


@pytest.mark.parametrize("n", [32, 72])
def test_many_loads_are_sorted(write, n):
    code, out, err = pvboot("plan", "--entry", "pvh", "--sandbox", "strict",
                            write(images.many_loads(images.xen_notes(images.LOAD), n)))
    assert (code, err) == (0, b"")


def test_every_codec_unpacks(write):
    """The equality above would hold of two failures, too."""
    for codec in PACK:
        code, out, err = pvboot("plan", "--entry", "vmlinux64", "--sandbox", "strict",
                                write(images.bzimage(packed(codec, vmlinux()))))
        assert (code, err) == (0, b""), codec

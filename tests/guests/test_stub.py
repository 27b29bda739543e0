# SPDX-License-Identifier: LGPL-2.1-only
"""The stub as a file, and in QEMU with a probe kernel behind it.

QEMU is no Xen: no hypercalls, so no hypervisor node.  What comes out must be what boot.rst asks for.
"""

import random
import re
import struct
import zlib

import probe
import pytest
import qemu
from qemu import GUESTS, MIB, STUB, Guest

SYSSIZE, INIT_SIZE = 0x1F4, 0x260
HEADER, HEADER_END = 0x1F1, 0x26C
PART = 0x400  # bzimage.S: one setup sector
WINDOW = 0x200000  # layout.h
KERNEL_GPA = 0x1000000


def kernel(entry: str, pad: int = 0) -> bytes:
    """The probe's bzImage, made longer by `pad` bytes of noise behind the probe's own memory."""
    image = bytearray((GUESTS / f"probe-{entry}.bzimage").read_bytes())
    if pad:
        image += bytes(PART + WINDOW - len(image)) + noise(pad)
        struct.pack_into("<I", image, SYSSIZE, (len(image) - PART) // 16)
        struct.pack_into("<I", image, INIT_SIZE, len(image) - PART)
    return bytes(image)


def noise(n: int) -> bytes:
    return random.Random(2).randbytes(n)


# --- the file -----------------------------------------------------------------------------------------------------------

def test_small():
    assert STUB.stat().st_size < 32 * 1024


def test_segments():
    """Nothing is both writable and executable, nothing shares a page, all of it is where a PVH loader puts it."""
    loads = qemu.read_elf(STUB).loads
    assert sorted(load.flags for load in loads) == [4, 5, 6]  # R, RX, RW
    pages = [{page for page in range(load.gpa // 4096, -(-(load.gpa + load.mem_bytes) // 4096))} for load in loads]
    assert not pages[0] & pages[1] and not pages[1] & pages[2] and not pages[0] & pages[2]
    assert min(load.gpa for load in loads) == 0x100000
    assert max(load.gpa + load.mem_bytes for load in loads) < 2 * MIB


def test_notes():
    elf = qemu.read_elf(STUB)
    notes = {(name, kind): desc for name, kind, desc in elf.notes}
    assert struct.unpack("<I", notes["Xen", 18])[0] == elf.entry
    assert ("pvboot", 1) in notes
    text = next(load for load in elf.loads if load.flags == 5)
    assert text.gpa <= elf.entry < text.gpa + text.file_bytes


def test_printf_knows_all_formats():
    """src/stub/libc/stdio.c prints of a conversion it does not know the last letter only."""
    load = next(load for load in qemu.read_elf(STUB).loads if load.flags == 4)
    data = STUB.read_bytes()[load.offset:load.offset + load.file_bytes]
    texts = b"\0".join(re.findall(rb"[ -~]{6,}(?=\0)", data))  # what is shorter is no message, but may be a header's bytes
    used = set(re.findall(rb"%[-+ #0-9.*']*(?:hh|ll|[hljztL])?[a-zA-Z%]", texts))
    known = re.compile(rb"%[#0]*[0-9]*(\.[0-9]+)?((ll|z)?[dux]|[sc%])")
    assert len(used) > 5 and [c for c in used if not known.fullmatch(c)] == []


# --- from entry to entry ------------------------------------------------------------------------------------------------

def check_state(report: dict, entry: str) -> None:
    """Registers and segments: boot.rst, 32-bit and 64-bit boot protocol."""
    wide = entry == "linux64"
    assert report["entry"] == entry
    general = ["rax", "rcx", "rdx", "rbx", "rbp", "rdi"] + [f"r{i}" for i in range(8, 16) if wide]
    assert {name: report[name] for name in general} == dict.fromkeys(general, 0)
    assert report["rflags"] == 2
    assert report["cr0"] == (0x80000011 if wide else 0x11)
    assert report["cr4"] == (0x20 if wide else 0)
    assert report["efer"] == (0x500 if wide else 0)
    assert report["cs"] == (0x10, 0xFFFFFFFF, 0xA09B if wide else 0xC09B)
    for name in ("ds", "es", "ss"):
        assert report[name] == (0x18, 0xFFFFFFFF, 0xC093)
    assert report["fs"] == report["gs"] == 0
    assert report["paging"] == wide
    if wide:
        assert report["map"] == [(0, 1 << 32, 0, 0x83)]
    else:
        assert report["cr3"] == 0


def check_zero_page(report: dict, guest: Guest) -> None:
    """Field by field what a loader fills in, at the offsets of boot.rst; all else as in the file, or zero."""
    page = bytearray(report["hex"]["zero_page"])
    header = bytearray(guest.kernel[HEADER:HEADER_END])
    assert len(page) == 4096

    def take(off: int, fmt: str) -> int:
        value = struct.unpack_from(fmt, page, off)[0]
        struct.pack_into(fmt, page, off, 0)
        if HEADER <= off < HEADER_END:
            struct.pack_into(fmt, header, off - HEADER, 0)
        return value

    assert take(0x210, "<B") == 0x92                   # type_of_loader: a stub
    assert take(0x1FA, "<H") == 0xFFFF                 # vid_mode
    assert take(0x214, "<I") == KERNEL_GPA             # code32_start
    ramdisk, ramdisk_bytes = take(0x218, "<I"), take(0x21C, "<I")
    assert ramdisk_bytes == len(guest.ramdisk) and bool(ramdisk) == bool(guest.ramdisk)
    assert ramdisk + ramdisk_bytes <= 0x80000000       # initrd_addr_max
    assert take(0x228, "<I")                           # cmd_line_ptr
    assert take(0x250, "<Q") == 0                      # setup_data: no hypervisor, no node
    table = [struct.unpack_from("<QQI", page, 0x2D0 + 20 * i) for i in range(take(0x1E8, "<B"))]
    page[0x2D0:0x2D0 + 20 * len(table)] = bytes(20 * len(table))
    top = guest.memory_mib * MIB - 0x20000
    assert table == [(0, 0x9FC00, 1), (0x9FC00, 0x60400, 2), (0x100000, top - 0x100000, 1)]
    assert page[HEADER:HEADER_END] == header
    page[HEADER:HEADER_END] = bytes(len(header))
    assert page == bytes(4096)


def check_kernel(report: dict, part: bytes) -> None:
    """The file's padding to 16 bytes is all that the probe does not count as its own."""
    gpa, n, crc = report["kernel"]
    assert gpa == KERNEL_GPA and len(part[:WINDOW].rstrip(b"\0")) <= n and crc == zlib.crc32(part[:n])
    tail = part[WINDOW:]
    assert report.get("kernel_tail") == ((KERNEL_GPA + WINDOW, len(tail), zlib.crc32(tail)) if tail else None)


def check_contents(report: dict, guest: Guest) -> None:
    assert report["hex"]["cmdline"] == guest.cmdline + b"\0"
    check_kernel(report, guest.kernel[PART:])
    if guest.ramdisk:
        assert report["ramdisk"][1:] == (len(guest.ramdisk), zlib.crc32(guest.ramdisk))


# what lies in whose way, in MiB: memory, kernel, ramdisk
LAYOUTS = {
    "small": (256, 0, 0),
    "with ramdisk": (256, 0, 3),
    "kernel onto itself": (256, 30, 0),      # from 1 MiB up to 16: copied backwards
    "ramdisk in the window": (256, 20, 30),
    "ramdisk onto itself": (128, 0, 70),     # from 1 MiB up to 58: copied backwards
    "tight": (128, 40, 58),                 # both lie where the other goes, in part
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("entry", ["linux32", "linux64"])
def test_start(entry, layout, tmp_path):
    memory, kernel_mib, ramdisk_mib = LAYOUTS[layout]
    ramdisk = noise(ramdisk_mib * MIB + 1) if ramdisk_mib else b""
    guest = Guest(kernel(entry, kernel_mib * MIB), b"a=b " * 500, ramdisk, f"entry={entry}", memory)
    out = qemu.run(guest, tmp_path)
    assert f"pvboot: stub: {entry}, kernel at {KERNEL_GPA:#x}" in out
    report = probe.parse(out)
    check_state(report, entry)
    check_zero_page(report, guest)
    check_contents(report, guest)


def test_downwards(tmp_path):
    """QEMU puts its one module at the end of memory: the kernel moves down, onto itself; other processors start."""
    image = tmp_path / "kernel"
    image.write_bytes(kernel("linux64", 70 * MIB))
    report = probe.parse(qemu.run_alone(image, "pvboot subarch=xen", 3, tmp_path))
    check_state(report, "linux64")
    check_kernel(report, image.read_bytes()[PART:])
    assert struct.unpack_from("<IQ", report["hex"]["zero_page"], 0x23C) == (2, 0)  # hardware_subarch, _data
    assert report["ap"] == [(1, 1), (2, 2)]

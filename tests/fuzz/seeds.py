#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""Small seeds for fuzz_image: one ELF of each class, and a bzImage around it in each codec.

usage: seeds_image.py DIRECTORY

Small matters more than real: a mutation then meets a header more often than code.  Offsets are those of boot.rst
and of the gABI.
"""
import pathlib
import struct
import subprocess
import sys

TOOLS = {
    "none": ["cat"],
    "gzip": ["gzip", "-n", "-9"],
    "bzip2": ["bzip2", "-9"],
    "lzma": ["xz", "--format=lzma", "-9"],
    "xz": ["xz", "--check=crc32", "--x86", "--lzma2=dict=32MiB"],
    "lzo": ["lzop", "-9", "-c"],
    "lz4": ["lz4", "-q", "-l", "-9", "-", "-"],
    "zstd": ["zstd", "-q", "-19"],
}


def note(owner, kind, desc):
    pad = lambda b: b + bytes(-len(b) % 4)
    name = owner + b"\0"
    return struct.pack("<III", len(name), len(desc), kind) + pad(name) + pad(desc)


def elf(bits):
    """Header, two loads and a note segment; 16 bytes of code at 16 MiB, then as many with bss behind."""
    notes = note(b"Xen", 6, b"linux\0") + note(b"Xen", 18, struct.pack("<I", 0x1000004))
    notes += note(b"Xen", 19, struct.pack("<III", 0x200000, 0x1000000, 0x3FFFFFFF)) + note(b"Linux", 0x100, b"6.1\0")
    ehdr, phdr = (64, 56) if bits == 64 else (52, 32)
    at = ehdr + 3 * phdr
    code = at + len(notes)
    rows = [(1, code, 0x1000000, 16, 16, 4096), (1, code + 16, 0x1001000, 16, 8192, 4096), (4, at, 0, len(notes), 0, 4)]
    out = b"\x7fELF" + bytes([bits // 32, 1, 1]) + bytes(9) + struct.pack("<HHI", 2, 62 if bits == 64 else 3, 1)
    out += struct.pack("<QQQ" if bits == 64 else "<III", 0x1000000, ehdr, 0)
    out += struct.pack("<IHHHHHH", 0, ehdr, phdr, 3, 0, 0, 0)
    for kind, off, gpa, size, memory, align in rows:
        if bits == 64:
            out += struct.pack("<IIQQQQQQ", kind, 7, off, gpa + 0xFFFFFFFF80000000, gpa, size, memory, align)
        else:
            out += struct.pack("<IIIIIIII", kind, off, gpa + 0xC0000000, gpa, size, memory, 7, align)
    return out + notes + bytes(range(32))


def bzimage(payload):
    """Protocol 2.15 with one setup sector, kernel_info and @payload."""
    kernel = b"LToP" + struct.pack("<III", 16, 16, 0x80000009) + payload
    kernel += bytes(-len(kernel) % 16)
    head = bytearray(1024)
    for off, form, value in (
        (0x1F1, "<B", 1), (0x1F4, "<I", len(kernel) // 16), (0x1FE, "<H", 0xAA55), (0x200, "<H", 0x6AEB),
        (0x202, "<4s", b"HdrS"), (0x206, "<H", 0x20F), (0x20E, "<H", 0x80), (0x211, "<B", 1),
        (0x22C, "<I", 0x7FFFFFFF), (0x230, "<I", 0x200000), (0x234, "<B", 1), (0x236, "<H", 0x7F),
        (0x238, "<I", 2047), (0x248, "<I", 16), (0x24C, "<I", len(payload)), (0x258, "<Q", 0x1000000),
        (0x260, "<I", 0x3F98000), (0x280, "<8s", b"6.1 seed"),
    ):
        struct.pack_into(form, head, off, value)
    return bytes(head) + kernel


def main():
    where = pathlib.Path(sys.argv[1])
    where.mkdir(parents=True, exist_ok=True)
    for bits in (32, 64):
        (where / f"elf{bits}").write_bytes(elf(bits))
    for codec, tool in TOOLS.items():
        packed = subprocess.run(tool, input=elf(64), stdout=subprocess.PIPE, check=True).stdout
        if codec not in ("none", "gzip"):  # the build appends what these two end with
            packed += struct.pack("<I", len(elf(64)))
        (where / f"bzimage-{codec}").write_bytes(bzimage(packed))


if __name__ == "__main__":
    main()

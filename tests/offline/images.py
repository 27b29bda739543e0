# SPDX-License-Identifier: LGPL-2.1-only
"""Small kernels, written by offset from the specifications: Linux Documentation/arch/x86/boot.rst, the ELF gABI and
Xen's elfnote.h.  None of them runs; all of them are legal."""
import gzip
import struct

PAGE = 4096
LOAD = 0x1000000  # where the ELF wants to lie
PV_BASE = 0xffffffff80000000


def note(owner, kind, desc):
    name = owner.encode() + b"\0"

    def padded(b):
        return b + b"\0" * (-len(b) % 4)

    return struct.pack("<III", len(name), len(desc), kind) + padded(name) + padded(desc)


def xen_notes(entry):
    return note("Xen", 18, struct.pack("<I", entry))


def pv_notes():
    """What a PV kernel must say: XEN_VERSION, GUEST_OS, LOADER, VIRT_BASE, PADDR_OFFSET, ENTRY, FEATURES."""
    return b"".join([
        note("Xen", 5, b"xen-3.0\0"), note("Xen", 6, b"toy\0"), note("Xen", 8, b"generic\0"),
        note("Xen", 3, struct.pack("<Q", PV_BASE)), note("Xen", 4, struct.pack("<Q", 0)),
        note("Xen", 1, struct.pack("<Q", PV_BASE + LOAD)), note("Xen", 10, b"!writable_page_tables\0"),
        note("Xen", 9, b"yes\0")])


def wild_elves():
    """(name, ELF, does it start): notes as linkers and assemblers leave them; XTF, mini-OS, Rust kernels have these."""
    four = note("Xen", 6, b"toy\0") + note("Xen", 18, struct.pack("<I", LOAD))
    for tail in (1, 2, 3, 4, 5, 11, 12, 16, 100, 4096):
        yield f"{tail} zeroes behind the notes", elf(four + bytes(tail)), True
    gnu = note("GNU", 5, struct.pack("<IIII", 0xc0000002, 4, 3, 0))
    yield "padded to 4, aligned to 8", elf(gnu + four, notes_align=8), True
    yield "padded to 4, aligned to 8, zeroes behind", elf(gnu + note("Xen", 8, b"generic\0") + four + bytes(12), notes_align=8), True
    short = struct.pack("<III4sI", 3, 4, 18, b"Xen", LOAD)
    yield "a name whose NUL is not counted", elf(short), True
    yield "the same, padded with something else", elf(short.replace(b"Xen\0", b"Xenx")), False
    yield "a name with more zeroes", elf(struct.pack("<III8sI", 8, 4, 18, b"Xen", LOAD)), True
    yield "two entries that agree", elf(four + xen_notes(LOAD)), True
    yield "an entry of 2 bytes", elf(note("Xen", 18, b"\0\1")), False
    yield "a big-endian entry", elf(note("Xen", 18, struct.pack(">I", LOAD))), False
    yield "a virtual entry", elf(note("Xen", 18, struct.pack("<Q", PV_BASE + LOAD))), False
    yield "packed by gzip, as mini-OS and stub domains are", gzip.compress(elf(four), mtime=0), True
    for bits in 32, 64:
        yield f"{bits}-bit, notes that only a section names", notes_in_section(bits), True
    head = bytearray(two_loads(four))
    put(head, 64 + 56 + 8, "Q", 1 << 40)
    put(head, 64 + 56 + 32, "Q", 0)
    yield "bss whose bytes would begin behind the file", bytes(head), True
    head = bytearray(elf(four))
    put(head, 24, "Q", LOAD + 4 * PAGE)
    yield "e_entry in the bss, beside Xen's", bytes(head), True


def notes_in_section(bits):
    """As from a `.note.Xen` that is not marked as allocated: no PT_NOTE, but a section."""
    image = bytearray(elf(xen_notes(LOAD), bits=bits))
    at, size = len(image) - 20, 20
    table = len(image)
    put(image, 64 + 56 if bits == 64 else 52 + 32, "I", 0)  # PT_NULL
    if bits == 64:
        image += bytes(64) + struct.pack("<IIQQQQIIQQ", 0, 7, 0, 0, at, size, 0, 0, 4, 0)
        put(image, 40, "Q", table)
        put(image, 58, "HH", 64, 2)
    else:
        image += bytes(40) + struct.pack("<IIIIIIIIII", 0, 7, 0, 0, at, size, 0, 0, 4, 0)
        put(image, 32, "I", table)
        put(image, 46, "HH", 40, 2)
    return bytes(image)


def pe_stub(machine=0x8664):
    """The least that objcopy adds sections to: PE32+ headers for 16 sections, and one of code."""
    optional = struct.pack("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20b, 0, 0, 512, 0, 0, 0x1000, 0x1000, 0x400000, 4096, 512,
                           0, 0, 0, 0, 0, 0, 0, 0x2000, 1024, 0, 10, 0, 1 << 20, 4096, 1 << 20, 4096, 0, 16) + bytes(128)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + b"PE\0\0"
    head += struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, len(optional), 0x22) + optional
    head += struct.pack("<8sIIIIIIHHI", b".text", 1, 0x1000, 512, 1024, 0, 0, 0, 0, 0x60000020)
    return head.ljust(1024, b"\0") + b"\xc3".ljust(512, b"\0")


def stub_notes(entry):
    return xen_notes(entry) + note("pvboot", 1, b"0\0")


def pattern(n, seed):
    """n bytes that are not zero, not the same in two places, and hard to pack."""
    out = bytearray()
    x = seed * 2654435761 % 2**32 or 1
    while len(out) < n:
        x = (x * 1664525 + 1013904223) % 2**32
        out += struct.pack("<I", x | 0x01010101)
    return bytes(out[:n])


def elf(notes, load=LOAD, file_bytes=3 * PAGE + 123, mem_bytes=5 * PAGE, vaddr=None, seed=1, bits=64, notes_align=4):
    """One PT_LOAD at @load and one PT_NOTE."""
    vaddr = load if vaddr is None else vaddr
    off = PAGE
    notes_off = off + file_bytes
    if bits == 64:
        head = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, 62, 1, vaddr, 64, 0, 0, 64, 56, 2, 0, 0, 0)
        heads = struct.pack("<IIQQQQQQ", 1, 7, off, vaddr, load, file_bytes, mem_bytes, PAGE)
        heads += struct.pack("<IIQQQQQQ", 4, 4, notes_off, 0, 0, len(notes), len(notes), notes_align)
    else:
        head = struct.pack("<4sBBBB8xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 0, 2, 3, 1, vaddr, 52, 0, 0, 52, 32, 2, 0, 0, 0)
        heads = struct.pack("<IIIIIIII", 1, off, vaddr, load, file_bytes, mem_bytes, 7, PAGE)
        heads += struct.pack("<IIIIIIII", 4, notes_off, 0, 0, len(notes), len(notes), 4, 4)
    return (head + heads).ljust(off, b"\0") + pattern(file_bytes, seed) + notes


def two_loads(notes, load=LOAD):
    """PT_LOADs of a page and a bit, with bss behind the first and nothing at all for two pages before the second."""
    head = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, 62, 1, load, 64, 0, 0, 64, 56, 3, 0, 0, 0)
    n = PAGE + 77
    heads = struct.pack("<IIQQQQQQ", 1, 5, PAGE, load, load, n, 2 * PAGE + 5, PAGE)
    heads += struct.pack("<IIQQQQQQ", 1, 6, 3 * PAGE, load + 5 * PAGE, load + 5 * PAGE, n, n, PAGE)
    heads += struct.pack("<IIQQQQQQ", 4, 4, 5 * PAGE, 0, 0, len(notes), len(notes), 4)
    image = bytearray(5 * PAGE) + notes
    image[:len(head + heads)] = head + heads
    image[PAGE:PAGE + n] = pattern(n, 8)
    image[3 * PAGE:3 * PAGE + n] = pattern(n, 9)
    return bytes(image)


def many_loads(notes, n, load=LOAD):
    """@n PT_LOADs of 16 bytes, a page each in memory, the last in the file the first in memory."""
    head = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, 62, 1, load, 64, 0, 0, 64, 56, n + 1, 0, 0, 0)
    heads = b"".join(struct.pack("<IIQQQQQQ", 1, 7, 2 * PAGE + 16 * i, gpa, gpa, 16, 16, PAGE)
                     for i in range(n) for gpa in (load + (n - 1 - i) * PAGE,))
    heads += struct.pack("<IIQQQQQQ", 4, 4, 2 * PAGE + 16 * n, 0, 0, len(notes), len(notes), 4)
    return (head + heads).ljust(2 * PAGE, b"\0") + pattern(16 * n, 4) + notes


def put(image, off, fmt, *values):
    struct.pack_into("<" + fmt, image, off, *values)


def bzimage(payload=None, protocol=0x020f, xloadflags=1, cmdline_size=2047, init_size=0x200000, version="6.1.0-toy",
            initrd_max=0x7fffffff, seed=2, setup_type_max=0x80000009):
    """boot.rst, "The Real-Mode Kernel Header": 4 setup sectors, then code with the payload in it."""
    setup = bytearray(5 * 512)
    payload = gzip.compress(elf(xen_notes(LOAD)), mtime=0) if payload is None else payload
    body = pattern(0x400, seed) + payload
    body += b"\0" * (-len(body) % 16)
    if protocol >= 0x20f:  # boot.rst, "The kernel_info"
        put(setup, 0x268, "I", 0x200)
        body = body[:0x200] + struct.pack("<4sIII", b"LToP", 16, 16, setup_type_max) + body[0x210:]
    put(setup, 0x1f1, "B", 4)
    put(setup, 0x1f4, "I", len(body) // 16)
    put(setup, 0x1fe, "H", 0xaa55)
    put(setup, 0x200, "BB", 0xeb, 0x26c - 0x202)
    put(setup, 0x202, "4sH", b"HdrS", protocol)
    put(setup, 0x20e, "H", 0x400)
    put(setup, 0x211, "B", 1)
    put(setup, 0x214, "I", 0x100000)
    put(setup, 0x22c, "I", initrd_max)
    put(setup, 0x230, "IBBHI", 0x200000, 1, 21, xloadflags, cmdline_size)
    put(setup, 0x248, "II", 0x400, len(payload))
    put(setup, 0x258, "QI", LOAD, init_size)
    text = version.encode() + b"\0"
    setup[0x600:0x600 + len(text)] = text
    return bytes(setup) + body

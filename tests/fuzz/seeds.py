#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""Seeds for the fuzz targets, made from their specifications, of the tools of a kernel build, and of kernels in /boot.

usage: seeds.py TARGET DIRECTORY

Small matters more than real: a mutation then meets a header more often than code.  Offsets are those of boot.rst,
zero-page.rst, the gABI, Xen's start_info.h and handover.h.
"""
import lzma
import pathlib
import random
import struct
import subprocess
import sys
import zlib

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


def elf(bits, before=b"", after=b"", align=4):
    """Header, two loads and a note segment; 16 bytes of code at 16 MiB, then as many with bss behind."""
    notes = before + note(b"Xen", 6, b"linux\0") + note(b"Xen", 18, struct.pack("<I", 0x1000004))
    notes += note(b"Xen", 19, struct.pack("<III", 0x200000, 0x1000000, 0x3FFFFFFF)) + note(b"Linux", 0x100, b"6.1\0") + after
    ehdr, phdr = (64, 56) if bits == 64 else (52, 32)
    at = ehdr + 3 * phdr
    code = at + len(notes)
    rows = [(1, code, 0x1000000, 16, 16, 4096), (1, code + 16, 0x1001000, 16, 8192, 4096), (4, at, 0, len(notes), 0, align)]
    out = b"\x7fELF" + bytes([bits // 32, 1, 1]) + bytes(9) + struct.pack("<HHI", 2, 62 if bits == 64 else 3, 1)
    out += struct.pack("<QQQ" if bits == 64 else "<III", 0x1000000, ehdr, 0)
    out += struct.pack("<IHHHHHH", 0, ehdr, phdr, 3, 0, 0, 0)
    for kind, off, gpa, size, memory, align in rows:
        if bits == 64:
            out += struct.pack("<IIQQQQQQ", kind, 7, off, gpa + 0xFFFFFFFF80000000, gpa, size, memory, align)
        else:
            out += struct.pack("<IIIIIIII", kind, off, gpa + 0xC0000000, gpa, size, memory, 7, align)
    return out + notes + bytes(range(32))


def paravirtual(base=0xFFFFFFFF80000000, entry=0x1000000, p2m=0x8000000000, features=b"!writable_page_tables"):
    """Notes of a PV start: elfnote.h."""
    notes = note(b"Xen", 5, b"xen-3.0\0") + note(b"Xen", 8, b"generic\0") + note(b"Xen", 10, features + b"\0")
    numbers = ((1, base + entry), (3, base), (4, 0), (15, p2m), (16, 1))
    return elf(64, after=notes + b"".join(note(b"Xen", kind, struct.pack("<Q", n % (1 << 64))) for kind, n in numbers))


def wild():
    """Notes as linkers and assemblers leave them."""
    gnu = note(b"GNU", 5, struct.pack("<IIII", 0xC0000002, 4, 3, 0))
    yield elf(64, after=bytes(4))
    yield elf(32, after=bytes(300))
    yield elf(64, before=gnu, align=8)
    yield elf(64, before=gnu, after=bytes(12), align=8)
    yield elf(64).replace(struct.pack("<III", 4, 4, 18), struct.pack("<III", 3, 4, 18))
    yield elf(64, after=note(b"Xen", 18, struct.pack("<I", 0x1000004)))


def sections(bits):
    """Notes that only a section names."""
    image = bytearray(elf(bits))
    ehdr, row, table = (*((64, 56) if bits == 64 else (52, 32)), len(image))
    offset, size = struct.unpack_from("<8xQ16xQ" if bits == 64 else "<4xI8xI", image, ehdr + 2 * row)
    struct.pack_into("<I", image, ehdr + 2 * row, 0)
    rows = "<IIQQQQIIQQ" if bits == 64 else "<IIIIIIIIII"
    image += bytes(struct.calcsize(rows)) + struct.pack(rows, 0, 7, 0, 0, offset, size, 0, 0, 4, 0)
    struct.pack_into("<Q" if bits == 64 else "<I", image, 40 if bits == 64 else 32, table)
    struct.pack_into("<HH", image, 58 if bits == 64 else 46, struct.calcsize(rows), 2)
    return bytes(image)


def packed(version=1, moved=(0, 0, 0, 0), kernel=None, times=1):
    """A packed image by docs/stub.md: kernel, ramdisk, command line and options lie behind the stub; @moved: not quite."""
    parts = [bzimage(pack("none", elf(64))) if kernel is None else kernel, b"070701", b"console=hvc0", b"entry=linux64"]
    at, spans = len(elf(64, after=times * note(b"pvboot", 2, bytes(72)))), []
    for part, by in zip(parts, moved):
        spans += [(at + by) % (1 << 64), len(part)]
        at += len(part)
    return elf(64, after=times * note(b"pvboot", 2, struct.pack("<II8Q", version, 0, *spans))) + b"".join(parts)


def packings():
    yield packed()
    yield packed(version=2)
    yield packed(times=2)
    yield packed(kernel=b"no bzImage" * 60)
    yield packed(kernel=b"")
    yield packed(moved=(0, 0, 0, 1))
    yield packed(moved=(-1 << 63, 0, 0, 0))
    yield packed(moved=(0, 1 << 40, 0, 0))
    yield elf(64, after=note(b"pvboot", 2, bytes(71)))
    yield elf(64, after=note(b"pvboot", 1, b""))


NAMED = ((56, b"ARM\x64"), (48, b"RISC"), (36, b"\x18\x28\x6f\x01"), (0, b"\x27\x05\x19\x56"), (0, b"\xd0\x0d\xfe\xed"),
         (0, b"QFI\xfb"), (257, b"ustar"), (0, b"07070"), (0, b"\x04\x22\x4d\x18"), (0, b"hsqs"), (0x438, b"\x53\xef"),
         (0, b"!<arch>"), (0, b"#!"), (0, b"MZ"), (0x1FE, b"\x55\xaa"), (0, b"\x0b\x01\x64\x00"))


def bzimage(payload):
    """Protocol 2.15 with one setup sector, kernel_info and @payload."""
    kernel = b"LToP" + struct.pack("<III", 16, 16, 0x80000009) + payload
    kernel += bytes(-len(kernel) % 16)
    head = bytearray(1024)
    for off, form, value in (
        (0x1F1, "<B", 1), (0x1F4, "<I", len(kernel) // 16), (0x1FE, "<H", 0xAA55), (0x200, "<H", 0x6AEB),
        (0x202, "<4s", b"HdrS"), (0x206, "<H", 0x20F), (0x20E, "<H", 0x80), (0x211, "<B", 1),
        (0x214, "<I", 0x100000), (0x22C, "<I", 0x7FFFFFFF), (0x230, "<I", 0x200000), (0x234, "<B", 1), (0x236, "<H", 0x7F),
        (0x238, "<I", 2047), (0x248, "<I", 16), (0x24C, "<I", len(payload)), (0x258, "<Q", 0x1000000),
        (0x260, "<I", 0x3F98000), (0x280, "<8s", b"6.1 seed"),
    ):
        struct.pack_into(form, head, off, value)
    return bytes(head) + kernel


# What fuzz.c reads first: pages of memory, bytes of a command line and a ramdisk, ramdisks, vCPUs, subarch, flags.
WISH = struct.pack("<IHHBBBB", 32768, 9, 5000, 1, 1, 0, 0)
WISHES = [WISH, struct.pack("<IHHBBBB", 4096, 0, 0, 0, 2, 2, 1),
          struct.pack("<IHHBBBB", 1 << 21, 2048, 1, 3, 128, 0, 30)]


def changed(data, off, form, value):
    out = bytearray(data)
    struct.pack_into(form, out, off, value)
    return bytes(out)


def pack(codec, data):
    """As scripts/Makefile.lib of Linux does: all but gzip and a plain ELF get the unpacked size appended."""
    packed = subprocess.run(TOOLS[codec], input=data, stdout=subprocess.PIPE, check=True).stdout
    return packed if codec in ("none", "gzip") else packed + struct.pack("<I", len(data))


def uki(kernel):
    """A PE file of the sections that ukify writes, with two profiles."""
    parts = [(b".osrel", b"ID=x\n"), (b".cmdline", b"quiet\n"), (b".ucode", b"070701u"), (b".initrd", b"070701i"),
             (b".linux", kernel), (b".profile", b"ID=a"), (b".cmdline", b"single"), (b".profile", b"ID=b")]
    at = 64 + 24 + 40 * len(parts)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I4sHH12xHH", 64, b"PE\0\0", 0x8664, len(parts), 0, 0)
    for name, data in parts:
        head += struct.pack("<8sIIII16x", name, len(data), 0, len(data), at)
        at += len(data)
    return head + b"".join(data for _, data in parts)


def zboot(codec, kernel):
    payload = pack(codec, kernel)
    size = len(payload) - (0 if codec == "gzip" else 4)
    return struct.pack("<4s4sII8x8s28xI4sHH12xHH", b"MZ", b"zimg", 88, size, codec.encode(), 64, b"PE\0\0", 0x8664, 0, 0, 0) \
        + payload


def wrapped():
    for codec in TOOLS:
        if codec != "none":
            stream = subprocess.run(TOOLS[codec], input=elf(64), stdout=subprocess.PIPE, check=True).stdout
            yield stream
            yield zboot(codec, elf(64))
    yield pack("gzip", bzimage(pack("none", elf(64))))
    yield pack("gzip", pack("gzip", elf(64)))
    yield uki(bzimage(pack("none", elf(64))))
    yield uki(elf(32))
    yield uki(pack("gzip", elf(64)))


def images():
    yield from wrapped()
    yield from wild()
    yield from packings()
    yield from (sections(32), sections(64), pack("gzip", packed()))
    yield from (bytes(at) + magic + bytes(1200 - at) for at, magic in NAMED)
    yield from (elf(32), elf(64))
    yield from (bzimage(pack(codec, elf(64))) for codec in TOOLS)


def installed():
    """Of each kernel in /boot: its setup header in front of no code, and its unpacked ELF's headers and notes."""
    for path in sorted(pathlib.Path("/boot").glob("vmlinuz-*")):
        kernel = path.read_bytes()
        sects, (offset, size) = kernel[0x1F1] or 4, struct.unpack_from("<II", kernel, 0x248)
        header = bytearray(0x1F1) + bytearray(kernel[0x1F1:0x280]) + bytearray(0x400 - 0x280)
        header[0x1F1] = 1
        struct.pack_into("<H", header, 0x20E, 0x80)
        header[0x280:0x290] = kernel[struct.unpack_from("<H", kernel, 0x20E)[0] + 0x200:][:15] + b"\0"
        start = (sects + 1) * 512 + offset
        for off, value in ((0x1F4, 1024 // 16), (0x248, 16), (0x24C, 512)):
            struct.pack_into("<I", header, off, value)
        yield "header", bytes(header) + bytes(16) + kernel[start:start + 6] + bytes(1002)
        if kernel[start:start + 6] == b"\xfd7zXZ\0":
            yield "elf", small_elf(lzma.decompress(kernel[start:start + size - 4]))


def small_elf(vmlinux):
    """Headers and notes of a 64-bit ELF, and the same page of nothing for each of its segments."""
    table, number = struct.unpack_from("<Q", vmlinux, 32)[0], struct.unpack_from("<H", vmlinux, 56)[0]
    head, page = bytearray(vmlinux[:table + number * 56]), bytes(4096)
    notes = b""
    for at in range(table, table + number * 56, 56):
        kind, offset, size = *struct.unpack_from("<I4xQ", vmlinux, at), struct.unpack_from("<Q", vmlinux, at + 32)[0]
        struct.pack_into("<Q", head, at + 8, len(head) + (len(page) + len(notes) if kind == 4 else 0))
        struct.pack_into("<Q", head, at + 32, size if kind == 4 else min(size, len(page)))
        notes += vmlinux[offset:offset + size] if kind == 4 else b""
    return bytes(head) + page + notes


def headers():
    good = bzimage(pack("none", elf(64)))
    for protocol in (0x204, 0x205, 0x206, 0x208, 0x209, 0x20A, 0x20C, 0x20F):
        yield changed(good, 0x206, "<H", protocol)
    yield changed(changed(good, 0x234, "<B", 0), 0x236, "<H", 0)
    yield changed(changed(good, 0x206, "<H", 0x207), 0x214, "<I", 0)  # iPXE's .lkrn: 16-bit code alone
    yield changed(good, 0x201, "<B", 0x3C)
    yield changed(changed(good, 0x1F4, "<I", 16), 0x248, "<Q", 0)


def elves():
    reloc = elf(64).replace(struct.pack("<III", 0x200000, 0x1000000, 0x3FFFFFFF), struct.pack("<III", 4096, 0, 1 << 30))
    yield from (elf(32), elf(64), reloc)
    yield elf(64).replace(b"linux\0", b"other\0")
    yield from wild()
    yield from packings()
    yield from (sections(32), sections(64))
    yield from (paravirtual(), paravirtual(base=0), paravirtual(base=0xFFFF87FFFF000000), paravirtual(features=b"!dom0|?"),
                paravirtual(p2m=0xFFFFFFFF00000000), paravirtual(entry=0xFFF))


def payloads():
    for codec in TOOLS:
        for data in (elf(64), bytes(5000), b"text " * 2000):
            packed = pack(codec, data)
            yield struct.pack("<I", len(data)) + packed


def frames():
    """Codec, declared size less one, 24 bytes of what the decoders answer; then a stream."""
    names = ["gzip", "bzip2", "lzma", "xz", "lzo", "lz4", "zstd"]
    for i, codec in enumerate(names):
        for answer in (b"\1" * 24, b"\1" + bytes(23), b"\1\1\0\0\1\0\0\0\0" + bytes(15)):
            yield struct.pack("<BI", i, len(elf(64)) - 1)[:4] + answer + pack(codec, elf(64))[:400]
    stored = b"\x89LZO\0\r\n\x1a\n" + struct.pack(">HHHBBIIIIB4x", 0x1040, 0x20A0, 0x940, 1, 5, 3, 0, 0, 0, 0)
    yield bytes((4, 9, 0, 0)) + b"\1" * 24 + stored + struct.pack(">IIII", 10, 10, 0, 0)[:12] + bytes(10) + bytes(4)
    yield bytes((4, 9, 0, 0)) + b"\1" * 24 + stored[:-5] + b"\xff" + bytes(40)  # a name that ends behind the payload
    yield bytes((4, 19, 0, 0)) + b"\1" * 24 + stored + struct.pack(">IIIIII", 20, 10, 0, 0, 0, 0)[:16] + bytes(14)


def maps():
    for base in range(5):
        for seed in range(4):
            yield bytes((base, 8 * seed)) + random.Random(seed).randbytes(40 * seed) + WISH + bytes(80)


def words():
    for text in ("entry=linux64", "entry=auto", "stub_entry=linux32", "subarch=xen", "subarch=0x10",
                 "subarch=4294967295", "hypervisor=none", "strict=yes", "force_subarch=1", "rng_seed=no",
                 "sandbox=best", "entri=pvh"):
        yield b"\0\0" + text.encode()
    for text in ("pvboot", "pvboot entry=linux64 subarch=2", "pvboot dump=/a/b ramdisks=/c,/d strict=1", "pvboot x"):
        yield b"\1\0" + text.encode()
    for text in ("console=hvc0 root=/dev/xvda1 ro", "6.1.0-56-amd64 (x@y) #1", "", "quote=\"a b\" -- init"):
        yield b"\2\xff" + text.encode()
    for path in sorted((pathlib.Path(__file__).parents[2] / "xl-config-examples").glob("*.cfg")):
        yield b"\3\0" + path.read_bytes()
    yield b'\3\0a=[ "x", \'y\', # z\n 1 ]\npvboot_entry = "linux64" # b=1\nkernel="\\"a"; pvshim=1\n'
    for text in (b"b=1 # a=1\nc=2\n", b'b="x a=1"\n', b"b='x a=1'\n", b'b="\\" a=1"\n', b"b=[ 'a=1', # a=1\n 'a=1' ]\n"):
        yield b"\3\0" + text  # a is no key of these


def node(following, kind, payload):
    return struct.pack("<QII", following, kind, len(payload)) + payload + bytes(-len(payload) % 8)


def hypervisor(*tlvs):
    """The payload of handover.h's table."""
    body = b"".join(struct.pack("<II", kind, len(value)) + value + bytes(-len(value) % 8) for kind, value in tlvs)
    head = struct.pack("<IHHIII12sIIQIIQ", 0x48425650, 1, 1, 64 + len(body), 0, 0x566E6558, b"XenVMMXenVMM", 1, 0,
                       0x1000, 56, 64, 0)
    return changed(head + body, 12, "<I", zlib.crc32(head + body))


def start_info(base):
    modules, table = struct.pack("<QQQQ", 0x4000000, 5000, 0, 0), struct.pack("<QQII", 0, 0xA0000, 1, 0)
    table += struct.pack("<QQII", 0x100000, 0x7F00000, 1, 0)
    return struct.pack("<IIIIQQQQII", 0x336EC578, 1, 0, 1, base + 56, base + 136, 0xFC009000, base + 88, 2, 0) \
        + modules + table + b"console=hvc0\0"


def chains(base):
    full = hypervisor((1, start_info(base + 96)), (2, struct.pack("<QII", 0xFEFFF000, 2, 0)), (4, b"pvboot"),
                      (5, bytes(32)))
    yield node(0, 0x50595648, hypervisor())
    yield node(0, 0x50595648, full)
    first = node(base + 16 + 24, 1, struct.pack("<QQI", 0x1000, 0x1000, 1) + bytes(4))
    yield first + node(0, 0x50595648, full)
    yield node(base + 40, 0x80000000, struct.pack("<IIQQ", 0x80000000 | 0x50595648, 0, 64, base + 56)) \
        + node(0, 9, hypervisor())
    yield node(base, 9, bytes(32))
    yield node(base + 24, 9, bytes(8)) + node(base + 48, 9, bytes(8)) + node(base + 24, 9, bytes(8))


def walks():
    for base in (0x1000, 0x102000, (1 << 64) - 0x2000):
        for chain in chains(base):
            yield b"\1" + struct.pack("<Q", base) + chain
    yield b"\0" + struct.pack("<Q", 0x1000) + hypervisor((4, b"x"))


def zero_page():
    page = bytearray(0x1F1) + bytearray(bzimage(b"")[0x1F1:0x270]) + bytearray(4096 - 0x270)
    for off, form, value in ((0x70, "<Q", 0xFC009000), (0x1E8, "<B", 3), (0x210, "<B", 0x91), (0x228, "<I", 0x101000),
                             (0x214, "<I", 0x1000000), (0x218, "<I", 0x7000000), (0x21C, "<I", 5000),
                             (0x250, "<Q", 0x102000), (0x1FA, "<H", 0xFFFF)):
        struct.pack_into(form, page, off, value)
    for i, row in enumerate(((0, 0xA0000, 1), (0xA0000, 0x60000, 2), (0x100000, 0x7F00000, 1))):
        struct.pack_into("<QQI", page, 0x2D0 + 20 * i, *row)
    return bytes(page)


def decoded():
    head = lambda kind, base, entry=0: struct.pack("<BQIH", kind, base, entry, 77)
    yield head(0, 0x100000) + zero_page()
    yield head(0, 0) + zero_page()[:100]
    yield head(1, 0x100000) + start_info(0x100000)
    yield head(1, 0) + start_info(0x100000)[:40]
    for chain in chains(0x100000):
        yield head(2, 0x100000) + chain
    yield head(3, 0x100000, 0x50595648) + hypervisor((1, start_info(0x100048)), (4, b"\x1b[2J\xff"), (77, b"?"))
    yield head(3, 0, 1) + struct.pack("<QQI", 0x1000, 0x1000, 2) * 2
    yield head(3, 0, 9) + bytes(32)


TARGETS = {
    "image": images,
    "header": lambda: (wish + data for wish in WISHES for data in headers()),
    "elf": lambda: (wish + data for wish in WISHES for data in elves()),
    "codecs": payloads,
    "framing": frames,
    "memmap": maps,
    "words": words,
    "handover": walks,
    "decode": decoded,
}


def main():
    target, where = sys.argv[1], pathlib.Path(sys.argv[2])
    where.mkdir(parents=True, exist_ok=True)
    for i, data in enumerate(TARGETS[target]() if target in TARGETS else ()):
        (where / f"seed-{i}").write_bytes(data)
    for i, (kind, data) in enumerate(installed() if target in ("header", "elf", "image") else ()):
        if target in (kind, "image"):
            (where / f"installed-{i}").write_bytes(data if target == "image" else WISH + data)


if __name__ == "__main__":
    main()

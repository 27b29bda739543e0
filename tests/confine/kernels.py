# SPDX-License-Identifier: LGPL-2.1-only
"""The program under test, and kernels in every packing."""
import bz2
import gzip
import lzma
import os
import pathlib
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("PVBOOT_BUILD", "build")
sys.path.insert(0, str(ROOT / "tests/offline"))

import images  # noqa: E402


def pvboot(*args, **more):
    """Exit code, standard output, standard error."""
    done = subprocess.run([BUILD / "pvboot", *map(str, args)], capture_output=True, timeout=120, **more)
    return done.returncode, done.stdout, done.stderr


def vmlinux(notes=b"", **more):
    return images.elf(images.xen_notes(images.LOAD) + notes, **more)


def _tool(*command):
    return lambda data: subprocess.run(command, input=data, capture_output=True, check=True).stdout


XZ_KERNEL = dict(format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32,
                 filters=[{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
# as scripts/Makefile.lib of Linux packs a payload; all but gzip get their unpacked size appended
PACK = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bzip2": bz2.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "xz": lambda data: lzma.compress(data, **XZ_KERNEL),
    "lz4": _tool("lz4", "-l", "-c", "-9", "-q"),
    "zstd": _tool("zstd", "-22", "--ultra", "-c", "-q"),
}


def packed(codec, data, says=None):
    stream = PACK[codec](data)
    return stream if codec == "gzip" else stream + struct.pack("<I", len(data) if says is None else says)


def _varint(n):
    out = bytearray()
    while n > 0x7f:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


def xz_of_zeros(blocks, block_bytes):
    """One .xz stream of many equal blocks, put together by the file format's specification, 3 and 4."""
    import zlib

    one = lzma.compress(bytes(block_bytes), format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32)
    index_bytes = (struct.unpack("<I", one[-8:-4])[0] + 1) * 4
    head, block = one[:12], one[12:-12 - index_bytes]
    unpadded = one[-12 - index_bytes:][2:]  # after the index indicator and the number of records, which is 1
    size, shift, i = 0, 0, 0
    while True:
        size |= (unpadded[i] & 0x7f) << shift
        shift += 7
        i += 1
        if not unpadded[i - 1] & 0x80:
            break
    index = b"\0" + _varint(blocks) + (_varint(size) + _varint(block_bytes)) * blocks
    index += b"\0" * (-len(index) % 4)
    index += struct.pack("<I", zlib.crc32(index))
    foot = struct.pack("<I", len(index) // 4 - 1) + one[-4:-2]
    return head + block * blocks + index + struct.pack("<I", zlib.crc32(foot)) + foot + b"YZ"

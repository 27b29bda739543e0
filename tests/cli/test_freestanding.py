# SPDX-License-Identifier: LGPL-2.1-only
"""handover.h as a 32-bit kernel sees it: no libc, no libgcc, nothing to call; judged by nodes made with struct and zlib.

The program reads a node's payload from standard input and exits with what pvboot_handover_find() says.
"""
import errno
import os
import pathlib
import struct
import subprocess
import zlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ELF32 = b"\x7fELF\1\1\1" + bytes(9) + struct.pack("<HH", 2, 3)  # ET_EXEC, EM_386
OF_XEN = ("start_info.c", "pv_start_info.c")  # they need Xen's headers
OK, ABSENT, LOOP, UNREADABLE, SHORT, MAGIC, VERSION, CHECKSUM, SIGNATURE, TLV = range(10)

SOURCE = r"""
#include <pvboot/handover.h>

static long call(long n, long a, long b, long c)
{
    __asm__ volatile("int $0x80" : "+a"(n) : "b"(a), "c"(b), "d"(c) : "memory");
    return n;
}
static struct {
    uint64_t next;
    uint32_t type, len;
    uint8_t data[8192];
} node = { 0, PVBOOT_SETUP_TYPE, 0, { 0 } };

void _start(void)
{
    const struct pvboot_view view = { pvboot_identity_at, NULL };
    struct pvboot_handover h;
    const uint8_t *payload;

    node.len = (uint32_t)call(3, 0, (long)node.data, sizeof(node.data));
    call(1, pvboot_handover_find((uintptr_t)&node, view, &h, &payload), 0, 0);
    for (;;)
        ;
}
"""


@pytest.fixture(scope="module", params=["gcc", "clang"])
def reader(request, tmp_path_factory):
    d = tmp_path_factory.mktemp("m32")
    (d / "reader.c").write_text(SOURCE)
    subprocess.run([request.param, "-m32", "-O2", "-std=gnu11", "-ffreestanding", "-nostdlib", "-static", "-fno-pie",
                    "-fno-stack-protector", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
                    f"-I{ROOT}/include", "-o", d / "reader", d / "reader.c"], check=True)
    return d / "reader"


def payload(version=1, compatible=1, tail=b"", crc=None, signature=b"XenVXenVMMXenVMM"):
    size = 64 + len(tail)
    head = struct.pack("<4sHHI", b"PVBH", version, compatible, size)
    rest = signature + struct.pack("<IIQIIQ", 1, 0, 0x102058, 208, 64, 0) + tail
    return head + struct.pack("<I", zlib.crc32(head + bytes(4) + rest) if crc is None else crc) + rest


ROWS = [
    ("plain", payload(), OK),
    ("with TLVs", payload(tail=struct.pack("<II8s", 4, 3, b"abc") * 2), OK),
    ("longer entry", payload() + b"xyz", OK),
    ("cut", payload()[:-1], SHORT),
    ("empty", b"", SHORT),
    ("magic", b"PVBh" + payload()[4:], MAGIC),
    ("younger", payload(version=9), OK),
    ("incompatible", payload(version=2, compatible=2), VERSION),
    ("checksum", payload(crc=0x12345678), CHECKSUM),
    ("signature", payload(signature=b"KVMKXenVMMXenVMM"), SIGNATURE),
    ("TLV too long", payload(tail=struct.pack("<II8s", 4, 9, b"abc")), TLV),
    ("TLV of 4 GiB", payload(tail=struct.pack("<II", 4, 0xffffffff)), TLV),
]


@pytest.mark.parametrize("name, data, want", ROWS, ids=[r[0] for r in ROWS])
def test_32_bit_reader(reader, name, data, want):
    try:
        done = subprocess.run([reader], input=data)
    except OSError as e:
        if e.errno != errno.ENOEXEC or reader.read_bytes()[:20] != ELF32:
            raise
        pytest.skip("this machine's kernel runs no 32-bit programs")
    assert done.returncode == want


ALL_OF_IT = r"""
#include <pvboot/handover.h>

int find(uint64_t head, const struct pvboot_view *v, struct pvboot_handover *h, const uint8_t **payload)
{
    return pvboot_handover_find(head, *v, h, payload);
}
int next(struct pvboot_setup_walk *w, const struct pvboot_view *v, struct pvboot_setup_node *node)
{
    return pvboot_setup_next(w, *v, node);
}
int tlv(const uint8_t *payload, uint32_t type, struct pvboot_tlv *t)
{
    return pvboot_handover_tlv(payload, type, t);
}
uint32_t checksum(const uint8_t *payload, size_t n)
{
    return pvboot_handover_checksum(payload, n);
}
"""


@pytest.mark.parametrize("bits", ["-m32", "-m64"])
@pytest.mark.parametrize("compiler", ["gcc -std=c99", "clang -std=c99", "g++ -x c++", "clang++ -x c++"])
def test_the_reader_calls_nothing(tmp_path, compiler, bits):
    """Whatever the optimiser makes of it, also a loop that looks like memcpy()."""
    (tmp_path / "all.c").write_text(ALL_OF_IT)
    for optimise in ("-O0", "-O1", "-O2", "-O3", "-Os"):
        subprocess.run([*compiler.split(), bits, optimise, "-ffreestanding", "-fno-pic", "-fno-stack-protector",
                        f"-I{ROOT}/include", "-c", tmp_path / "all.c", "-o", tmp_path / "all.o"], check=True)
        text = subprocess.run(["nm", tmp_path / "all.o"], capture_output=True, text=True, check=True).stdout
        assert " U " not in text, (optimise, text)
        assert text.count(" T ") == 4  # the listing was understood


@pytest.mark.parametrize("bits", ["-m32", "-m64"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_startinfo_needs_no_library(tmp_path, compiler, bits):
    """src/startinfo asks for four functions of its surroundings, whatever the optimiser does.

    It is given the stub's few headers in place of a C library's, which for 32 bits need not be there.
    """
    multiarch = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=True).stdout.strip()
    headers = [f"-I{ROOT}/include", f"-I{ROOT}/src/stub/libc", "-idirafter", f"/usr/include/{multiarch}"]
    for optimise in ("-O0", "-O2", "-Os"):
        objects = []
        for source in sorted((ROOT / "src/startinfo").glob("*.c")):
            if source.name in OF_XEN and not os.path.exists("/usr/include/xen/arch-x86/hvm/start_info.h"):
                continue
            if source.name == "pv_start_info.c" and bits == "-m32":  # of a 64-bit guest, by Xen's header; not in the stub
                continue
            objects.append(tmp_path / (source.stem + ".o"))
            subprocess.run([compiler, bits, optimise, "-std=gnu11", "-ffreestanding", "-fno-pic",
                            "-fno-stack-protector", *headers, "-c", source, "-o", objects[-1]], check=True)
        text = subprocess.run(["nm", "-A", *objects], capture_output=True, text=True, check=True).stdout
        defined = {line.split()[-1] for line in text.splitlines() if " U " not in line}
        missing = {line.split()[-1] for line in text.splitlines() if " U " in line} - defined
        assert missing <= {"memcpy", "memset", "memcmp", "strlen"}
        assert "memcpy" in missing  # the listing was understood

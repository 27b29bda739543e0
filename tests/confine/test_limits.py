# SPDX-License-Identifier: LGPL-2.1-only
"""Bombs: what they cost the process that asks, and everybody who waits for it.

Memory is judged; time is reported, since a host that is busy with something else is no fault of ours, but for the bombs
that must not even be begun: the best of five counts.
"""
import bz2
import gzip
import random
import re
import subprocess
import zlib

import pytest

from kernels import BUILD, images, packed, pvboot, vmlinux, xz_of_zeros

MIB = 1 << 20


@pytest.fixture(scope="module")
def gigabyte():
    """1 GiB of zeroes, 157 kB long."""
    bomb = xz_of_zeros(64, 16 * MIB)
    assert 150000 < len(bomb) < 165000
    return bomb


def cost(path):
    """Milliseconds, KiB more than before in the asking process, class, sentence."""
    done = subprocess.run([BUILD / "tests/confine/cost", path, "vmlinux64", "0", BUILD / "pvboot-parse"],
                          capture_output=True, text=True, timeout=60, check=True)
    print(done.stdout)
    ms, kib, code, text = re.fullmatch(r"([\d.]+) ms, (\d+) KiB, class (\d+): (.*)\n", done.stdout).groups()
    return float(ms), int(kib), int(code), text


def cost_at_best(path):
    """The same; a bomb that is seen for one by its sizes takes no time, whatever else the host does."""
    runs = [cost(path) for _ in range(5)]
    assert min(ms for ms, *_ in runs) < 100
    return runs[-1]


def says(size):
    return size.to_bytes(4, "little")


def test_the_bomb_is_one(gigabyte, tmp_path):
    """xz itself must find a gigabyte in it, or nothing below means anything."""
    bomb = tmp_path / "bomb.xz"
    bomb.write_bytes(gigabyte)
    out = subprocess.run(["xz", "-l", "--robot", bomb], capture_output=True, text=True, check=True).stdout
    assert f"\t64\t{len(gigabyte)}\t{1 << 30}\t" in out


def test_honest_bomb(gigabyte, write):
    _, kib, code, text = cost_at_best(write(images.bzimage(gigabyte + says(1 << 30))))
    assert code == 68 and f"{1 << 30}" in text
    assert kib < 16 * 1024


@pytest.mark.parametrize("mib", [1, 64])
def test_lying_bomb(gigabyte, write, mib):
    """It says that it is small, but its own index knows better."""
    _, kib, code, text = cost_at_best(write(images.bzimage(gigabyte + says(mib * MIB))))
    assert code == 65 and f"{1 << 30} bytes by its index" in text and f"{mib * MIB}" in text
    assert kib < 16 * 1024


@pytest.mark.parametrize("mib", [1, 64])
def test_lying_bomb_without_index(gigabyte, write, mib):
    """Nothing in it tells, so it is unpacked up to what it declares: the helper's memory, not ours."""
    _, kib, code, text = cost(write(images.bzimage(gigabyte[:-2] + b"ZY" + says(mib * MIB))))
    assert code == 65 and f"more than {mib * MIB}" in text
    assert kib < 16 * 1024


@pytest.mark.parametrize("pack, most", [(gzip.compress, 128 << 10), (bz2.compress, 1024)])
def test_other_bombs(write, pack, most):
    """128 MiB of zeroes in gzip and in less than a kilobyte of bzip2: as honest and as lying ones."""
    bomb = pack(bytes(128 * MIB))
    assert len(bomb) < most + 4096
    stream = bomb[:-4] if pack is gzip.compress else bomb
    for size, want in (128 * MIB, 68), (1 * MIB, 65):
        _, kib, code, text = cost(write(images.bzimage(stream + says(size))))
        assert code == want and f"{size}" in text
        assert kib < 16 * 1024


def test_decoder_memory(write):
    """A dictionary of 1.5 GiB is more than a decoder may have."""
    import lzma

    data = vmlinux()
    stream = bytearray(lzma.compress(data, format=lzma.FORMAT_ALONE))
    stream[1:5] = (3 << 29).to_bytes(4, "little")
    _, kib, code, text = cost(write(images.bzimage(bytes(stream) + says(len(data)))))
    assert code == 68 and "decoder memory" in text
    assert kib < 16 * 1024


@pytest.mark.parametrize("codec, mib", [("lzma", 128), ("lzma", 192), ("xz", 128), ("xz", 192)])
def test_decoder_memory_that_fits(write, codec, mib):
    """A decoder takes its whole dictionary at once, whatever the stream needs of it: the limits leave it that."""
    data = vmlinux()
    stream = bytearray(packed(codec, data))
    if codec == "lzma":
        stream[1:5] = (mib * MIB).to_bytes(4, "little")
    else:  # the .xz file format, 3.1 and 5.3.1: block header from 12, LZMA2 has the dictionary's size as a code
        end = 12 + (stream[12] + 1) * 4
        code = stream.index(b"\x21\x01", 12, end) + 2
        stream[code] = {128: 30, 192: 31}[mib]
        stream[end - 4:end] = zlib.crc32(stream[12:end - 4]).to_bytes(4, "little")
    _, _, code, text = cost(write(images.bzimage(bytes(stream))))
    assert (code, text) == (0, "")


def test_a_kernel_needs_no_memory_here(write):
    """Unpacked bytes are the helper's until they are looked at."""
    data = vmlinux(file_bytes=60 * MIB, mem_bytes=64 * MIB)
    _, kib, code, text = cost(write(images.bzimage(packed("gzip", data))))
    assert (code, text) == (0, "")
    assert kib < 16 * 1024


SANDBOX = pytest.mark.parametrize("sandbox", ["strict", "off"])


@SANDBOX
def test_larger_kernel_if_the_administrator_wants(write, sandbox):
    kernel = write(vmlinux())
    with kernel.open("r+b") as f:
        f.truncate(300 * MIB)  # sparse
    code, _, err = pvboot("inspect", "--sandbox", sandbox, kernel)
    assert code == 68 and b"314572800 bytes, limit 268435456" in err
    assert pvboot("inspect", "--sandbox", sandbox, "--kernel-max", "299", kernel)[0] == 68
    assert pvboot("inspect", "--sandbox", sandbox, "--kernel-max", "300", kernel)[::2] == (0, b"")


@pytest.fixture(scope="module")
def half_a_gigabyte_and_more():
    """513 MiB that do not pack too well, since a hundredfold is another limit."""
    return gzip.compress(vmlinux() + random.Random(1).randbytes(6 * MIB) + bytes(507 * MIB), 1, mtime=0)


@SANDBOX
def test_larger_payload_if_the_administrator_wants(half_a_gigabyte_and_more, write, sandbox):
    kernel = write(images.bzimage(half_a_gigabyte_and_more))
    plan = ("plan", "--sandbox", sandbox, "--entry", "vmlinux64")
    code, out, err = pvboot(*plan, kernel)
    assert (code, out) == (68, b"") and b", limit 536870912" in err
    assert pvboot(*plan, "--unpacked-max", "513", kernel)[0] == 68
    assert pvboot(*plan, "--unpacked-max", "514", kernel)[::2] == (0, b"")


def test_larger_ramdisk_if_the_administrator_wants(write, tmp_path):
    ramdisk = tmp_path / "ramdisk"
    with ramdisk.open("wb") as f:
        f.truncate(1025 * MIB)
    plan = ("plan", "--memory", "4096", "--ramdisk", ramdisk)
    code, out, err = pvboot(*plan, write(images.bzimage()))
    assert (code, out) == (68, b"") and b"1074790400 bytes, limit 1073741824" in err
    assert pvboot(*plan, "--ramdisk-max", "1025", write(images.bzimage()))[::2] == (0, b"")

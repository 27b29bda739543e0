# SPDX-License-Identifier: LGPL-2.1-only
"""Kernels that are unpacked straight into the guest's pages: the guest that `pvboot dump` unpacks to memory of its own, and
no byte of the kernel went through xl."""
import pathlib
import shutil
import struct
import sys

import pytest

import images
from domain import PAGE, SCRUB
from test_build import DEBIAN, Dump, check_memory, check_nothing_left

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "confine"))
from kernels import PACK, packed  # noqa: E402

LINUX = images.note("Xen", 6, b"linux\0")
AT = images.LOAD


def elf(loads, notes=b"", size=None):
    """@loads: (offset, address, bytes in the file, bytes in memory); what is between them in the file is not zero."""
    notes = notes or images.xen_notes(loads[0][1]) + LINUX
    end = max(off + n for off, _, n, _ in loads)
    head = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 2, 62, 1, loads[0][1], 64, 0, 0, 64, 56,
                       len(loads) + 1, 0, 0, 0)
    head += b"".join(struct.pack("<IIQQQQQQ", 1, 7, off, gpa, gpa, n, size, PAGE) for off, gpa, n, size in loads)
    notes_off = end + 100
    head += struct.pack("<IIQQQQQQ", 4, 4, notes_off, 0, 0, len(notes), len(notes), 4)
    image = bytearray(b"\xa5" * notes_off + notes + images.pattern(size or 3 * PAGE, 6))
    image[:len(head)] = head
    for i, (off, _, n, _) in enumerate(loads):
        image[off:off + n] = images.pattern(n, 10 + i)
    return bytes(image)


# As Debian's: other offsets than addresses, pieces of pages at either end, bss, the last in the file the first in memory.
ODD = [(5 * PAGE + 0x123, AT + 8 * PAGE + 0x123, 2 * PAGE + 77, 4 * PAGE), (9 * PAGE, AT + 2 * PAGE, 3 * PAGE, 3 * PAGE),
       (12 * PAGE, AT + 14 * PAGE, 5, 2 * PAGE), (0, AT + 20 * PAGE, 0, PAGE), (2 * PAGE + 1, AT + 1, PAGE, PAGE + 1)]
ODD = [ODD[4], ODD[1], ODD[0], ODD[2], ODD[3]]
SPREAD = [(PAGE, AT, 8 * PAGE, 8 * PAGE)]
# What pages alone cannot do.
OLD_WAY = {
    "not congruent": [(PAGE + 8, AT, 3 * PAGE, 3 * PAGE)],
    "two in a page of the file": [(PAGE, AT, PAGE + 9, PAGE + 9), (2 * PAGE + 9, AT + 4 * PAGE + 9, PAGE, PAGE)],
    "two in a page of the guest": [(PAGE, AT, PAGE + 9, PAGE + 9), (4 * PAGE + 9, AT + PAGE + 9, PAGE, PAGE)],
    "one inside the other": [(PAGE, AT, 3 * PAGE, 3 * PAGE), (2 * PAGE, AT + 4 * PAGE, PAGE, PAGE)],
    "no bytes": [(PAGE, AT, 2 * PAGE, 2 * PAGE), (2 * PAGE, AT + PAGE * 8, PAGE, PAGE)],
}


def mapped(d):
    """Pages that xl mapped to write to them."""
    return sum(int(call[1], 0) for call in d.facts("call") if call[0] == "xenforeignmemory_map")


@pytest.fixture
def kernel(tmp_path):
    def make(data, codec="gzip", **more):
        path = tmp_path / "vmlinuz"
        path.write_bytes(images.bzimage(packed(codec, data), **more))
        return path
    return make


@pytest.fixture
def compare(build, domain, tmp_path):
    """compare(kernel, entry, ...): is the guest the dumped one?  Returns it, and the same with nothing unpacked to it."""
    def run(path, entry="pvh", mib=64, span=0, **more):
        words = {"carrier": f"pvboot entry={entry} rng_seed=0", "kernel": path, "mib": mib, "cmdline": "x", "claim": True}
        d = domain(**words, **more)
        assert d.built, d.err
        assert d.err == ""
        check_memory(d, Dump(build, tmp_path / "dump", path, entry, mib, 1, None, "x"))
        check_nothing_left(d)
        if span:  # no page of the window is as Xen left it
            assert any(start <= AT and AT + span <= end for start, end in d.touched())
            assert SCRUB * 64 not in d.memory(AT, span)
        seen = d.content(), mapped(d), d.registers
        off = domain(**words | {"carrier": words["carrier"] + " sandbox=off"}, **more)
        assert off.built and (off.content(), off.registers) == (seen[0], seen[2])
        return seen[1], mapped(off)
    return run


@pytest.mark.parametrize("entry", ["pvh", "vmlinux64"])
@pytest.mark.parametrize("codec", PACK)
def test_each_codec(compare, kernel, codec, entry):
    ours, old = compare(kernel(elf(SPREAD), codec), entry)
    assert ours == old - 8


@pytest.mark.parametrize("codec", PACK)
def test_segments_that_lie_otherwise_in_the_file(compare, kernel, codec):
    ours, old = compare(kernel(elf(ODD), codec), span=21 * PAGE)
    assert ours < old


@pytest.mark.parametrize("name", OLD_WAY)
def test_the_old_way(compare, kernel, name):
    ours, old = compare(kernel(elf(OLD_WAY[name])))
    assert ours == old or name == "no bytes"


def test_not_in_ram(domain, kernel):
    """The plan says so, as ever."""
    d = domain(carrier="pvboot entry=vmlinux64", kernel=kernel(elf(SPREAD)), mib=16)
    assert not d.built and d.refusal.startswith("pvboot: nofit: "), d.refusal


def test_moved_by_its_note(compare, kernel):
    """PHYS32_RELOC (19) lets it move out of the ISA hole, which is RAM to Xen: unpacked to one place, planned at another."""
    at = 0x9f000
    notes = images.xen_notes(at) + LINUX + images.note("Xen", 19, struct.pack("<III", PAGE, 0, 0xffffffff))
    ours, old = compare(kernel(elf([(PAGE, at, 3 * PAGE, 3 * PAGE)], notes)))
    assert ours > old  # what lay at the first place was taken back


def test_moved_with_what_lies_beside_it(compare, kernel):
    """Pieces of pages at either end: the helper had the whole pages, with bytes of the file that are no segment's."""
    at = 0x9f000 + 0x123
    notes = images.xen_notes(at) + LINUX + images.note("Xen", 19, struct.pack("<III", PAGE, 0, 0xffffffff))
    ours, old = compare(kernel(elf([(PAGE + 0x123, at, 2 * PAGE + 77, 3 * PAGE)], notes)))
    assert ours > old


def test_no_foreign_memory_for_the_helper(build, compare, plugin, kernel, tmp_path):
    """The helper that is installed asks Xen, and finds none here."""
    if pathlib.Path("/dev/xen/privcmd").exists():
        pytest.skip("/dev/xen/privcmd is here")
    for name in "pvboot-xl.so", "pvboot-stub.elf":
        shutil.copy(plugin.parent / name, tmp_path)
    shutil.copy(build / "pvboot-parse", tmp_path)
    ours, old = compare(kernel(elf(SPREAD)), preload=tmp_path / "pvboot-xl.so", shim=tmp_path / "pvboot-stub.elf")
    assert ours == old


def test_a_dump_has_the_bytes(domain, kernel, tmp_path):
    d = domain(carrier=f"pvboot entry=vmlinux64 rng_seed=0 dump={tmp_path / 'own'}", kernel=kernel(elf(SPREAD)))
    assert d.built, d.err
    assert d.memory(AT, 8 * PAGE) in (tmp_path / "own/kernel").read_bytes()


def test_digest_of_what_is_unpacked_to_the_guest(build, domain, kernel, tmp_path):
    path = kernel(elf(SPREAD))
    d = domain(carrier="pvboot entry=vmlinux64 rng_seed=0 digests=1", kernel=path, cmdline="x")
    assert d.built, d.err
    check_memory(d, Dump(build, tmp_path / "dump", path, "vmlinux64", 64, 1, None, "x", ["--digests"]))


def test_what_is_not_ram_stays_as_it_was(domain, kernel):
    """The pages that the helper had are those of the segments' bytes, and no more."""
    d = domain(carrier="pvboot entry=vmlinux64 rng_seed=0", kernel=kernel(elf(SPREAD)))
    assert d.built, d.err
    assert d.memory(AT + 8 * PAGE, PAGE) in (bytes(PAGE), SCRUB * PAGE)


@pytest.mark.parametrize("entry", ["pvh", "vmlinux64"])
def test_debian_kernel(compare, entry):
    if not DEBIAN:
        pytest.skip("no /boot/vmlinuz-*-amd64 here: linux-image-amd64 is not installed")
    ours, old = compare(DEBIAN[-1], entry, mib=256)
    assert ours < old / 2

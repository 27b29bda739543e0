# SPDX-License-Identifier: LGPL-2.1-only
"""Bad inputs that are bad only in a file system, or only beside a guest's memory: class, sentence, nothing left."""
import io
import os
import tarfile

import pytest

TIB, MIB = 1 << 40, 1 << 20
NOBODY = 65534


def refused(pvboot, tmp_path, code, text, *args, **more):
    before = sorted(p.name for p in tmp_path.iterdir())
    done = pvboot(*args, **more)
    assert done.returncode == code, done
    assert done.stderr.startswith("pvboot: ") and done.stderr.count("\n") == 1 and text in done.stderr, done.stderr
    assert done.stdout == "" and sorted(p.name for p in tmp_path.iterdir()) == before


def write_elf(tmp_path, **more):
    import images
    path = tmp_path / "elf"
    path.write_bytes(images.elf(images.xen_notes(more.get("load", images.LOAD)), **more))
    return path


@pytest.mark.parametrize("what", ["kernel", "ramdisk"])
def test_no_permission(public, kernel, tmp_path, what):
    secret = tmp_path / "secret"
    secret.write_bytes(kernel.read_bytes())
    secret.chmod(0)
    more = {}
    if not os.geteuid():
        more = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        for d in (tmp_path, *tmp_path.parents[:2]):  # pytest's own; the next one is /tmp
            d.chmod(0o755)
    args = ["plan", secret] if what == "kernel" else ["plan", "--ramdisk", secret, kernel]
    refused(public, tmp_path, 66, "Permission denied", *args, **more)


def test_kernel_file_too_long(pvboot, tmp_path):
    """By its size: it is all holes, and nothing of it is read."""
    path = tmp_path / "vmlinuz"
    for size, code, text in (256 * MIB + 1, 68, f"{256 * MIB + 1}"), (256 * MIB, 67, "not a bzImage or ELF"):
        with open(path, "wb") as f:
            f.truncate(size)
        refused(pvboot, tmp_path, code, text, "plan", path)


def test_path_too_long(pvboot, kernel, tmp_path):
    """The end of the name is what tells files apart: it is what the line keeps."""
    refused(pvboot, tmp_path, 66, "File name too long", "inspect", "x" * 5000 + "/vmlinuz")
    refused(pvboot, tmp_path, 66, "File name too long", "plan", "--ramdisk", "/" + "x" * 5000, kernel)


@pytest.mark.parametrize("name, load, mem_bytes, way", [
    ("1 TiB of bss", 16 * MIB, TIB, "guest memory ends at 0x204000000"),
    ("the ACPI tables", 0xfc000000, 5 * 4096, "the ACPI tables at 0xfc000000.."),
    ("the last page below them, and one of theirs", 0xfbfff000, 5 * 4096, "the ACPI tables at 0xfc000000.."),
    ("the special pages", 0xfeff8000, 5 * 4096, "the special pages at 0xfeff8000..0xff000000"),
    ("the local APIC", 0xfee00000, 5 * 4096, "no memory is at 0xfee00000..0xfeff8000"),
    ("up to 4 GiB", 0xfffff000 - 4 * 4096, 5 * 4096, "no memory is at 0xffffb000..0x100000000"),
])
def test_segment_where_no_memory_is(pvboot, tmp_path, name, load, mem_bytes, way):
    """The guest has 8 GiB, so that there is RAM on both sides of the hole."""
    kernel = write_elf(tmp_path, load=load, mem_bytes=mem_bytes)
    for text in f"at exactly 0x{load:x}", way:
        refused(pvboot, tmp_path, 69, text, "plan", "--entry", "pvh", "--memory", 8192, kernel)


@pytest.mark.parametrize("memory, init_size, text", [
    (256, 0xffffffff, "guest memory ends at 0x10000000"),
    (8192, 0xffffffff, "the ACPI tables at 0xfc000000.."),
    (1, 0x200000, "guest memory ends at 0x100000"),
])
def test_window_where_no_memory_is(pvboot, tmp_path, memory, init_size, text):
    import images
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(images.bzimage(init_size=init_size))
    for entry in "linux64", "linux32":
        refused(pvboot, tmp_path, 69, text, "plan", "--entry", entry, "--memory", memory, kernel)


def test_segment_up_to_the_hole(pvboot, tmp_path):
    load = 0xfc000000 - 5 * 4096
    kernel = write_elf(tmp_path, load=load)
    assert pvboot.json("plan", "--entry", "pvh", "--memory", 8192, kernel)["segments"][0]["end"] == 0xfc000000


def tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        t.addfile(tarfile.TarInfo("vmlinuz"), io.BytesIO(b""))
    return out.getvalue()


def iso():
    """ECMA-119: 16 sectors for whoever boots from it, then volume descriptors, a primary one and the terminator."""
    return bytes(16 * 2048) + b"".join(bytes([kind]) + b"CD001\x01" + bytes(2041) for kind in (1, 255))


@pytest.mark.parametrize("pack", [tar, iso])
def test_other_files(pvboot, tmp_path, pack):
    path = tmp_path / "vmlinuz"
    path.write_bytes(pack())
    refused(pvboot, tmp_path, 67, "vmlinuz: not a bzImage or ELF", "plan", path)


@pytest.mark.parametrize("size", [1, 511, 512, 0x26b])
def test_short_file(pvboot, kernel, tmp_path, size):
    path = tmp_path / "short"
    path.write_bytes(kernel.read_bytes()[:size])
    refused(pvboot, tmp_path, 65, "short: too short for a setup header", "plan", path)

# SPDX-License-Identifier: LGPL-2.1-only
"""Inputs as people have them, through the program and its confined parser."""
import gzip
import io
import pathlib
import shutil
import struct
import subprocess
import sys
import tarfile

import pytest


def write(tmp_path, data, name="kernel"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_notes_in_the_wild(pvboot, tmp_path):
    import images
    for name, data, starts in images.wild_elves():
        done = pvboot("plan", "--entry", "pvh", write(tmp_path, data))
        assert (done.returncode == 0) == starts, (name, done.stderr)
        assert starts or done.stderr.count("\n") == 1, (name, done.stderr)


def test_sixteen_bits_alone(pvboot, tmp_path):
    """iPXE's .lkrn: protocol 2.07, no code32_start, no payload."""
    import images
    data = bytearray(images.bzimage(protocol=0x207))
    struct.pack_into("<I", data, 0x214, 0)
    path = write(tmp_path, data)
    entries = pvboot.json("inspect", path)["entries"]
    assert not any(entry["ok"] for entry in entries.values())
    assert "code32_start is 0" in entries["linux32"]["why"]
    for entry in "auto", "linux32":
        done = pvboot("plan", "--entry", entry, path)
        assert (done.returncode, done.stderr.count("\n")) == (67, 1), done.stderr


def tool(data, *command):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


PACK = [("gzip", "gzip"), ("bzip2", "bzip2"), ("xz", "xz"), ("lzma", "xz", "--format=lzma"), ("zstd", "zstd", "-q"),
        ("lz4", "lz4", "-q", "-l", "-", "-")]


def dumped(pvboot, tmp_path, name, *args):
    pvboot.ok("dump", "-o", tmp_path / name, *args)
    return {path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if path.name != "manifest.json"}


@pytest.mark.parametrize("sandbox", ["strict", "off"])
def test_packed_files(pvboot, tmp_path, sandbox):
    """Whatever is around it, the guest gets the same bytes."""
    import images
    for kind, plain, entry in (("elf", images.elf(images.xen_notes(images.LOAD)), "pvh"),
                               ("bzimage", images.bzimage(), "linux64"), ("bzimage", images.bzimage(), "pvh")):
        args = ("--entry", entry, "--hypervisor", "none", "--sandbox", sandbox)
        want = dumped(pvboot, tmp_path, f"plain-{kind}-{entry}", *args, write(tmp_path, plain))
        for codec, *command in PACK:
            path = write(tmp_path, tool(plain, *command))
            assert dumped(pvboot, tmp_path, f"{codec}-{kind}-{entry}", *args, path) == want, codec
            wrapper = pvboot.json("inspect", "--sandbox", sandbox, path)["wrapper"]
            assert (wrapper["kind"], wrapper["codec"], wrapper["kernel_bytes"]) == ("packed", codec, len(plain))


@pytest.fixture
def uki(tmp_path):
    """Around a PE file with no section of ours, by objcopy, as ukify does it."""
    import images

    def make(**sections):
        path = tmp_path / "uki.efi"
        path.write_bytes(images.pe_stub())
        for i, (name, data) in enumerate({"linux": images.bzimage(), **sections}.items()):
            part = write(tmp_path, data, f"part-{name}")
            subprocess.run(["objcopy", "--add-section", f".{name}={part}", "--change-section-vma",
                            f".{name}={0x1000000 * (i + 1):#x}", path], check=True)
        return path
    return make


def test_unified_kernel_image(pvboot, uki, ramdisk, tmp_path):
    import images
    ucode, initrd, osrel = b"070701microcode", b"070701initrd", b"ID=toy\n"
    path = uki(ucode=ucode, initrd=initrd, osrel=osrel, cmdline=b"console=hvc0\nquiet\n")
    data = path.read_bytes()
    wrapper = pvboot.json("inspect", path)["wrapper"]
    assert wrapper["kind"] == "uki" and wrapper["cmdline"] == "console=hvc0 quiet" and wrapper["profiles"] == 0
    for name, want in ((".ucode", ucode), (".initrd", initrd), (".osrel", osrel)):
        span = wrapper["sections"][name]
        assert data[span["offset"]:span["offset"] + span["bytes"]] == want
    assert data[wrapper["offset"]:wrapper["offset"] + wrapper["bytes"]] == images.bzimage()
    for entry in "linux64", "linux32", "pvh":
        got = dumped(pvboot, tmp_path, f"own-{entry}", "--entry", entry, path)
        assert got["cmdline"].rstrip(b"\0") == b"console=hvc0 quiet"
        assert got["ramdisk"] == ucode + b"\0" + initrd
        got = dumped(pvboot, tmp_path, f"given-{entry}", "--entry", entry, "--cmdline", "mine", "--ramdisk", ramdisk, path)
        assert got["cmdline"].rstrip(b"\0") == b"mine"
        assert got["ramdisk"] == ucode + b"\0" + initrd + ramdisk.read_bytes()
    notes = pvboot.json("plan", "--cmdline", "mine", path)["notes"]
    assert any("replaces the kernel image's own" in note for note in notes)
    assert any(".ucode (15 bytes) and .initrd (12)" in note for note in notes)


def test_profiles(pvboot, uki):
    path = uki(profile=b"ID=main\n")
    assert any("of 1 profiles: the first is started" in note for note in pvboot.json("plan", path)["notes"])


@pytest.fixture
def ukify(tmp_path):
    """ukify(KEY=value) makes a unified kernel image by systemd's own tool and stub, where they are installed, or unpacked
    together and in the PATH."""
    import images
    found = shutil.which("ukify")
    stub = found and pathlib.Path(found).parents[1] / "lib/systemd/boot/efi/linuxx64.efi.stub"
    if not found:
        pytest.skip("no ukify in the PATH (Debian 13: systemd-ukify)")
    if not stub.exists():
        pytest.skip(f"no {stub} (Debian 13: systemd-boot-efi)")

    def make(**options):
        options = {"linux": write(tmp_path, images.bzimage()), "uname": "6.1.0-toy", "stub": stub,
                   "output": tmp_path / "uki.efi", **options}
        subprocess.run([sys.executable, found, "build", *(f"--{k}={v}" for k, v in options.items())], check=True,
                       stdout=subprocess.DEVNULL)
        return options["output"]
    return make


def test_by_ukify(pvboot, ukify, tmp_path):
    import images
    ucode, initrd = b"070701microcode", b"070701initrd"
    path = ukify(**{"microcode": write(tmp_path, ucode, "ucode"), "initrd": write(tmp_path, initrd, "initrd"),
                    "cmdline": "console=hvc0 quiet", "os-release": "ID=toy", "profile": "ID=main"})
    data, wrapper = path.read_bytes(), pvboot.json("inspect", path)["wrapper"]
    assert (wrapper["kind"], wrapper["cmdline"], wrapper["profiles"]) == ("uki", "console=hvc0 quiet", 1)
    assert data[wrapper["offset"]:wrapper["offset"] + wrapper["bytes"]] == images.bzimage()
    for name, want in ((".osrel", b"ID=toy"), (".uname", b"6.1.0-toy")):
        span = wrapper["sections"][name]
        assert data[span["offset"]:span["offset"] + span["bytes"]] == want
    got = dumped(pvboot, tmp_path, "out", "--entry", "linux64", path)
    assert got["cmdline"].rstrip(b"\0") == b"console=hvc0 quiet" and got["ramdisk"] == ucode + b"\0" + initrd


def test_ramdisks_that_are_none(pvboot, kernel, tmp_path):
    """A note and no refusal: some kernels have their own idea of what a ramdisk is."""
    for name, data, known in (("cpio", b"070701" + bytes(100), True), ("zstd", tool(b"x", "zstd", "-q"), True),
                              ("ext4", bytes(2048), False), ("text", b"#!/bin/sh\n", False)):
        notes = pvboot.json("plan", "--ramdisk", write(tmp_path, data, name), kernel)["notes"]
        assert any("ramdisk 1 of 1 is no cpio archive" in note for note in notes) != known, (name, notes)


def test_directory_of_ramdisks(pvboot, kernel, tmp_path):
    parts = tmp_path / "parts"
    parts.mkdir()
    for name in "b", "10", "9", "Z":
        (parts / name).write_bytes(b"070701" + name.encode().ljust(2, b"."))
    got = dumped(pvboot, tmp_path, "out", "--ramdisk", parts, kernel)
    assert got["ramdisk"] == b"07070110" + b"0707019." + b"070701Z." + b"070701b."
    for i in range(5):
        (parts / f"more{i}").write_bytes(b"x")
    done = pvboot("plan", "--ramdisk", parts, kernel)
    assert done.returncode == 68 and "parts: a directory of 9 files, room for 8" in done.stderr


def tar(*names):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    return out.getvalue()


@pytest.mark.parametrize("make, code, text", [
    (lambda images: tar("vmlinuz"), 67, "a tar archive"),
    (lambda images: gzip.compress(tar("vmlinuz")), 67, "gzip with no bzImage or ELF kernel in its 10240 bytes: a tar"),
    (lambda images: b"QFI\xfb" + bytes(600), 67, "a qcow2 disk image"),
    (lambda images: images.pe_stub(), 67, "a PE file, as EFI applications are, without a section .linux"),
    (lambda images: images.pe_stub(machine=0xaa64), 67, "PE file for machine 0xaa64"),
    (lambda images: gzip.compress(gzip.compress(images.bzimage())), 68, "limit 1 around a kernel"),
    (lambda images: gzip.compress(images.bzimage())[:-9], 65, "gzip stream ends early"),
    (lambda images: gzip.compress(images.bzimage()) + b"more", 65, "4 bytes before its end"),
    (lambda images: gzip.compress(bytes(70 << 20)), 68, "unpacks to more than 67108864, the limit"),
])
def test_refused_by_name(pvboot, tmp_path, make, code, text):
    import images
    for sandbox in "strict", "off":
        done = pvboot("plan", "--sandbox", sandbox, write(tmp_path, make(images)))
        assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
        assert text in done.stderr

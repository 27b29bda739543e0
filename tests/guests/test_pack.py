# SPDX-License-Identifier: LGPL-2.1-only
"""A packed image in QEMU, which starts it by its PVH note: without Xen, without pvboot on the host.

QEMU's own firmware writes the start info: SeaBIOS with the pvh option ROM on a PC, qboot on a microvm.
"""
import os
import pathlib
import struct
import subprocess
import sys
import zlib

import probe
import pytest
import qemu
from qemu import BUILD, MIB, STUB
from test_stub import PART, check_kernel, check_state, kernel, noise

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
ENV = {**os.environ, "PVBOOT_SANDBOX": "best"}


def pack(tmp_path, image, *options, name="packed"):
    out, source = tmp_path / name, tmp_path / "kernel"
    source.write_bytes(image)
    done = subprocess.run([BUILD / "pvboot", "pack", "--stub", STUB, *map(str, options), "-o", out, source],
                          capture_output=True, text=True, env=ENV)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return out


def file(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def start(image, scratch, *more, memory=256):
    command = ["qemu-system-x86_64", "-accel", "tcg", "-M", "pc", "-m", str(memory), "-kernel", str(image), *map(str, more)]
    return probe.parse(qemu.machine(command, scratch))


def check_ramdisk(report, data):
    assert report["ramdisk"][1:] == (len(data), zlib.crc32(data))


@pytest.mark.parametrize("entry", ["linux32", "linux64"])
def test_start(entry, tmp_path):
    """Kernel, two ramdisks, command line and options, all from the image."""
    one, two = b"070701" + noise(3 * MIB + 1), b"070701" + noise(999)
    image = kernel(entry, 20 * MIB)
    packed = pack(tmp_path, image, "--entry", entry, "--cmdline", "of the image", "--subarch", "2", "--force-subarch",
                  "--ramdisk", file(tmp_path, "one", one), "--ramdisk", file(tmp_path, "two", two))
    report = start(packed, tmp_path)
    check_state(report, entry)
    check_kernel(report, image[PART:])
    check_ramdisk(report, one + bytes(-len(one) % 4) + two)
    assert report["hex"]["cmdline"] == b"of the image\0"
    assert struct.unpack_from("<I", report["hex"]["zero_page"], 0x23C) == (2,)


def test_what_the_loader_gives_replaces_what_is_packed(tmp_path):
    outside = noise(2 * MIB)
    packed = pack(tmp_path, kernel("linux64"), "--cmdline", "of the image", "--ramdisk", file(tmp_path, "r", noise(MIB)))
    report = start(packed, tmp_path, "-append", "from outside", "-initrd", file(tmp_path, "outside", outside))
    check_ramdisk(report, outside)
    assert report["hex"]["cmdline"] == b"from outside\0"


def test_an_empty_command_line_replaces_nothing(tmp_path):
    report = start(pack(tmp_path, kernel("linux64"), "--cmdline", "of the image"), tmp_path, "-append", "")
    assert report["hex"]["cmdline"] == b"of the image\0" and "ramdisk" not in report


def test_longest_texts(tmp_path):
    packed = pack(tmp_path, kernel("linux64"), "--cmdline", "x" * 2047)
    assert start(packed, tmp_path)["hex"]["cmdline"] == b"x" * 2047 + b"\0"


# --- a kernel that people run ---------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def linux(tmp_path_factory):
    """Debian's kernel, and an initramfs that says that it has come up and ends the machine."""
    from lab.base import kernels, packages, paths
    from lab.base.cpio import Archive
    if not (paths.cache() / "unpacked").exists():
        pytest.skip("the lab has not fetched its kernels yet: python3 -m lab run does")
    store = packages.Store()
    archive = Archive()
    archive.chardev("/dev/console", 5, 1)
    archive.directory("/proc")
    archive.copy(packages.busybox(store, "amd64"), "/bin/busybox")
    archive.file("/init", b"#!/bin/busybox sh\n/bin/busybox mount -t proc proc /proc\n"
                 b"echo \"@init $(/bin/busybox cat /proc/cmdline) @\"\nexec /bin/busybox reboot -f\n", 0o755)
    where = tmp_path_factory.mktemp("linux") / "initrd"
    where.write_bytes(archive.finish())
    return kernels.image(store, kernels.KERNELS["6.1-cloud"]), where


MACHINES = {
    "pc": ["-M", "pc"],
    "q35": ["-M", "q35"],
    # whose start info is where its memory map has no RAM
    "microvm with qboot": ["-M", "microvm,acpi=off", "-bios", "qboot.rom"],
}


@pytest.mark.parametrize("machine, entry", [("pc", "linux64"), ("pc", "linux32"), ("q35", "auto"), ("microvm with qboot", "linux64")])
def test_linux_reaches_userland(linux, machine, entry, tmp_path):
    vmlinuz, initrd = linux
    packed = pack(tmp_path, vmlinuz.read_bytes(), "--entry", entry, "--cmdline",
                  "console=ttyS0 panic=-1 reboot=t quiet pvboot=packed", "--ramdisk", initrd)
    done = subprocess.run(["qemu-system-x86_64", "-accel", "tcg", *MACHINES[machine], "-m", "512", "-kernel", packed,
                           "-nographic", "-nodefaults", "-serial", "stdio", "-no-reboot"],
                          capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert "@init console=ttyS0 panic=-1 reboot=t quiet pvboot=packed @" in done.stdout, done.stdout[-2000:] + done.stderr

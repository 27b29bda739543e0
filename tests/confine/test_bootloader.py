# SPDX-License-Identifier: LGPL-2.1-only
"""What comes from a guest's disk cannot ask for anything of the host, not even with our own stub and carrier."""
import gzip
import re
import subprocess

import pytest

from kernels import BUILD, images

MIB = 1 << 20
OURS, STOCK = "hvm-3.0-x86_64", "hvm-3.0-x86_32"  # guest types: the plugin's, and what libxenguest gives a PVH kernel

pytestmark = pytest.mark.skipif(not (BUILD / "pvboot-xl.so").exists(), reason="no plugin: built without Xen's headers")


def loads(how, stub, cmdline, *images_and_cut):
    done = subprocess.run([BUILD / "tests/confine/bootloader", how, stub, cmdline, *images_and_cut], capture_output=True,
                          text=True, timeout=60, env={"LD_PRELOAD": str(BUILD / "pvboot-xl.so")})
    return done.returncode, done.stdout.strip(), done.stderr


@pytest.fixture
def stub(write):
    return write(images.elf(images.stub_notes(0x100000), load=0x100000, seed=3, bits=32), "stub")


@pytest.fixture
def kernel(write):
    return write(images.bzimage(), "kernel")


def test_administrators_shim_is_ours(kernel):
    assert loads("shim", BUILD / "pvboot-stub.elf", "pvboot entry=linux64", kernel)[:2] == (0, OURS)


def test_stub_as_a_kernel_of_its_own_name_is_not(kernel, tmp_path):
    """It looks like an administrator's guest without a command line, so it is refused and gets nothing."""
    code, loader, said = loads("file", BUILD / "pvboot-stub.elf", f"pvboot dump={tmp_path}/dump", kernel)
    assert (code, loader) == (0, "refused") and said.startswith("pvboot: usage: a kernel without a command line: ")
    assert said.count("\n") == 1 and not (tmp_path / "dump").exists()


def test_stub_by_any_other_name_is_a_kernel_like_any(kernel, tmp_path):
    """Of a domain without a shim the kernel may be a tenant's file, and the command line the tenant's text."""
    installed = BUILD / "pvboot-stub.elf"
    copied, linked = tmp_path / "pvboot-stub.elf", tmp_path / "linked"
    copied.write_bytes(installed.read_bytes())
    linked.symlink_to(installed)
    for name in (copied, linked, installed.parent / ".." / installed.parent.name / installed.name):
        assert loads("file", name, f"pvboot dump={tmp_path}/dump", kernel) == (0, STOCK, ""), name
    assert not (tmp_path / "dump").exists()


def test_guests_stub_is_a_kernel_like_any(stub, kernel, tmp_path):
    for cmdline in ("pvboot entry=linux64", f"pvboot dump={tmp_path}/dump", "pvboot sandbox=off", "pvboot"):
        assert loads("memory", stub, cmdline, kernel) == (0, STOCK, ""), cmdline


def test_packed_stub_neither(write, stub, kernel):
    """libxenguest unpacks gzip into memory of its own."""
    packed = write(gzip.compress(stub.read_bytes()), "stub.gz")
    assert loads("memory", packed, "pvboot entry=linux64", kernel) == (0, STOCK, "")


@pytest.fixture
def ramdisk(write):
    return write(images.pattern(3 * MIB + 5, 7), "ramdisk")


def ours(*images_and_cut, options="entry=linux64"):
    return loads("shim", BUILD / "pvboot-stub.elf", f"pvboot {options}", *images_and_cut)


def test_kernel_and_ramdisk_from_a_bootloader(kernel, ramdisk):
    assert ours(kernel, ramdisk) == (0, OURS, "")


@pytest.mark.parametrize("when", ["before", "during"])
@pytest.mark.parametrize("what", ["kernel", "ramdisk"])
def test_what_a_bootloader_mapped_is_cut(kernel, ramdisk, what, when):
    """Who reads such a mapping takes SIGBUS, and xl would be gone."""
    cut, bytes_ = (kernel, kernel.stat().st_size) if what == "kernel" else (ramdisk, ramdisk.stat().st_size)
    ends = 0 if when == "before" else bytes_ // 2
    code, loader, err = ours(kernel, ramdisk, cut, when)
    assert (code, loader) == (0, "refused")
    said = re.fullmatch(rf"pvboot: unreadable: the bootloader's {what}: changed while being copied: "
                        rf"ends after (\d+) of {bytes_} bytes\n", err)
    assert said and 0 <= int(said[1]) - ends < 4096, err


def test_ramdisk_of_a_bootloader_has_the_files_limit(kernel, write):
    exact, over = write(bytes(MIB), "exact"), write(bytes(MIB + 1), "over")
    assert ours(kernel, exact, options="entry=linux64 ramdisk_max=1") == (0, OURS, "")
    why = f"pvboot: limit: the bootloader's ramdisk: {MIB + 1} bytes, limit {MIB}\n"
    assert ours(kernel, over, options="entry=linux64 ramdisk_max=1") == (0, "refused", why)


def test_kernel_of_a_bootloader_has_the_files_limit(write):
    over = write(bytes(MIB + 1), "over")
    why = f"pvboot: limit: the bootloader's kernel: {MIB + 1} bytes, limit {MIB}\n"
    assert ours(over, options="entry=linux64 kernel_max=1") == (0, "refused", why)

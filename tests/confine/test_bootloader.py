# SPDX-License-Identifier: LGPL-2.1-only
"""What comes from a guest's disk cannot ask for anything of the host, not even with our own stub and carrier."""
import gzip
import subprocess

import pytest

from kernels import BUILD, images

OURS, STOCK = "hvm-3.0-x86_64", "hvm-3.0-x86_32"  # guest types: the plugin's, and what libxenguest gives a PVH kernel

pytestmark = pytest.mark.skipif(not (BUILD / "pvboot-xl.so").exists(), reason="no plugin: built without Xen's headers")


def loads(how, stub, cmdline, ramdisk):
    done = subprocess.run([BUILD / "tests/confine/bootloader", how, stub, cmdline, ramdisk], capture_output=True,
                          text=True, timeout=60, env={"LD_PRELOAD": str(BUILD / "pvboot-xl.so")})
    return done.returncode, done.stdout.strip(), done.stderr


@pytest.fixture
def stub(write):
    return write(images.elf(images.stub_notes(0x100000), load=0x100000, seed=3, bits=32), "stub")


@pytest.fixture
def kernel(write):
    return write(images.bzimage(), "kernel")


def test_administrators_shim_is_ours(kernel):
    assert loads("file", BUILD / "pvboot-stub.elf", "pvboot entry=linux64", kernel)[:2] == (0, OURS)


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

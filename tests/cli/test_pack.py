# SPDX-License-Identifier: LGPL-2.1-only
"""pvboot pack as a file; that it boots is tests/guests/test_pack.py and the lab's xl-packed."""
import gzip
import json
import struct
import subprocess

import pytest


@pytest.fixture(autouse=True)
def stub(pvboot):
    path = pvboot.path.parent / "pvboot-stub.elf"
    if not path.exists():
        pytest.skip("pvboot-stub.elf is not built: no Xen headers")
    return path


def contents(path, part):
    """By the note that readelf finds, not by what pvboot says."""
    data = path.read_bytes()
    at = data.index(b"pvboot\0\0", 64) + 8  # a name of seven bytes and its padding
    version, _, *spans = struct.unpack_from("<II8Q", data, at)
    off, n = spans[2 * part:2 * part + 2]
    assert version == 1
    return data[off:off + n]


def test_what_is_inside(pvboot, kernel, ramdisk, tmp_path):
    out, other = tmp_path / "packed", tmp_path / "other"
    other.write_bytes(b"070701" + bytes(100))
    pvboot.ok("pack", "--entry", "linux64", "--force-subarch", "--subarch", "xen", "--strict", "--cmdline", "a=b c", "--ramdisk",
              ramdisk, "--ramdisk", other, "-o", out, kernel)
    r = ramdisk.read_bytes()
    assert contents(out, 0) == kernel.read_bytes()
    assert contents(out, 1) == r + bytes(-len(r) % 4) + other.read_bytes()
    assert contents(out, 2) == b"a=b c"
    assert contents(out, 3) == b"entry=linux64 subarch=2 force_subarch=1 strict=1"
    seen = pvboot.json("inspect", out)
    assert seen["format"] == "elf" and seen["entries"]["pvh"]["ok"]
    assert [name for name, entry in seen["entries"].items() if entry["ok"]] == ["pvh"]
    assert {name: part["bytes"] for name, part in seen["packed"].items()} == {
        "kernel": kernel.stat().st_size, "ramdisk": len(contents(out, 1)), "cmdline": 5, "options": len(contents(out, 3))}
    assert seen["packed"]["cmdline"]["text"] == "a=b c"
    assert seen["packed"]["kernel"]["kernel_version"] == pvboot.json("inspect", kernel)["kernel_version"]
    assert pvboot.json("inspect", kernel)["packed"] is None


def test_by_readelf(pvboot, kernel, tmp_path, stub):
    """ELF64 for x86-64, segments ascending, apart, congruent to their place in the file; the entry lies in one of them."""
    out = tmp_path / "packed"
    pvboot.ok("pack", "-o", out, kernel)
    head = subprocess.run(["readelf", "-hlWn", out], capture_output=True, text=True, check=True)
    assert head.stderr == "" and "ELF64" in head.stdout and "X86-64" in head.stdout
    loads = [[int(x, 16) for x in line.split()[1:6]] for line in head.stdout.splitlines() if line.split()[:1] == ["LOAD"]]
    assert all(off % 4096 == gpa % 4096 for off, _, gpa, _, _ in loads)
    assert all(a[2] + a[4] <= b[2] and a[0] + a[3] <= b[0] for a, b in zip(loads, loads[1:]))
    entry = int(head.stdout.split("Entry point address:")[1].split()[0], 16)
    assert sum(gpa <= entry < gpa + n for _, _, gpa, n, _ in loads) == 1
    assert out.read_bytes()[0x202:0x206] != b"HdrS"  # QEMU would take it for a bzImage


def test_the_same_twice(pvboot, kernel, ramdisk, tmp_path):
    for name in "ab":
        pvboot.ok("pack", "--ramdisk", ramdisk, "-o", tmp_path / name, kernel)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_wrapped_kernel(pvboot, kernel, tmp_path):
    """What is packed is what is in the wrapper."""
    wrapped = tmp_path / "kernel.gz"
    wrapped.write_bytes(gzip.compress(kernel.read_bytes()))
    pvboot.ok("pack", "-o", tmp_path / "packed", wrapped)
    assert contents(tmp_path / "packed", 0) == kernel.read_bytes()


def test_pvboot_plans_it_as_a_pvh_kernel(pvboot, kernel, ramdisk, tmp_path):
    pvboot.ok("pack", "--cmdline", "inside", "-o", tmp_path / "packed", kernel)
    plan = pvboot.json("plan", "--cmdline", "outside", "--ramdisk", ramdisk, tmp_path / "packed")
    assert plan["entry"] == "pvh"
    assert {"kernel", "start info", "cmdline", "ramdisk"} <= {s["name"] for s in plan["segments"]}


@pytest.mark.parametrize("code, options, says", [
    (64, "K", "where to? -o IMAGE is missing"),
    (64, "-o O", "no kernel given"),
    (64, "--vcpus 2 -o O K", "--vcpus"),
    (64, "--entry frob -o O K", "entry 'frob'"),
    (64, "--cmdline a\nb -o O K", "control byte 0x0a"),
    (65, "--stub T -o O K", ""),
    (66, "--ramdisk N -o O K", "No such file"),
    (66, "--stub N -o O K", "No such file"),
    (67, "-o O E", "no bzImage: the stub starts nothing else"),
    (67, "--stub E -o O K", "not pvboot-stub.elf"),
    (67, "--entry pvh -o O K", "entry=pvh: the stub starts linux64 and linux32"),
    (68, "--cmdline " + "x" * 2048 + " -o O K", "2048"),
    (71, "-o /proc/nowhere/O K", "/proc/nowhere/O"),
])
def test_refused(pvboot, kernel, elf, tmp_path, code, options, says):
    cut = tmp_path / "cut"
    cut.write_bytes(elf.read_bytes()[:100])
    names = {"K": kernel, "E": elf, "T": cut, "N": tmp_path / "nothing", "O": tmp_path / "out"}
    before = sorted(p.name for p in tmp_path.iterdir())
    done = pvboot("pack", *(names.get(word, word) for word in options.split(" ")))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done
    assert says in done.stderr and sorted(p.name for p in tmp_path.iterdir()) == before


def damaged(path, part, off=None, n=None):
    data = bytearray(path.read_bytes())
    at = data.index(b"pvboot\0\0", 64) + 16 + 16 * part
    if off is not None:
        struct.pack_into("<Q", data, at, off)
    if n is not None:
        struct.pack_into("<Q", data, at + 8, n)
    return data


@pytest.mark.parametrize("part, off, n, says", [
    (0, 1 << 40, None, "packed kernel 0x10000000000+0x"),
    (0, None, 1 << 63, "packed kernel 0x"),
    (3, (1 << 64) - 1, 2, "packed options 0xffffffffffffffff+0x2 ends past"),
    (0, 0, None, "packed kernel 0x0+0x"),
    (0, None, 0, "is no bzImage"),
])
@pytest.mark.parametrize("sandbox", ["strict", "off"])
def test_hostile_notes(pvboot, kernel, tmp_path, part, off, n, says, sandbox):
    out = tmp_path / "packed"
    pvboot.ok("pack", "-o", out, kernel)
    out.write_bytes(damaged(out, part, off, n))
    done = pvboot("inspect", "--sandbox", sandbox, out)
    assert done.returncode == 65 and says in done.stderr, done.stderr


def test_of_another_version(pvboot, kernel, tmp_path):
    out = tmp_path / "packed"
    pvboot.ok("pack", "-o", out, kernel)
    data = bytearray(out.read_bytes())
    struct.pack_into("<I", data, data.index(b"pvboot\0\0", 64) + 8, 2)
    out.write_bytes(data)
    seen = pvboot.json("inspect", out)
    assert seen["packed"] is None and seen["entries"]["pvh"]["ok"]


def test_escapes(pvboot, kernel, tmp_path):
    out = tmp_path / "packed"
    pvboot.ok("pack", "--cmdline", "evil", "-o", out, kernel)
    out.write_bytes(out.read_bytes().replace(b"evil\0", b"e\x1b[l\0"))
    assert "e\\x1b[l" in pvboot.ok("inspect", out) and "\x1b" not in pvboot.ok("inspect", out)
    assert json.loads(pvboot.ok("inspect", "--json", out))["packed"]["cmdline"]["text"] == "e\\x1b[l"

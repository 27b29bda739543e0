# SPDX-License-Identifier: LGPL-2.1-only
"""pvboot_ramdisks=: further ramdisks, joined behind libxl's own as Linux's early-userspace/buffer-format.rst has it."""
import hashlib
import pathlib
import re
import struct
import sys

import images
import pytest
from test_build import PAGE, check_nothing_left, same, tlvs
from test_config import accepted, config, refused  # noqa: F401: config is a fixture

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "fuzz"))

import seeds  # noqa: E402

SIZES = (1, 4097, 4, 20003)


@pytest.fixture
def more(tmp_path):
    """Files of odd and even lengths."""
    found = []
    for number, size in enumerate(SIZES):
        found.append(tmp_path / f"more{number}")
        found[-1].write_bytes(images.pattern(size, 20 + number))
    return found


def joined(*paths):
    """Each archive starts at a multiple of 4, after zeroes."""
    out = b""
    for path in paths:
        out += bytes(-len(out) % 4) + path.read_bytes()
    return out


def handed_over(d):
    """What the zero page calls the ramdisk (boot.rst: ramdisk_image, ramdisk_size, ext_ramdisk_*), and its digest."""
    page = d.memory(d.registers["rsi"], PAGE)
    low, size = struct.unpack_from("<II", page, 0x218)
    high, high_size = struct.unpack_from("<II", page, 0xc0)
    node = d.memory(struct.unpack_from("<Q", page, 0x250)[0], PAGE)[16:]
    return d.memory(low | high << 32, size | high_size << 32), tlvs(node).get(6)


@pytest.mark.parametrize("entry", ["linux64", "linux32", "vmlinux64"])
@pytest.mark.parametrize("options", [{}, {"in_memory": True}], ids=["files", "of a bootloader"])
def test_joined_behind_libxls(domain, files, more, entry, options):
    d = domain(carrier=f"pvboot entry={entry} digests=1 ramdisks={','.join(map(str, more))}", kernel=files / "bzimage",
               ramdisk=files / "initrd", **options)
    assert d.built, d.err
    got, digest = handed_over(d)
    same(got, joined(files / "initrd", *more), "ramdisk")
    assert digest == hashlib.sha256(got).digest()
    check_nothing_left(d)


def test_on_their_own(domain, files, more):
    d = domain(carrier=f"pvboot entry=linux64 ramdisks={more[1]},{more[0]}", kernel=files / "bzimage")
    assert d.built, d.err
    same(handed_over(d)[0], joined(more[1], more[0]), "ramdisk")


def test_as_one_module_of_a_start_info(domain, files, more):
    d = domain(carrier=f"pvboot entry=pvh ramdisks={more[1]}", kernel=files / "pvh.elf", ramdisk=files / "initrd")
    assert d.built, d.err
    info = d.memory(d.registers["rbx"], PAGE)  # start_info.h: nr_modules at 12, modlist_paddr at 16
    modules, = struct.unpack_from("<Q", info, 16)
    gpa, size = struct.unpack_from("<QQ", d.memory(modules, 32))
    assert struct.unpack_from("<I", info, 12) == (1,)
    same(d.memory(gpa, size), joined(files / "initrd", more[1]), "ramdisk")


def test_eight_are_the_limit(domain, files, more):
    def build(count):
        return domain(carrier=f"pvboot entry=linux64 ramdisks={','.join([str(more[1])] * count)}",
                      kernel=files / "bzimage", ramdisk=files / "initrd")
    d = build(7)
    assert d.built, d.err
    same(handed_over(d)[0], joined(files / "initrd", *[more[1]] * 7), "ramdisk")
    d = build(8)
    assert not d.built
    assert d.refusal.startswith("pvboot: limit: ") and "limit 8" in d.refusal


@pytest.mark.parametrize("name,pattern", [("absent", "unreadable: .*absent: "), ("empty", "unreadable: .*empty: empty"),
                                          ("hollow", "unreadable: .*hollow: a directory without files"),
                                          ("nested", "unreadable: .*nested/hollow: not a regular file"),
                                          ("nine", "limit: .*nine: a directory of 9 files, room for 6")])
def test_each_is_read_like_the_first(domain, files, more, tmp_path, name, pattern):
    (tmp_path / "empty").touch()
    for directory in "hollow", "nested/hollow", "nine":
        (tmp_path / directory).mkdir(parents=True)
    for i in range(9):
        (tmp_path / f"nine/{i}").write_text("x")
    d = domain(carrier=f"pvboot entry=linux64 ramdisks={more[0]},{tmp_path / name}", kernel=files / "bzimage",
               ramdisk=files / "initrd")
    assert not d.built
    assert re.match(f"pvboot: {pattern}", d.refusal), d.refusal
    check_nothing_left(d)


def test_a_directory_stands_for_its_files(domain, files, more, tmp_path):
    """In the C locale's order, and without those that are hidden."""
    parts = tmp_path / "parts"
    parts.mkdir()
    for i, name in enumerate(("10-b", "9-a", "B", "a")):
        (parts / name).write_bytes(images.pattern(50 + i, 40 + i))
    (parts / ".hidden").write_text("x")
    d = domain(carrier=f"pvboot entry=linux64 ramdisks={more[1]},{parts}", kernel=files / "bzimage")
    assert d.built, d.err
    same(handed_over(d)[0], joined(more[1], *[parts / name for name in ("10-b", "9-a", "B", "a")]), "ramdisk")


def test_too_large_is_refused_unread(domain, files, tmp_path):
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate((1 << 30) + 1)
    d = domain(carrier=f"pvboot entry=linux64 ramdisks={tmp_path / 'huge'}", kernel=files / "bzimage")
    assert not d.built
    assert d.refusal.startswith("pvboot: limit: ") and "limit 1073741824" in d.refusal


@pytest.fixture
def pair(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(b"070701" + name.encode() * 99)
    return tmp_path


def test_config_carries_them(xl, config, pair):  # noqa: F811
    got = accepted(xl(config(f'pvboot_entry="linux64"\npvboot_ramdisks="{pair}/a,{pair}/b"\n')))
    assert got["b_info"]["type.pvh"]["pvshim_extra"] == f"entry=linux64 ramdisks={pair}/a,{pair}/b"


def test_config_takes_a_list(xl, config, pair):  # noqa: F811
    got = accepted(xl(config(f'pvboot_entry="linux64"\npvboot_ramdisks=[ "{pair}/a", # one\n "{pair}/b" ]\n')))
    assert got["b_info"]["type.pvh"]["pvshim_extra"] == f"entry=linux64 ramdisks={pair}/a,{pair}/b"


@pytest.mark.parametrize("value,says", [("[]", "absolute paths"), ('["a"]', "absolute paths"), ('["/a,/b"]', "want one string"),
                                        ('[["/a"]]', "want one string"), ('["/a", ""]', "absolute paths")])
def test_config_refuses_other_lists(xl, config, value, says):  # noqa: F811
    refused(xl(config(f"pvboot_ramdisks={value}\n")), rf"usage: .*line 9: pvboot_ramdisks: .*{says}")


@pytest.mark.parametrize("value", ["", "relative", "/a,b", "/a,", ",/a", "/a,,/b", "/a /b", "/a'b"])
def test_config_refuses_what_is_no_list_of_paths(xl, config, value):  # noqa: F811
    refused(xl(config(f'pvboot_ramdisks="{value}"\n')), r"usage: .*line 9: pvboot_ramdisks: .*absolute paths")


def test_config_refuses_them_with_the_stub(xl, config):  # noqa: F811
    refused(xl(config('pvboot_entry="stub"\npvboot_ramdisks="/a"\n')), r"usage: .*pvboot_ramdisks contradicts")


def test_what_a_unified_kernel_image_brings_along(domain, files, more, tmp_path):
    """Its .ucode and .initrd come first; its command line is for a guest that is given none."""
    path = tmp_path / "uki.efi"
    path.write_bytes(seeds.uki((files / "bzimage").read_bytes()))
    d = domain(carrier=f"pvboot entry=linux64 ramdisks={more[1]}", kernel=path, ramdisk=files / "initrd", cmdline="")
    assert d.built, d.err
    own = b"070701u\0" + b"070701i\0"
    same(handed_over(d)[0], own + joined(files / "initrd", more[1]), "ramdisk")
    page = d.memory(d.registers["rsi"], PAGE)
    assert d.memory(struct.unpack_from("<I", page, 0x228)[0], 7) == b"single\0"
    assert "pvboot: note: a unified kernel image of 2 profiles: the first is started" in d.err
    d = domain(carrier="pvboot entry=linux64", kernel=path, cmdline="mine")
    page = d.memory(d.registers["rsi"], PAGE)
    assert d.memory(struct.unpack_from("<I", page, 0x228)[0], 5) == b"mine\0"

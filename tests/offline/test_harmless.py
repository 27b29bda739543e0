# SPDX-License-Identifier: LGPL-2.1-only
"""A domain that did not ask for pvboot is built exactly as without the plugin: the same requests to Xen, the same guest
memory, registers, log and errors."""
import hashlib
import pathlib
import re

import pytest

DEBIAN = sorted(pathlib.Path("/boot").glob("vmlinuz-*-amd64"))
OURS = re.compile(r".*: trying pvboot loader \.\.\. \n.*: loader probe failed\n")


def memory_digest(d):
    """All bytes that were ever mapped, and where; the rest was never touched."""
    h = hashlib.sha256()
    for start, end in d.touched():
        h.update(b"%x-%x" % (start, end))
        h.update(d.memory(start, end - start))
    return h.hexdigest()


def comparable(log):
    """Addresses in the toolstack's own process differ from run to run."""
    return re.sub(r"0x[567][0-9a-f]{11}\b", "PTR", log)


def check(domain, plugin, same_log=True, **options):
    with_plugin = domain(preload=plugin, **options)
    mine = (with_plugin.out, with_plugin.err, with_plugin.built, memory_digest(with_plugin))
    log, asked = comparable(with_plugin.log), with_plugin.loaders
    stock = domain(preload=None, **options)
    assert "pvboot" not in stock.loaders
    assert mine == (stock.out, stock.err, stock.built, memory_digest(stock))
    # The one trace: libxenguest's detail log says that it asked one loader more.
    assert asked == (["pvboot"] + stock.loaders if stock.loaders else [])
    assert not same_log or OURS.sub("", log) == comparable(stock.log)
    return stock


GUEST = {"mib": 64, "vcpus": 3, "cmdline": "console=hvc0 pvboot entry=linux64", "claim": True}


def test_pvh_elf(domain, plugin, files):
    assert check(domain, plugin, kind="pvh", kernel=files / "pvh.elf", ramdisk=files / "initrd", **GUEST).built


def test_pvh_bzimage(domain, plugin, files):
    assert check(domain, plugin, kind="pvh", kernel=files / "bzimage", ramdisk=files / "initrd", **GUEST).built


def test_pvh_big(domain, plugin, files):
    assert check(domain, plugin, kind="pvh", kernel=files / "pvh.elf", **dict(GUEST, mib=5120)).built


def test_pvh_kernel_called_pvboot(domain, plugin, files, tmp_path):
    kernel = tmp_path / "pvboot"
    kernel.write_bytes((files / "pvh.elf").read_bytes())
    assert check(domain, plugin, kind="pvh", kernel=kernel, mib=64, cmdline="pvboot entry=linux64").built


def test_pv_elf(domain, plugin, files):
    assert check(domain, plugin, kind="pv", kernel=files / "pv.elf", ramdisk=files / "initrd", **GUEST).built


def test_pv_with_the_carrier_as_command_line(domain, plugin, files):
    assert check(domain, plugin, kind="pv", kernel=files / "pv.elf", **dict(GUEST, cmdline="pvboot entry=linux64")).built


@pytest.mark.parametrize("carrier", ["pv-shim console=xen,pv", "pvbootx entry=linux64", " pvboot", "Pvboot", ""])
def test_pvshim(domain, plugin, files, carrier):
    options = dict(GUEST, kernel=files / "pv.elf", ramdisk=files / "initrd", carrier=carrier)
    assert check(domain, plugin, shim=files / "pvshim.elf", **options).built
    assert check(domain, plugin, **options).built  # even when the shim is our own stub


def test_another_shim_with_our_carrier(domain, plugin, files):
    """Both marks are needed: somebody may call an own shim's option "pvboot"."""
    assert check(domain, plugin, shim=files / "pvshim.elf", carrier="pvboot entry=linux64", kernel=files / "pv.elf",
                 **GUEST).built


def test_our_stub_by_another_name(domain, plugin, files, tmp_path):
    """A kernel file and a command line may be a tenant's: they ask for nothing of the host."""
    stub = plugin.parent / "pvboot-stub.elf"
    copied, linked = tmp_path / "pvboot-stub.elf", tmp_path / "linked"
    copied.write_bytes(stub.read_bytes())
    linked.symlink_to(stub)
    carrier = f"pvboot entry=linux64 ramdisks={files / 'text'} dump={tmp_path / 'dump'}"
    for name in (copied, linked):
        check(domain, plugin, kind="pvh", kernel=name, ramdisk=files / "bzimage", mib=64, cmdline=carrier)
        check(domain, plugin, shim=name, carrier=carrier, kernel=files / "bzimage", mib=64)
    assert not (tmp_path / "dump").exists()


@pytest.mark.parametrize("in_memory", [{}, {"in_memory": True}], ids=["files", "memory"])
@pytest.mark.parametrize("kind", ["pvh", "pv", "hvm"])
@pytest.mark.parametrize("ramdisk", [{}, {"ramdisk": "initrd"}], ids=["alone", "ramdisk"])
@pytest.mark.parametrize("words", ["console=hvc0", "pvboot entry=stub", "pvbootx", ""])
def test_our_stub_as_a_kernel(domain, plugin, files, kind, ramdisk, in_memory, words):
    """By the very path that pvshim_path has."""
    more = {key: files / name for key, name in ramdisk.items()} | in_memory
    check(domain, plugin, kind=kind, kernel=plugin.parent / "pvboot-stub.elf", mib=64, cmdline=words, **more)


SHAPES = [("pvh", {}, {}), ("pvh", {}, {"in_memory": True}), ("pvh", {"ramdisk": "bzimage"}, {"in_memory": True}),
          ("pv", {"ramdisk": "bzimage"}, {}), ("hvm", {}, {}), ("hvm", {"ramdisk": "bzimage"}, {}),
          ("hvm", {"ramdisk": "bzimage"}, {"in_memory": True})]


@pytest.mark.parametrize("kind,ramdisk,how", SHAPES, ids=range(len(SHAPES)))
@pytest.mark.parametrize("words", ["pvboot entry=linux64 ramdisks={secret} dump={dump}", "pvboot", "pvboot nonsense"])
def test_our_stub_as_a_kernel_with_our_words(domain, plugin, files, tmp_path, kind, ramdisk, how, words):
    """What a tenant can write who may choose kernel and command line: it asks for nothing of the host."""
    more = {key: files / name for key, name in ramdisk.items()} | how
    stub, dump = plugin.parent / "pvboot-stub.elf", tmp_path / "dump"
    dump.mkdir()
    words = words.format(secret=files / "text", dump=dump)
    if (kind, words) == ("hvm", "pvboot nonsense") and ramdisk and not how:
        pytest.skip("with firmware_override= the administrator's words, and refused")
    # a boot ROM looks like a shim's kernel until libxl has said that there is a device model: read, not mapped
    check(domain, plugin, kind != "hvm" or not ramdisk, kind=kind, kernel=stub, mib=64, cmdline=words, **more)
    assert not list(dump.iterdir())


@pytest.mark.parametrize("entry", ["linux64", "vmlinux64"])
def test_a_boot_rom_goes_to_stock_code_whole(domain, plugin, tmp_path, entry):
    """Of what it takes for a kernel the plugin reads the beginning, and the rest only if it is one."""
    rom = tmp_path / "rom"
    rom.write_bytes(bytes(range(256)) * 1024)
    check(domain, plugin, False, kind="hvm", kernel=plugin.parent / "pvboot-stub.elf", ramdisk=rom, mib=64,
          cmdline=f"pvboot entry={entry}")


def test_handed_over_in_memory(domain, plugin, files):
    assert check(domain, plugin, shim=files / "pvshim.elf", carrier="pv-shim", kernel=files / "pv.elf",
                 ramdisk=files / "initrd", in_memory=True, **GUEST).built


def test_populate_on_demand(domain, plugin, files):
    assert check(domain, plugin, kind="pvh", kernel=files / "pvh.elf", mib=64, maxmem=128).built


@pytest.mark.parametrize("kind", ["pvh", "pv"])
@pytest.mark.parametrize("name", ["text", "initrd", "absent", "."])
def test_failures(domain, plugin, files, kind, name):
    assert not check(domain, plugin, kind=kind, kernel=files / name, **GUEST).built


@pytest.mark.parametrize("kind", ["pvh", "shim"])
def test_absent_modules(domain, plugin, files, kind):
    options = dict(GUEST, kernel=files / "pvh.elf", ramdisk=files / "absent", carrier="pv-shim")
    assert not check(domain, plugin, kind=kind, shim=files / "pvshim.elf", **options).built


@pytest.mark.parametrize("kind", ["pvh", "pv"])
def test_debian_kernel(domain, plugin, files, kind):
    if not DEBIAN:
        pytest.skip("no /boot/vmlinuz-*-amd64 here: linux-image-amd64 is not installed")
    assert check(domain, plugin, kind=kind, kernel=DEBIAN[-1], ramdisk=files / "initrd", mib=256, vcpus=2,
                 cmdline="console=hvc0").built

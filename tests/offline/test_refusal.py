# SPDX-License-Identifier: LGPL-2.1-only
"""A domain with the carrier that pvboot refuses: one line says why, no stock parser gets to see the image, and nothing
is left behind."""
import gzip
import os

import images
import pytest

ENTRIES = ["linux64", "linux32", "pvh", "vmlinux64", "auto"]


def patched(off, data):
    image = bytearray(images.bzimage())
    image[off:off + len(data)] = data
    return bytes(image)


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


MALFORMED = {
    "one byte": b"M",
    "ends in the setup header": images.bzimage()[:0x210],
    "no boot flag": patched(0x1fe, b"\0\0"),
    "setup past the end": patched(0x1f1, b"\xff"),
    "backward jump": patched(0x200, b"\xeb\xfe"),
    "alignment 3": patched(0x230, b"\3\0\0\0"),
    "init_size 0": patched(0x260, bytes(4)),
    "address wraps": patched(0x258, b"\xff" * 8),
    "syssize past the end": patched(0x1f4, b"\xff\xff\xff\x7f"),
    "payload past the end": patched(0x248, b"\xff\xff\xff\x7f"),
    "ELF without headers": b"\x7fELF" + bytes(60),
    "ELF cut short": images.elf(images.xen_notes(images.LOAD))[:5000],
}
GZIP = gzip.compress(images.elf(images.xen_notes(images.LOAD)), mtime=0)
BAD_PAYLOAD = {
    "cut gzip": images.bzimage(GZIP[:5000] + GZIP[-8:]),
    "flipped bit": images.bzimage(flipped(GZIP, 5000)),
    "no ELF inside": images.bzimage(gzip.compress(b"no kernel at all" * 100, mtime=0)),
    "bzImage inside": images.bzimage(gzip.compress(images.bzimage(), mtime=0)),
    "unknown codec": images.bzimage(b"\1\2\3\4" * 1000),
    "note past the end": images.bzimage(gzip.compress(images.elf(b"\4\0\0\0\xf0\xff\xff\xff\x12\0\0\0Xen\0" * 2), mtime=0)),
}


def refused(d, stage, pattern):
    assert not d.built
    assert d.facts("result") == [[stage, "-1"]]
    assert d.refusal.startswith(pattern), d.refusal
    assert d.loaders in (["pvboot"], [])
    assert d.facts("left") == [["maps", "0", "handles", "0", "claim", "0"]]
    assert d.facts("broken") == [["nothing"]]
    return d.refusal


def no_memory_given(d):
    assert not any(call[0] == "xc_domain_populate_physmap" for call in d.facts("call"))


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(domain, tmp_path, name, entry):
    kernel = tmp_path / "kernel"
    kernel.write_bytes(MALFORMED[name])
    d = domain(carrier=f"pvboot entry={entry}", kernel=kernel)
    assert str(kernel) in refused(d, "xc_dom_parse_image", "pvboot: malformed: ")
    no_memory_given(d)


@pytest.mark.parametrize("entry", ["pvh", "vmlinux64"])
@pytest.mark.parametrize("name", BAD_PAYLOAD)
def test_malformed_payload(domain, tmp_path, name, entry):
    kernel = tmp_path / "kernel"
    kernel.write_bytes(BAD_PAYLOAD[name])
    d = domain(carrier=f"pvboot entry={entry}", kernel=kernel)
    late = name in ("cut gzip", "flipped bit", "note past the end")  # what begins well is unpacked to the guest
    refused(d, "xc_dom_build_image" if late else "xc_dom_parse_image",
            "pvboot: unsupported: " if name == "unknown codec" else "pvboot: malformed: ")
    if not late:
        no_memory_given(d)


@pytest.mark.parametrize("name", ["no boot flag", "ELF cut short"])
def test_malformed_from_a_bootloader(domain, tmp_path, name):
    kernel = tmp_path / "kernel"
    kernel.write_bytes(MALFORMED[name])
    refused(domain(carrier="pvboot", kernel=kernel, in_memory=True), "xc_dom_parse_image", "pvboot: malformed: ")


@pytest.mark.parametrize("name", ["absent", ".", "empty", "fifo"])
@pytest.mark.parametrize("what", ["kernel", "ramdisk"])
def test_unreadable(domain, files, tmp_path, what, name):
    path = files / name
    if name == "empty":
        path = tmp_path / name
        path.write_bytes(b"")
    elif name == "fifo":
        path = tmp_path / name
        os.mkfifo(path)
    options = {"kernel": files / "bzimage", "ramdisk": files / "initrd", what: path}
    refused(domain(carrier="pvboot", **options), "xc_dom_module_file", f"pvboot: unreadable: {path}: ")


@pytest.mark.parametrize("entry,kernel", [("linux64", "text"), ("linux64", "bzimage32"), ("linux32", "pvh.elf"),
                                          ("pvh", "pv.elf"), ("vmlinux64", "pvh.elf"), ("auto", "text")])
def test_entry_not_offered(domain, files, entry, kernel):
    d = domain(carrier=f"pvboot entry={entry}", kernel=files / kernel)
    stage = "xc_dom_parse_image" if kernel == "text" else "xc_dom_build_image"
    refused(d, stage, "pvboot: unsupported: ")


@pytest.mark.parametrize("carrier", ["pvboot entry=linux65", "pvboot colour=red", "pvboot linux64", "pvboot entry=",
                                     "pvboot subarch=12x", "pvboot  entry=linux64 entry"])
def test_carrier_edited_by_hand(domain, files, carrier):
    d = domain(carrier=carrier, kernel=files / "bzimage")
    refused(d, "xc_dom_module_file", "pvboot: usage: ")
    no_memory_given(d)


UNMARKED = r"pvboot: usage: a kernel without a command line: "


@pytest.mark.parametrize("how", [{}, {"in_memory": True}], ids=["file", "memory"])
@pytest.mark.parametrize("carrier", ["pvboot", "pvboot entry=linux64 dump=DUMP", "pvboot nonsense"])
def test_guest_without_a_command_line(domain, files, tmp_path, carrier, how):
    """A config in stock words without cmdline=, a bootloader without arguments: it did ask for us."""
    dump = tmp_path / "dump"
    d = domain(carrier=carrier.replace("DUMP", str(dump)), kernel=files / "bzimage", ramdisk=files / "initrd",
               no_guest_cmdline=True, **how)
    refused(d, "xc_dom_parse_image", UNMARKED)
    no_memory_given(d)
    assert not dump.exists()


def test_tenants_stub_with_a_ramdisk(domain, plugin, files, tmp_path):
    """... and so may a tenant have who can choose kernel, ramdisk and command line: nothing is read or written for it."""
    words = f"pvboot entry=linux64 ramdisks={tmp_path / 'absent'} dump={tmp_path / 'dump'}"
    d = domain(kind="pvh", kernel=plugin.parent / "pvboot-stub.elf", ramdisk=files / "bzimage", cmdline=words)
    refused(d, "xc_dom_parse_image", UNMARKED)
    no_memory_given(d)
    assert not (tmp_path / "dump").exists()


def test_command_line_too_long(domain, files):
    refused(domain(carrier="pvboot", kernel=files / "bzimage", cmdline="x" * 2048), "xc_dom_build_image", f"pvboot: limit: {files / 'bzimage'}: ")


def test_command_line_stock_would_abort_on(domain, files):
    """Through the stub the stock hooks build, and assert that there are at most 1,023 bytes."""
    for how in ({}, {"in_memory": True}):
        d = domain(carrier="pvboot entry=stub", kernel=files / "bzimage", cmdline="x" * 1023, **how)
        assert d.built, d.err
        d = domain(carrier="pvboot entry=stub", kernel=files / "bzimage", cmdline="x" * 1024, **how)
        refused(d, "xc_dom_parse_image", "pvboot: limit: ")
        assert "1024 bytes through stub: stock libxenguest's limit is 1023" in d.err


def test_no_room(domain, files, tmp_path):
    ramdisk = tmp_path / "big"
    ramdisk.write_bytes(bytes(15 << 20))
    refused(domain(carrier="pvboot", kernel=files / "bzimage", ramdisk=ramdisk, mib=16), "xc_dom_build_image", f"pvboot: nofit: {files / 'bzimage'}: ")


def test_virtual_numa(domain, files):
    refused(domain(carrier="pvboot", kernel=files / "bzimage", vnuma=True), "xc_dom_boot_mem_init", "pvboot: unsupported: vnuma: ")


@pytest.mark.parametrize("carrier", ["pvboot entry=linux64 dump=/proc/none", "pvboot entry=linux64 dump=/dev/null"])
def test_dump_that_cannot_be_written(domain, files, carrier):
    d = domain(carrier=carrier, kernel=files / "bzimage")
    refused(d, "xc_dom_boot_image", "pvboot: host: ")


LARGE_ELF = images.elf(images.xen_notes(images.LOAD)) + bytes(2 << 20)


@pytest.mark.parametrize("option, kernel, ramdisk, stage, text", [
    ("kernel_max=1", images.bzimage() + bytes(3 << 20), b"x", "xc_dom_module_file", "limit 1048576"),
    ("ramdisk_max=1", images.bzimage(), bytes((1 << 20) + 1), "xc_dom_module_file", "1048577 bytes, limit 1048576"),
    ("unpacked_max=1", images.bzimage(gzip.compress(LARGE_ELF, mtime=0)), b"x", "xc_dom_parse_image", "limit 1048576"),
    ("kernel_max=1025", images.bzimage(), b"x", "xc_dom_module_file", "not a number of MiB"),
], ids=["kernel_max", "ramdisk_max", "unpacked_max", "over the hard maximum"])
def test_administrators_limit(domain, tmp_path, option, kernel, ramdisk, stage, text):
    paths = {"kernel": tmp_path / "kernel", "ramdisk": tmp_path / "ramdisk"}
    paths["kernel"].write_bytes(kernel)
    paths["ramdisk"].write_bytes(ramdisk)
    d = domain(carrier=f"pvboot entry=vmlinux64 {option}", **paths)
    said = refused(d, stage, "pvboot: usage: " if "hard" in text or "number" in text else "pvboot: limit: ")
    assert text in said
    no_memory_given(d)
    d = domain(carrier=f"pvboot entry=vmlinux64 {option.split('=')[0]}=4", **paths)
    assert d.built, d.err


def test_administrators_limit_from_a_bootloader(domain, files):
    d = domain(carrier="pvboot kernel_max=1", kernel=files / "large", in_memory=True)
    assert "3145728 bytes, limit 1048576" in refused(d, "xc_dom_parse_image", "pvboot: limit: ")

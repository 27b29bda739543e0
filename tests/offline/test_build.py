# SPDX-License-Identifier: LGPL-2.1-only
"""A domain with the carrier, built by stock libxenguest: the guest gets what `pvboot dump` says it gets."""
import json
import pathlib
import struct
import subprocess

import pytest

PAGE = 4096
GIB = 1 << 30
ACPI = {0xfc000000: 0xa2, 0xfc001000: 0xa3, 0xfc008000: 0xa1}  # info page, tables, RSDP: the driver's bytes
DEBIAN = sorted(pathlib.Path("/boot").glob("vmlinuz-*-amd64"))

# Xen's public hvm/params.h and the places stock libxenguest uses: 8 pages below 0xff000000.
PARAMS = {1: 0xfeffc, 2: 0, 5: 0xfeffd, 6: 0xfeffb, 12: 0xfeffe000, 17: 0xfefff, 18: 0, 27: 0xfeff8, 28: 0xfeff9,
          29: 0xfeffa}

CASES = [  # entry, kernel, memory in MiB, vCPUs, ramdisk?, command line
    ("linux64", "bzimage", 64, 1, True, "console=hvc0 quiet"),
    ("linux64", "bzimage", 64, 1, False, None),
    ("linux64", "bzimage", 5120, 4, True, "x" * 2047),
    ("linux64", "bzimage", 4032, 1, True, "just up to the hole"),
    ("linux32", "bzimage", 64, 2, True, "console=hvc0"),
    ("linux32", "bzimage32", 33, 1, True, ""),
    ("pvh", "bzimage", 64, 1, True, "console=hvc0"),
    ("pvh", "pvh.elf", 5120, 8, True, "unpacked already"),
    ("pvh", "pvh.elf", 64, 1, False, None),
    ("pvh", "two_loads.elf", 64, 1, False, None),
    ("vmlinux64", "two_loads.elf", 64, 1, True, None),
    ("vmlinux64", "bzimage", 64, 1, True, "console=hvc0"),
    ("vmlinux64", "vmlinux", 5120, 1, False, "console=hvc0"),
    ("auto", "bzimage", 64, 1, True, "console=hvc0"),
    ("auto", "bzimage32", 64, 1, True, "console=hvc0"),
    ("auto", "pvh.elf", 64, 1, True, "console=hvc0"),
]


class Dump:
    """What the command line tool says about the same guest."""

    def __init__(self, build, out, kernel, entry, mib, vcpus, ramdisk, cmdline, more=()):
        command = [build / "pvboot", "dump", "--entry", entry, "--memory", str(mib), "--vcpus", str(vcpus), "-o", out]
        command += ["--ramdisk", ramdisk] if ramdisk else []
        command += ["--cmdline", cmdline or ""]  # a guest of the plugin's always has one
        subprocess.run([*command, *more, kernel], check=True, capture_output=True)
        self.out = out
        self.manifest = json.loads((out / "manifest.json").read_text())

    def segments(self):
        for s in self.manifest["segments"]:
            yield s["name"], s["gpa"], (self.out / s["file"]).read_bytes()


def build_both(build, domain, files, out, case, extra="", more=()):
    entry, kernel, mib, vcpus, with_ramdisk, cmdline = case
    ramdisk = files / "initrd" if with_ramdisk else None
    options = {"carrier": f"pvboot entry={entry} rng_seed=0{extra}", "kernel": files / kernel, "mib": mib, "vcpus": vcpus}
    if ramdisk:
        options["ramdisk"] = ramdisk
    if cmdline is not None:
        options["cmdline"] = cmdline
    d = domain(claim=True, **options)
    return d, Dump(build, out, files / kernel, entry, mib, vcpus, ramdisk, cmdline, more)


def same(got, want, what):
    """As assert got == want, without pytest's diff of megabytes."""
    if got != want:
        at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
        pytest.fail(f"{what}: byte {at:#x} of {len(want):#x} is {got[at:at + 8].hex()}, not {want[at:at + 8].hex()}")


def check_memory(d, dump):
    """Each segment is there, and nothing else is but what Xen's toolstack puts there itself."""
    expected = {}

    def lay(gpa, data):
        at = 0
        while at < len(data):
            page, skip = (gpa + at) // PAGE * PAGE, (gpa + at) % PAGE
            expected.setdefault(page, {})[skip] = data[at:at + PAGE - skip]
            at += PAGE - skip

    for name, gpa, data in dump.segments():
        same(d.memory(gpa, len(data)), data, f"{name} at {gpa:#x}")
        lay(gpa, data)
    for gpa, page in d.content().items():
        if gpa in expected:
            for skip, part in expected[gpa].items():
                assert page[skip:skip + len(part)] == part
            rest = bytearray(page)
            for skip, part in expected[gpa].items():
                rest[skip:skip + len(part)] = b""
            assert set(rest) <= {0} or set(rest) <= {0xc2}, f"page {gpa:#x} has other bytes behind its segment"
        elif gpa == 0xfeffe000:
            assert page[:8] == b"\xe7\0\0\0\xe7\0\x40\0"  # IDENT_PT
        else:
            assert 0xfc000000 <= gpa < 0xfc009000, f"bytes at {gpa:#x} that belong to no segment"
    for gpa, byte in ACPI.items():
        assert d.memory(gpa, 64) == bytes([byte]) * 64


def check_machine(d, dump):
    """The CLI's idea of libxl's machine is libxl's; only a zero page has the ISA hole on top."""
    ours = [(r["start"], r["end"], r["type"]) for r in dump.manifest["memmap"]]
    hole = (0xa0000, 0x100000, 2)
    if hole in ours:
        i = ours.index(hole)
        ours[i - 1:i + 2] = [(ours[i - 1][0], ours[i + 1][1], 1)]
    theirs = []
    for start, end, kind in sorted(d.e820):
        if theirs and theirs[-1][1:] == (start, kind):
            start = theirs.pop()[0]
        theirs.append((start, end, kind))
    assert ours == theirs


def check_vcpu(d, dump, vcpus):
    want, reg = dump.manifest["vcpu"], d.registers
    for name in "rip", "rsi", "rbx", "cr0", "cr3", "cr4":
        assert reg[name] == want[name], name
    assert reg["msr_efer"] == want["efer"]
    assert (reg["gdtr_base"], reg["gdtr_limit"]) == (want["gdt_gpa"], want["gdt_limit"])
    assert (reg["cs_sel"], reg["ds_sel"], reg["ss_sel"]) == (want["cs"], want["ds"], want["ds"])
    assert reg["cs_arbytes"] == (0xa9b if want["mode"] == 64 else 0xc9b)
    assert reg["rflags"] == 2
    assert d.facts("vcpu") == [[str(i), "up", "01"[i == 0], "mtrr", "1", "def_type", "0x806"] for i in range(vcpus)]


def check_rings(d):
    assert d.params == PARAMS
    assert d.facts("rings") == [["console", "0xfefff", "xenstore", "0xfeffc"]]
    for gfn in range(0xfeff8, 0xff000):
        if gfn != 0xfeffe:
            assert d.memory(gfn * PAGE, PAGE) == bytes(PAGE)
    # Xen's grant table version 1: entries 0 and 1 let domain 0 have both rings.
    assert ["xenforeignmemory_unmap_resource", "0xfefff00000001", "0xfeffc00000001", "0"] in d.facts("call")


def check_nothing_left(d):
    assert d.facts("left") == [["maps", "0", "handles", "0", "claim", "0"]]
    assert d.facts("broken") == [["nothing"]]


@pytest.mark.parametrize("case", CASES, ids=lambda c: "-".join(map(str, c[:5])))
def test_guest_is_as_dumped(build, domain, files, tmp_path, case):
    d, dump = build_both(build, domain, files, tmp_path / "dump", case)
    assert d.built, d.err
    assert d.err == ""
    assert d.loaders == ["pvboot"]
    check_memory(d, dump)
    check_machine(d, dump)
    check_vcpu(d, dump, case[3])
    check_rings(d)
    check_nothing_left(d)
    claims = [int(call[1], 0) for call in d.facts("call") if call[0] == "xc_domain_claim_pages"]
    assert claims == [case[2] << 8, 0]


def test_no_claim_where_libxl_wants_none(domain, files):
    d = domain(carrier="pvboot entry=linux64", kernel=files / "bzimage")
    assert d.built, d.err
    assert "xc_domain_claim_pages" not in d.out


def test_populate_on_demand(build, domain, files, tmp_path):
    """maxmem above memory, as after xl mem-set and a reboot: the guest sees all of it and has the smaller part."""
    d = domain(carrier="pvboot entry=linux64 rng_seed=0", kernel=files / "bzimage", mib=64, maxmem=128, claim=True)
    assert d.built, d.err
    check_memory(d, Dump(build, tmp_path / "dump", files / "bzimage", "linux64", 128, 1, None, None))
    check_nothing_left(d)
    targets = [int(call[1], 0) for call in d.facts("call") if call[0] == "xc_domain_set_pod_target"]
    assert targets == [64 << 8]


def test_seed_unless_refused(domain, files):
    """SETUP_RNG_SEED is type 9: behind the hypervisor node, another one in each guest."""
    found = []
    for carrier in ("pvboot entry=linux64", "pvboot entry=linux64", "pvboot entry=linux64 rng_seed=0"):
        d = domain(carrier=carrier, kernel=files / "bzimage")
        assert d.built, d.err
        at, = struct.unpack("<Q", d.memory(d.registers["rsi"] + 0x250, 8))  # boot.rst: setup_data
        following, = struct.unpack("<Q", d.memory(at, 8))
        found.append(d.memory(following, 48) if following else b"")
    assert [node[:16] for node in found[:2]] == [struct.pack("<QII", 0, 9, 32)] * 2
    assert found[0] != found[1] and found[2] == b""


@pytest.mark.parametrize("extra,more", [(" subarch=xen", ["--subarch", "xen"]), (" hypervisor=none", ["--hypervisor", "none"]),
                                        (" strict=1", ["--strict"])], ids=["subarch", "hypervisor", "strict"])
def test_options_reach_the_guest(build, domain, files, tmp_path, extra, more):
    case = ("linux64", "bzimage", 64, 1, True, "console=hvc0")
    d, dump = build_both(build, domain, files, tmp_path / "dump", case, extra, more)
    assert d.built, d.err
    check_memory(d, dump)
    zero_page = d.memory(d.registers["rsi"], PAGE)
    assert zero_page[0x23c:0x240] == (b"\2\0\0\0" if "subarch" in extra else bytes(4))  # boot.rst: hardware_subarch


def tlvs(node):
    """Of a hypervisor node's payload, by handover.h: {type: value}."""
    size, off = struct.unpack_from("<I", node, 8)[0], struct.unpack_from("<I", node, 52)[0]
    assert node[:4] == b"PVBH"
    found = {}
    while off < size:
        kind, n = struct.unpack_from("<II", node, off)
        found[kind] = node[off + 8:off + 8 + n]
        off += 8 + (n + 7) // 8 * 8
    return found


def test_ring_ports(domain, files):
    """The dump knows no event channels; the guest is told those libxl has bound."""
    d = domain(carrier="pvboot entry=linux64", kernel=files / "bzimage", console_port=11, xenstore_port=10)
    assert d.built, d.err
    assert d.params == dict(PARAMS) | {2: 10, 18: 11}
    zero_page = d.memory(d.registers["rsi"], PAGE)
    node = d.memory(struct.unpack_from("<Q", zero_page, 0x250)[0], PAGE)[16:]  # boot.rst: setup_data, struct setup_data
    rings = tlvs(node)
    assert struct.unpack_from("<QI", rings[2]) == (0xfefff000, 11)
    assert struct.unpack_from("<QI", rings[3]) == (0xfeffc000, 10)


def test_as_a_bootloader_hands_it_over(build, domain, files, tmp_path):
    """Kernel and ramdisk come as memory (bootloader="pygrub"): the same guest."""
    options = {"carrier": "pvboot entry=linux64 rng_seed=0", "kernel": files / "bzimage", "ramdisk": files / "initrd",
               "cmdline": "a"}
    d = domain(in_memory=True, **options)
    assert d.built, d.err
    check_memory(d, Dump(build, tmp_path / "dump", files / "bzimage", "linux64", 64, 1, files / "initrd", "a"))
    check_nothing_left(d)


def test_own_dump_is_the_guest(build, domain, files, tmp_path):
    """pvboot_dump= writes what went into the guest, and the guest is the same with it."""
    case = ("linux64", "bzimage", 64, 1, True, "console=hvc0")
    d, dump = build_both(build, domain, files, tmp_path / "cli", case, extra=f" dump={tmp_path / 'own'}")
    assert d.built, d.err
    check_memory(d, dump)
    for name in sorted(p.name for p in (tmp_path / "cli").iterdir()):
        if name != "manifest.json":
            same((tmp_path / "own" / name).read_bytes(), (tmp_path / "cli" / name).read_bytes(), name)
    own = json.loads((tmp_path / "own/manifest.json").read_text())
    assert own["vcpu"] == dump.manifest["vcpu"]
    assert own["segments"] == dump.manifest["segments"]


def test_stub_is_left_to_stock(domain, files):
    """entry=stub: ours passes it on to libxenguest's ELF loader, with our kernel and ramdisk as the stub's modules."""
    d = domain(carrier="pvboot entry=stub", kernel=files / "bzimage", ramdisk=files / "initrd", cmdline="a")
    assert d.built, d.err
    assert d.loaders == ["pvboot"]
    stock = domain(preload=None, carrier="pvboot entry=stub", kernel=files / "bzimage", ramdisk=files / "initrd", cmdline="a")
    assert "ELF" in stock.loaders[-1] and d.out == stock.out


def test_built_stub_is_recognised(build, domain, files):
    """The stub that make built, not the one these tests made up."""
    if not (build / "pvboot-stub.elf").exists():
        pytest.skip(f"{build / 'pvboot-stub.elf'} has not been built")
    d = domain(preload=build / "pvboot-xl.so", shim=build / "pvboot-stub.elf", carrier="pvboot entry=linux64",
               kernel=files / "bzimage")
    assert d.built, d.err
    assert d.loaders == ["pvboot"]


@pytest.mark.parametrize("entry", ["linux64", "linux32", "pvh", "vmlinux64"])
def test_debian_kernel(build, domain, tmp_path, entry):
    if not DEBIAN:
        pytest.skip("no /boot/vmlinuz-*-amd64 here: linux-image-amd64 is not installed")
    d = domain(carrier=f"pvboot entry={entry} rng_seed=0", kernel=DEBIAN[-1], mib=256, vcpus=2, cmdline="console=hvc0")
    assert d.built, d.err
    dump = Dump(build, tmp_path / "dump", DEBIAN[-1], entry, 256, 2, None, "console=hvc0")
    check_memory(d, dump)
    check_vcpu(d, dump, 2)
    check_nothing_left(d)

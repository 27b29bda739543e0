# SPDX-License-Identifier: LGPL-2.1-only
"""inspect, plan, dump and decode of a toy kernel, read back with struct, hashlib and zlib from the specifications."""
import hashlib
import json
import struct
import zlib

import pytest

SETUP_BYTES = 5 * 512  # images.bzimage(): 4 setup sectors and the boot sector
SEED = "00112233445566778899aabbccddeeff" * 2


def dump(pvboot, tmp_path, *args, name="out"):
    out = tmp_path / name
    plan = pvboot.json("dump", "-o", out, *args)
    manifest = json.loads((out / "manifest.json").read_text())
    return plan, manifest, {s["name"]: (out / s["file"]).read_bytes() for s in manifest["segments"]}


def walk_setup_data(memory, base, gpa):
    """boot.rst: { u64 next, u32 type, u32 len, data }"""
    nodes = []
    while gpa:
        following, kind, size = struct.unpack_from("<QII", memory, gpa - base)
        nodes.append((kind, memory[gpa - base + 16:gpa - base + 16 + size]))
        gpa = following
    return nodes


def test_inspect(pvboot, kernel):
    o = pvboot.json("inspect", kernel)
    assert o["format"] == "bzImage" and o["protocol"] == "2.15" and o["setup_sects"] == 4
    assert o["payload"]["codec"] == "gzip" and o["payload"]["offset"] == SETUP_BYTES + 0x400
    assert o["window"] == {"pref_gpa": 0x1000000, "bytes": 0x200000, "align": 0x200000, "relocatable": True}
    assert o["xloadflags"] == 1 and o["cmdline_max"] == 2047 and o["initrd_addr_max"] == 0x7fffffff
    assert o["kernel_version"] == "6.1.0-toy"
    assert o["notes"]["phys32_entry"] == 0x1000000
    assert o["sha256"] == hashlib.sha256(kernel.read_bytes()).hexdigest()
    ok = {name: e["gpa"] for name, e in o["entries"].items() if e["ok"]}
    assert ok.items() >= {"linux32": 0x1000000, "linux64": 0x1000200, "pvh": 0x1000000}.items()
    assert all(e["why"] for e in o["entries"].values() if not e["ok"])


def test_inspect_elf(pvboot, elf):
    o = pvboot.json("inspect", elf)
    assert o["format"] == "elf" and o["payload"] is None
    assert o["entries"]["pvh"]["ok"] and not o["entries"]["linux64"]["ok"]
    assert "bzImage" in o["entries"]["linux64"]["why"]


def test_inspect_broken_payload(pvboot, tmp_path):
    """What is inside cannot be looked at: the bzImage's own entries are still there."""
    import images
    path = tmp_path / "broken"
    path.write_bytes(images.bzimage(payload=b"\x1f\x8b" + b"\xff" * 500))
    o = pvboot.json("inspect", path)
    assert o["entries"]["linux64"]["ok"]
    assert not o["entries"]["pvh"]["ok"] and o["entries"]["pvh"]["why"]


@pytest.mark.parametrize("entry", ["pvh", "linux32", "linux64"])
def test_plan_is_legal(pvboot, kernel, ramdisk, entry):
    o = pvboot.json("plan", "--entry", entry, "--cmdline", "a=b", "--ramdisk", ramdisk, "--memory", 512, kernel)
    assert o["entry"] == entry and o["memory_bytes"] == 512 << 20
    segments = sorted(o["segments"], key=lambda s: s["start"])
    assert all(a["end"] <= b["start"] for a, b in zip(segments, segments[1:]))
    assert all(s["why"] for s in segments)
    names = {s["name"] for s in segments}
    assert names >= {"kernel", "ramdisk", "cmdline", "special pages", "acpi"}
    assert ("start info" in names) == (entry == "pvh") and ("zero page" in names) == (entry != "pvh")
    assert ("page tables" in names) == (entry == "linux64")
    ram = [m for m in o["memmap"] if m["type"] == 1]
    for s in segments:
        if s["name"] not in ("acpi", "special pages"):
            assert any(m["start"] <= s["start"] and s["end"] <= m["end"] for m in ram), s
    vcpu, start = o["vcpu"], {s["name"]: s["start"] for s in segments}
    assert vcpu["mode"] == (64 if entry == "linux64" else 32)
    if entry == "pvh":
        assert vcpu["rbx"] == start["start info"] and vcpu["rip"] == 0x1000000
    else:
        assert vcpu["rsi"] == start["zero page"] and vcpu["rip"] == 0x1000000 + (0x200 if entry == "linux64" else 0)
    assert vcpu["cr3"] == start.get("page tables", 0)


def take_apart(payload):
    """TLVs of a hypervisor node: docs/handover.md."""
    tlvs, off = {}, struct.unpack_from("<I", payload, 52)[0]
    while off < struct.unpack_from("<I", payload, 8)[0]:
        tlv, n = struct.unpack_from("<II", payload, off)
        tlvs[tlv] = payload[off + 8:off + 8 + n]
        off += 8 + n + -n % 8
    return tlvs


def test_dump_linux64(pvboot, kernel, ramdisk, tmp_path):
    plan, manifest, data = dump(pvboot, tmp_path, "--entry", "linux64", "--cmdline", "console=hvc0", "--ramdisk",
                                ramdisk, "--rng-seed", SEED, kernel)
    start = {s["name"]: s["start"] for s in plan["segments"]}
    assert {s["name"] for s in manifest["segments"]} >= {"kernel", "ramdisk", "zero page", "cmdline"}
    for s in manifest["segments"]:
        assert s["gpa"] == start[s["name"]] and s["bytes"] == len(data[s["name"]])
        assert s["sha256"] == hashlib.sha256(data[s["name"]]).hexdigest()
    assert {k: v for k, v in manifest.items() if k not in ("segments", "kernel_version")} == \
        {k: v for k, v in plan.items() if k not in ("segments", "json_version")}
    file = kernel.read_bytes()
    assert data["kernel"] == file[SETUP_BYTES:]
    assert data["ramdisk"].rstrip(b"\0") == ramdisk.read_bytes()
    assert data["cmdline"].rstrip(b"\0") == b"console=hvc0" and len(data["cmdline"]) >= 2048

    page = data["zero page"]  # offsets: zero-page.rst
    assert len(page) == 4096
    assert page[0x210] == 0x91 and page[0x1ef] == 0
    assert struct.unpack_from("<II", page, 0x218) == (start["ramdisk"], ramdisk.stat().st_size)
    assert struct.unpack_from("<I", page, 0x228) == (start["cmdline"],)
    assert struct.unpack_from("<Q", page, 0x250) == (start["setup_data"],)
    assert struct.unpack_from("<Q", page, 0x070) == (plan["rsdp_gpa"],)
    table = [struct.unpack_from("<QQI", page, 0x2d0 + 20 * i) for i in range(page[0x1e8])]
    assert [{"start": a, "end": a + n, "type": t} for a, n, t in table] == plan["memmap"]

    (kind, payload), (seed_kind, seed) = walk_setup_data(data["setup_data"], start["setup_data"], start["setup_data"])
    assert (kind, seed_kind, seed.hex()) == (0x50595648, 9, SEED)
    assert plan["handover_gpa"] == start["setup_data"]
    size, crc = struct.unpack_from("<II", payload, 8)
    assert payload[:4] == b"PVBH" and crc == zlib.crc32(payload[:12] + bytes(4) + payload[16:size])
    tlvs = take_apart(payload)
    assert not {5, 6, 7} & tlvs.keys()  # digests, which nobody has asked for
    assert struct.unpack_from("<I", tlvs[1]) == (0x336ec578,)


@pytest.mark.parametrize("entry", ["linux64", "linux32", "vmlinux64"])
def test_digests_on_request(pvboot, kernel, ramdisk, tmp_path, entry):
    """Of the whole file, a signature behind the kernel included; of the ramdisks with the zeroes between them."""
    signed, odd = tmp_path / "signed", tmp_path / "odd"
    signed.write_bytes(kernel.read_bytes() + bytes(range(1, 100)))
    odd.write_bytes(b"odd")
    options = ("--digests", "--entry", entry, "--cmdline", "console=hvc0", "--ramdisk", odd, "--ramdisk", ramdisk)
    plan, _, data = dump(pvboot, tmp_path, *options, signed)
    at = next(s["start"] for s in plan["segments"] if s["name"] == "setup_data")
    tlvs = take_apart(walk_setup_data(data["setup_data"], at, at)[0][1])
    assert tlvs[5] == hashlib.sha256(signed.read_bytes()).digest()
    assert tlvs[6] == hashlib.sha256(b"odd\0" + ramdisk.read_bytes()).digest()
    assert tlvs[7] == hashlib.sha256(b"console=hvc0").digest()


def test_no_digests_where_there_is_no_node(pvboot, kernel, tmp_path):
    bare = [dump(pvboot, tmp_path, *more, "--entry", "linux64", "--hypervisor", "none", kernel, name=name)[2]
            for name, more in (("a", ()), ("b", ("--digests",)))]
    assert bare[0] == bare[1]


def test_dump_pvh(pvboot, kernel, ramdisk, tmp_path):
    import images
    plan, _, data = dump(pvboot, tmp_path, "--entry", "pvh", "--cmdline", "hi", "--ramdisk", ramdisk, kernel)
    info, start = data["start info"], {s["name"]: s["start"] for s in plan["segments"]}
    magic, version, flags, modules, modlist, cmdline, rsdp, memmap, entries = struct.unpack_from("<IIIIQQQQI", info)
    assert (magic, version, flags, modules) == (0x336ec578, 1, 0, 1)
    assert (cmdline, rsdp) == (start["cmdline"], plan["rsdp_gpa"])
    assert struct.unpack_from("<QQ", info, modlist - start["start info"]) == (start["ramdisk"], ramdisk.stat().st_size)
    table = [struct.unpack_from("<QQI", info, memmap - start["start info"] + 24 * i) for i in range(entries)]
    assert [{"start": a, "end": a + n, "type": t} for a, n, t in table] == plan["memmap"]
    elf = images.elf(images.xen_notes(images.LOAD))
    size = 3 * 4096 + 123
    assert data["kernel"][:size] == elf[4096:4096 + size] and not any(data["kernel"][size:])


def test_ramdisks_are_joined(pvboot, kernel, tmp_path):
    parts = [b"a" * 5, b"b" * 8, b"c" * 4097]
    args = []
    for i, part in enumerate(parts):
        (tmp_path / f"rd{i}").write_bytes(part)
        args += ["--ramdisk", tmp_path / f"rd{i}"]
    _, _, data = dump(pvboot, tmp_path, *args, kernel)
    joined = b"a" * 5 + bytes(3) + b"b" * 8 + b"c" * 4097
    assert data["ramdisk"].rstrip(b"\0") == joined
    assert struct.unpack_from("<I", data["zero page"], 0x21c) == (len(joined),)


def test_same_input_same_bytes(pvboot, kernel, ramdisk, tmp_path):
    args = ("--cmdline", "x", "--ramdisk", ramdisk, kernel)
    assert dump(pvboot, tmp_path, *args, name="a") == dump(pvboot, tmp_path, *args, name="b")


def test_private(pvboot, kernel, ramdisk, tmp_path):
    """A ramdisk that only root could read is not published by its copy."""
    dump(pvboot, tmp_path, "--ramdisk", ramdisk, kernel)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert {f.stat().st_mode & 0o777 for f in (tmp_path / "out").iterdir()} == {0o600}


def test_rng_seed(pvboot, kernel, tmp_path):
    """Off unless asked for; a random one differs."""
    off = dump(pvboot, tmp_path, kernel, name="off")[2]["setup_data"]
    one, two = (dump(pvboot, tmp_path, "--rng-seed", "yes", kernel, name=n)[2]["setup_data"] for n in ("one", "two"))
    assert one != two
    assert struct.unpack_from("<Q", off) == (0,) and struct.unpack_from("<Q", one) != (0,)


def test_decode_of_a_dump(pvboot, kernel, ramdisk, tmp_path):
    plan, _, data = dump(pvboot, tmp_path, "--entry", "linux64", "--cmdline", "hi", "--ramdisk", ramdisk, "--rng-seed",
                         SEED, "--digests", kernel)
    start = {s["name"]: s["start"] for s in plan["segments"]}
    out = tmp_path / "out"
    page = pvboot.json("decode", "--check", "--zero-page", out / "zero-page", "--base", hex(start["zero page"]))
    assert page["lint"] == [] and page["e820"] == plan["memmap"]
    assert page["fields"]["cmd_line_ptr"] == start["cmdline"]
    assert page["fields"]["setup_data"] == start["setup_data"]
    chain = pvboot.json("decode", "--check", "--setup-data", out / "setup_data", "--base", start["setup_data"])
    assert [n["type_name"] for n in chain["nodes"]] == ["hypervisor", "rng_seed"]
    node = chain["nodes"][0]
    assert node["status"] == "ok" and node["signature"] == "XenVMMXenVMM"
    assert node["tlvs"]["sha256_kernel"] == hashlib.sha256(kernel.read_bytes()).hexdigest()
    assert node["tlvs"]["start_info"]["memmap"] == plan["memmap"]

    # as Linux exports it: the payload alone
    payload = tmp_path / "data"
    payload.write_bytes(bytes.fromhex(node["data"]))
    alone = pvboot.json("decode", "--setup-data", payload, "--type", 0x50595648)
    assert alone["status"] == "ok" and alone["fields"] == node["fields"]


def test_decode_start_info(pvboot, kernel, tmp_path):
    plan, _, _ = dump(pvboot, tmp_path, "--entry", "pvh", "--cmdline", "hi there", kernel)
    start = {s["name"]: s["start"] for s in plan["segments"]}
    o = pvboot.json("decode", "--check", "--start-info", tmp_path / "out/start-info", "--base", start["start info"])
    assert o["lint"] == [] and o["memmap"] == plan["memmap"]
    assert o["fields"]["cmdline_paddr"] == start["cmdline"]


def test_decode_check_fails(pvboot, kernel, tmp_path):
    dump(pvboot, tmp_path, kernel)
    page = tmp_path / "out/zero-page"
    bad = bytearray(page.read_bytes())
    bad[0x1ef] = 0xff
    page.write_bytes(bad)
    done = pvboot("decode", "--json", "--check", "--zero-page", page)
    assert done.returncode == 65 and "sentinel 0xff" in done.stderr
    assert "sentinel 0xff" in json.loads(done.stdout)["lint"][0]
    assert pvboot("decode", "--zero-page", page).returncode == 0


def test_strict_leaves_the_node_out(pvboot, kernel, tmp_path):
    """Where kernel_info lists types without it; before 2.15 nothing says that the node is unwanted."""
    import images
    old = tmp_path / "old"
    old.write_bytes(images.bzimage(protocol=0x20e))
    assert not pvboot.json("plan", "--strict", kernel)["handover_gpa"]
    assert pvboot.json("plan", "--strict", old)["handover_gpa"]
    assert not pvboot.json("plan", "--hypervisor", "none", kernel)["handover_gpa"]


def test_for_people(pvboot, kernel, ramdisk):
    text = pvboot.ok("plan", "--entry", "linux64", "--ramdisk", ramdisk, kernel)
    plan = pvboot.json("plan", "--entry", "linux64", "--ramdisk", ramdisk, kernel)
    for s in plan["segments"]:
        assert f"{s['start']:012x} {s['end']:012x}  {s['name']}" in text and s["why"] in text
    assert f"rip {plan['vcpu']['rip']:012x}" in text
    text = pvboot.ok("inspect", kernel)
    assert "linux64    at 0x1000200" in text and "6.1.0-toy" in text

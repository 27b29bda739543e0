# SPDX-License-Identifier: LGPL-2.1-only
"""The hypervisor node that a guest reads back, judged from outside: offsets from docs/handover.md and handover.h's
table, zlib for its checksum, hashlib for its digests, xenstore for its event channels, and last `pvboot decode`."""

import hashlib
import struct
import subprocess
import zlib
from pathlib import Path

from ..base import paths
from ..guests.evidence import Evidence

NODE = 0x50595648
HEAD_BYTES = 64
FILLERS = {"stub": 2, "grub": 3}   # inside the guest; everybody else's is the toolstack, 1
START_INFO_MAGIC = 0x336ec578      # Xen public arch-x86/hvm/start_info.h
BUILDER, CONSOLE, XENSTORE, START_INFO = 4, 2, 3, 1
DIGESTS = {5: "kernel", 6: "ramdisk", 7: "cmdline"}
SUBARCH = {"pc": 0, "xen": 2}

# What is read from the zero page: Linux Documentation/arch/x86/boot.rst and zero-page.rst
RSDP, SUBARCH_AT, SETUP_DATA = 0x070, 0x23c, 0x250


class Given:
    """What the guest was started with, as everybody but pvboot knows it."""

    def __init__(self, path: str, keys: dict[str, str], files: dict[str, bytes], ports: dict[str, int]) -> None:
        self.path = path
        self.subarch = keys.get("pvboot_subarch", "pc")
        # the stub has no room for a hash function, so it makes no claim
        self.digests = path != "stub" and str(keys.get("pvboot_digests", 0)) == "1"
        self.files = files         # kernel, ramdisk, cmdline
        self.ports = ports         # console, xenstore: event channels, from xenstore


def judge(found: Evidence, given: Given, scratch: Path) -> list[str]:
    """What is wrong with the node and what points at it; nothing if nothing is."""
    nodes = [data for kind, data in found.setup_data().values() if kind == NODE]
    if len(nodes) != 1:
        return [f"{len(nodes)} setup_data nodes of type {NODE:#x}"]
    node, page = nodes[0], found.sections["boot_params"]
    if len(node) < HEAD_BYTES:
        return head(node, given.path)
    wrong = head(node, given.path) + _subarch(page, given)
    tlvs, broken = take_apart(node)
    if broken:
        return [*wrong, broken]
    return wrong + _start_info(node, tlvs, page) + _values(tlvs, given) + _decoded(node, scratch)


def head(node: bytes, path: str) -> list[str]:
    """What is wrong with its fixed part and its checksum."""
    if len(node) < HEAD_BYTES:
        return [f"the node has {len(node)} bytes"]
    size, crc = struct.unpack_from("<II", node, 8)
    wanted = {"magic": (node[0:4], b"PVBH"), "version, compatible": (struct.unpack_from("<HH", node, 4), (1, 1)),
              "bytes": (size, len(node)), "crc32": (crc, zlib.crc32(node[:12] + bytes(4) + node[16:size])),
              "hypervisor": (node[16:20], b"XenV"), "signature": (node[20:32], b"XenVMMXenVMM"),
              "filler": (struct.unpack_from("<I", node, 32)[0], FILLERS.get(path, 1)),
              "flags": (node[36:40], bytes(4)), "tlv_off": (struct.unpack_from("<I", node, 52)[0], 64),
              "reserved": (node[56:64], bytes(8))}
    return [f"node: {name} is {got!r}, not {want!r}" for name, (got, want) in wanted.items() if got != want]


def _subarch(page: bytes, given: Given) -> list[str]:
    subarch, data, first = (*struct.unpack_from("<IQ", page, SUBARCH_AT), struct.unpack_from("<Q", page, SETUP_DATA)[0])
    want = SUBARCH[given.subarch]
    wrong = [] if subarch == want else [f"hardware_subarch is {subarch}, not {want}"]
    if data != (first if want == 2 else 0):  # the node is the chain's head
        wrong.append(f"hardware_subarch_data is {data:#x}, setup_data {first:#x}")
    return wrong


def take_apart(node: bytes) -> tuple[dict[int, tuple[int, bytes]], str]:
    """Offset and value by type, or why there are none to speak of."""
    found, off = {}, 64
    while off < len(node):
        if off + 8 > len(node):
            return {}, f"node: {len(node) - off} bytes behind the last TLV"
        kind, size = struct.unpack_from("<II", node, off)
        if kind in found or off + 8 + size > len(node):
            return {}, f"node: TLV {kind} at {off:#x} is there twice or too long"
        found[kind] = (off + 8, node[off + 8:off + 8 + size])
        padding = -size % 8
        if any(node[off + 8 + size:off + 8 + size + padding]):
            return {}, f"node: no zeroes behind TLV {kind}"
        off += 8 + size + padding
    return found, ""


def _start_info(node: bytes, tlvs: dict[int, tuple[int, bytes]], page: bytes) -> list[str]:
    """The copy of the hypervisor's own structure must tell what the zero page tells."""
    gpa, size = struct.unpack_from("<QI", node, 40)
    off, info = tlvs.get(START_INFO, (0, b""))
    first, = struct.unpack_from("<Q", page, SETUP_DATA)
    if (gpa, size) != (first + 16 + off, len(info)) or len(info) < 56:
        return [f"node: data at {gpa:#x}, {size} bytes; TLV 1 at {first + 16 + off:#x}, {len(info)} bytes"]
    magic, modules, modlist, cmdline, rsdp = struct.unpack_from("<I8xI3Q", info)
    wanted = {"magic": (magic, START_INFO_MAGIC), "modules": (modules, 1),
              "cmdline": (cmdline, _wide(page, 0x228, 0xc8)),
              "rsdp": (rsdp, struct.unpack_from("<Q", page, RSDP)[0])}
    if not gpa <= modlist <= gpa + len(info) - 32:  # struct hvm_modlist_entry
        return [f"start info: modules at {modlist:#x} are not in the node"]
    wanted["ramdisk"] = (struct.unpack_from("<QQ", info, modlist - gpa),
                         (_wide(page, 0x218, 0xc0), _wide(page, 0x21c, 0xc4)))
    return [f"start info: {name} is {got!r}, the zero page has {want!r}" for name, (got, want) in wanted.items()
            if got != want]


def _wide(page: bytes, low: int, high: int) -> int:
    return struct.unpack_from("<I", page, low)[0] | struct.unpack_from("<I", page, high)[0] << 32


def _values(tlvs: dict[int, tuple[int, bytes]], given: Given) -> list[str]:
    wrong = []
    for kind, name in DIGESTS.items():
        want = hashlib.sha256(given.files[name]).digest() if given.digests else None
        got = tlvs.get(kind, (0, None))[1]
        if got != want:
            wrong.append(f"node: sha256 of the {name} is {got.hex() if got else got}, hashlib's {want.hex() if want else want}")
    for kind, name in ((CONSOLE, "console"), (XENSTORE, "xenstore")):
        gpa, port = struct.unpack("<QI4x", tlvs.get(kind, (0, bytes(16)))[1])
        if port != given.ports[name] or not gpa or gpa % 4096:
            wrong.append(f"node: {name} ring at {gpa:#x} with event channel {port}, xenstore says {given.ports[name]}")
    if not tlvs.get(BUILDER, (0, b""))[1].startswith(b"pvboot "):
        wrong.append("node: no builder's name")
    return wrong


def _decoded(node: bytes, scratch: Path) -> list[str]:
    """pvboot's own reader, which is handover.h's, has the last word."""
    scratch.write_bytes(node)
    done = subprocess.run([paths.own_build() / "pvboot", "decode", "--check", "--setup-data", scratch, "--type", f"{NODE:#x}"],
                          capture_output=True, text=True)
    return [f"pvboot decode: {done.stderr.strip()}"] if done.returncode else []

# SPDX-License-Identifier: LGPL-2.1-only
"""What a vCPU finds at its first instruction: a probe guest's report (tests/guests) against what the toolstack dumped.
Where docs/stub.md says that the in-guest stub's page differs, so must it here."""

import dataclasses
import json
import struct
import subprocess
import zlib
from pathlib import Path

from ..base import paths
from ..base.errors import LabError
from ..guests import evidence
from . import handover, readback

DONE = "@probe done=1"
GENERAL = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi")
WIDE = tuple(f"r{n}" for n in range(8, 16))
FLAT_CODE, FLAT_CODE_64, FLAT_DATA = 0xc09b, 0xa09b, 0xc093  # rights: present, flat, accessed; Intel SDM vol. 3, 3.4.5
IDENTITY_4G = [[0, 1 << 32, 0, 0x83]]                        # present, writable, 2 MiB pages
WRITE_BACK = 0x806                                           # MTRRs on, none set but the default
XEN = 0x566e6558                                             # "XenV", CPUID leaf 0x40000000, EBX
TYPE_OF_LOADER = 0x210                                       # boot.rst
BY_STUB = 0x92
START_INFO_BYTES = 56                                        # start_info.h


@dataclasses.dataclass
class Given:
    """What the guest was to be handed: the toolstack's dump, and what went in."""
    path: str
    vcpus: int
    dump: Path
    files: dict[str, bytes]    # kernel, ramdisk, cmdline

    def __post_init__(self) -> None:
        self.stub = self.path == "stub"
        self.manifest = json.loads((self.dump / "manifest.json").read_text())
        self.segments = {segment["name"]: segment for segment in self.manifest["segments"]}

    def content(self, name: str) -> bytes:
        return (self.dump / self.segments[name]["file"]).read_bytes()


def report(log: str, domid: int, scratch: Path) -> dict:
    """What the probe of one domain said, as tests/guests/probe.py reads it; lists for tuples, dumps in hex."""
    scratch.write_text(evidence.from_xen_log(log, domid))
    done = subprocess.run(["/usr/bin/env", "python3", paths.REPO / "tests/guests/probe.py", scratch],
                          capture_output=True, text=True)
    if done.returncode:
        raise LabError(done.stderr.strip())
    return json.loads(done.stdout)


def judge(said: dict, given: Given) -> list[str]:
    """What is other than it was to be."""
    wanted = {**_registers(given), **_contents(given)}
    wanted |= _start_info(given) if given.path == "pvh" else _zero_page(given)
    seen = {**said, **said["hex"]}
    wrong = [f"{key} is {_short(seen.get(key))}, not {_short(want)}" for key, want in wanted.items() if seen.get(key) != want]
    aps = said.get("ap", [])
    if len(aps) != given.vcpus - 1 or any(len(ap) != 2 or ap[0] != ap[1] for ap in map(_listed, aps)):
        wrong.append(f"{given.vcpus} vCPUs, and these others have answered: {aps}")
    if not said.get("madt"):
        wrong.append("no MADT behind the RSDP")
    return wrong + [f"the probe could not read {what}" for what in said.get("unreadable", [])]


def _registers(given: Given) -> dict:
    vcpu = given.manifest["vcpu"]
    wide = vcpu["mode"] == 64
    names = GENERAL + WIDE if wide else GENERAL
    if given.stub:  # which leaves a stack over
        names = tuple(name for name in names if name != "rsp")
    wanted = {name: vcpu.get(name, 0) for name in (*names, "cr0", "cr3", "cr4", "efer")}
    wanted |= {"mtrr_def_type": WRITE_BACK, "rflags": 2, "paging": int(wide), "tr": 0, "ldtr": 0, "fs": 0, "gs": 0,
               "gdtr": [vcpu["gdt_gpa"], vcpu["gdt_limit"]], "idtr": [0, 0]}
    flat = bool(vcpu["gdt_gpa"])
    wanted["cs"] = [vcpu["cs"], 0xffffffff, FLAT_CODE_64 if wide else FLAT_CODE] if flat else 0
    wanted |= {name: [vcpu["ds"], 0xffffffff, FLAT_DATA] if flat else 0 for name in ("ds", "es", "ss")}
    if flat:
        wanted["gdt"] = given.content("gdt")[:vcpu["gdt_limit"] + 1].hex()
    if wide:
        wanted["map"] = IDENTITY_4G
    return wanted


def _contents(given: Given) -> dict:
    ramdisk = given.files["ramdisk"]
    found = [given.segments["ramdisk"]["gpa"], len(ramdisk), zlib.crc32(ramdisk)]
    return {"e820": [[r["start"], r["end"], r["type"]] for r in given.manifest["memmap"]],
            "rsdp": given.manifest["rsdp_gpa"], "cmdline": (given.files["cmdline"] + b"\0").hex(),
            **({"module": [found]} if given.path == "pvh" else {"ramdisk": found})}


def _start_info(given: Given) -> dict:
    return {"entry": "pvh", "start_info": given.content("start info")[:START_INFO_BYTES].hex()}


def _zero_page(given: Given) -> dict:
    page = bytearray(given.content("zero page"))
    base = given.segments["setup_data"]["gpa"]
    nodes = readback.chain(given.content("setup_data"), base, given.manifest["handover_gpa"])
    if given.stub:
        page[TYPE_OF_LOADER] = BY_STUB
        nodes = [(kind, _by_stub(payload) if kind == handover.NODE else payload) for kind, payload in nodes]
    node = nodes[0][1]  # the chain's head
    data_gpa, data_bytes = struct.unpack_from("<QI", node, 40)
    at = data_gpa - given.manifest["handover_gpa"] - 16
    tlvs, _ = handover.take_apart(node)
    return {"entry": "linux64" if given.stub else given.path, "zero_page": page.hex(),
            "setup_data": [[base, *_typed(nodes[0])]] if len(nodes) == 1 else None,
            "setup_data_node": [(struct.pack("<QII", 0, *_typed(nodes[0])) + node).hex()],
            "handover_status": 0, "handover_gpa": given.manifest["handover_gpa"] + 16, "handover_hypervisor": XEN,
            "handover_filler": 2 if given.stub else 1, "handover_data_gpa": data_gpa, "handover_data_bytes": data_bytes,
            "handover_data": node[at:at + data_bytes].hex(), "tlv": [[kind, len(value)] for kind, (_, value) in tlvs.items()],
            **_loaded(given)}


def _typed(node: tuple[int, bytes]) -> tuple[int, int]:
    return node[0], len(node[1])


def _loaded(given: Given) -> dict:
    """Of a bzImage, what lies behind its setup sectors: boot.rst, setup_sects."""
    if given.path == "vmlinux64":
        return {}
    image = given.files["kernel"]
    loaded = image[512 * (image[0x1f1] + 1):]
    return {"kernel": [given.manifest["kernel_load_gpa"], len(loaded), zlib.crc32(loaded)]}


def _by_stub(payload: bytes) -> bytes:
    """The toolstack's node as the stub writes it: with another filler and without digests."""
    found, _ = handover.take_apart(payload)
    tail = b""
    for kind, (_, value) in found.items():
        if kind not in handover.DIGESTS:
            tail += struct.pack("<II", kind, len(value)) + value + bytes(-len(value) % 8)
    head = bytearray(payload[:64])
    struct.pack_into("<I", head, 8, len(head) + len(tail))
    struct.pack_into("<I", head, 12, 0)
    struct.pack_into("<I", head, 32, 2)
    struct.pack_into("<I", head, 12, zlib.crc32(bytes(head) + tail))
    return bytes(head) + tail


def _listed(value) -> list:
    return value if isinstance(value, list) else [value]


def _short(value) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:120]}... ({len(text)} characters)"

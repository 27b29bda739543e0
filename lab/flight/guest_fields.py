# SPDX-License-Identifier: LGPL-2.1-only
"""The second capture: what the guest says about itself, taken apart into fields that can be compared."""

import hashlib
import re
from pathlib import Path

from ..guests.evidence import Evidence
from ..judges.readback import MEMMAP_NAMES
from ..judges.sentences import normalised
from . import pvboot_tool

_VOLATILE_CPU = ("cpu MHz", "bogomips")


def fields(found: Evidence, scratch: Path) -> dict:
    page = pvboot_tool.decode("zero-page", found.sections["boot_params"], scratch / "read-zero-page.bin")
    return {
        "zero_page": page["fields"], "lint": page["lint"],
        "e820": memmap(found.tree("memmap")),
        "setup_data": {str(n): _node(kind, data, scratch) for n, (kind, data) in found.setup_data().items()},
        "guest_type": found.tree("hypervisor").get("guest_type"),
        "cmdline": found.text("cmdline").strip(),
        "nproc": int(found.text("nproc")),
        "iomem": iomem(found.text("iomem")),
        "kernel_code": _kernel_code(found.text("iomem")),
        "acpi": _sums(found.text("acpi_sums")),
        "clocksource": found.text("clocksource").strip(),
        "memory_kib": int(re.search(r"MemTotal:\s+(\d+)", found.text("meminfo")).group(1)),
        "cpu": cpuinfo(found.text("cpuinfo")),
        "dmesg": normalised(found.text("dmesg")),
    }


def memmap(tree: dict[str, str]) -> list[list[int]]:
    """/sys/firmware/memmap, whose ends are inclusive."""
    count = len({key.split("/")[0] for key in tree})
    return sorted([int(tree[f"{n}/start"], 0), int(tree[f"{n}/end"], 0) + 1,
                   MEMMAP_NAMES.get(tree[f"{n}/type"], tree[f"{n}/type"])] for n in range(count))


def iomem(text: str) -> list[str]:
    """The outermost ranges.  Linux splits System RAM around setup_data nodes: neighbours of one name are joined."""
    joined: list[list] = []
    for line in text.splitlines():
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) : (.*)", line)
        if not match:
            continue
        start, end, name = int(match.group(1), 16), int(match.group(2), 16), match.group(3)
        if joined and joined[-1][2] == name and joined[-1][1] + 1 == start:
            joined[-1][1] = end
        else:
            joined.append([start, end, name])
    return [f"{start:09x}-{end:09x} {name}" for start, end, name in joined]


def cpuinfo(text: str) -> dict:
    """The first processor's, without what differs from one look to the next."""
    first = text.split("\n\n")[0]
    lines = dict(re.findall(r"^([^\t:]+?)\s*: ?(.*)$", first, re.M))
    return {"flags": sorted(lines.pop("flags", "").split()),
            **{key: value for key, value in lines.items() if key not in _VOLATILE_CPU}}


def _kernel_code(text: str) -> int | None:
    match = re.search(r"^\s+([0-9a-f]+)-[0-9a-f]+ : Kernel code", text, re.M)
    return int(match.group(1), 16) if match else None


def _sums(text: str) -> dict[str, str]:
    return {name.removeprefix("./"): digest[:16] for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", text, re.M)}


def _node(kind: int, data: bytes, scratch: Path) -> dict:
    decoded = pvboot_tool.decode("setup-data", data, scratch / f"read-setup_data-{kind:x}.bin", 0, kind)
    return {"type": kind, "type_name": decoded["type_name"], "len": len(data), "status": decoded.get("status"),
            "data": decoded["data"], "fields": decoded["fields"], "sha256": hashlib.sha256(data).hexdigest()}

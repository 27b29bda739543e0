# SPDX-License-Identifier: LGPL-2.1-only
"""The first capture: vCPU and memory of the paused domain, as `pvboot-capture` reads and `pvboot decode` explains them."""

import hashlib
import json
import shutil
from pathlib import Path

from ..base import paths
from ..base.errors import LabError
from . import model, pvboot_tool
from .host import Host
from .pvboot_tool import number

CAPTURE = "/usr/lib/pvboot/pvboot-capture"
PAGE = 4096
START_INFO_REACH = 16 << 10   # stock Xen puts map, modules and command line behind the start info
SETUP_DATA_REACH = 64 << 10
RSDP_BYTES = 36               # ACPI 6.4, 5.2.5.3


class Capture:
    """Of one paused domain; files stay in `directory`."""

    def __init__(self, host: Host, domid: int, directory: Path) -> None:
        self._host = host
        self._domid = domid
        self._dir = paths.made(directory)
        self._registers: dict = {}

    def take(self, path: str) -> dict:
        first = self._run([])
        self._registers = {name: number(value) for name, value in first["vcpu"].items()}
        found = {"container": first["container"], "vcpu": self._registers}
        if first["container"] == "pv":
            self._pv(found, first["pv_start_info"])
        elif path in model.ZERO_PAGE:
            self._zero_page(found)
        else:
            self._start_info(found)
        return found

    # --- what is handed over ----------------------------------------------------------------------------------------------

    def _zero_page(self, found: dict) -> None:
        gpa = self._registers["rsi"]
        page = self._decode("zero-page", self._read(zero_page=(gpa, PAGE))["zero_page"], gpa)
        fields = page["fields"]
        found.update(page="zero page", gpa=gpa, zero_page=fields, lint=page["lint"], e820=_map(page["e820"]))
        ramdisk = (fields["ramdisk_image"] | fields["ext_ramdisk_image"] << 32,
                   fields["ramdisk_size"] | fields["ext_ramdisk_size"] << 32)
        self._beside(found, fields["cmd_line_ptr"] | fields["ext_cmd_line_ptr"] << 32, ramdisk,
                     fields["acpi_rsdp_addr"], fields["setup_data"])

    def _start_info(self, found: dict) -> None:
        gpa = self._registers["rbx"]
        info = self._decode("start-info", self._read(start_info=(gpa, START_INFO_REACH))["start_info"], gpa)
        fields = info["fields"]
        found.update(page="start info", gpa=gpa, start_info=fields, lint=info["lint"],
                     modules=info.get("modules", []), e820=_map(info.get("memmap", [])))
        modules = found["modules"]
        ramdisk = (modules[-1]["paddr"], modules[-1]["size"]) if modules else (0, 0)
        self._beside(found, fields["cmdline_paddr"], ramdisk, fields["rsdp_paddr"], 0)
        if len(modules) > 1 and modules[0]["cmdline_paddr"]:  # the stub's: the guest's words come with its kernel
            text = self._read(kernel_words=(modules[0]["cmdline_paddr"], PAGE))["kernel_words"]
            found["kernel_cmdline"] = _text(text)

    def _pv(self, found: dict, info: dict) -> None:
        found.update(page="PV start info", gpa=self._registers["rsi"], pv_start_info=info, lint=[], e820=[],
                     cmdline=info["cmd_line"], ramdisk={"bytes": info["mod_len"]})
        # what the PVH decoder makes of it, which answers whether the two start infos have anything in common
        raw = self._read(pv_start_info=(self._registers["rsi"], PAGE))["pv_start_info"]
        found["as_hvm_start_info"] = self._decode("start-info", raw, 0)["lint"]

    def _beside(self, found: dict, cmdline: int, ramdisk: tuple[int, int], rsdp: int, setup_data: int) -> None:
        """What the structure points to, and the GDT."""
        wanted = {}
        if cmdline:
            wanted["cmdline"] = (cmdline, PAGE)
        if all(ramdisk):
            wanted["ramdisk"] = ramdisk
        if rsdp:
            wanted["rsdp"] = (rsdp, RSDP_BYTES)
        if setup_data:
            wanted["setup_data"] = (setup_data, SETUP_DATA_REACH)
        if self._registers["gdtr_base"]:
            wanted["gdt"] = (self._registers["gdtr_base"], self._registers["gdtr_limit"] + 1)
        read = self._read(**wanted) if wanted else {}
        found.update(cmdline=_text(read.get("cmdline", b"")), cmdline_gpa=cmdline,
                     rsdp={"gpa": rsdp, "signature": read.get("rsdp", b"")[:8].decode("latin-1")},
                     gdt=read.get("gdt", b"").hex(), ramdisk={"gpa": ramdisk[0], "bytes": ramdisk[1]})
        if "ramdisk" in read:
            found["ramdisk"]["sha256"] = hashlib.sha256(read["ramdisk"]).hexdigest()
        found["setup_data"] = self._nodes(read["setup_data"], setup_data) if setup_data else []

    def _nodes(self, chain: bytes, gpa: int) -> list[dict]:
        decoded = self._decode("setup-data", chain, gpa)
        return [{**{key: node.get(key) for key in ("type", "type_name", "len", "status", "data")}, "gpa": node["base_gpa"],
                 "fields": node["fields"]} for node in decoded["nodes"]]

    # --- reading ----------------------------------------------------------------------------------------------------------

    def _decode(self, kind: str, data: bytes, gpa: int) -> dict:
        return pvboot_tool.decode(kind, data, self._dir / f"handed-{kind}.bin", gpa)

    def _read(self, **ranges: tuple[int, int]) -> dict[str, bytes]:
        """Ranges of memory by name; one may be shorter than asked for, at the end of what there is."""
        scratch = paths.made(self._host.share / "files" / f"capture-{self._domid}")
        words = [f"{name}={gpa:#x}:{length}" for name, (gpa, length) in ranges.items()]
        try:
            self._run(["-o", f"/share/files/{scratch.name}"], words)
            read = {name: (scratch / f"{name}.bin").read_bytes() for name in ranges}
        finally:
            shutil.rmtree(scratch)
        for name, data in read.items():
            if len(data) <= SETUP_DATA_REACH:
                (self._dir / f"handed-{name}.bin").write_bytes(data)
        return read

    def _run(self, options: list[str], words: list[str] = ()) -> dict:
        rc, out, err = self._host.run(" ".join([CAPTURE, *options, str(self._domid), *words]))
        if rc:
            raise LabError(f"pvboot-capture: {(err.strip().splitlines() or [f'exit {rc}'])[-1]}")
        return json.loads(out)


def _map(entries: list[dict]) -> list[list[int]]:
    return [[number(entry["start"]), number(entry["end"]), entry["type"]] for entry in entries]


def _text(data: bytes) -> str:
    return data.split(b"\0")[0].decode("latin-1")

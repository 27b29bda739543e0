# SPDX-License-Identifier: LGPL-2.1-only
"""The experiment of claim C6: a stock kernel whose PV entry note names its native entry, in a PV container."""

import json
import lzma
import re
import struct
import time
from pathlib import Path

from ..base import paths
from ..machine import dom0, install
from ..judges import messages
from . import pvboot_tool
from .capture import CAPTURE
from .host import Host

KERNEL = "6.1"              # its payload is xz, which Python unpacks
SECONDS = 30
NAME = "native-in-pv"
NOTE_ENTRY, NOTE_VIRT_BASE = 1, 3  # xen/elfnote.h
PT_NOTE = 4                 # the ELF gABI


def image(kernel: Path, inspected: dict, directory: Path) -> tuple[Path, int]:
    """The unpacked kernel with the entry note changed, and the virtual address it now has."""
    payload = inspected["payload"]
    packed = kernel.read_bytes()[payload["offset"]:payload["offset"] + payload["bytes"]]
    elf = bytearray(lzma.LZMADecompressor().decompress(packed))
    notes = {kind: (at, size) for at, kind, size in xen_notes(bytes(elf))}
    base = struct.unpack_from("<Q", elf, notes[NOTE_VIRT_BASE][0])[0]
    entry = base + inspected["entries"]["vmlinux64"]["gpa"]
    struct.pack_into("<Q", elf, notes[NOTE_ENTRY][0], entry)
    path = paths.made(directory) / f"{kernel.name}-{NAME}.elf"
    path.write_bytes(elf)
    return path, entry


def xen_notes(elf: bytes) -> list[tuple[int, int, int]]:
    """Offset of the value, type and size of each note owned by Xen, of a 64-bit ELF."""
    phoff, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    found = []
    for n in range(count):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", elf, phoff + n * size)
        at, end = offset, offset + length
        while kind == PT_NOTE and at + 12 <= end:
            owner, value, note = struct.unpack_from("<III", elf, at)
            name = elf[at + 12:at + 12 + owner]
            at += 12 + (owner + 3 & ~3)
            if name == b"Xen\0":
                found.append((at, note, value))
            at += value + 3 & ~3
    return found


def run(host: Host, elf: Path, entry: int, ramdisk: str, directory: Path) -> dict:
    """{"outcome", "entry", "rip", "bytes_in", "said"}: how far it came."""
    kernel = host.put_once(elf, f"{dom0.DIRECTORY}/{elf.name}")
    cfg = directory / f"{NAME}.cfg"
    cfg.write_text(f'name = "{NAME}"\ntype = "pv"\nkernel = "{kernel}"\nramdisk = "{ramdisk}"\nmemory = 256\n'
                   'on_crash = "preserve"\n')
    host.put(cfg, f"/root/{cfg.name}")
    start = len(host.log())
    rc, out, err = host.run(f"{install.STOCK_XL} -vvv create -p /root/{cfg.name}")
    (directory / f"{NAME}.txt").write_text(err + out)
    if rc:
        return {"outcome": "refused", "said": messages.complaint(err + out)}
    domid = host.check(f"{install.STOCK_XL} domid {NAME}").strip()
    try:
        before = _rip(host, domid)
        host.check(f"{install.STOCK_XL} unpause {NAME}")
        deadline = host.clock() + SECONDS
        while "c-" not in (state := host.check(f"{install.STOCK_XL} list {NAME} | tail -n 1")):
            if host.clock() > deadline:
                break
            time.sleep(1)
        host.check(f"{install.STOCK_XL} pause {NAME}")
        rip = _rip(host, domid)
    finally:
        host.run(f"{install.STOCK_XL} destroy {NAME}")
    said = [line for line in host.log()[start:].splitlines() if re.search(rf"[Dd](omain )?{domid}\b|domain_crash|fault", line)]
    return {"outcome": "crashed" if re.search(r" ...\S?c\S* ", state) else "ran on", "entry": entry, "first": before, "rip": rip,
            "bytes_in": rip - entry, "said": "; ".join(line.strip() for line in said[:3])}


def _rip(host: Host, domid: str) -> int:
    return pvboot_tool.number(json.loads(host.check(f"{CAPTURE} {domid}"))["vcpu"]["rip"])

# SPDX-License-Identifier: LGPL-2.1-only
"""The experiment of claim C6: a stock kernel whose PV entry note names its native entry, in a PV container.

It is run twice: as it is, and by stepper.S in place of its PV entry, which counts the instructions.
"""

import dataclasses
import json
import lzma
import re
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from ..base import cc, paths
from ..machine import dom0, install
from ..judges import messages
from . import pvboot_tool
from .capture import CAPTURE
from .host import Host

KERNEL = "6.1"              # its payload is xz, which Python unpacks
SECONDS = 30
NAME = "native-in-pv"
NOTE_ENTRY, NOTE_VIRT_BASE = 1, 3  # xen/elfnote.h
PT_LOAD, PT_NOTE = 1, 4     # the ELF gABI
STEPS_MAX, STEPS_AT = 1000, 0x200
WORD = 8
LONGEST = 15                # bytes of an x86 instruction


@dataclasses.dataclass(frozen=True)
class Images:
    """The unpacked kernel with the entry note changed; the same with the stepper where its PV entry was."""
    plain: Path
    stepped: Path
    entry: int  # virtual addresses: of the native entry
    steps: int  # of the stepper's count, which the list follows


def image(kernel: Path, inspected: dict, directory: Path) -> Images:
    payload = inspected["payload"]
    packed = kernel.read_bytes()[payload["offset"]:payload["offset"] + payload["bytes"]]
    elf = bytearray(lzma.LZMADecompressor().decompress(packed))
    notes = {kind: (at, size) for at, kind, size in xen_notes(bytes(elf))}
    base = struct.unpack_from("<Q", elf, notes[NOTE_VIRT_BASE][0])[0]
    entry = base + inspected["entries"]["vmlinux64"]["gpa"]
    pv_entry = struct.unpack_from("<Q", elf, notes[NOTE_ENTRY][0])[0]
    plain, stepped = (paths.made(directory) / f"{kernel.name}-{NAME}{by}.elf" for by in ("", "-stepped"))
    code = _stepper(entry, pv_entry)
    at = offset(bytes(elf), pv_entry)
    stepped.write_bytes(bytes(elf[:at]) + code + bytes(elf[at + len(code):]))
    struct.pack_into("<Q", elf, notes[NOTE_ENTRY][0], entry)
    plain.write_bytes(elf)
    return Images(plain, stepped, entry, pv_entry + STEPS_AT)


def _stepper(entry: int, at: int) -> bytes:
    return cc.built("stepper", [Path(__file__).with_name("stepper.S")], "-nostdlib", "-static", "-no-pie", "-fno-pie",
                    f"-DNATIVE_ENTRY={entry:#x}", f"-DSTEPS_MAX={STEPS_MAX}", f"-DSTEPS_AT={STEPS_AT:#x}",
                    f"-Wl,-Ttext={at:#x},--oformat=binary,--build-id=none").read_bytes()


def offset(elf: bytes, address: int) -> int:
    """In the file, of a virtual address that a PT_LOAD has."""
    phoff, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    for n in range(count):
        kind, _, at, virtual, _, length = struct.unpack_from("<IIQQQQ", elf, phoff + n * size)
        if kind == PT_LOAD and virtual <= address < virtual + length:
            return at + address - virtual
    raise ValueError(f"no PT_LOAD has {address:#x}")


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


def run(host: Host, images: Images, ramdisk: str, directory: Path) -> dict:
    """{"outcome", "entry", "first", "rip", "said"}, and of one that crashed {"steps", "last", "instruction"}: how many it executed,
    and of which it died: the stepped one has to come as far as the other."""
    seen = _run(host, images.plain, ramdisk, directory) | {"entry": images.entry}
    if seen["outcome"] != "crashed":
        return seen
    stepped = _run(host, images.stepped, ramdisk, directory, images.steps)
    if not stepped.get("list"):
        return seen
    return seen | {"steps": len(stepped["list"]) - 1, "last": stepped["list"][-1], "stepped_rip": stepped["rip"],
                   "list": stepped["list"], "instruction": instruction(images.plain.read_bytes(), stepped["list"][-1])}


def instruction(elf: bytes, address: int) -> str:
    at = offset(elf, address)
    with tempfile.NamedTemporaryFile() as code:
        code.write(elf[at:at + LONGEST])
        code.flush()
        listing = subprocess.run(["objdump", "-D", "-b", "binary", "-m", "i386:x86-64", code.name], check=True, capture_output=True,
                                 text=True).stdout
    return " ".join(re.search(r"^\s*0:\t[0-9a-f ]+\t(.*)$", listing, re.M).group(1).split())


def _run(host: Host, elf: Path, ramdisk: str, directory: Path, steps: int = 0) -> dict:
    """`steps`: where its count is."""
    kernel = host.put_once(elf, f"{dom0.DIRECTORY}/{elf.name}")
    cfg = directory / f"{NAME}.cfg"
    cfg.write_text(f'name = "{NAME}"\ntype = "pv"\nkernel = "{kernel}"\nramdisk = "{ramdisk}"\nmemory = 256\n'
                   'on_crash = "preserve"\n')
    host.put(cfg, f"/root/{cfg.name}")
    start = len(host.log())
    rc, out, err = host.run(f"{install.STOCK_XL} -vvv create -p /root/{cfg.name}")
    (directory / f"{elf.stem}.txt").write_text(err + out)
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
        count = _words(host, domid, steps, 1)[0] if steps else 0
        listed = _words(host, domid, steps + WORD, count) if count else []
    finally:
        host.run(f"{install.STOCK_XL} destroy {NAME}")
    said = [line for line in host.log()[start:].splitlines() if re.search(rf"[Dd](omain )?{domid}\b|domain_crash|fault", line)]
    return {"outcome": "crashed" if re.search(r" ...\S?c\S* ", state) else "ran on", "first": before, "rip": rip,
            "said": "; ".join(line.strip() for line in said[:3]), "list": listed}


def _words(host: Host, domid: str, address: int, count: int) -> list[int]:
    host.check(f"mkdir -p /root/words && {CAPTURE} -o /root/words {domid} words={address:#x}:{count * WORD}")
    return list(struct.unpack(f"<{count}Q", host.get("/root/words/words.bin")))


def _rip(host: Host, domid: str) -> int:
    return pvboot_tool.number(json.loads(host.check(f"{CAPTURE} {domid}"))["vcpu"]["rip"])

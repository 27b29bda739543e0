# SPDX-License-Identifier: LGPL-2.1-only
"""Runs the stub in plain QEMU, in memory that looks as stock libxenguest leaves it.

Stub at its address, behind it kernel and ramdisk, each on a page of its own, behind them the start info: structures
by the tables in Xen's public arch-x86/hvm/start_info.h.
"""

import dataclasses
import os
import struct
import subprocess
from pathlib import Path

BUILD = Path(os.environ.get("PVBOOT_BUILD", Path(__file__).resolve().parents[2] / "build")).resolve()
GUESTS = BUILD / "guests"
STUB = BUILD / "pvboot-stub.elf"
PAGE = 4096
MIB = 1 << 20
JUMP_TABLE = 0x7000800
RAM, RESERVED = 1, 2
SECONDS = 120


@dataclasses.dataclass
class Load:
    offset: int
    gpa: int
    file_bytes: int
    mem_bytes: int
    flags: int


@dataclasses.dataclass
class Elf:
    entry: int
    loads: list[Load]
    notes: list[tuple[str, int, bytes]]


def read_elf(path: Path) -> Elf:
    """Of a 32-bit one: entry, PT_LOADs, notes.  gABI."""
    data = path.read_bytes()
    assert data[:6] == b"\x7fELF\x01\x01"
    entry, phoff = struct.unpack_from("<II", data, 24)
    phnum = struct.unpack_from("<H", data, 44)[0]
    elf = Elf(entry, [], [])
    for i in range(phnum):
        kind, offset, _, gpa, file_bytes, mem_bytes, flags, _ = struct.unpack_from("<8I", data, phoff + 32 * i)
        if kind == 1:
            elf.loads.append(Load(offset, gpa, file_bytes, mem_bytes, flags))
        elif kind == 4:
            elf.notes += _notes(data[offset:offset + file_bytes])
    return elf


def _notes(data: bytes) -> list[tuple[str, int, bytes]]:
    found, at = [], 0
    while at < len(data):
        name_bytes, desc_bytes, kind = struct.unpack_from("<III", data, at)
        desc = at + 12 + _up(name_bytes, 4)
        found.append((data[at + 12:at + 12 + name_bytes - 1].decode(), kind, data[desc:desc + desc_bytes]))
        at = desc + _up(desc_bytes, 4)
    return found


def _up(n: int, align: int) -> int:
    return (n + align - 1) // align * align


@dataclasses.dataclass
class Guest:
    """What the stub is given."""
    kernel: bytes
    cmdline: bytes = b"console=hvc0"
    ramdisk: bytes = b""
    options: str = "entry=auto"
    memory_mib: int = 256

    def pieces(self) -> tuple[dict[int, bytes], int]:
        """Address to bytes, and where the start info is."""
        end = max(load.gpa + load.mem_bytes for load in read_elf(STUB).loads)
        kernel_gpa = _up(end, PAGE)
        ramdisk_gpa = _up(kernel_gpa + len(self.kernel), PAGE)
        info_gpa = _up(ramdisk_gpa + len(self.ramdisk), PAGE)
        info = self._start_info(info_gpa, kernel_gpa, ramdisk_gpa)
        pieces = {kernel_gpa: self.kernel, info_gpa: info}
        if self.ramdisk:
            pieces[ramdisk_gpa] = self.ramdisk
        return pieces, info_gpa

    def _start_info(self, gpa: int, kernel_gpa: int, ramdisk_gpa: int) -> bytes:
        tail = bytearray()

        def put(data: bytes) -> int:
            at = gpa + 56 + len(tail)
            tail.extend(data + bytes(-len(data) % 8))
            return at

        carrier = put(f"pvboot {self.options}\0".encode())
        cmdline = put(self.cmdline + b"\0")
        modules = struct.pack("<4Q", kernel_gpa, len(self.kernel), cmdline, 0)
        if self.ramdisk:
            modules += struct.pack("<4Q", ramdisk_gpa, len(self.ramdisk), 0, 0)
        modlist = put(modules)
        memmap = put(b"".join(struct.pack("<QQII", start, end - start, kind, 0) for start, end, kind in self.memmap()))
        head = struct.pack("<4I4QII", 0x336EC578, 1, 0, len(modules) // 32, modlist, carrier, 0, memmap,
                           len(self.memmap()), 0)
        return head + bytes(tail)

    def memmap(self) -> list[tuple[int, int, int]]:
        return [(0, 0x9FC00, RAM), (0x9FC00, 0xA0000, RESERVED), (0x100000, self.memory_mib * MIB - 0x20000, RAM)]


def run(guest: Guest, scratch: Path) -> str:
    """What comes out of port 0xe9 until the probe ends the machine."""
    pieces, info_gpa = guest.pieces()
    pieces[JUMP_TABLE] = struct.pack("<II", info_gpa, read_elf(STUB).entry)
    command = ["qemu-system-x86_64", "-accel", "tcg", "-M", "pc", "-m", str(guest.memory_mib), "-kernel",
               str(GUESTS / "jump.elf"), "-device", f"loader,file={STUB}"]
    for gpa, data in pieces.items():
        path = scratch / f"{gpa:x}.bin"
        path.write_bytes(data)
        command += ["-device", f"loader,file={path},addr={gpa:#x},force-raw=on"]
    return machine(command, scratch)


def run_alone(kernel: Path, carrier: str, vcpus: int, scratch: Path) -> str:
    """As QEMU starts a PVH kernel: one module, without a command line of its own."""
    return machine(["qemu-system-x86_64", "-accel", "tcg", "-M", "pc", "-m", "128", "-smp", str(vcpus), "-kernel",
                    str(STUB), "-append", carrier, "-initrd", str(kernel)], scratch)


def machine(command: list[str], scratch: Path) -> str:
    """The machine ends by itself, through isa-debug-exit, or has hung."""
    log = scratch / "e9"
    command = [*command, "-display", "none", "-monitor", "none", "-serial", "none", "-nodefaults", "-no-reboot",
               "-debugcon", f"file:{log}", "-device", "isa-debug-exit,iobase=0xf4"]
    done = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        out, _ = done.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        done.kill()
        out, _ = done.communicate()
    text = log.read_text(errors="replace") if log.exists() else ""
    assert done.returncode == 1, f"QEMU ended with {done.returncode}: {out}{text[-500:]}"
    return text

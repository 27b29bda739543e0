# SPDX-License-Identifier: LGPL-2.1-only
"""A Linux that knows its hypervisor before it has an IDT: the patches of linux/, booted.

On Xen by each entry at which a zero page can be handed over, and by stock PVH, which hands over none.  Without Xen, in QEMU alone:
without a node, beside the same kernel without the patches; and with nodes that a lying loader could leave.  The emulator's clock is
the number of instructions executed, so distances are counted and not measured.
"""

import dataclasses
import re
import struct
import subprocess
import time
import zlib
from pathlib import Path

from ..base import packages, paths, ready
from ..base.errors import LabError, Timeout
from ..cases.case import CONSOLE, Case
from ..guests import evidence, images
from ..judges import early, handover
from ..machine import dom0
from ..machine.host import BY_INSTRUCTIONS
from ..machine.install import STOCK_XL, XL
from . import kbuild
from .testbed import KERNEL, Testbed, prepared

LOG = "/var/log/xen/console/guest-{}.log"
TOOLSTACK, STUB, LOADER = early.FILLERS
PATHS = {"linux32": (TOOLSTACK, early.PLACES), "linux64": (TOOLSTACK, early.PLACES), "vmlinux64": (TOOLSTACK, early.PLACES[1:]),
         "stub": (STUB, early.PLACES)}
SECONDS = 240
TRIES = 3        # the emulator loses a guest now and then, see ../README.md
LOW = 0x98000    # memory that firmware and Linux leave alone
ABOVE = 1 << 32  # where startup_32's own page tables end
SETUP_DATA = 0x250
NANOSECONDS = 4  # of an instruction, and a tick of the TSC is one


@dataclasses.dataclass(frozen=True)
class Bare:
    """A boot without Xen, and what the kernel has to say."""
    name: str
    node: bytes = b""
    at: int = LOW
    memory: int = 256
    reason: str = ""                       # why it is ignored
    places: tuple[str, ...] = early.PLACES


def node(filler: int = LOADER, crc: int = 0, size: int | None = None, **more) -> bytes:
    """A struct setup_data and a payload of 64 bytes; `crc`: bits of it that are wrong; `size`: what it says of its length."""
    fields = {"magic": b"PVBH", "version": 1, "signature": b"XenVMMXenVMM", "tlv": 64, **more}

    def payload(check: int) -> bytes:
        return struct.pack("<4sHHII4s12sIIQIIQ", fields["magic"], fields["version"], fields["version"], size or 64, check,
                           b"XenV", fields["signature"], filler, 0, 0, 0, fields["tlv"], 0)
    body = payload(zlib.crc32(payload(0)) ^ crc)
    return struct.pack("<QII", 0, handover.NODE, len(body)) + body


BARE = (
    Bare("no node"),
    Bare("a good node", node()),
    Bare("a node above 4 GiB", node(), ABOVE, 5120, places=early.PLACES[1:]),  # the decompressor cannot see it from startup_32
    Bare("a bad checksum", node(crc=1), reason="bad checksum"),
    Bare("a bad length", node(size=65), reason="bad length"),
    Bare("a length of 4 GiB", node(size=0xffffffff), reason="bad length"),
    Bare("a bad magic", node(magic=b"PVBh"), reason="bad magic"),
    Bare("another version", node(version=2), reason="unknown version"),
    Bare("another signature", node(signature=b"KVMKVMKVM\0\0\0"), reason="type and signature differ"),
    Bare("a TLV outside", node(tlv=72), reason="bad TLV"),
)


def linux() -> int:
    ready.ensure()
    kernels = kbuild.built(packages.Store())
    print(f"Linux {kernels.version}", flush=True)
    out = paths.made(paths.lab() / "linux")
    wrong = [row.name for row in BARE if _told(row.name, *_bare(out, kernels, row))]
    with prepared("linux", accelerator=BY_INSTRUCTIONS) as testbed:
        at = {"kernel": testbed.host.put_once(kernels.patched, f"{dom0.DIRECTORY}/vmlinuz-patched"),
              "ramdisk": testbed.host.put_once(images.initramfs(testbed.store, "amd64"), f"{dom0.DIRECTORY}/initrd")}
        wrong += [path for path in (*PATHS, "xl-pvh") if _told(path, *_guest(testbed, at, path))]
    return 1 if wrong else 0


def _told(name: str, wrong: list[str], port: str) -> bool:
    at = early.marks(port)
    last = at.pop("ask", 0)
    counted = ", ".join(f"{place} {(last - tsc) // NANOSECONDS}" for place, tsc in at.items())
    print(f"{name}: {'; '.join(wrong) or 'as it should'}{f'; instructions before CPUID: {counted}' if counted else ''}", flush=True)
    return bool(wrong)


# --- on Xen ------------------------------------------------------------------------------------------------------------------

def _guest(testbed: Testbed, at: dict[str, str], path: str) -> tuple[list[str], str]:
    case = Case(f"linux-{path}", path, KERNEL, cmdline=CONSOLE)
    config = testbed.config(case, at["kernel"], at["ramdisk"])
    for tries in range(TRIES):
        mark = len(testbed.host.log())
        try:
            text = _boot(testbed, case, config)
            port = _port(testbed.host.log()[mark:])
            testbed.keep(f"{case.name}.log", text + port)
            return _judged(evidence.parse(text), port, path), port
        except (ValueError, LabError) as lost:  # xl, too, fails where the emulation made up a triple fault
            print(f"{case.name}: try {tries + 1}: {lost}", flush=True)
            testbed.host.run(f"{STOCK_XL} destroy {case.name}")
            if tries == TRIES - 1:
                return [str(lost)], ""
    raise AssertionError


def _boot(testbed: Testbed, case: Case, config: str) -> str:
    log = LOG.format(case.name)
    return testbed.host.check(f"""
        rm -f {log}
        {XL if case.needs_pvboot else STOCK_XL} create {config} >&2 || exit
        end=$(($(date +%s) + {SECONDS}))
        while [ $(date +%s) -lt $end ]; do
            grep -q '@@pvboot-done' {log} && break
            {STOCK_XL} list {case.name} | grep -q ' ...[sc].. ' && break
            sleep 0.5
        done
        cat {log}
        {STOCK_XL} destroy {case.name}""", SECONDS + 120)


def _port(log: str) -> str:
    """What guests wrote to the debug port."""
    return "".join(f"{line}\n" for line in re.findall(r"\(d\d+\) (.*)", log.replace("\r", "")))


def _judged(found: evidence.Evidence, port: str, path: str) -> list[str]:
    if path not in PATHS:
        return early.without(found, port)
    filler, places = PATHS[path]
    nodes = [data for kind, data in found.setup_data().values() if kind == handover.NODE]
    wrong = early.judge(found, port, early.Wanted(filler, "Xen HVM", places))
    return wrong + (handover.head(nodes[0], path) if len(nodes) == 1 else [f"{len(nodes)} nodes are read back"])


# --- without Xen -------------------------------------------------------------------------------------------------------------

def _bare(out: Path, kernels: kbuild.Built, row: Bare) -> tuple[list[str], str]:
    try:
        found, port = _emulated(out, kernels.patched, row)
        if not row.node:
            stock, _ = _emulated(out, kernels.stock, row)
            return early.without(found, port) + early.differing(stock, found), port
    except (ValueError, Timeout) as lost:
        return [str(lost)], ""
    if row.reason:
        return early.ignored(found, port, row.reason), port
    return early.judge(found, port, early.Wanted(LOADER, "none", row.places)), port


def _emulated(out: Path, kernel: Path, row: Bare) -> tuple[evidence.Evidence, str]:
    """Evidence by the serial line, and what came by port 0xe9."""
    scratch = paths.made(out / f"{row.name.replace(' ', '-')}-{kernel.name}")
    image = bytearray(kernel.read_bytes())
    image[SETUP_DATA:SETUP_DATA + 8] = struct.pack("<Q", row.at if row.node else 0)
    (scratch / "vmlinuz").write_bytes(image)
    (scratch / "node").write_bytes(row.node)
    serial, port = scratch / "serial.log", scratch / "port.log"
    for log in (serial, port):
        log.write_text("")
    command = ["qemu-system-x86_64", *BY_INSTRUCTIONS, "-m", str(row.memory), "-nodefaults", "-no-reboot",
               "-display", "none", "-monitor", "none", "-serial", f"file:{serial}", "-debugcon",
               f"file:{port}", "-kernel", scratch / "vmlinuz",
               "-initrd", images.initramfs(packages.Store(), "amd64"), "-append", "console=ttyS0 pvlab.mode=evidence"]
    if row.node:
        command += ["-device", f"loader,file={scratch / 'node'},addr={row.at:#x},force-raw=on"]
    with (scratch / "qemu.log").open("wb") as complaints:
        emulator = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=complaints, stderr=complaints)
    try:
        deadline = time.monotonic() + SECONDS
        while not evidence.rounds(serial.read_text(errors="replace")):
            if emulator.poll() is not None:
                raise Timeout(f"the emulator ended, see {scratch / 'qemu.log'}")
            if time.monotonic() > deadline:
                raise Timeout(f"no userland after {SECONDS} s, see {serial}")
            time.sleep(0.2)
    finally:
        emulator.kill()
        emulator.wait()
    return evidence.parse(serial.read_text(errors="replace")), port.read_text(errors="replace")

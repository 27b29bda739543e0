# SPDX-License-Identifier: LGPL-2.1-only
"""Guests of a shape that the usual cases have not: memory maps with many holes, ramdisks that are large or come in
parts.  What must come of it is judged by what the guest sees."""

import hashlib
import struct
import subprocess
from pathlib import Path

from ..base import paths, ready
from ..base.cpio import Archive
from ..base.errors import LabError
from ..machine import dom0
from ..machine.host import Host
from ..guests import images
from ..guests.evidence import Evidence
from . import xlcfg
from .case import Case

HERE = Path(__file__).resolve().parent
LIBRARY = "/usr/lib/pvlab-reserve.so"
PARTS = {"second": b"of three, and of an odd length", "third": b"the last"}
PAGE = 4096
RNG_SEED = 9               # setup_data.h
IN_PAGE_MAX = 128          # e820 entries in a zero page, zero-page.rst


def xl(case: Case, program: str) -> str:
    """The command that creates it."""
    if not case.reserve:
        return program
    ranges = ",".join(f"{start:x}-{end:x}" for start, end in case.reserve)
    return f"env PVLAB_RESERVE={ranges} LD_PRELOAD={LIBRARY} {program}"


def prepare(host: Host, case: Case, ramdisk: Path) -> tuple[Path, dict[str, str]]:
    """The ramdisk for ramdisk=, and what else the config says."""
    if case.reserve:
        host.put_once(_library(), LIBRARY)
    if case.ramdisk == "large":
        return images.padded(ramdisk), {}
    if case.ramdisk != "joined":
        return ramdisk, {}
    there = [host.put_once(part, f"{dom0.DIRECTORY}/{part.name}") for part in _parts()]
    return ramdisk, {"pvboot_ramdisks": ",".join(there)}


def kernel(case: Case, image: Path) -> Path:
    """The kernel itself, or a copy that says it is of another version: boot.rst, kernel_version."""
    if not case.kernel_says:
        return image
    data = bytearray(image.read_bytes())
    at = 0x200 + struct.unpack_from("<H", data, 0x20e)[0]
    data[at:at + len(case.kernel_says)] = case.kernel_says.encode()
    copy = paths.made(paths.lab() / "guests") / f"{image.name}-says-{case.kernel_says}"
    copy.write_bytes(data)
    return copy


def packed(case: Case, kernel: Path, ramdisk: Path) -> Path:
    """All three as one file.  Its command line is not the guest's if the configuration has one as well."""
    ours = f"pvlab.packed {xlcfg.cmdline(case)}"
    out = paths.made(paths.lab() / "guests") / f"{case.name}.packed"
    done = subprocess.run([paths.build() / "pvboot", "pack", "--sandbox", "best", "--entry", "linux64", "--ramdisk", ramdisk,
                           "--cmdline", ours, "-o", out, kernel], capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"pvboot pack: {done.stderr.strip()}")
    return out.rename(out.with_name(f"{out.name}-{hashlib.sha256(out.read_bytes()).hexdigest()[:12]}"))


def joined(case: Case, ramdisk: bytes) -> bytes:
    """The guest's ramdisk as a whole: Linux Documentation/driver-api/early-userspace/buffer-format.rst."""
    for part in _parts() if case.ramdisk == "joined" else ():
        ramdisk += bytes(-len(ramdisk) % 4) + part.read_bytes()
    return ramdisk


def judge(case: Case, found: Evidence, dump: Path) -> list[str]:
    wrong = []
    if case.path == "xl-packed" and ("pvlab.packed" in found.text("cmdline")) == ("cmdline" in case.config):
        wrong.append(f"whose command line is this? {found.text('cmdline').strip()[:200]!r}")
    if case.reserve:
        wrong += _left_to_xen(found, dump) if case.path == "pvh" else _holes(case, found)
    if case.ramdisk == "large" and case.reserve:
        high, = struct.unpack_from("<I", found.sections["boot_params"], 0xc0)  # zero-page.rst: ext_ramdisk_image
        if not high:
            wrong.append("the ramdisk is not above 4 GiB")
    if case.config.get("pvboot_rng_seed"):
        seeds = [data for kind, data in found.setup_data().values() if kind == RNG_SEED]
        if [any(data) for data in seeds] != [False]:  # Linux wipes what it has used
            wrong.append(f"{len(seeds)} seeds, wiped: {[not any(data) for data in seeds]}")
    if case.ramdisk == "joined":
        seen = found.tree("more")
        wrong += [f"/more/{name} holds {seen.get(name)!r}" for name, text in PARTS.items() if seen.get(name) != text.decode()]
    return wrong


def _left_to_xen(found: Evidence, dump: Path) -> list[str]:
    """Linux' PVH entry would write behind its table, so it is given no map; Xen's own, which it asks for, has no holes."""
    table = struct.unpack_from("<QI", (dump / "start-info").read_bytes(), 40)  # start_info.h: memmap_paddr, memmap_entries
    count = len({key.split("/")[0] for key in found.tree("memmap")})
    return [] if table == (0, 0) and count <= IN_PAGE_MAX else [f"start info: map {table}, the guest's has {count} entries"]


def _holes(case: Case, found: Evidence) -> list[str]:
    """Each hole must be in the map the guest was given, whose ends are inclusive in sysfs."""
    tree = found.tree("memmap")
    count = len({key.split("/")[0] for key in tree})
    given = {(int(tree[f"{n}/start"], 0), int(tree[f"{n}/end"], 0) + 1) for n in range(count)
             if tree[f"{n}/type"] == "Reserved"}
    missing = [hole for hole in case.reserve if hole not in given]
    wrong = [f"{len(missing)} of {len(case.reserve)} holes are not in the guest's map, first {missing[0][0]:#x}"] if missing else []
    if count > IN_PAGE_MAX and 1 not in {kind for kind, _ in found.setup_data().values()}:
        wrong.append(f"{count} entries, and no SETUP_E820_EXT")
    return wrong


def _library() -> Path:
    out = paths.made(paths.lab() / "guests") / "reserve.so"
    done = subprocess.run([*ready.compiler(), "-shared", "-fPIC", "-D_GNU_SOURCE", "-O2", "-o", out, HERE / "reserve.c"],
                          capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"reserve.c: {done.stderr.strip()}")
    return out


def _parts() -> list[Path]:
    found = []
    for name, text in PARTS.items():
        archive = Archive()
        archive.file(f"/more/{name}", text)
        # their own length, too, must not have to be a multiple of 4
        found.append(images.named(f"part-{name}", archive.finish() + b"\0"))
    return found

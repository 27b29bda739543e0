# SPDX-License-Identifier: LGPL-2.1-only
"""bench --growth: what the time and the memory of a build grow with: the guest's memory, its kernel, its ramdisk, and
how many are created at once."""

import dataclasses
import struct
from pathlib import Path

from ..base import kernels, paths
from ..guests import images
from ..machine import dom0
from ..cases.case import Case
from . import bed, figures, run, tables

KERNEL = "6.1-cloud"  # lz4: what unpacking costs hides the least
PATHS = (run.STOCK, "pvh", "linux64")
GUEST_MIB = (256, 512, 1024, 2048, 4096, 8192, 16384)
KERNEL_MIB = (16, 32, 64)    # beside the kernel as it is, of 8
RAMDISK_MIB = (200, 1024)    # beside the one of 2
AT_ONCE = 8
DOM0_MIB = 4096              # of which files are the largest part: dom0 has them in memory
XEN_MIB = 512
LEFT_MIB = 2048              # for whoever else is on this machine
SYSSIZE, INIT_SIZE, PARAGRAPH = 0x1f4, 0x260, 16  # boot.rst


@dataclasses.dataclass(frozen=True)
class Row:
    what: str   # "memory", "kernel", "ramdisk"
    mib: int    # how much of it
    case: Case
    kernel_mib: int = 0   # 0: as it is
    ramdisk_mib: int = 0


def rows(wanted: tuple[str, ...], room_mib: int) -> tuple[list[Row], list[str]]:
    """What is to be measured in a machine with this room for guests; and what is not, and why."""
    fits = [mib for mib in GUEST_MIB if mib <= room_mib]
    left_out = [f"memory {mib} MiB: this machine has room for guests of {room_mib} MiB" for mib in GUEST_MIB if mib > room_mib]
    sizes = [("memory", mib, {"memory": mib}, {}) for mib in fits]
    sizes += [("kernel", mib, {"memory": 512}, {"kernel_mib": mib}) for mib in KERNEL_MIB]
    for mib in RAMDISK_MIB:
        memory = 256 + 2 * mib
        if memory <= room_mib:
            sizes.append(("ramdisk", mib, {"memory": memory}, {"ramdisk_mib": mib}))
        else:
            left_out.append(f"ramdisk {mib} MiB: wants a guest of {memory} MiB, there is room for {room_mib}")
    return [Row(what, mib, Case(f"{what}-{mib}/{path}", path, KERNEL, **more), **files)
            for what, mib, more, files in sizes for path in dict.fromkeys((run.STOCK, *wanted))], left_out


def room() -> int:
    """MiB for a guest: what this machine has left, and no more than is asked for."""
    text = Path("/proc/meminfo").read_text()
    available = next(int(line.split()[1]) // 1024 for line in text.splitlines() if line.startswith("MemAvailable:"))
    return min(max(GUEST_MIB), available - LEFT_MIB - DOM0_MIB - XEN_MIB)


def grown(kernel: bytes, mib: int) -> bytes:
    """A bzImage of so much, by zeroes behind its payload that count as part of the kernel.

    What starts at the bzImage has to place them all; what unpacks it finds the same payload as ever.
    """
    data = bytearray(kernel)
    more = (mib << 20) - len(data)
    syssize, = struct.unpack_from("<I", data, SYSSIZE)
    init_size, = struct.unpack_from("<I", data, INIT_SIZE)
    if more < 0:
        raise ValueError(f"the kernel has more than {mib} MiB")
    struct.pack_into("<I", data, SYSSIZE, syssize + more // PARAGRAPH)
    struct.pack_into("<I", data, INIT_SIZE, init_size + more)
    return bytes(data) + bytes(more)


def measure(wanted: tuple[str, ...], rounds: int) -> dict:
    chosen, left_out = rows(wanted, room())
    most = max(row.case.memory for row in chosen)
    report: dict = {"rounds": rounds, "left_out": left_out, "cells": {}, "at_once": {}}
    with bed.prepared(memory_mib=DOM0_MIB + XEN_MIB + most, dom0_mib=DOM0_MIB) as machine:
        for row in chosen:
            _place(machine, row)
            runs = [machine.timed(row.case) for _ in range(rounds + 1)][1:]
            cell = report["cells"][row.case.id] = {"runs": runs}
            if row.what == "ramdisk":
                cell["counts"] = machine.counted(row.case)
            print(f"{row.case.id}: builder {figures.within([r['builder'] for r in runs])}", flush=True)
        for path in dict.fromkeys((run.STOCK, *wanted)):
            cases = [Case(f"at-once-{n}/{path}", path, KERNEL, memory=128) for n in range(AT_ONCE)]
            run.put(machine, cases)
            report["at_once"][path] = [machine.at_once(cases) for _ in range(rounds)]
    return report


def _place(machine: bed.Bed, row: Row) -> None:
    image = kernels.image(machine.store, row.case.guest_kernel)
    if row.kernel_mib:
        data = grown(image.read_bytes(), row.kernel_mib)
        image = paths.made(paths.lab() / "bench") / f"{image.name}-{row.kernel_mib}M"
        image.write_bytes(data)
    kernel = machine.host.put_once(image, f"{dom0.DIRECTORY}/{image.name}")
    ramdisk = machine.host.put_once(images.initramfs(machine.store, "amd64"), f"{dom0.DIRECTORY}/initrd")
    if row.ramdisk_mib:
        small, ramdisk = ramdisk, f"{dom0.DIRECTORY}/initrd-{row.ramdisk_mib}M"
        machine.host.check(f"""
            [ -e {ramdisk} ] && exit
            cp {small} {ramdisk}.new && dd if=/dev/zero bs=1M count={row.ramdisk_mib - 2} >> {ramdisk}.new &&
            mv {ramdisk}.new {ramdisk}""", timeout=600)
    machine.place(row.case, kernel, ramdisk)


def table(report: dict) -> str:
    lines = [("what/path", "n", "create", "builder", "stock/ours", "xl MiB", "all MiB",
              "copied MiB", "copied/mapped")]
    for name, cell in report["cells"].items():
        stock = [r["builder"] for r in report["cells"][f"{name.split('/')[0]}/{run.STOCK}"]["runs"]]
        ours = [r["builder"] for r in cell["runs"]]
        lines.append((name, str(len(ours)), figures.within([r["create"] for r in cell["runs"]]), figures.within(ours),
                      f"{figures.ratio(stock, ours):.2f}x",
                      figures.mib(figures.median([r["xl_kib"] for r in cell["runs"]]) * 1024), *_counted(cell.get("counts"))))
    for path, ours in report["at_once"].items():
        lines.append((f"{AT_ONCE} at once/{path}", str(len(ours)), figures.within(ours), "-",
                      f"{figures.ratio(report['at_once'][run.STOCK], ours):.2f}x", "-", "-", "-", "-"))
    return figures.aligned(lines) + "".join(f"left out: {line}\n" for line in report["left_out"])


def _counted(counts: dict | None) -> tuple[str, str, str]:
    if not counts:
        return "-", "-", "-"
    copied = tables.copied(counts)
    return figures.mib(counts["group_kib"] * 1024), figures.mib(copied), f"{copied / tables.mapped(counts):.3f}"

# SPDX-License-Identifier: LGPL-2.1-only
"""make bench: what `xl create -p` costs, stock PVH against each entry, interleaved in one boot of one machine.

The machine's clock counts instructions, so that a time is how many of them Xen, dom0 and xl executed, at 4 ns each, and
comes out the same on a busy host.  Time on metal it is not: only the ratios within this run mean something.
"""

from ..base import kernels
from ..guests import images
from ..machine import dom0
from ..cases.case import Case
from . import bed

KERNELS = ("6.1", "6.1-cloud")
STOCK = "xl-pvh"
CACHED = "-cached"  # the same path, of a kernel that `pvboot cache add` has unpacked before
PATHS = (STOCK, "pvh", "pvh-cached", "linux32", "linux64", "vmlinux64", "vmlinux64-cached")
ROUNDS = 3


def cases(kernels_wanted: tuple[str, ...], paths_wanted: tuple[str, ...]) -> list[Case]:
    """Stock is always among them."""
    return [_case(kernel, path) for kernel in kernels_wanted for path in dict.fromkeys((STOCK, *paths_wanted))]


def is_cached(case: Case) -> bool:
    return case.id.endswith(CACHED)


def _case(kernel: str, path: str) -> Case:
    entry = path.removesuffix(CACHED)
    off = {"pvboot_cache": "off"} if path in ("pvh", "vmlinux64") else {}
    return Case(f"{kernel}/{path}", entry, kernel, config=off)


def measure(wanted: list[Case], rounds: int, userland: bool = False) -> dict:
    """What docs/bench.json holds."""
    with bed.prepared() as machine:
        put(machine, wanted)
        cells = {case.id: {"runs": []} for case in wanted}
        for number in range(rounds + 1):  # the first round warms caches: there it is counted, and not timed
            for case in wanted if number % 2 else reversed(wanted):
                if number:
                    cells[case.id]["runs"].append(machine.timed(case, userland))
                else:
                    cells[case.id]["counts"] = {**machine.counted(case), **machine.traced(case)}
            print(f"round {number} of {rounds}" if number else "counted", flush=True)
        xen = machine.host.xen()
    return {"xen": xen, "memory_mib": wanted[0].memory, "rounds": rounds, "cells": cells}


def put(machine: bed.Bed, wanted: list[Case]) -> None:
    ramdisk = machine.host.put_once(images.initramfs(machine.store, "amd64"), f"{dom0.DIRECTORY}/initrd")
    for case in wanted:
        kernel = machine.host.put_once(kernels.image(machine.store, case.guest_kernel),
                                       f"{dom0.DIRECTORY}/vmlinuz-{case.kernel}")
        machine.place(case, kernel, ramdisk)
        if is_cached(case):
            machine.unpack(kernel)

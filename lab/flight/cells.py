# SPDX-License-Identifier: LGPL-2.1-only
"""Which cells there are, and which of them a kernel cannot do.  The latter is read from the kernel, not listed."""

import fnmatch

from . import model
from .model import Cell

BASE = {"vcpus": 1, "memory": 256}
SMALL_MIB, LARGE_MIB = 128, 4608  # the smallest that holds GRUB with a kernel in it; enough for RAM above 4 GiB
# the shapes of one kernel that the others need not repeat
SHAPES = ({"vcpus": 4}, {"memory": SMALL_MIB}, {"memory": LARGE_MIB}, {"initrd": "large"})
SHAPED = "6.1-cloud"
TIMED = "6.1-cloud"
SMOKE = ("6.1-cloud/1cpu/256M/small/xl-pvh", "6.1-cloud/1cpu/256M/small/linux64", "6.1-cloud/1cpu/256M/small/stub",
         "6.1-cloud/1cpu/256M/small/grub")


def matrix(kernels: list[str], rounds: int = 0) -> list[Cell]:
    """Every kernel through every path; one of them in more shapes; repeats for timing, the paths taking turns."""
    cells = [Cell(kernel, path, **BASE) for kernel in kernels for path in model.PATHS]
    cells += [Cell(kernel, "stub", **BASE, how="stock-xl") for kernel in kernels]
    cells += [Cell(SHAPED, "grub", **BASE, how="node")] if SHAPED in kernels else []
    cells += [Cell(SHAPED, path, **{**BASE, **shape}) for shape in SHAPES for path in model.PATHS if SHAPED in kernels]
    cells += [Cell(TIMED, path, **BASE, round=number) for number in range(1, rounds + 1) for path in model.PATHS
              if TIMED in kernels]
    return cells


def select(cells: list[Cell], patterns: str) -> list[Cell]:
    """In the order of the patterns, so that who asks decides what is flown first."""
    globs = list(SMOKE) if patterns == "smoke" else [glob for glob in patterns.split(",") if glob] or ["*"]
    return list({cell.id: cell for glob in globs for cell in cells if fnmatch.fnmatchcase(cell.id, glob)}.values())


def blocked(cell: Cell, inspected: dict) -> str | None:
    """Why the kernel cannot do this, from `pvboot inspect`; None when it can."""
    return _NEEDS[cell.path](inspected)


def _entry(name: str):
    def why(inspected: dict) -> str | None:
        entry = inspected["entries"][name]
        return None if entry["ok"] else f"{name}: {entry['why']}"
    return why


def _bzimage(inspected: dict) -> str | None:
    """What the stub and GRUB start: one of the bzImage's own entries."""
    return None if inspected["entries"]["linux64"]["ok"] else _entry("linux32")(inspected)


def _pv(inspected: dict) -> str | None:
    notes = inspected["notes"]
    if "xen_version" not in notes:
        return "PV: no Xen notes in the ELF"
    if not inspected["entries"]["vmlinux64"]["ok"] and "pae_pgdir_above_4gb" in notes.get("features", ""):
        return f"PV: {inspected['entries']['vmlinux64']['why']}: Linux gave up 32-bit PV in 5.9"
    return None


_NEEDS = {"pvh": _entry("pvh"), "xl-pvh": _entry("pvh"), "xl-pv": _pv, "pv": _entry("pv"), "linux32": _entry("linux32"),
          "linux64": _entry("linux64"), "vmlinux64": _entry("vmlinux64"), "stub": _bzimage, "grub": _bzimage}

# SPDX-License-Identifier: LGPL-2.1-only
"""make bench-native: CPU time of a build on the fake Xen of tests/offline, natively; stock libxenguest beside it.

No Xen, no dom0: what mapping guest memory costs there is not in it, nor what libxl does around the builder.
"""

import os
import subprocess
import tempfile
from pathlib import Path

from ..base import cc, kernels, packages, paths
from ..base.errors import LabError
from ..cases.case import Case
from ..guests import images
from . import bed, figures, stamps
from .run import STOCK, is_cached

FILES = ("pvboot", "pvboot-xl.so", "pvboot-parse", "pvboot-stub.elf", "tests/offline/driver")
PHASES_SHOWN = ("files", "parse", "populate", "load", "boot", "release")


def measure(wanted: list[Case], rounds: int) -> dict[str, list[dict]]:
    """By case, CPU seconds of each build; the first round warms caches and is not counted."""
    missing = [name for name in FILES if not (paths.build() / name).exists()]
    if missing:
        raise LabError(f"{missing[0]} is missing; run: make bench-native")
    store = packages.Store()
    shim = cc.built("stamps.so", [bed.HERE / "stamps.c"], *bed.SHIM)
    ramdisk = images.initramfs(store, "amd64")
    samples: dict[str, list[dict]] = {case.id: [] for case in wanted}
    with tempfile.TemporaryDirectory() as scratch:
        _unpack({kernels.image(store, case.guest_kernel) for case in wanted if is_cached(case)}, Path(scratch))
        for number in range(rounds + 1):
            for case in wanted if number % 2 else reversed(wanted):
                sample = _build(case, kernels.image(store, case.guest_kernel), ramdisk, shim, Path(scratch))
                if number:
                    samples[case.id].append(sample)
    return samples


def _unpack(images_wanted: set[Path], scratch: Path) -> None:
    for image in images_wanted:
        subprocess.run([paths.build() / "pvboot", "cache", "add", "--cache", scratch / "cache", image], check=True,
                       stdout=subprocess.DEVNULL)


def _build(case: Case, kernel: Path, ramdisk: Path, shim: Path, scratch: Path) -> dict:
    build = paths.build()
    stock = case.path == STOCK
    kind = ["--kind", "pvh"] if stock else ["--kind", "shim", "--shim", build / "pvboot-stub.elf", "--carrier",
                                            f"pvboot entry={case.path} cache={scratch / 'cache' if is_cached(case) else 'off'}"]
    preload = str(shim) if stock else f"{shim}:{build / 'pvboot-xl.so'}"
    command = [build / "tests/offline/driver", *kind, "--kernel", kernel, "--ramdisk", ramdisk, "--cmdline", case.cmdline,
               "--mib", str(case.memory), "--log", scratch / "log"]
    done = subprocess.run(command, capture_output=True, text=True,
                          env={**os.environ, "LD_PRELOAD": preload, "PVBOOT_STAMPS": str(scratch / "stamps")})
    if "result built 0" not in done.stdout:
        raise LabError(f"{case.id}: {(done.stderr or done.stdout).strip()[-300:]}")
    found = stamps.parse((scratch / "stamps").read_text())
    return {"cpu": found.cpu, "wall": found.seconds, "phases": found.phases}


def table(samples: dict[str, list[dict]]) -> str:
    lines = [("kernel/path", "n", "CPU", "stock/ours", "wall", *PHASES_SHOWN)]
    for name, runs in samples.items():
        stock = samples[f"{name.split('/')[0]}/{STOCK}"]
        cpu = [run["cpu"] for run in runs]
        phases = (f"{figures.median([run['phases'][p] for run in runs]) * 1e3:.1f}" for p in PHASES_SHOWN)
        lines.append((name, str(len(runs)), figures.within(cpu),
                      f"{figures.ratio([run['cpu'] for run in stock], cpu):.2f}x",
                      figures.seconds(figures.median([run["wall"] for run in runs])), *phases))
    return figures.aligned(lines)

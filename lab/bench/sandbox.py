# SPDX-License-Identifier: LGPL-2.1-only
"""bench --sandbox: what it costs to confine the kernel's parser, in pairs."""

import json
import statistics

from ..base import paths
from ..cases.case import Case
from . import bed, figures, run

KERNEL = "6.1"              # xz: the longest to unpack
PATHS = ("pvh", "linux64")  # unpacked in dom0; header alone
SHARE, SECONDS = 0.05, 0.002  # what the confined parser may cost


def measure(rounds: int) -> dict[str, list[dict]]:
    wanted = [Case(f"{KERNEL}/{path}/{mode}", path, KERNEL, config={"pvboot_sandbox": mode})
              for path in PATHS for mode in ("off", "strict")]
    samples: dict[str, list[dict]] = {case.id: [] for case in wanted}
    with bed.prepared() as machine:
        run.put(machine, wanted)
        for number in range(rounds + 1):  # the first round warms caches and is not counted
            for case in wanted if number % 2 else reversed(wanted):
                sample = machine.timed(case)
                if number:
                    samples[case.id].append(sample)
            print(f"round {number} of {rounds}", flush=True)
    (paths.lab() / "bench" / "sandbox.json").write_text(json.dumps(samples, indent=1) + "\n")
    return samples


def table(samples: dict[str, list[dict]]) -> tuple[str, bool]:
    """Medians of the creations and of the pairs' differences; is the confined parser as cheap as it has to be?"""
    lines, good = [("kernel/path", "n", "off", "strict", "difference", "may be", "")], True
    for name in dict.fromkeys(name.rpartition("/")[0] for name in samples):
        off, strict = ([sample["create"] for sample in samples[f"{name}/{mode}"]] for mode in ("off", "strict"))
        more = statistics.median(b - a for a, b in zip(off, strict))
        allowed = SHARE * statistics.median(off) + SECONDS
        lines.append((name, str(len(off)), f"{statistics.median(off):.3f} s", f"{statistics.median(strict):.3f} s",
                      f"{more * 1e3:+.0f} ms", f"{allowed * 1e3:.0f} ms", "" if more <= allowed else "OVER"))
        good = good and more <= allowed
    return figures.aligned(lines), good

# SPDX-License-Identifier: LGPL-2.1-only
"""make bench: how long `xl create -p` takes, stock PVH against each entry, interleaved in one boot of one machine; and
what it costs to confine the kernel's parser.

The machine's clock counts instructions, so that a time is how many of them Xen, dom0 and xl executed, at 4 ns each, and
comes out the same on a busy host.  Time on metal it is not: only the ratios within this run mean something.
"""

import json
import re
import statistics

from ..base import kernels, packages, paths
from ..machine import install
from ..machine.host import BY_INSTRUCTIONS, Host
from ..guests import images
from ..cases import xlcfg
from ..cases.case import Case

KERNELS = ("6.1", "6.1-cloud")
STOCK = "xl-pvh"
PATHS = (STOCK, "pvh", "linux32", "linux64", "vmlinux64")
ROUNDS = 3
SANDBOX_KERNEL = "6.1"             # xz: the longest to unpack
SANDBOX_PATHS = ("pvh", "linux64")  # unpacked in dom0; header alone
SANDBOX_SHARE, SANDBOX_SECONDS = 0.05, 0.002  # what the confined parser may cost
PHASE = re.compile(r"pvboot: domain \d+ phase (\S+) (\d+) us")
_TIMED = """
rm -f /root/said
read before _ < /proc/uptime
{xl} -vvv create -p /root/{name}.cfg > /root/said 2>&1 || {{ cat /root/said; exit 1; }}
read after _ < /proc/uptime
xl destroy {name}
echo "@time $before $after"
cat /root/said
"""


def bench(rounds: int = ROUNDS) -> int:
    wanted = [Case(f"{kernel}/{path}", path, kernel) for kernel in KERNELS for path in PATHS]
    print(table(_samples(wanted, rounds, "samples")), end="")
    return 0


def bench_sandbox(rounds: int = ROUNDS) -> int:
    wanted = [Case(f"{SANDBOX_KERNEL}/{path}/{mode}", path, SANDBOX_KERNEL, config={"pvboot_sandbox": mode})
              for path in SANDBOX_PATHS for mode in ("off", "strict")]
    text, good = sandbox_table(_samples(wanted, rounds, "sandbox"))
    print(text, end="")
    return 0 if good else 1


def _samples(wanted: list[Case], rounds: int, name: str) -> dict[str, list[dict]]:
    packages.ensure_installed()
    store = packages.Store()
    out = paths.made(paths.lab() / "bench")
    host = Host(out / "host", cpus=1, accelerator=BY_INSTRUCTIONS)
    samples: dict[str, list[dict]] = {}
    try:
        print(f"booting Xen: {host.boot(store):.0f} s", flush=True)
        install.push(host)
        _prepare(host, store, wanted)
        for number in range(rounds + 1):  # the first round warms caches and is not counted
            for case in wanted if number % 2 else reversed(wanted):
                sample = _once(host, case)
                if number:
                    samples.setdefault(case.id, []).append(sample)
            print(f"round {number} of {rounds}", flush=True)
    finally:
        host.stop()
    (out / f"{name}.json").write_text(json.dumps(samples, indent=1) + "\n")
    return {case.id: samples[case.id] for case in wanted}


def _prepare(host: Host, store: packages.Store, wanted: list[Case]) -> None:
    ramdisk = host.put_once(images.initramfs(store, "amd64"), "/root/initrd")
    for case in wanted:
        kernel = host.put_once(kernels.image(store, case.guest_kernel), f"/root/vmlinuz-{case.kernel}")
        text = host.share / "files" / f"{case.name}.cfg"
        text.write_text(xlcfg.config(case, kernel, ramdisk))
        host.put(text, f"/root/{case.name}.cfg")


def _once(host: Host, case: Case) -> dict:
    """Seconds of one creation, and of the builder's own phases."""
    said = host.check(_TIMED.format(xl=install.XL if case.needs_pvboot else install.STOCK_XL, name=case.name))
    before, after = map(float, re.search(r"@time (\S+) (\S+)", said).groups())
    return {"create": after - before, "builder": sum(int(us) for _, us in PHASE.findall(said)) / 1e6,
            "phases": {name: int(us) / 1e6 for name, us in PHASE.findall(said)}}


def table(samples: dict[str, list[dict]]) -> str:
    """Medians; the ratio is the median of the pairs' ratios, stock over ours."""
    lines = [("kernel/path", "n", "create", "min..max", "stock/ours", "builder's own part")]
    for name, runs in samples.items():
        stock = samples[f"{name.split('/')[0]}/{STOCK}"]
        times = [run["create"] for run in runs]
        ratio = statistics.median(s["create"] / run["create"] for s, run in zip(stock, runs))
        own = statistics.median(run["builder"] for run in runs)
        lines.append((name, str(len(runs)), f"{statistics.median(times):.2f} s", f"{min(times):.2f}..{max(times):.2f}",
                      f"{ratio:.1f}x", f"{own:.2f} s ({_largest(runs)})" if own else "-"))
    return _aligned(lines)


def sandbox_table(samples: dict[str, list[dict]]) -> tuple[str, bool]:
    """Medians of the creations and of the pairs' differences; is the confined parser as cheap as it has to be?"""
    lines, good = [("kernel/path", "n", "off", "strict", "difference", "may be", "")], True
    for name in dict.fromkeys(name.rpartition("/")[0] for name in samples):
        off, strict = ([run["create"] for run in samples[f"{name}/{mode}"]] for mode in ("off", "strict"))
        more = statistics.median(b - a for a, b in zip(off, strict))
        allowed = SANDBOX_SHARE * statistics.median(off) + SANDBOX_SECONDS
        lines.append((name, str(len(off)), f"{statistics.median(off):.3f} s", f"{statistics.median(strict):.3f} s",
                      f"{more * 1e3:+.0f} ms", f"{allowed * 1e3:.0f} ms", "" if more <= allowed else "OVER"))
        good = good and more <= allowed
    return _aligned(lines), good


def _aligned(lines: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() + "\n" for line in lines)


def _largest(runs: list[dict]) -> str:
    """The two phases that take longest."""
    names = {name for run in runs for name in run["phases"]}
    medians = {name: statistics.median(run["phases"].get(name, 0) for run in runs) for name in names}
    top = sorted(medians, key=medians.get, reverse=True)[:2]
    return ", ".join(f"{name} {medians[name]:.2f}" for name in top)

# SPDX-License-Identifier: LGPL-2.1-only
"""What the benchmark makes of what it was told: stamps, traces, medians, tables."""

import json
import pathlib
import struct

import pytest

from lab.base import page
from lab.base.errors import LabError
from lab.bench import figures, growth, run, sandbox, stamps, tables, xentrace

TOP = pathlib.Path(__file__).resolve().parents[2]
TIMED = """\
step xlu_cfg_readdata ns=1000 cpu_us=10 > ns=2001000 cpu_us=30
step xc_dom_allocate ns=90000000 cpu_us=50 > ns=91000000 cpu_us=60
step xc_dom_kernel_file ns=91000000 cpu_us=60 > ns=94000000 cpu_us=90
step xc_dom_parse_image ns=95000000 cpu_us=90 > ns=195000000 cpu_us=5090
step xc_dom_release ns=300000000 cpu_us=6000 > ns=300500000 cpu_us=6001
end xl_kib=6100 child_kib=15000
"""


def test_a_build_step_by_step():
    build = stamps.parse(TIMED)
    assert build.phases == pytest.approx({"config": 0.002, "files": 0.004, "parse": 0.1, "populate": 0, "load": 0, "boot": 0,
                                          "release": 0.0005})
    assert build.seconds == pytest.approx(0.1065)  # what libxl does in between is not the builder's
    assert build.cpu == pytest.approx((20 + 10 + 30 + 5000 + 1) / 1e6)
    assert (build.xl_kib, build.child_kib, build.counts) == (6100, 15000, {})


def test_counts_are_those_of_the_steps():
    text = ("step xc_dom_build_image ns=1 cpu_us=1 faults=5 copied=100 > ns=2 cpu_us=1 faults=9 copied=300\n"
            "step xc_dom_release ns=9 cpu_us=1 faults=700 copied=900 > ns=10 cpu_us=1 faults=701 copied=900\n"
            "end xl_kib=1 child_kib=0\n")
    assert stamps.parse(text).counts == {"faults": 5, "copied": 200}


@pytest.mark.parametrize("text", [
    "",
    TIMED.replace("end ", "# "),                   # it ended before the release
    TIMED.replace("step xc_dom_release", "# gone"),
    TIMED.replace("xc_dom_parse_image", "xc_dom_no_such_thing"),
])
def test_half_a_build_is_none(text):
    with pytest.raises(LabError):
        stamps.parse(text)


def test_every_step_that_is_stamped_belongs_to_a_phase():
    source = (TOP / "lab/bench/stamps.c").read_text()
    stamped = {word.split("(")[0].rstrip(",") for word in source.split() if word.startswith(("xc_dom_", "xlu_cfg_"))}
    known = {step for steps in stamps.PHASES.values() for step in steps}
    assert known <= stamped


@pytest.mark.parametrize("said, found", [
    ("Parsing config\ntook 1500000000 processes 7\n", {"create": 1.5, "processes": 7}),
    ("took 2000000000 processes 9\nuntil 9000000000\n", {"create": 2, "processes": 9, "userland": 9}),
])
def test_what_timed_says(said, found):
    assert stamps.took(said) == found


def test_a_command_that_says_nothing_took_no_time():
    with pytest.raises(LabError):
        stamps.took("xl: command not found\n")


def record(event, *extra, cycles=True):
    header = event | len(extra) << 28 | (1 << 31 if cycles else 0)
    return struct.pack("<I", header) + (bytes(8) if cycles else b"") + struct.pack(f"<{len(extra)}I", *extra)


HYPERCALL, PAGE_FAULT, CPU_CHANGE, LOST = 0x0020100d, 0x00201104, 0x0001f003, 0x0001f001


def test_entries_of_a_trace():
    trace = (record(CPU_CHANGE, 0, 4000, cycles=False) + record(HYPERCALL, 23) * 5
             + record(HYPERCALL, 1 | 1 << 20, 7) * 3      # mmu_update, with an argument behind it
             + record(PAGE_FAULT, 1, 2, 3) * 2 + record(0x0020200e, 1)  # a call within a multicall is no entry
             + record(LOST, 40, 0, 0, 0))
    entries = xentrace.read(trace)
    assert (entries.hypercalls, entries.irets, entries.others, entries.lost, entries.all) == (3, 5, 2, 40, 10)


def test_a_trace_that_ends_early():
    assert xentrace.read(record(HYPERCALL, 1) + record(HYPERCALL, 1, 2)[:-2]).hypercalls == 1


@pytest.mark.parametrize("values, median, mad", [([3, 1, 2], 2, 1), ([1, 1, 9], 1, 0), ([1, 3, 5, 11], 4, 2), ([7], 7, 0)])
def test_median_and_its_distance(values, median, mad):
    assert (figures.median(values), figures.mad(values)) == (median, mad)


def test_ratio_is_of_pairs():
    assert figures.ratio([1, 10, 4], [2, 5, 4]) == 1      # 0.5, 2, 1: not 4 over 4
    with pytest.raises(ValueError):
        figures.ratio([1, 2], [1])


def cell(*creates, **counts):
    one = {"phases": dict.fromkeys(stamps.PHASES, 0.01), "cpu": 0.05, "xl_kib": 6144, "child_kib": 0, "processes": 9}
    zero = dict.fromkeys(("read_bytes", "write_bytes", "copied", "pages", "faults", "hypercalls", "maps", "processes",
                          "group_kib", "xen_hypercalls", "xen_irets", "xen_others", "xen_lost"), 0)
    return {"runs": [{**one, "create": create, "builder": create / 2} for create in creates],
            "counts": {**zero, "pages": 1, **counts}}


def report(**cells):
    return {"xen": "4.17", "memory_mib": 256, "rounds": 3, "cells": {name.replace("__", "/"): c for name, c in cells.items()}}


def row(text, name):
    return next(line.split() for line in text.splitlines() if line.startswith(name))


def test_times_stand_beside_stock():
    text = tables.times(report(**{"6.1__xl-pvh": cell(4.0, 4.2, 3.9), "6.1__linux64": cell(2.0, 2.0, 2.0)}))
    assert row(text, "6.1/linux64")[:9] == ["6.1/linux64", "3", "2.00", "s", "±0", "2.00x", "1.00", "s", "±0"]
    assert row(text, "6.1/xl-pvh")[:6] == ["6.1/xl-pvh", "3", "4.00", "s", "±100", "1.00x"]


def test_bytes_copied_are_those_of_system_calls_and_of_memcpy():
    mib = 1 << 20
    ours = cell(1.0, read_bytes=mib, write_bytes=2 * mib, copied=3 * mib, pages=512, xen_irets=5, xen_others=7)
    text = tables.counts(report(**{"6.1__xl-pvh": cell(1.0), "6.1__linux64": ours}))
    assert row(text, "6.1/linux64")[1:7] == ["6.0", "1.0", "2.0", "3.0", "2.0", "3.000"]
    assert row(text, "6.1/linux64")[-3:] == ["12", "5", "0"]


def test_each_row_says_whether_it_may_look_into_the_cache():
    """One that does not say is measured in a dom0 whose cache the others have filled."""
    by_path = {case.id.split("/")[1]: case for case in run.cases(("6.1",), run.PATHS)}
    assert {path: case.config.get("pvboot_cache") for path, case in by_path.items()} == {
        "xl-pvh": None, "pvh": "off", "pvh-cached": None, "linux32": None, "linux64": None, "vmlinux64": "off",
        "vmlinux64-cached": None}
    assert {path for path, case in by_path.items() if run.is_cached(case)} == {"pvh-cached", "vmlinux64-cached"}
    assert by_path["pvh-cached"].path == "pvh"


def test_the_readmes_table_has_the_columns_that_were_measured():
    text = tables.readme(report(**{"6.1__xl-pvh": cell(4.0), "6.1__pvh": cell(2.0), "6.1__pvh-cached": cell(0.5)}))
    assert text.splitlines()[0] == "| kernel | stock PVH | `pvh` | `pvh`, unpacked before |"
    assert "500 ms ±0, 8.00x" in text


def test_the_readmes_table_without_a_cell():
    """One kernel was measured by a path, and another was not."""
    text = tables.readme(report(**{"6.1__xl-pvh": cell(4.0), "6.1__pvh-cached": cell(0.5), "6.12__xl-pvh": cell(3.0)}))
    assert [line.split(" | ")[-1] for line in text.splitlines()[2:4]] == ["500 ms ±0, 8.00x |", "\N{EN DASH} |"]


def test_the_readmes_table_is_the_one_of_the_stored_figures():
    stored = json.loads((TOP / "docs/bench.json").read_text())
    text = (TOP / "README.md").read_text()
    assert page.with_table(text, tables.BEGIN, tables.readme(stored)) == text, "python3 -m lab bench --readme"


@pytest.mark.parametrize("text", ["no place", tables.BEGIN, (tables.BEGIN + page.END) * 2])
def test_a_readme_with_no_one_place_for_the_table(text):
    with pytest.raises(LabError):
        page.with_table(text, tables.BEGIN, "table\n")


# --- growth -------------------------------------------------------------------------------------------------------------

def test_what_does_not_fit_is_said():
    chosen, left_out = growth.rows(("linux64",), 2048)
    assert {r.case.memory for r in chosen} >= {256, 512, 1024, 2048} and all(r.case.memory <= 2048 for r in chosen)
    assert [line.split(":")[0] for line in left_out] == ["memory 4096 MiB", "memory 8192 MiB", "memory 16384 MiB", "ramdisk 1024 MiB"]
    assert {r.case.path for r in chosen} == {run.STOCK, "linux64"}


def test_a_kernel_grows_with_what_it_says_of_itself():
    kernel = bytearray(0x4000)
    struct.pack_into("<I", kernel, 0x1f4, (len(kernel) - 0x1000) // 16)  # boot.rst: syssize, without the setup sectors
    struct.pack_into("<I", kernel, 0x260, 0x10000)                       # init_size
    data = growth.grown(bytes(kernel), 1)
    assert len(data) == 1 << 20 and not any(data[0x4000:])
    assert struct.unpack_from("<I", data, 0x1f4)[0] * 16 + 0x1000 == len(data)
    assert struct.unpack_from("<I", data, 0x260)[0] == 0x10000 + len(data) - 0x4000
    with pytest.raises(ValueError, match="has more than 1 MiB"):
        growth.grown(data + bytes(1), 1)


def test_what_is_copied_of_a_larger_ramdisk():
    mib = 1 << 20
    large = cell(1.0, read_bytes=200 * mib, write_bytes=mib, copied=mib, pages=200 * 256, group_kib=7168)
    text = growth.table({"cells": {"ramdisk-200/xl-pvh": cell(2.0), "ramdisk-200/linux64": large}, "at_once": {},
                         "left_out": []})
    assert row(text, "ramdisk-200/linux64")[-4:] == ["6.0", "7.0", "202.0", "1.010"]


# --- what the confined parser may cost ----------------------------------------------------------------------------------

def samples(off, strict):
    return {f"6.1/pvh/{mode}": [{"create": seconds} for seconds in runs] for mode, runs in (("off", off), ("strict", strict))}


@pytest.mark.parametrize("off, strict, good", [
    ([1.0, 1.0, 1.0], [1.0, 1.05, 1.05], True),
    ([1.0, 1.0, 1.0], [1.06, 1.06, 1.0], False),
    ([0.01, 0.01, 0.01], [0.012, 0.012, 0.012], True),   # 2 ms of a short time
    ([0.01, 0.01, 0.01], [0.013, 0.013, 0.013], False),
    ([1.0, 9.0, 5.0], [1.01, 9.01, 5.01], True),         # pairs, whatever else goes on
])
def test_five_percent_and_two_milliseconds(off, strict, good):
    text, verdict = sandbox.table(samples(off, strict))
    assert verdict is good and ("OVER" in text) is not good

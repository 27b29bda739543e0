# SPDX-License-Identifier: LGPL-2.1-only
"""Parts around the machine: how each path is asked for, what a guest's log says, notes of an ELF, the capture tool's refusals."""

import os
import pathlib
import struct
import subprocess

import pytest

from lab.base import kernels
from lab.machine import install
from lab.cases import xlcfg
from lab.flight import dmesgrules, guest_fields, job, model, native_in_pv, pvboot_tool, recipes, rules, timing
from lab.flight.model import Cell

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PVBOOT_BUILD", REPO / "build"))


@pytest.mark.parametrize("cell, keys", [
    (Cell("6.1", "xl-pvh"), {"type": "pvh", "ramdisk": "R", "cmdline": "w"}),
    (Cell("6.1", "xl-pv"), {"type": "pv"}),
    (Cell("6.1", "pv"), {"type": "pv", "pvboot_entry": "pv"}),
    (Cell("6.1", "linux64"), {"builder": "pvboot", "pvboot_entry": "linux64"}),
    (Cell("6.1", "stub"), {"builder": "pvboot", "pvboot_entry": "stub"}),
    (Cell("6.1", "stub", how="stock-xl"), {"type": "pvh", "pvshim": "1", "pvshim_path": "/usr/lib/pvboot/pvboot-stub.elf",
                                           "pvshim_cmdline": "pvboot"}),
    (Cell("6.1", "grub", vcpus=4, memory=128), {"type": "pvh", "vcpus": "4", "memory": "128"}),
])
def test_how_a_path_is_asked_for(cell, keys):
    said = xlcfg.parse_config(recipes.config(cell, "K", "R", "w"))
    assert said.items() >= {"name": cell.name, "kernel": "K", **keys}.items()
    assert ("ramdisk" in said) == (cell.path != "grub")
    assert ("builder" in said) == recipes.create(cell, "C").startswith(install.XL) == (cell.needs_pvboot and cell.path != "pv")


def test_libxl_makes_no_pv_domain_for_pvboot():
    assert recipes.create(Cell("6.1", "pv"), "C") == "pvboot launch --paused -f C"
    assert recipes.create(Cell("6.1", "xl-pv"), "C") == f"{install.STOCK_XL} -vvv create -p C"


def test_all_paths_of_a_group_get_the_same_words_but_for_the_marks():
    words = {path: recipes.command_line(Cell("6.1", path), kernels.KERNELS["6.1"], None) for path in model.PATHS}
    assert len(set(words.values())) == 2
    assert words["xl-pvh"] == words["xl-pv"] + " pvlab.marks=e9" == words["grub"]
    assert "tsc_early_khz=2000000 lpj=8000000" in recipes.command_line(Cell("686", "linux32"), kernels.KERNELS["686"], 2000000)


def test_a_log_becomes_a_set_of_sentences():
    log = """[    0.000000] Linux version 6.1.0
[    0.000000] Command line: console=hvc0
[    0.100000] BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable
[    0.100000] BIOS-e820: [mem 0x0000000000100000-0x000000000fffffff] usable
[    1.000000] ------------[ cut here ]------------
[    1.000000] WARNING: CPU: 0 PID: 0 at x.c:12 f+0x1/0x2
[    1.000000] RAX: 0000000000000001
[    1.000000] ---[ end trace 0000000000000000 ]---
[    2.000000] done
"""
    assert guest_fields.normalised(log) == ["Linux version #.#.#", "BIOS-e#: [mem #-#] usable", "WARNING: CPU: # PID: # at x.c:# f+#/#",
                                         "done"]


def test_iomem_is_whole_again_after_setup_data():
    text = "00001000-0009ffff : System RAM\n00100000-00101fff : System RAM\n00102000-001021e7 : System RAM\n" \
           "  00102000-00102010 : Kernel code\n001021e8-0fffffff : System RAM\nfc000000-fc000fff : ACPI Tables\n"
    assert guest_fields.iomem(text) == ["000001000-00009ffff System RAM", "000100000-00fffffff System RAM",
                                     "0fc000000-0fc000fff ACPI Tables"]


@pytest.mark.parametrize("line, path, kind", [
    ("Booting kernel on Xen PVH", "linux64", "expected"),
    ("Booting kernel on Xen PVH", "pvh", None),
    ("reserve setup_data: [mem #-#] usable", "stub", "expected"),
    ("reserve setup_data: [mem #-#] usable", "xl-pv", None),
    ("ACPI: Interpreter disabled.", "xl-pv", "expected"),
    ("ACPI: Interpreter disabled.", "linux64", None),
    ("ACPI: Interpreter disabled.", model.TWINS, None),
    ("BUG: unable to handle page fault", "xl-pv", None),
    ("Kernel panic - not syncing: x", "linux64", None),
])
def test_which_lines_may_differ(line, path, kind):
    found = dmesgrules.explain(line, path)
    assert (found and found[0]) == kind


GPE_LINE = "ACPI: Enabled # GPEs in block # to #F"


@pytest.mark.parametrize("column, reference, explained", [
    ("pvh", "xl-pvh", True), ("grub", "linux32", True), ("stub:stock-xl", "linux32", True),
    ("grub", "xl-pvh", False), ("stub:stock-xl", "xl-pvh", False), ("linux64", "pvh", False),
])
def test_the_plugin_alone_takes_the_gpe_block_away(column, reference, explained):
    table = rules.explain(rules.Difference("guest.acpi.FACP", column, "ab", "cd", reference), rules.Context({}, {}, {}))
    assert (table is not None) == explained
    gone = rules.Difference("guest.acpi.FACP", column, "ab", rules.ABSENT, reference)
    assert rules.explain(gone, rules.Context({}, {}, {})) is None


@pytest.mark.parametrize("path, reference, explained", [
    ("pvh", "xl-pvh", True), ("grub", "linux32", True), ("grub", "xl-pvh", False),
])
def test_lines_of_a_gpe_block(path, reference, explained):
    assert (dmesgrules.explain(GPE_LINE, path, reference) is not None) == explained


def test_xen_notes_of_an_elf():
    def note(owner: bytes, kind: int, value: bytes) -> bytes:
        return struct.pack("<III", len(owner), len(value), kind) + owner + bytes(-len(owner) % 4) + value + bytes(-len(value) % 4)

    notes = note(b"Linux\0", 1, b"\1\2\3") + note(b"Xen\0", 3, struct.pack("<Q", 5)) + note(b"Xen\0", 1, struct.pack("<Q", 7))
    header = bytearray(64)
    struct.pack_into("<Q", header, 32, 64)
    struct.pack_into("<HH", header, 54, 56, 1)
    elf = bytes(header) + struct.pack("<IIQQQQQQ", 4, 0, 120, 0, 0, len(notes), 0, 4) + notes
    found = native_in_pv.xen_notes(elf)
    assert [(kind, struct.unpack_from("<Q", elf, at)[0]) for at, kind, _ in found] == [(3, 5), (1, 7)]


@pytest.mark.parametrize("arguments, words", [
    ([], "no domain number"), (["x"], "'x' is no domain number"), (["-1"], "option -1"), (["1", "a=0:1"], "ranges need -o DIR"),
    (["-o", "/proc/none", "1", "a=0"], "'a=0' is no NAME"), (["-o", "/proc/none", "1", "../a=0:1"], "is no NAME"),
    (["-o", "/proc/none", "1", "a=0:0"], "is no NAME"), (["-o", "/proc/none", "1", "a=-1:1"], "is no NAME"),
    (["-o", "/proc/none", "1", "a=0xffffffffffffffff:2"], "is no NAME"),
    (["-o", "/proc/none", "1", "a=0:0x40000001"], "is no NAME"),
    (["-z", "1"], "option -z"), (["-o", "/proc/none", "1", *["a=0:1"] * 17], "17 ranges, limit 16"),
])
def test_the_capture_tool_refuses(arguments, words):
    tool = BUILD / "pvboot-capture"
    if not tool.exists():
        pytest.skip(f"{tool} is not built (no Xen headers)")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True)
    assert done.returncode in (64, 68)
    assert words in done.stderr and done.stderr.startswith("pvboot: ") and done.stderr.count("\n") == 1


class Dom0:
    """Answers as dom0 would, by what is asked for."""

    def __init__(self, **answers):
        self.answers = answers

    def alive(self):
        return True

    def clock(self):
        return 0.0

    def run(self, script, timeout=0):
        return 0, next((said for word, said in self.answers.items() if word in script), ""), ""

    def stamped_log(self):
        return "(d5) [    1.000000] Linux version 6.1\n(d5) [    2.000000] last words\n"


def runner(tmp_path, host=None, path="linux64"):
    given = job.Given("", "", tmp_path, tmp_path, tmp_path, "", {}, True)
    made = job.Runner(host, model.Job(Cell("6.1", path)), given, tmp_path / "job")
    made.domid = 5
    return made


@pytest.mark.parametrize("state, deadline, status, words", [
    ("6.1 5 256 1 ---s--- 3.0", "inf", model.CRASH, "the guest shut down or crashed; its last words: last words"),
    ("6.1 5 256 1 -b----- 3.0", "-inf", model.FAIL, "no userland after 240 s; its last words: last words"),
])
def test_a_guest_that_does_not_come_is_quoted(tmp_path, state, deadline, status, words):
    with pytest.raises(job.Stop) as stop:
        runner(tmp_path, Dom0(tail=state))._check_deadline(float(deadline), "userland")
    assert (stop.value.status, str(stop.value)) == (status, words)


def test_a_plan_that_is_refused_fails_the_job_with_its_reason(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise pvboot_tool.Refused("pvboot: does not fit: vmlinuz: ramdisk")
    monkeypatch.setattr(pvboot_tool, "run", refuse)
    made = runner(tmp_path)
    assert not made._step("plan")
    made.job.conclude()
    assert (made.job.status, made.job.reasons) == (model.FAIL, ["plan: pvboot: does not fit: vmlinuz: ramdisk"])


def test_a_guest_that_came_to_its_end_unheard_is_not_waited_for(tmp_path, monkeypatch):
    made = runner(tmp_path, Dom0())
    monkeypatch.setattr(job, "CONSOLE_SECONDS", -1)
    monkeypatch.setattr(made, "_talks", lambda: False)
    monkeypatch.setattr(made, "_check_deadline", lambda deadline, step: None)
    monkeypatch.setattr(made, "_marks", lambda: [(1.0, timing.DONE_MARK)])
    assert not made._step("userland")
    step = made.job.step("userland")
    assert (step.status, step.detail) == (
        model.FAIL, "init came to its end, and its evidence did not come by the console")

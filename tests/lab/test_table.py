# SPDX-License-Identifier: LGPL-2.1-only
"""The table of cases, and the xl.cfg made of a row."""

import re

import pytest

from lab.base import paths
from lab.base.kernels import KERNELS
from lab.cases import xlcfg
from lab.cases.case import PATHS, Case
from lab.cases.table import LONGEST_CMDLINE, SETS, all_cases, select


def test_ids_and_names_are_unique_and_rows_refer_to_what_exists():
    table = all_cases()
    assert len({case.id for case in table}) == len({case.name for case in table}) == len(table)
    for case in table:
        assert case.kernel in KERNELS and case.path in PATHS, case.id
        assert len(case.name) <= 60 and re.fullmatch(r"[A-Za-z0-9._-]+", case.name), case.id
        re.compile(case.refused)


def test_every_path_has_a_row_and_every_example_is_one():
    table = all_cases()
    assert {case.path for case in table} == set(PATHS)
    assert {case.example for case in table} - {""} == {p.name for p in (paths.REPO / "xl-config-examples").iterdir()}


@pytest.mark.parametrize("patterns, ids", [
    ("", ["a/1", "a/2", "b/1"]),
    ("a/*", ["a/1", "a/2"]),
    ("b/1,a/2", ["a/2", "b/1"]),
    ("c/*", []),
])
def test_selection(patterns, ids):
    table = [Case(name, "xl-pvh", "6.1") for name in ("a/1", "a/2", "b/1")]
    assert [case.id for case in select(table, patterns)] == ids


def test_named_selections_choose_each_row_they_name():
    for name, patterns in SETS.items():
        assert len(select(all_cases(), name)) == len(patterns.split(",")), name


def test_config():
    case = Case("6.1/linux64/x y", "linux64", "6.1", vcpus=2, memory=512, cmdline='console=hvc0 a="b"',
                config={"pvboot_subarch": "xen", "on_poweroff": None, "disk": ["phy:/dev/loop0,xvda,w"]})
    text = xlcfg.config(case, "/k", "/r")
    assert text.splitlines() == [
        'name = "6.1_linux64_x_y"', 'builder = "pvboot"', 'pvboot_entry = "linux64"', 'kernel = "/k"', 'ramdisk = "/r"',
        'memory = 512', 'vcpus = 2', 'cmdline = "console=hvc0 a=\\"b\\" pvlab.mode=evidence"', 'on_crash = "preserve"',
        'pvboot_subarch = "xen"', 'disk = [ "phy:/dev/loop0,xvda,w" ]']


def test_kernels_without_xen_speak_through_the_debug_port():
    assert " pvlab.out=e9" in xlcfg.config(Case("686/linux32", "linux32", "686"), "/k", "/r")
    assert " pvlab.out=e9" not in xlcfg.config(Case("6.1/linux32", "linux32", "6.1"), "/k", "/r")


def test_a_kernel_that_needs_words_here_has_them_and_no_other_kernel_does():
    assert " noxsave " in xlcfg.config(Case("newest/linux64", "linux64", "newest"), "/k", "/r")
    assert 'cmdline = "console=hvc0 earlyprintk=xen pvlab.mode=evidence"' in \
        xlcfg.config(Case("6.12/linux64", "linux64", "6.12"), "/k", "/r")


def test_longest_command_line_is_what_the_guest_sees():
    longest = [case for case in all_cases() if case.id.endswith("/longest-cmdline")]
    assert longest
    for case in longest:
        line = re.search(r'^cmdline = "(.*)"$', xlcfg.config(case, "/k", "/r"), re.M).group(1)
        assert len(line) == LONGEST_CMDLINE


def test_parse_config():
    text = '# x\nname    = "a b"  # c\n memory=256\nbuilder = "pvboot"\n\ndisk = [ "x" ]\n'
    keys = xlcfg.parse_config(text)
    assert (keys["name"], keys["memory"], keys["builder"]) == ("a b", "256", "pvboot")


def test_examples_are_short():
    examples = list((paths.REPO / "xl-config-examples").glob("*.cfg"))
    assert examples
    for path in examples:
        assert len(path.read_text().splitlines()) <= 15, path

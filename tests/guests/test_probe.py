# SPDX-License-Identifier: LGPL-2.1-only
"""The parser of probe reports, on texts written out by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from probe import ProbeError, parse

REPORT = """\
(XEN) HVM d4v0 save: CPU
(d4) pvboot: stub: linux64, kernel at 0x1000000
(d4) @probe entry=linux64
(d4) @probe rsi=0x100000
(d4) @probe cs=0x10,0xffffffff,0xa09b
(d4) @probe fs=0x0
(d4) @probe-hex gdt 0000 00000000000000000000000000000000ffff0000009baf00ffff00000093cf00
(d4) @probe e820=0x0,0xa0000,0x1
(d4) @probe e820=0xa0000,0x100000,0x2
(d4) @probe-hex setup_data_node 0000 0011
(d4) @probe-hex setup_data_node 0002 22
(d4) @probe-hex setup_data_node 0000 33
(d4) @probe ap=0x2
(d4) @probe done=1
(XEN) d4 left
"""


def test_values():
    report = parse(REPORT)
    assert report["entry"] == "linux64"
    assert report["rsi"] == 0x100000
    assert report["cs"] == (0x10, 0xFFFFFFFF, 0xA09B)
    assert report["fs"] == 0
    assert report["e820"] == [(0, 0xA0000, 1), (0xA0000, 0x100000, 2)]
    assert report["ap"] == [2]
    assert "done" not in report


def test_dumps():
    dumps = parse(REPORT)["hex"]
    assert len(dumps["gdt"]) == 32 and dumps["gdt"][16:18] == b"\xff\xff"
    assert dumps["setup_data_node"] == [b"\x00\x11\x22", b"\x33"]


def test_without_xens_prefix():
    assert parse(REPORT.replace("(d4) ", ""))["rsi"] == 0x100000
    assert parse(REPORT.replace("\n", "\r\n"))["rsi"] == 0x100000


def test_last_report_counts():
    second = REPORT.replace("rsi=0x100000", "rsi=0x200000").replace("(d4)", "(d5)")
    assert parse(REPORT + second)["rsi"] == 0x200000
    assert parse(REPORT + second, domain=4)["rsi"] == 0x100000
    with pytest.raises(ProbeError, match="no @probe line"):
        parse(REPORT, domain=5)


def test_mixed_guests():
    lines = REPORT.splitlines()
    other = [line.replace("(d4)", "(d5)").replace("linux64", "pvh") for line in lines]
    mixed = "\n".join(line for pair in zip(lines, other) for line in pair)
    assert parse(mixed, domain=4)["entry"] == "linux64"
    assert parse(mixed, domain=5)["entry"] == "pvh"


@pytest.mark.parametrize("change, says", [
    (("(d4) @probe done=1\n", ""), "cut off after 11 lines"),
    (("(d4) @probe entry=linux64\n", ""), "begins in the middle"),
    (("setup_data_node 0002", "setup_data_node 0003"), "a gap before 0x3"),
    (("setup_data_node 0000 0011", "setup_data_node 0000 001"), "not NAME OFF BYTES"),
    (("setup_data_node 0000 0011\n", "setup_data_node 0004 0011\n"), "a gap before 0x4"),
    (("@probe fs=0x0", "@probe rsi=0x0"), "rsi a second time"),
    (("@probe fs=0x0", "@probe fs"), "not KEY=VALUE"),
    (("@probe-hex setup_data_node 0000 33", "@probe-hex gdt 0000 33"), "gdt a second time"),
])
def test_garbled(change, says):
    assert change[0] in REPORT
    with pytest.raises(ProbeError, match=says):
        parse(REPORT.replace(*change, 1))


def test_nothing():
    with pytest.raises(ProbeError, match="no @probe line"):
        parse("(XEN) nothing\n")


def test_wrong_entry():
    """A bzImage entered where it should not be says only that."""
    with pytest.raises(ProbeError, match="cut off"):
        parse("@probe error=entered at startup_32\n")


def test_command(tmp_path):
    log = tmp_path / "log"
    log.write_text(REPORT)
    script = Path(__file__).with_name("probe.py")
    done = subprocess.run([sys.executable, script, "--domain", "4", log], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["hex"]["setup_data_node"] == ["001122", "33"]
    log.write_text("")
    assert subprocess.run([sys.executable, script, log], capture_output=True).returncode == 1

# SPDX-License-Identifier: LGPL-2.1-only
"""What memtest86+ has on its screen."""
import pytest

from lab.campaigns import memtest


def screen(clock="0:00:22", errors=0, title="Memtest86+ v6.10", status="Testing"):
    rows = [f"      {title}      | AMD", "", f"CPU: 2 Cores | Time:  {clock}  Status: {status}  /", f"| Pass:  0        Errors: {errors}"]
    return "\n".join(rows)


def test_text():
    cells = b"".join(bytes((code, 0x17)) for code in b"Memtest86+".ljust(80) + b"\xb3 Pass".ljust(80))
    assert memtest.text(cells) == "Memtest86+\n  Pass"


@pytest.mark.parametrize("screens,wrong", [
    ([], "memtest86+ does not test"),
    ([screen(title="")], "memtest86+ does not test"),
    ([screen(status="Halted")], "memtest86+ does not test"),
    ([screen(), screen()], "its clock stands at 0:00:22"),
    ([screen(), screen("0:00:27", errors=3)], "it finds errors"),
    ([screen(), screen("0:00:27")], ""),
])
def test_judge(screens, wrong):
    assert memtest.judge(screens) == wrong

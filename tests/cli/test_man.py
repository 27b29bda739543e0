# SPDX-License-Identifier: LGPL-2.1-only
"""man/pvboot.1 against what the program says and does."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "man/pvboot.1").read_text()


def test_options(pvboot):
    """mdoc writes --json as Fl -json."""
    usage = pvboot.ok("--help")
    assert set(re.findall(r"(?<=Fl -)[a-z][a-z-]+", PAGE)) == set(re.findall(r"(?<=--)[a-z][a-z-]+", usage))
    assert set(re.findall(r"^\.Cm (\w+)$", PAGE, re.M)) >= set(re.findall(r"^  pvboot ([a-z]+)", usage, re.M))


def test_exit_status(pvboot):
    """Each class of the usage text, and success."""
    told = set(re.findall(r"\b\d\d\b", pvboot.ok("--help").partition("exit:")[2]))
    assert set(re.findall(r"^\.It (\d+)$", PAGE, re.M)) == told | {"0"} and len(told) == 10

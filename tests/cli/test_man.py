# SPDX-License-Identifier: LGPL-2.1-only
"""The pages of man/ against what the programs say and do."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAUNCH = (ROOT / "man/pvboot-launch.1").read_text()
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


def test_options_of_launch(pvboot):
    """Those that it says, and those that it takes."""
    if not (pvboot.path.parent / "pvboot-launch").exists():
        pytest.skip("pvboot-launch is not built: no Xen headers")
    told = set(re.findall(r"(?<=Fl -)[a-z][a-z-]+", LAUNCH))
    taken = set(re.findall(r'^    { "([a-z-]+)", (?:no|required)_argument', (ROOT / "src/frontends/launch/options.c").read_text(), re.M))
    assert told - {"force", "help"} == taken
    assert set(re.findall(r"(?<=--)[a-z][a-z-]+", pvboot.ok("launch", "--help"))) <= told

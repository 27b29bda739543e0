# SPDX-License-Identifier: LGPL-2.1-only
"""The completions against the program: what they offer, it takes."""
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASH, ZSH = ROOT / "src/frontends/cli/completion/pvboot.bash", ROOT / "src/frontends/cli/completion/_pvboot"


def offered(tmp_path, *words):
    """What bash's function offers for the last of the words."""
    line = " ".join(f"'{w}'" for w in words)
    text = (f"source {BASH}; COMP_WORDS=(pvboot {line}); COMP_CWORD={len(words)}; _pvboot; "
            "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "--norc", "-c", text], capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr == "", done.stderr
    return done.stdout.split()


def verbs(pvboot):
    return set(re.findall(r"^  pvboot ([a-z]+) ", pvboot.ok("--help"), re.M))


def test_verbs(pvboot, tmp_path):
    assert {w for w in offered(tmp_path, "") if w[0] != "-"} == verbs(pvboot)
    assert offered(tmp_path, "in") == ["inspect"]
    assert set(re.findall(r"^    '([a-z]+):", ZSH.read_text(), re.M)) == verbs(pvboot)


@pytest.mark.parametrize("verb", ["inspect", "plan", "dump", "decode", "pack", "check", "diff"])
def test_options_are_taken(pvboot, tmp_path, verb):
    """By how the program refuses: none that is offered is unknown to it."""
    for option in offered(tmp_path, verb, "-"):
        said = pvboot(verb, option).stderr
        assert "is unknown" not in said, (option, said)
        assert option in ZSH.read_text()


def test_none_is_forgotten(pvboot, tmp_path):
    told = set(re.findall(r"(?<=--)[a-z][a-z-]+", pvboot.ok("--help")))
    all_offered = {w[2:] for v in verbs(pvboot) for w in offered(tmp_path, v, "--")}
    assert told - all_offered <= {"version", "help", "force"}, told - all_offered


def test_what_the_cache_can_do(pvboot, tmp_path):
    assert set(offered(tmp_path, "cache", "")) == set(re.findall(r"^  pvboot cache ([a-z]+) ", pvboot.ok("--help"), re.M))


def test_values(pvboot, kernel, tmp_path):
    for entry in offered(tmp_path, "plan", "--entry", ""):
        assert pvboot("plan", "--entry", entry, kernel).returncode in (0, 67)
    assert set(offered(tmp_path, "plan", "--entry", "linux")) == {"linux32", "linux64"}
    assert set(offered(tmp_path, "plan", "--sandbox", "")) == {"strict", "best", "off"}
    (tmp_path / "a.cfg").touch(), (tmp_path / "b.txt").touch()
    assert offered(tmp_path, "check", "") == ["a.cfg"]


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh")
def test_zsh_reads_it():
    assert subprocess.run(["zsh", "-n", ZSH], capture_output=True, text=True).stderr == ""

# SPDX-License-Identifier: LGPL-2.1-only
"""docs/first-steps.md, typed by an ordinary user: what is indented is run, step by step in one directory, and what it says
is printed is printed.

The first step, to build, and the last, to boot a Xen, are others' (test_docs has their targets).
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from qemu import BUILD

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs/first-steps.md").read_text()
STEPS = re.findall(r"^## (\d+)\. (.*)\n((?:(?!## ).*\n)*)", PAGE, re.M)
NOBODY = 65534
BLOCK = re.compile(r"(?:^    .*\n|^\n(?=    ))+", re.M)


def parts(text):
    """(commands, indented as they may be pasted; what is said below them): one for each block."""
    blocks = list(BLOCK.finditer(text))
    ends = [b.start() for b in blocks[1:]] + [len(text)]
    return [(b.group(), text[b.end():end]) for b, end in zip(blocks, ends)]


def claims(said):
    """What is printed, of the sentence that says so, and the exit status."""
    sentence = re.search(r"\bprints\b(.*?)(?:\.\s|\.?\Z|: each)", said, re.S)
    code = re.search(r"exits with (\d+)", said)
    return re.findall(r"`([^`]+)`", sentence.group(1)) if sentence else [], int(code.group(1)) if code else 0


def test_the_page_is_read():
    assert [int(n) for n, _, _ in STEPS] == list(range(1, 11))
    assert all(parts(text) for _, _, text in STEPS)
    assert sum(len(claims(said)[0]) for _, _, text in STEPS for _, said in parts(text)) > 12


@pytest.fixture
def place():
    """A directory for somebody who is not root, and the programs in one that he may look into."""
    with tempfile.TemporaryDirectory() as name:
        where = pathlib.Path(name)
        where.chmod(0o755)
        for program in "pvboot", "pvboot-parse", "pvboot-stub.elf":
            if not (BUILD / program).exists():
                pytest.skip(f"{program} is not built: no Xen headers")
            shutil.copy(BUILD / program, where)
        (where / "first").mkdir()
        if os.geteuid() == 0:
            os.chown(where / "first", NOBODY, NOBODY)
        yield where / "first"


def typed(commands, place):
    them = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    env = {**os.environ, "PATH": f"{place.parent}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-ec", commands], cwd=place, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=600, **them)


def test_typed(place):
    for tool in "gcc", "cpio", "qemu-system-x86_64":
        if not shutil.which(tool):
            pytest.skip(f"no {tool}")
    if not list(pathlib.Path("/boot").glob("vmlinuz-*")):
        pytest.skip("no kernel in /boot")
    variables = ""
    for number, title, text in STEPS[1:-1]:
        for commands, said in parts(text):
            done = typed(variables + commands, place)
            printed, code = claims(said)
            lacking = [words for words in printed if words not in done.stdout]
            assert (done.returncode, lacking) == (code, []), f"{number}. {title}: {commands}{done.stdout[-3000:]}"
            variables += "".join(re.findall(r"^ *\w+=.*\n", commands, re.M))

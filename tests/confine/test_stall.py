# SPDX-License-Identifier: LGPL-2.1-only
"""Files on a mount whose server never answers: what asks for them is refused in its time, and nobody is left waiting."""
import os
import pathlib
import subprocess

import pytest

from kernels import BUILD, images

NONE_HERE = 77
SAYS = "stalls: 0 bytes in 30000 ms, limit 8388608"


def readers():
    return [p for p in pathlib.Path("/proc").glob("[0-9]*/comm") if "pvboot-read" in p.read_text(errors="replace")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_stall(write, tmp_path):
    """All at once, since each takes the half minute that it is given."""
    there = tmp_path / "mount"
    there.mkdir()
    file, kernel = there / "file", write(images.bzimage())
    commands = {
        "kernel": ("inspect", file),
        "kernel, no sandbox": ("inspect", "--sandbox", "off", file),
        "ramdisk": ("plan", "--ramdisk", file, kernel),
        "dump": ("decode", "--zero-page", file),
    }
    running = {what: subprocess.Popen([BUILD / "tests/confine/unanswered", there, BUILD / "pvboot", *words],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for what, words in commands.items()}
    ended = {what: (process.communicate(timeout=100), process.returncode) for what, process in running.items()}
    if all(rc == NONE_HERE for _, rc in ended.values()):
        pytest.skip(ended["kernel"][0][1])
    for what, ((out, err), rc) in ended.items():
        assert (rc, out, err) == (66, "", f"pvboot: unreadable: {file}: {SAYS}\n"), what
    assert not readers()

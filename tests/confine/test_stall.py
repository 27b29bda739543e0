# SPDX-License-Identifier: LGPL-2.1-only
"""Files on a mount whose server never answers: what asks for them is refused in its time, and nobody is left waiting."""
import os
import subprocess

import pytest

from kernels import BUILD, images

NONE_HERE = 77
SAYS = "stalls: 0 bytes in 30000 ms, limit 8388608"
MODES = ("ignore", "swallow")  # a reader that SIGKILL ends; one that only the end of the mount ends


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_stall(write, tmp_path):
    """All at once, since each takes the half minute that it is given; unanswered itself sees that none stays behind."""
    there = tmp_path / "mount"
    there.mkdir()
    file, kernel = there / "file", write(images.bzimage())
    commands = {
        "kernel": ("inspect", file),
        "kernel, no sandbox": ("inspect", "--sandbox", "off", file),
        "ramdisk": ("plan", "--ramdisk", file, kernel),
        "zero page": ("decode", "--zero-page", file),
    }
    running = {(mode, what): subprocess.Popen([BUILD / "tests/confine/unanswered", mode, there, BUILD / "pvboot", *words],
                                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for what, words in commands.items() for mode in MODES}
    ended = {what: (process.communicate(timeout=100), process.returncode) for what, process in running.items()}
    if all(rc == NONE_HERE for _, rc in ended.values()):
        pytest.skip(ended["ignore", "kernel"][0][1])
    for what, ((out, err), rc) in ended.items():
        assert (rc, out, err) == (66, "", f"pvboot: unreadable: {file}: {SAYS}\n"), what


@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_callers_own_descriptor(write, path):
    with write(images.bzimage()).open("rb") as kernel:
        done = subprocess.run([BUILD / "pvboot", "inspect", path], stdin=kernel, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")

# SPDX-License-Identifier: LGPL-2.1-only
"""Archives, read back by somebody else's cpio."""

import shutil
import stat
import subprocess

import pytest

from lab.base.cpio import Archive

BUSYBOX = shutil.which("busybox")


@pytest.fixture
def tree():
    archive = Archive()
    archive.chardev("/dev/console", 5, 1)
    archive.file("/init", b"#!/bin/sh\n", 0o755)
    archive.file("/a/b/c.txt", b"xyz")
    archive.file("/a/b/c.txt", b"second time: ignored")
    archive.symlink("/bin/sh", "busybox")
    archive.file("/empty", b"")
    return archive.finish()


@pytest.mark.skipif(not BUSYBOX, reason="no busybox to read the archive with")
def test_busybox_lists_what_was_put_in(tree):
    done = subprocess.run([BUSYBOX, "cpio", "-tv"], input=tree, capture_output=True, check=True)
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    assert len(lines) == 9  # nothing twice
    assert {line[-1]: line[0][0] for line in lines if "->" not in line} == {
        "dev": "d", "dev/console": "c", "init": "-", "a": "d", "a/b": "d", "a/b/c.txt": "-", "bin": "d", "empty": "-"}
    assert ["bin/sh", "->", "busybox"] in [line[-3:] for line in lines]


@pytest.mark.skipif(not BUSYBOX, reason="no busybox to read the archive with")
def test_contents_and_modes_survive(tree, tmp_path):
    subprocess.run([BUSYBOX, "cpio", "-id", "init", "a/b/c.txt", "empty"], input=tree, cwd=tmp_path, check=True,
                   capture_output=True)
    assert (tmp_path / "a/b/c.txt").read_bytes() == b"xyz"
    assert (tmp_path / "empty").read_bytes() == b""
    assert stat.S_IMODE((tmp_path / "init").stat().st_mode) == 0o755


def test_each_entry_starts_on_a_multiple_of_four(tree):
    at = 0
    while True:
        assert tree[at:at + 6] == b"070701" and at % 4 == 0
        size, name = int(tree[at + 54:at + 62], 16), int(tree[at + 94:at + 102], 16)
        label = tree[at + 110:at + 110 + name - 1]
        at = (at + 110 + name + 3) // 4 * 4
        at = (at + size + 3) // 4 * 4
        if label == b"TRAILER!!!":
            break
    assert at == len(tree)

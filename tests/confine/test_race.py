# SPDX-License-Identifier: LGPL-2.1-only
"""A kernel that is rewritten, cut, replaced or deleted while it is read: one whole version, or a refusal.

tests/offline/test_race_build.py does the same to the files of a build.
"""
import json
import os
import subprocess

import pytest

from kernels import BUILD, images
from changing import CHANGES, Tally, changing  # tests/offline, where kernels.py has found images

ROUNDS = 250  # of each kind of change
SIZE = 3 << 20
NOBODY = 65534


def version(seed):
    """All of one version differs from all of the other, behind what makes it a kernel."""
    return images.bzimage(seed=seed, version=f"6.1.{seed}") + bytes([seed]) * SIZE


def look(path, programs=BUILD, **more):
    return subprocess.run([programs / "pvboot", "inspect", "--json", path], capture_output=True, timeout=60, **more)


def rounds(path, change, n, **more):
    """How often which whole version, how often a refusal; anything else is an error."""
    versions = [version(seed) for seed in (1, 2, 3)]
    tally = Tally(versions)
    with changing(path, change, versions):
        for i in range(n):
            done = look(path, **more)
            assert done.returncode in (0, 66), (i, done)
            if done.returncode:
                assert done.stderr.startswith(b"pvboot: unreadable: ") and done.stderr.count(b"\n") == 1, done
                tally.refusal()
            else:
                tally.digest(bytes.fromhex(json.loads(done.stdout)["sha256"]), f"round {i}")
    tally.must_have_changed()
    return tally


@pytest.mark.parametrize("change", CHANGES)
def test_one_whole_version(change, tmp_path):
    tally = rounds(tmp_path / "vmlinuz", change, ROUNDS)
    print(f"{change}: {tally}")
    assert tally.whole


@pytest.mark.parametrize("change", ["rewrite", "rewrite_slowly"])
def test_without_a_lease(change, tmp_path, installed):
    """Another user's file grants none: what is left is to wait until it is quiet, so a busy file is refused."""
    if os.geteuid():
        pytest.skip("not root: cannot become somebody else")
    for d in (tmp_path, *tmp_path.parents[:2]):  # pytest's own; the next one is /tmp
        os.chmod(d, 0o755)
    helper = {"programs": installed, "user": NOBODY, "group": NOBODY, "extra_groups": []}
    assert look("/dev/null", **helper).returncode == 66
    tally = rounds(tmp_path / "vmlinuz", change, 12, **helper)
    print(f"{change}, no lease: {tally}")
    assert tally.refused

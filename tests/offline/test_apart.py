# SPDX-License-Identifier: LGPL-2.1-only
"""What is large is loaded by another process, which leaves its mappings to its end.  The guest is the same to the byte."""
import hashlib

import images
import pytest
from test_build import check_nothing_left

LARGE = 12 << 20


@pytest.fixture
def large(tmp_path):
    ramdisk = tmp_path / "large"
    ramdisk.write_bytes(images.pattern(LARGE, 9))
    return ramdisk


def maps(d):
    return [call for call in d.facts("call") if call[0] == "xenforeignmemory_map"]


def guest(d):
    """Everything that was touched, and the registers."""
    check_nothing_left(d)
    hashes = [(start, hashlib.sha256(d.memory(start, end - start)).hexdigest()) for start, end in d.touched()]
    return hashes, d.facts("reg"), d.params


@pytest.mark.parametrize("entry", ["linux64", "linux32", "pvh", "vmlinux64"])
def test_the_same_guest(domain, files, large, tmp_path, entry):
    """A dump is of what this process loads."""
    apart = domain(carrier=f"pvboot entry={entry} rng_seed=no", kernel=files / "bzimage", ramdisk=large)
    assert apart.built, apart.err
    made, left = guest(apart), maps(apart)
    here = domain(carrier=f"pvboot entry={entry} rng_seed=no dump={tmp_path}/dump", kernel=files / "bzimage", ramdisk=large)
    assert here.built, here.err
    assert guest(here) == made
    assert len(left) < 3 and len(maps(here)) > 6


def test_what_is_small_and_what_is_hashed(domain, files, large):
    """There a process gains nothing, and here another thread may hold what it would need."""
    small = domain(carrier="pvboot entry=linux64", kernel=files / "bzimage", ramdisk=files / "initrd")
    hashed = domain(carrier="pvboot entry=linux64 digests=1", kernel=files / "bzimage", ramdisk=large)
    assert small.built and hashed.built
    assert len(maps(hashed)) > 6 and len(maps(small)) > 6

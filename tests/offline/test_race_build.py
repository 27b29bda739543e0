# SPDX-License-Identifier: LGPL-2.1-only
"""A kernel or ramdisk that is rewritten, cut, replaced or deleted while stock libxenguest builds a guest of it: the
guest has one whole version, or there is a refusal of one line; SIGBUS is neither."""
import hashlib
import struct

import images
import pytest
from changing import CHANGES, Tally, changing
from test_build import PAGE, check_nothing_left, tlvs
from test_ramdisks import handed_over

ROUNDS = 100  # of each kind of change, for each file: 1,000 in all
SIZE = 1 << 20
SETUP = 5 * 512  # what of images.bzimage() does not get into the guest


def kernel(seed):
    return images.bzimage(bytes([seed]) * SIZE, seed=seed)


def ramdisk(seed):
    return images.pattern(PAGE, seed) + bytes([seed]) * SIZE


def kernel_digest(d, versions):
    """Of the version whose protected-mode part the guest has; the guest is told the same one."""
    page = d.memory(d.registers["rsi"], PAGE)
    node = d.memory(struct.unpack_from("<Q", page, 0x250)[0], PAGE)[16:]
    start = d.registers["rip"] - 0x200
    digest = next((hashlib.sha256(v).digest() for v in versions if d.memory(start, len(v) - SETUP) == v[SETUP:]), None)
    return digest if tlvs(node).get(5) == digest else None


def ramdisk_digest(d, _):
    got, told = handed_over(d)
    return told if hashlib.sha256(got).digest() == told else None


FILES = {"kernel": (kernel, kernel_digest), "ramdisk": (ramdisk, ramdisk_digest)}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("what", FILES)
def test_one_whole_version(domain, files, tmp_path, what, change):
    make, digest = FILES[what]
    versions = [make(seed) for seed in (1, 2, 3)]
    path, tally = tmp_path / what, Tally(versions)
    given = {"kernel": files / "bzimage", "ramdisk": files / "initrd", what: path}
    with changing(path, change, versions):
        for i in range(ROUNDS):
            d = domain(carrier="pvboot entry=linux64 digests=1", **given)
            if d.built:
                noted = [x for x in d.err.splitlines() if not x.startswith("pvboot: note: ramdisk ")]  # random bytes are none
                assert not noted, f"round {i}"
                tally.digest(digest(d, versions), f"round {i}")
            else:
                assert d.refusal.startswith(f"pvboot: unreadable: {path}: "), f"round {i}"
                tally.refusal()
            check_nothing_left(d)
    print(f"{what}, {change}: {tally}")
    tally.must_have_changed()
    assert tally.whole

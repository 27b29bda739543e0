# SPDX-License-Identifier: LGPL-2.1-only
"""A kernel that is rewritten, cut, replaced or deleted while it is read: one whole version, or a refusal."""
import hashlib
import json
import multiprocessing
import os
import random
import subprocess
import time

import pytest

from kernels import BUILD, images

ROUNDS = 250  # of each kind of change
SIZE = 3 << 20
NOBODY = 65534


def version(seed):
    """All of one version differs from all of the other, behind what makes it a kernel."""
    return images.bzimage(seed=seed, version=f"6.1.{seed}") + bytes([seed]) * SIZE


def rewrite(path, data):
    with open(path, "r+b", buffering=0) as f:
        f.write(data)


def rewrite_slowly(path, data):
    with open(path, "r+b", buffering=0) as f:
        for at in range(0, len(data), 256 << 10):
            f.write(data[at:at + (256 << 10)])


def truncate(path, data):
    with open(path, "wb", buffering=0) as f:
        f.write(data[:len(data) // 2])
        f.truncate(len(data) // 4)
        f.seek(0)
        f.write(data)


def rename(path, data):
    new = f"{path}.new"
    with open(new, "wb") as f:
        f.write(data)
    os.rename(new, path)


def delete(path, data):
    os.unlink(path)
    rename(path, data)


CHANGES = {f.__name__: f for f in (rewrite, rewrite_slowly, truncate, rename, delete)}


def keep_changing(path, change, versions, stop):
    rng = random.Random(1)
    while not stop.is_set():
        CHANGES[change](path, versions[rng.randrange(len(versions))])
        time.sleep(rng.random() * 0.02)


def look(path, **more):
    return subprocess.run([BUILD / "pvboot", "inspect", "--json", path], capture_output=True, timeout=60, **more)


def rounds(path, change, n, **more):
    """How often a whole version, how often a refusal; anything else is an error."""
    versions = [version(seed) for seed in (1, 2, 3)]
    digests = {hashlib.sha256(v).hexdigest() for v in versions}
    path.write_bytes(versions[0])
    stop = multiprocessing.Event()
    writer = multiprocessing.Process(target=keep_changing, args=(str(path), change, versions, stop))
    writer.start()
    whole = refused = 0
    try:
        for i in range(n):
            done = look(path, **more)
            assert done.returncode in (0, 66), (i, done)
            if done.returncode:
                refused += 1
                assert done.stderr.startswith(b"pvboot: unreadable: ") and done.stderr.count(b"\n") == 1, done
            else:
                whole += 1
                assert json.loads(done.stdout)["sha256"] in digests, f"round {i}: a mixture of versions"
    finally:
        stop.set()
        writer.join()
    return whole, refused


@pytest.mark.parametrize("change", CHANGES)
def test_one_whole_version(change, tmp_path):
    whole, refused = rounds(tmp_path / "vmlinuz", change, ROUNDS)
    print(f"{change}: {whole} whole, {refused} refused")
    assert whole


@pytest.mark.parametrize("change", ["rewrite", "rewrite_slowly"])
def test_without_a_lease(change, tmp_path):
    """Another user's file grants none: what is left is to wait until it is quiet, so a busy file is refused."""
    if os.geteuid():
        pytest.skip("not root: cannot become somebody else")
    for d in (tmp_path, *tmp_path.parents[:3]):
        os.chmod(d, 0o755)
    helper = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    if look("/dev/null", **helper).returncode != 66:
        pytest.skip("nobody may not run the program where it was built")
    whole, refused = rounds(tmp_path / "vmlinuz", change, 12, **helper)
    print(f"{change}, no lease: {whole} whole, {refused} refused")
    assert refused

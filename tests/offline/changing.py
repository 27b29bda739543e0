# SPDX-License-Identifier: LGPL-2.1-only
"""A file that another process rewrites, cuts, replaces or deletes all the time."""
import contextlib
import hashlib
import multiprocessing
import os
import random
import time


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


def _keep_changing(path, change, versions, stop):
    rng = random.Random(1)
    while not stop.is_set():
        CHANGES[change](path, versions[rng.randrange(len(versions))])
        time.sleep(rng.random() * 0.02)


@contextlib.contextmanager
def changing(path, change, versions):
    """@path while it is changed; who changes it has to live until it is told to stop."""
    path.write_bytes(versions[0])
    stop = multiprocessing.Event()
    writer = multiprocessing.Process(target=_keep_changing, args=(str(path), change, versions, stop))
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join(60)
        if writer.is_alive():
            writer.kill()
            writer.join()
    assert writer.exitcode == 0, f"who was to {change} the file ended with {writer.exitcode}: it stood still"


class Tally:
    """What came of the rounds: which of the versions were seen, how often, and how many refusals."""

    def __init__(self, versions):
        self.known = {hashlib.sha256(v).digest() for v in versions}
        self.seen = {}
        self.refused = 0

    @property
    def whole(self):
        return sum(self.seen.values())

    def refusal(self):
        self.refused += 1

    def digest(self, digest, where):
        assert digest in self.known, f"{where}: a mixture of versions"
        self.seen[digest] = self.seen.get(digest, 0) + 1

    def must_have_changed(self):
        """Whoever sees the same version every time has raced with nobody."""
        assert len(self.seen) > 1 or self.refused, "the file stood still"

    def __str__(self):
        return f"{self.whole} whole of {len(self.seen)} versions, {self.refused} refused"

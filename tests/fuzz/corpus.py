#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""The committed corpus: one archive per target, of the fewest inputs that reach all that a long run reached.

usage: corpus.py unpack TARGET DIRECTORY
       corpus.py pack TARGET DIRECTORY

An archive is tar.xz of files named by their contents' digest, without owners and times: the same files make the same
archive.
"""
import hashlib
import io
import lzma
import pathlib
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent / "corpus"


def archive(target):
    return HERE / f"{target}.tar.xz"


def unpack(target, where):
    where.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive(target)) as tar:
        for member in tar:
            (where / pathlib.PurePosixPath(member.name).name).write_bytes(tar.extractfile(member).read())


def pack(target, where):
    HERE.mkdir(exist_ok=True)
    files = {hashlib.sha256(p.read_bytes()).hexdigest()[:16]: p.read_bytes() for p in where.iterdir()}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in sorted(files.items(), key=lambda item: (len(item[1]), item[0])):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    archive(target).write_bytes(lzma.compress(out.getvalue(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    {"unpack": unpack, "pack": pack}[sys.argv[1]](sys.argv[2], pathlib.Path(sys.argv[3]))

# SPDX-License-Identifier: LGPL-2.1-only
"""Puts what `make` built, or its packages, into a running dom0, at the paths where an installation puts it."""

import hashlib
import os
import tarfile
from pathlib import Path

from ..base import elf, paths
from . import debs
from .host import Host

LIBDIR = "/usr/lib/pvboot"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
FILES = {  # in the build directory, in dom0
    "pvboot-xl.so": f"{LIBDIR}/pvboot-xl.so",
    "pvboot-stub.elf": f"{LIBDIR}/pvboot-stub.elf",
    "pvboot": "/usr/bin/pvboot",
    "pvboot-parse": f"{LIBDIR}/pvboot-parse",
    "pvboot-capture": f"{LIBDIR}/pvboot-capture",
    "pvboot-launch": f"{LIBDIR}/pvboot-launch",
    "pvboot-init-xenstore-domain": f"{LIBDIR}/pvboot-init-xenstore-domain",
}
UNPACKAGED = ("pvboot-capture",)  # the lab's own
XL = f"{LIBDIR}/bin/xl"  # the wrapper
STOCK_XL = "/usr/sbin/xl"


def built(name: str) -> bool:
    if debs.chosen() and name in FILES and name not in UNPACKAGED:
        return FILES[name] in debs.files()
    return (paths.build() / name).exists()


def push(host: Host) -> list[str]:
    """Copy what is new since the last push; names of what is there.  The running programs keep their old files."""
    contents = _contents()
    parts = (f"{destination}\0".encode() + source.read_bytes() for destination, source in sorted(contents.items()))
    digest = hashlib.sha256(b"".join(parts)).hexdigest()
    stamp = host.share / "pushed"
    if not stamp.exists() or stamp.read_text() != digest:
        bundle = host.share / "files" / f"push-{os.getpid()}.tar"
        _bundle(contents, bundle)
        # unpacked beside its place and moved, since writing into a mapped library would break who runs it
        host.check(f"rm -rf /tmp/push && mkdir /tmp/push && tar -xf /share/files/{bundle.name} -C /tmp/push &&"
                   " cd /tmp/push && find . -type d -exec mkdir -p /{} \\; && find . ! -type d -exec mv -f {} /{} \\;")
        bundle.unlink()
        stamp.write_text(digest)
    return sorted(contents)


def _contents() -> dict[str, Path]:
    build = paths.build()
    contents = debs.files() if debs.chosen() else {}
    for name in UNPACKAGED if contents else FILES:
        if (build / name).exists():
            contents[FILES[name]] = build / name
    if XL not in contents and built("pvboot-xl.so"):
        contents[XL] = _wrapper()
    for destination in set(FILES.values()) & contents.keys():
        for library in elf.libraries(contents[destination], build):
            at = f"{LIBRARIES}/{library.name}" if library.is_relative_to(build) else paths.in_release(library)
            contents.setdefault(at, library)
    return contents


def _wrapper() -> Path:
    """src/frontends/xl/xl.in, filled in as `make install` does."""
    path = paths.made(paths.lab()) / "xl"
    path.write_text((paths.REPO / "src/frontends/xl/xl.in").read_text().replace("@LIBEXECDIR@", LIBDIR))
    path.chmod(0o755)
    return path


def _bundle(contents: dict[str, Path], path: Path) -> None:
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, dereference=True) as tar:
        for destination, source in contents.items():
            info = tar.gettarinfo(source, destination.lstrip("/"))
            info.uid = info.gid = 0
            info.uname = info.gname = "root"
            with source.open("rb") as data:
                tar.addfile(info, data)

# SPDX-License-Identifier: LGPL-2.1-only
"""Debian packages that are downloaded and unpacked.

Hypervisor and kernels are never installed: on a developer's own machine that would change its boot menu.
"""

import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from . import paths, release, tarball
from .apt import Apt
from .errors import LabError, NoPackage

XEN_UTILS = re.compile(r"xen-utils-(\d+\.\d+)")


def xen_dirs() -> list[Path]:
    """Xen tool directories of the release that is booted, newest last."""
    return sorted((paths.root() / "usr/lib").glob("xen-[0-9]*.[0-9]*"), key=lambda p: natural(p.name))


def xen_version() -> str:
    return xen_dirs()[-1].name.removeprefix("xen-")


def newest_xen_utils(names: list[str]) -> str:
    found = sorted(filter(XEN_UTILS.fullmatch, names), key=natural)
    if not found:
        raise NoPackage(f"no package matches {XEN_UTILS.pattern}")
    return found[-1]


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key that puts 6.1.0-9 before 6.1.0-10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def newest(names: list[str], pattern: str) -> list[str]:
    """Names that match, newest first; of one version the signed package (what users run) before its -unsigned twin."""
    wanted = [name for name in names if re.fullmatch(pattern + r"(-unsigned)?", name)]
    return sorted(wanted, reverse=True,
                  key=lambda name: (natural(name.removesuffix("-unsigned")), not name.endswith("-unsigned")))


def busybox(store: "Store", arch: str = "amd64") -> Path:
    """Debian 13 has it below usr/."""
    below = store.unpacked("busybox-static", arch)
    return next(path for path in (below / "usr/bin/busybox", below / "bin/busybox") if path.exists())


class Store:
    """Unpacked packages of a release by pattern.  The choice is remembered, so a later run needs no network."""

    def __init__(self, of: str | None = None) -> None:
        self.release = of or release.name()
        self._cache = paths.cache(self.release)
        self._file = self._cache / "chosen.json"
        self._chosen = json.loads(self._file.read_text()) if self._file.exists() else {}
        self._apt: dict[str, Apt] = {}
        self._others: dict[str, Store] = {}

    def of(self, other: str) -> "Store":
        return self if other == self.release else self._others.setdefault(other, Store(other))

    def unpacked(self, pattern: str, arch: str = "amd64", below: str = "") -> Path:
        """Directory with the newest package whose name matches, or with only what it has below one directory."""
        key = f"{pattern}:{arch}"
        suffix = f"@{below}" if below else ""
        tree = self._cache / "unpacked" / (self._chosen.get(key, "none yet") + suffix)
        if tree.is_dir():
            return tree
        deb = self._fetch(pattern, arch)
        tree = self._cache / "unpacked" / (deb.stem + suffix)
        if not tree.is_dir():
            scratch = paths.made(tree.parent) / f"{tree.name}.{os.getpid()}"
            unpack(deb, scratch, below)
            try:
                scratch.rename(tree)
            except OSError:  # somebody else was faster
                shutil.rmtree(scratch)
        self._chosen[key] = deb.stem
        scratch = self._file.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(self._chosen, indent=1, sort_keys=True))
        scratch.rename(self._file)
        return tree

    def refresh(self) -> None:
        """Forget the choices, so that newer packages are looked for."""
        for arch in ("amd64", "i386"):
            self.apt(arch).update()
        self._chosen = {}
        self._file.unlink(missing_ok=True)

    def _fetch(self, pattern: str, arch: str) -> Path:
        apt = self.apt(arch)
        names = newest(apt.names(), pattern)
        if not names:
            raise NoPackage(f"no {arch} package of {self.release} matches {pattern}")
        for name in names:
            deb = apt.download(name)
            if deb:
                return deb
        raise LabError(f"no {arch} package matching {pattern} could be downloaded; see {apt.dir / 'update.log'}")

    def apt(self, arch: str = "amd64") -> Apt:
        if arch not in self._apt:
            self._apt[arch] = Apt(self.release, arch)
        return self._apt[arch]


def unpack(deb: Path, directory: Path, below: str = "") -> None:
    """A kernel's modules are most of it, and only dom0 needs some."""
    unpacking = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive:
        tarball.extract(archive, paths.made(directory), (m for m in archive if m.name.startswith(f"./{below}")))
    if unpacking.wait():
        raise LabError(f"dpkg-deb --fsys-tarfile {deb}: exit {unpacking.returncode}")

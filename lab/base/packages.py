# SPDX-License-Identifier: LGPL-2.1-only
"""Debian packages: those that must be installed, and those that are only downloaded and unpacked.

Hypervisor and kernels are never installed: on a developer's own machine that would change its boot menu.
"""

import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from . import paths, tarball
from .errors import LabError

INSTALLED = {  # a file that proves it, package
    "/usr/bin/qemu-system-x86_64": "qemu-system-x86",
    "/usr/bin/xenstore-ls": "xenstore-utils",
    "/usr/lib/xen-common/bin/xen-utils-wrapper": "xen-utils-common",
}
XEN_UTILS = re.compile(r"xen-utils-(\d+\.\d+)")

_APT_CONF = """\
// The sources and keys are the host's; lists, cache and architectures are the lab's own.
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
Dir::State "{dir}";
Dir::State::lists "lists";
Dir::State::status "{dir}/status";
Dir::Cache "{dir}";
Dir::Cache::archives "archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "";
Dir::Log "{dir}";
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "";
Acquire::Languages "none";
"""


def ensure_installed() -> None:
    missing = [package for proof, package in INSTALLED.items() if not os.path.exists(proof)]
    if not xen_dirs():
        missing.append(_newest_xen_utils())
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0:
        raise LabError(f"packages are missing; run: sudo {' '.join(command)}")
    print(f"lab: installing {' '.join(missing)}", flush=True)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    log = paths.made(paths.lab()) / "apt-install.log"
    with log.open("wb") as out:
        for step in (["apt-get", "update"], command):
            if subprocess.run(step, stdout=out, stderr=subprocess.STDOUT, env=env).returncode:
                raise LabError(f"{' '.join(step)} failed, see {log}")


def xen_dirs() -> list[Path]:
    """Installed Xen tool directories, newest last."""
    return sorted(Path("/usr/lib").glob("xen-[0-9]*.[0-9]*"), key=lambda p: natural(p.name))


def xen_version() -> str:
    return xen_dirs()[-1].name.removeprefix("xen-")


def _newest_xen_utils() -> str:
    names = _run(["apt-cache", "pkgnames", "xen-utils-"]).split()
    found = sorted(filter(XEN_UTILS.fullmatch, names), key=natural)
    return found[-1] if found else "xen-utils-4.17"


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


class Apt:
    """apt-get and apt-cache for one architecture, with every state file under the lab's cache."""

    def __init__(self, arch: str) -> None:
        self.arch = arch
        self.dir = paths.made(paths.cache() / f"apt-{arch}")
        paths.made(self.dir / "lists" / "partial")
        paths.made(self.dir / "archives" / "partial")
        (self.dir / "status").touch()
        self.conf = self.dir / "apt.conf"
        self.conf.write_text(_APT_CONF.format(dir=self.dir, arch=arch))
        self._names: list[str] | None = None

    def update(self) -> None:
        """A mirror in the middle of a sync may lack one suite; then the others still serve, so this is no error."""
        done = subprocess.run(["apt-get", "-c", self.conf, "update"], capture_output=True, text=True, env=self._env())
        (self.dir / "update.log").write_text(done.stdout + done.stderr)

    def _env(self) -> dict[str, str]:
        return dict(os.environ, TMPDIR=str(self.dir), LC_ALL="C")

    def names(self) -> list[str]:
        if self._names is None:
            if not any((self.dir / "lists").glob("*Packages*")):
                self.update()
            self._names = _run(["apt-cache", "-c", self.conf, "pkgnames"]).split()
        return self._names

    def download(self, name: str) -> Path | None:
        """The .deb, or None if the archive lists it but cannot deliver it (a signed kernel may lag)."""
        where = paths.made(paths.cache() / "debs")
        uris = subprocess.run(["apt-get", "-c", self.conf, "download", "--print-uris", name],
                              capture_output=True, text=True, env=self._env())
        match = re.search(r"^'[^']*' (\S+\.deb) \d+", uris.stdout, re.M)
        if not match:
            return None
        deb = where / match.group(1)
        if not deb.exists():
            done = subprocess.run(["apt-get", "-c", self.conf, "download", name], cwd=where, capture_output=True,
                                  env=self._env())
            if done.returncode or not deb.exists():
                return None
        return deb


class Store:
    """Unpacked packages by pattern.  The choice is remembered, so a later run needs no network."""

    def __init__(self) -> None:
        self._file = paths.cache() / "chosen.json"
        self._chosen = json.loads(self._file.read_text()) if self._file.exists() else {}
        self._apt: dict[str, Apt] = {}

    def unpacked(self, pattern: str, arch: str = "amd64", below: str = "") -> Path:
        """Directory with the newest package whose name matches, or with only what it has below one directory."""
        key = f"{pattern}:{arch}"
        suffix = f"@{below}" if below else ""
        tree = paths.cache() / "unpacked" / (self._chosen.get(key, "none yet") + suffix)
        if tree.is_dir():
            return tree
        deb = self._fetch(pattern, arch)
        tree = paths.cache() / "unpacked" / (deb.stem + suffix)
        if not tree.is_dir():
            scratch = paths.made(tree.parent) / f"{tree.name}.{os.getpid()}"
            _unpack(deb, scratch, below)
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
            self._of(arch).update()
        self._chosen = {}
        self._file.unlink(missing_ok=True)

    def _fetch(self, pattern: str, arch: str) -> Path:
        apt = self._of(arch)
        for name in newest(apt.names(), pattern):
            deb = apt.download(name)
            if deb:
                return deb
        raise LabError(f"no {arch} package matching {pattern} could be downloaded; see {apt.dir / 'update.log'}")

    def _of(self, arch: str) -> Apt:
        return self._apt.setdefault(arch, Apt(arch))


def _unpack(deb: Path, directory: Path, below: str) -> None:
    """A kernel's modules are most of it, and only dom0 needs some."""
    unpacking = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive:
        tarball.extract(archive, paths.made(directory), (m for m in archive if m.name.startswith(f"./{below}")))
    if unpacking.wait():
        raise LabError(f"dpkg-deb --fsys-tarfile {deb}: exit {unpacking.returncode}")


def _run(command: list) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"{' '.join(map(str, command))}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout

# SPDX-License-Identifier: LGPL-2.1-only
"""apt for a release and an architecture that need not be this machine's: nothing of it is touched."""

import os
import re
import subprocess
from pathlib import Path

from . import paths, release
from .errors import LabError

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"  # Debian's, which has the keys of all its releases
_CONF = """\
// Keys, and for this machine's own release the sources, are its own; lists, cache and architectures are the lab's.
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
_SOURCES = """\
Dir::Etc::sourcelist "{dir}/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferencesparts "{dir}/preferences.d";
"""


class Apt:
    """apt-get and apt-cache with every state file under the lab's cache."""

    def __init__(self, of: str, arch: str) -> None:
        self.release, self.arch = of, arch
        self.dir = paths.made(paths.cache(of) / f"apt-{arch}")
        paths.made(self.dir / "lists" / "partial")
        paths.made(self.dir / "archives" / "partial")
        paths.made(self.dir / "preferences.d")
        (self.dir / "status").touch()
        self.conf = self.dir / "apt.conf"
        self.conf.write_text((_CONF + ("" if release.is_own(of) else _SOURCES)).format(dir=self.dir, arch=arch))
        self._names: list[str] | None = None

    def update(self) -> None:
        """A mirror in the middle of a sync may lack one suite; then the others still serve, so this is no error."""
        if not release.is_own(self.release):
            said = run(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"])
            (self.dir / "sources.list").write_text(sources(said, release.own(), self.release, os.path.exists(KEYRING)))
        done = subprocess.run(["apt-get", "-c", self.conf, "update"], capture_output=True, text=True, env=self._env())
        (self.dir / "update.log").write_text(done.stdout + done.stderr)

    def names(self) -> list[str]:
        if self._names is None:
            if not any((self.dir / "lists").glob("*Packages*")):
                self.update()
            self._names = run(["apt-cache", "-c", self.conf, "pkgnames"]).split()
        return self._names

    def download(self, name: str) -> Path | None:
        """The .deb, or None if the archive lists it but cannot deliver it (a signed kernel may lag)."""
        where = paths.made(paths.cache(self.release) / "debs")
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

    def with_dependencies(self, names: list[str]) -> list[Path]:
        """The .debs of these packages and of all that they need, down to the C library."""
        command = ["apt-get", "-c", self.conf, "install", "-y", "--no-install-recommends", *names]
        said = run([*command, "--print-uris"], self._env())
        run([*command, "--download-only"], self._env())
        return [self.dir / "archives" / name for name in re.findall(r"^'[^']*' (\S+\.deb) \d+", said, re.M)]

    def _env(self) -> dict[str, str]:
        return dict(os.environ, TMPDIR=str(self.dir), LC_ALL="C")


def sources(said: str, own: str, other: str, keyring: bool) -> str:
    """The archives that `apt-get indextargets` says this machine uses, by the other release's name."""
    signed = f"[signed-by={KEYRING}] " if keyring else ""
    lines = [f"deb {signed}{site} {other}{suite.removeprefix(own)} {component}\n"
             for site, suite, component in map(str.split, said.splitlines()) if own and re.match(rf"{own}(-|$)", suite)]
    if not lines:
        raise LabError(f"apt's sources name no suite of {own or 'a Debian release'}, from which to tell where {other} is")
    return "".join(dict.fromkeys(lines))


def run(command: list, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        raise LabError(f"{' '.join(map(str, command[:8]))}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout

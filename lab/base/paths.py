# SPDX-License-Identifier: LGPL-2.1-only
"""Where the lab reads and writes.  Nothing is written outside the lab directory.

What belongs to another release than this machine's is in a directory of its own, named after it.
"""

import os
from pathlib import Path

from . import release
from .errors import Unreadable

REPO = Path(__file__).resolve().parents[2]


def build() -> Path:
    """The Makefile's output directory, for the release that is booted."""
    return Path(os.environ.get("PVBOOT_BUILD", _of(REPO / "build"))).resolve()


def own_build() -> Path:
    """That of this machine, whose programs run here."""
    return build() if release.is_own() else REPO / "build"


def lab(of: str | None = None) -> Path:
    return _of(Path(os.environ.get("PVBOOT_LAB_DIR", REPO / "build" / "lab")).resolve(), of)


def cache(of: str | None = None) -> Path:
    """Debian packages and what is unpacked from them; kept between runs."""
    return made(lab(of) / "cache")


def root() -> Path:
    """Under which the release has its libraries and Xen's tools."""
    return Path("/") if release.is_own() else lab() / "root"


def in_release(path: Path) -> str:
    """The name that a file below root() has there."""
    return "/" + str(path.relative_to(root())) if path.is_relative_to(root()) else str(path)


def live() -> Path:
    """The host that `lab up` keeps running."""
    return lab() / "live"


def made(directory: Path) -> Path:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unreadable(f"{directory}: {error.strerror}") from None
    return directory


def _of(directory: Path, of: str | None = None) -> Path:
    return directory if release.is_own(of) else directory / (of or release.name())


def read(path: Path) -> bytes:
    """A file that somebody named."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None


def write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None

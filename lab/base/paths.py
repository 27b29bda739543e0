# SPDX-License-Identifier: LGPL-2.1-only
"""Where the lab reads and writes.  Nothing is written outside the lab directory."""

import os
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def build() -> Path:
    """The Makefile's output directory."""
    return Path(os.environ.get("PVBOOT_BUILD", REPO / "build")).resolve()


def lab() -> Path:
    return Path(os.environ.get("PVBOOT_LAB_DIR", REPO / "build" / "lab")).resolve()


def cache() -> Path:
    """Debian packages and what is unpacked from them; kept between runs."""
    return made(lab() / "cache")


def live() -> Path:
    """The host that `lab up` keeps running."""
    return lab() / "live"


def made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory

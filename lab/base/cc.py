# SPDX-License-Identifier: LGPL-2.1-only
"""Small C programs of the lab's own, built here for dom0, with the libraries of its release."""

import hashlib
import subprocess
from pathlib import Path

from . import paths, ready
from .errors import LabError

FLAGS = ("-std=gnu11", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")
NEEDED = "sudo apt-get install -y --no-install-recommends gcc libc6-dev libxen-dev"


def built(name: str, sources: list[Path], *options: str) -> Path:
    """The program or library; its name tells what it was made from."""
    digest = hashlib.sha256(repr(options).encode() + b"".join(source.read_bytes() for source in sources)).hexdigest()
    stem, dot, end = name.partition(".")
    out = paths.made(paths.lab() / "native") / f"{stem}-{digest[:12]}{dot}{end}"
    if out.exists():
        return out
    scratch = out.with_suffix(".new")
    try:
        subprocess.run([*ready.compiler(), *FLAGS, "-o", scratch, *sources, *options], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise LabError(f"gcc is missing; run: {NEEDED}") from None
    except subprocess.CalledProcessError as failed:
        raise LabError(f"{name}: {failed.stderr.strip()[-500:]} (run: {NEEDED})") from None
    return scratch.rename(out)

# SPDX-License-Identifier: LGPL-2.1-only
"""The shared libraries that a program of the release needs."""

import os
import re
import subprocess
from pathlib import Path

from . import paths
from .errors import LabError

LOADER, LIBRARIES = "lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu"


def libraries(program: Path, extra: Path | None = None) -> tuple[Path, ...]:
    """Paths as the release's loader sees them, the loader included.  `extra` is searched too (a build directory)."""
    if not _is_of_dom0(program):
        return ()
    env = dict(os.environ, LC_ALL="C")
    env.pop("LD_PRELOAD", None)
    if extra:
        env["LD_LIBRARY_PATH"] = str(extra)
    done = subprocess.run([*_lister(extra), str(program)], capture_output=True, text=True, env=env)
    if "not a dynamic executable" in done.stderr + done.stdout or "statically linked" in done.stdout:
        return ()
    missing = re.findall(r"^\s*(\S+) => not found", done.stdout, re.M)
    if done.returncode or missing:
        raise LabError(f"ldd {program}: {', '.join(missing) or done.stderr.strip()} not found")
    return tuple(Path(p) for p in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", done.stdout, re.M))


def _is_of_dom0(program: Path) -> bool:
    """An x86-64 program: a guest's 32-bit kernel is no business of dom0's loader, which says so in many words."""
    with program.open("rb") as file:
        return file.read(5) == b"\x7fELF\2"


def _lister(extra: Path | None) -> list:
    """This machine's ldd knows this machine's libraries only; what it does is asked of another release's loader itself."""
    root = paths.root()
    if root == Path("/"):
        return ["ldd"]
    where = [*([str(extra)] if extra else []), str(root / LIBRARIES)]
    return [root / LOADER, "--inhibit-cache", "--library-path", ":".join(where), "--list"]

# SPDX-License-Identifier: LGPL-2.1-only
"""The shared libraries a program of this machine needs."""

import os
import re
import subprocess
from pathlib import Path

from .errors import LabError


def libraries(program: Path, extra: Path | None = None) -> tuple[Path, ...]:
    """Paths as the loader sees them, the loader included.  `extra` is searched too (a build directory)."""
    env = dict(os.environ, LC_ALL="C")
    env.pop("LD_PRELOAD", None)
    if extra:
        env["LD_LIBRARY_PATH"] = str(extra)
    done = subprocess.run(["ldd", str(program)], capture_output=True, text=True, env=env)
    if "not a dynamic executable" in done.stderr + done.stdout or "statically linked" in done.stdout:
        return ()
    missing = re.findall(r"^\s*(\S+) => not found", done.stdout, re.M)
    if done.returncode or missing:
        raise LabError(f"ldd {program}: {', '.join(missing) or done.stderr.strip()} not found")
    return tuple(Path(p) for p in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", done.stdout, re.M))

# SPDX-License-Identifier: LGPL-2.1-only
"""The `pvboot` program: everything that is known here of kernels and of what guests read comes from it."""

import json
import subprocess
from pathlib import Path

from ..base import paths
from ..base.errors import LabError


class Refused(LabError):
    """pvboot's own refusal, in its one line."""


def run(*arguments: object) -> dict:
    """One verb's --json."""
    verb, *rest = map(str, arguments)
    done = subprocess.run([paths.own_build() / "pvboot", verb, "--json", *rest], capture_output=True, text=True)
    if done.returncode:
        raise Refused((done.stderr.strip().splitlines() or [f"pvboot {verb}: {done.returncode}"])[-1])
    return json.loads(done.stdout)


def inspect(image: Path) -> dict:
    return run("inspect", image)


def decode(kind: str, data: bytes, scratch: Path, base: int = 0, node_type: int | None = None) -> dict:
    """`data` as it lay at `base` in the guest; kept in `scratch` for whoever wants to look."""
    scratch.write_bytes(data)
    options = ["--base", f"{base:#x}"] if base else []
    if node_type is not None:
        options += ["--type", f"{node_type:#x}"]
    return run("decode", *options, f"--{kind}", scratch)


def number(value: object) -> int:
    """Numbers of more than 63 bits come as text."""
    return int(value, 0) if isinstance(value, str) else int(value)

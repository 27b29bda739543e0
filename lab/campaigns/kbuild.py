# SPDX-License-Identifier: LGPL-2.1-only
"""Debian's Linux, small, built here: as it is, and with the patches of linux/.  Kept by what it was made from."""

import dataclasses
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..base import packages, paths
from ..base.errors import LabError

SOURCE = r"linux-source-6\.12"
SERIES = paths.REPO / "linux"
NEEDED = {"flex": "flex", "bison": "bison", "bc": "bc", "gcc": "gcc", "make": "make", "patch": "patch", "lz4": "lz4"}
HEADERS = {"/usr/include/libelf.h": "libelf-dev"}
OF_OUR_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CFLAGS", "CC", "BUILD", "V")
IMAGE = "arch/x86/boot/bzImage"


@dataclasses.dataclass(frozen=True)
class Built:
    stock: Path
    patched: Path
    version: str


def built(store: packages.Store) -> Built:
    source = next((store.unpacked(SOURCE) / "usr/src").glob("linux-source-*.tar.xz"))
    version = source.parents[2].name.split("_")[1]  # of the package
    parts = [version.encode(), _compiler(), config().read_bytes(), *(patch.read_bytes() for patch in patches())]
    out = paths.made(paths.lab() / "linux") / hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
    if not (out / "patched").exists():
        _build(source, out)
    return Built(out / "stock", out / "patched", version)


def _compiler() -> bytes:
    """Its version."""
    return subprocess.run(["gcc", "--version"], capture_output=True).stdout.split(b"\n")[0] if shutil.which("gcc") else b""


def config() -> Path:
    return SERIES / "config"


def patches() -> list[Path]:
    return sorted(SERIES.glob("*.patch"))


def _build(source: Path, out: Path) -> None:
    missing = [package for tool, package in NEEDED.items() if not shutil.which(tool)]
    missing += [package for header, package in HEADERS.items() if not os.path.exists(header)]
    if missing:
        raise LabError(f"to build a kernel, run: apt-get install -y --no-install-recommends {' '.join(missing)}")
    print(f"building {source.name} twice, which takes a while; the log is {out}.log", flush=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix="tree-") as scratch, (out.parent / f"{out.name}.log").open("wb") as log:
        tree, objects, made = Path(scratch) / "source", Path(scratch) / "objects", Path(scratch) / "made"
        for directory in (tree, objects, made):
            directory.mkdir()
        _run(log, "tar", "-xf", source, "-C", tree, "--strip-components=1")
        _make(log, tree, objects)
        shutil.copyfile(objects / IMAGE, made / "stock")
        for patch in patches():
            _run(log, "patch", "-p1", "-d", tree, "-i", patch)
        _make(log, tree, objects)
        shutil.copyfile(objects / IMAGE, made / "patched")
        shutil.copyfile(objects / ".config", made / "config")
        made.rename(out)


def _make(log, tree: Path, objects: Path) -> None:
    make = ("nice", "make", "-C", tree, f"O={objects}", f"-j{os.cpu_count()}")
    _run(log, *make, f"KCONFIG_ALLCONFIG={config()}", "allnoconfig")
    _run(log, *make, "bzImage")


def _run(log, *command) -> None:
    """Nothing of the caller's own make reaches this one."""
    env = {name: value for name, value in os.environ.items() if name not in OF_OUR_MAKE}
    if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=env).returncode:
        raise LabError(f"{' '.join(map(str, command[:2]))} failed, see {log.name}")

# SPDX-License-Identifier: LGPL-2.1-only
"""pvboot's own Debian packages, in place of what `make` left in the build directory: what a host would install."""

import functools
import hashlib
import os
import re
import shutil
from pathlib import Path

from ..base import apt, packages, paths
from ..base.errors import LabError

VARIABLE = "PVBOOT_PACKAGES"
NAMES = ("libpvboot0", "pvboot", "xen-pvboot")
UNREAD = ("usr/share/doc/", "usr/share/man/", "usr/share/lintian/")  # nothing of dom0 looks there


def choose(directory: Path | None) -> None:
    """For this process; no directory: where `make debs` puts them."""
    os.environ[VARIABLE] = str((directory or paths.build() / "debs").resolve())


def chosen() -> bool:
    return VARIABLE in os.environ


def files() -> dict[str, Path]:
    """By their names on a host."""
    tree = _tree(Path(os.environ[VARIABLE]))
    names = (path.relative_to(tree).as_posix() for path in sorted(tree.rglob("*")) if not path.is_dir())
    return {f"/{name}": tree / name for name in names if not name.startswith(UNREAD)}


@functools.cache
def _tree(directory: Path) -> Path:
    """They are unpacked as dpkg does it; of the maintainers' scripts none is run, for dom0 has no dpkg."""
    debs = [_only(directory, name) for name in NAMES]
    _judge(apt.run(["dpkg-deb", "-f", debs[-1], "Depends"]), packages.xen_version())
    digest = hashlib.sha256(b"".join(deb.read_bytes() for deb in debs)).hexdigest()
    tree = paths.made(paths.lab() / "debs") / digest[:12]
    if not tree.is_dir():
        scratch = tree.with_suffix(f".{os.getpid()}")
        for deb in debs:
            packages.unpack(deb, scratch)
        shutil.rmtree(tree, ignore_errors=True)
        scratch.rename(tree)
    return tree


def _only(directory: Path, name: str) -> Path:
    found = list(directory.glob(f"{name}_*.deb"))
    if len(found) != 1:
        raise LabError(f"{directory}: {len(found)} packages {name}; make debs builds them")
    return found[0]


def _judge(depends: str, xen: str) -> None:
    """What apt would say on a host with this Xen."""
    wanted = re.findall(r"\blibxenmisc(\d+\.\d+)", depends)
    if set(wanted) != {xen}:
        raise LabError(f"xen-pvboot is for Xen {', '.join(sorted(set(wanted))) or 'none'}, and dom0 has {xen}")

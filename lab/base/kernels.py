# SPDX-License-Identifier: LGPL-2.1-only
"""The kernels that are booted, by pattern and always the newest: what Debian users run."""

import dataclasses
import re
from pathlib import Path

from .packages import Store


@dataclasses.dataclass(frozen=True)
class Kernel:
    id: str
    arch: str        # Debian architecture of the package
    bits: int        # word size of the kernel itself
    pattern: str     # package name, a regular expression
    xen: bool = True  # knows Xen at all (CONFIG_XEN_PVHVM)
    pv: bool = True   # can be a PV guest
    pae: bool = False


KERNELS = {k.id: k for k in (
    Kernel("6.1", "amd64", 64, r"linux-image-6\.1\.0-\d+-amd64"),
    Kernel("6.1-cloud", "amd64", 64, r"linux-image-6\.1\.0-\d+-cloud-amd64"),
    Kernel("6.12", "amd64", 64, r"linux-image-6\.12\.\d+\+deb\d+(\+\d+)?-amd64"),
    Kernel("686-pae", "i386", 32, r"linux-image-6\.1\.0-\d+-686-pae", pv=False, pae=True),
    Kernel("686", "i386", 32, r"linux-image-6\.1\.0-\d+-686", xen=False, pv=False),
)}
DOM0 = KERNELS["6.1"]


def image(store: Store, kernel: Kernel) -> Path:
    """The vmlinuz file.  Its name carries the version."""
    found = list((store.unpacked(kernel.pattern, kernel.arch, "boot") / "boot").glob("vmlinuz-*"))
    assert len(found) == 1, f"{kernel.id}: {found}"
    return found[0]


def modules(store: Store, kernel: Kernel, names: list[str]) -> list[Path]:
    """Module files in load order: each one after those it depends on.

    The package carries no modules.dep, so dependencies are read from each file's .modinfo section.
    """
    tree = store.unpacked(kernel.pattern, kernel.arch, "lib") / "lib" / "modules"
    by_name = {p.name.split(".")[0].replace("-", "_"): p for p in tree.rglob("*.ko")}
    order: list[Path] = []

    def add(name: str) -> None:
        path = by_name.get(name.replace("-", "_"))
        if path is None or path in order:  # None: built in
            return
        depends = re.search(rb"\0depends=([^\0]*)\0", b"\0" + path.read_bytes())
        for needed in filter(None, depends.group(1).decode().split(",") if depends else ()):
            add(needed)
        order.append(path)

    for name in names:
        add(name)
    return order

# SPDX-License-Identifier: LGPL-2.1-only
"""The kernels that are booted, by pattern and always the newest: what Debian users run.

A guest's comes from the release that has it, whichever release's Xen it is booted on; dom0's from the release itself.
"""

import dataclasses
import lzma
import os
import re
from pathlib import Path

from . import paths, release
from .errors import NoPackage
from .packages import Store


@dataclasses.dataclass(frozen=True)
class Kernel:
    id: str
    arch: str        # Debian architecture of the package
    bits: int        # word size of the kernel itself
    pattern: str     # name of the package with the kernel, a regular expression
    modules: str = ""  # and of the one with its modules, where that is another
    release: str = "bookworm"
    follows: bool = False  # another version by and by, so that each run says which
    xen: bool = True  # knows Xen at all (CONFIG_XEN_PVHVM)
    pv: bool = True   # can be a PV guest
    pae: bool = False
    words: str = ""  # on its command line, for want of which it dies here


# Linux 7.2: where the emulation tells it two sizes of the XSAVE area, what gives XSAVE up follows a null pointer; as a PV
# guest on an AMD processor it reads registers of the chip set that it has not.
_LINUX_7 = "noxsave initcall_blacklist=print_s5_reset_status_mmio"

KERNELS = {k.id: k for k in (
    Kernel("6.1", "amd64", 64, r"linux-image-6\.1\.0-\d+-amd64"),
    Kernel("6.1-cloud", "amd64", 64, r"linux-image-6\.1\.0-\d+-cloud-amd64"),
    Kernel("6.12", "amd64", 64, r"linux-image-6\.12\.\d+\+deb12([.+]\d+)?-amd64"),
    Kernel("6.12-deb13", "amd64", 64, r"linux-image-6\.12\.\d+\+deb13([.+]\d+)?-amd64", release="trixie"),
    # whatever Debian's next release has today
    Kernel("newest", "amd64", 64, r"linux-binary-\d+\.\d+\.\d+\+deb\d+([.+]\d+)?-amd64",
           r"linux-modules-\d+\.\d+\.\d+\+deb\d+([.+]\d+)?-amd64", release="forky", follows=True, words=_LINUX_7),
    Kernel("686-pae", "i386", 32, r"linux-image-6\.1\.0-\d+-686-pae", pv=False, pae=True),
    Kernel("686", "i386", 32, r"linux-image-6\.1\.0-\d+-686", xen=False, pv=False),
)}
_DOM0 = {"bookworm": "6.1", "trixie": "6.12-deb13", "forky": "newest"}


def dom0() -> Kernel:
    """That of the release which is booted; of the newest that is known where this machine's own has no row."""
    return KERNELS[_DOM0.get(release.name(), "newest")]


def of_release() -> list[Kernel]:
    """Those that the booted release has itself."""
    return [kernel for kernel in KERNELS.values() if kernel.release == release.name()]


def described(store: Store, kernel: Kernel) -> str:
    """The file and where it is from, or why there is none."""
    try:
        return f"{image(store, kernel).name} ({kernel.release})"
    except NoPackage as missing:
        return str(missing)


def image(store: Store, kernel: Kernel) -> Path:
    """The vmlinuz file.  Its name carries the version."""
    tree = store.of(kernel.release).unpacked(kernel.pattern, kernel.arch, "" if kernel.modules else "boot")
    for found in tree.glob("usr/lib/modules/*/vmlinuz"):  # since Linux 7
        named = paths.made(tree / "boot") / f"vmlinuz-{found.parent.name}"
        if not named.exists():
            named.symlink_to(os.path.relpath(found, named.parent))
    found = list((tree / "boot").glob("vmlinuz-*"))
    assert len(found) == 1, f"{kernel.id}: {found}"
    return found[0]


def modules(store: Store, kernel: Kernel, names: list[str]) -> dict[str, bytes]:
    """Modules by file name, unpacked, in load order: each one after those it depends on.

    The package carries no modules.dep, so dependencies are read from each file's .modinfo section.
    """
    below = "lib" if kernel.release == "bookworm" else "usr/lib"
    tree = store.of(kernel.release).unpacked(kernel.modules or kernel.pattern, kernel.arch, below) / below / "modules"
    by_name = {p.name.split(".")[0].replace("-", "_"): p for p in tree.rglob("*.ko*")}
    order: dict[str, bytes] = {}

    def add(name: str) -> None:
        path = by_name.get(name.replace("-", "_"))
        if path is None or _plain(path) in order:  # None: built in
            return
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        depends = re.search(rb"\0depends=([^\0]*)\0", b"\0" + data)
        for needed in filter(None, depends.group(1).decode().split(",") if depends else ()):
            add(needed)
        order[_plain(path)] = data

    for name in names:
        add(name)
    return order


def _plain(path: Path) -> str:
    return path.name.removesuffix(".xz")

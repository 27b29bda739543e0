# SPDX-License-Identifier: LGPL-2.1-only
"""What this machine must have before a Xen is booted: packages; and for another release than its own, that release's
libraries and tools in a directory, and pvboot built against them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import elf, packages, paths, release
from .apt import run
from .errors import LabError

EMULATOR = {"/usr/bin/qemu-system-x86_64": "qemu-system-x86"}  # a file that proves it, package
TOOLS = {
    "/usr/bin/xenstore-ls": "xenstore-utils",
    "/usr/lib/xen-common/bin/xen-utils-wrapper": "xen-utils-common",
}
MERGED = ("bin", "lib", "lib64", "sbin")  # links into usr, as every installed Debian has them


def ensure() -> None:
    if release.is_own():
        _ensure_installed({**EMULATOR, **TOOLS}, [] if packages.xen_dirs() else _xen_utils)
        return
    _ensure_installed(EMULATOR, [])
    ensure_root()
    if "PVBOOT_BUILD" not in os.environ:  # else who calls has built
        _build()


def ensure_root() -> Path:
    """The release's root: all that pvboot is built with and what dom0 runs, from packages, nothing of it installed."""
    root = paths.root()
    if release.is_own() or root.exists():
        return root
    apt = packages.Store().apt()
    wanted = [*_build_packages(), *TOOLS.values(), packages.newest_xen_utils(apt.names())]
    print(f"lab: unpacking {release.name()}'s libraries and Xen tools into {root}", file=sys.stderr, flush=True)
    debs = apt.with_dependencies(wanted)
    scratch = root.with_name(f"root.{os.getpid()}")
    for name in MERGED:
        paths.made(scratch / "usr" / name)
        (scratch / name).symlink_to(f"usr/{name}")
    for deb in debs:
        packages.unpack(deb, scratch)
    (scratch / "packages").write_text("".join(f"{deb.name}\n" for deb in sorted(debs)))
    scratch.rename(root)
    return root


def refresh() -> None:
    """Forget what was chosen and unpacked."""
    packages.Store().refresh()
    if not release.is_own() and paths.root().exists():
        shutil.rmtree(paths.root())


def compiler() -> list[str]:
    """This machine's, with the headers and libraries of the release that is booted: gcc looks for start files and libraries
    beside itself first, whatever its sysroot, unless a directory is named to it."""
    if release.is_own():
        return ["gcc"]
    root = ensure_root()
    return ["gcc", f"--sysroot={root}", f"-B{root / elf.LIBRARIES}"]


def _build_packages() -> list[str]:
    """What mk/packages.mk names and the release's programs are linked with."""
    named = run(["make", "-s", "-C", paths.REPO, "RELEASE=", "print-libraries"]).split()
    return [*named, "linux-libc-dev"]


def _build() -> None:
    """For the release, all; for this machine, the command, which the lab asks about kernels."""
    log = paths.made(paths.lab()) / "make.log"
    with log.open("wb") as out:
        for arguments in ([f"RELEASE={release.name()}", "all", "probes"], ["RELEASE=", "build/pvboot", "build/pvboot-parse"]):
            if subprocess.run(["make", "-j2", "--no-print-directory", *arguments], cwd=paths.REPO, stdout=out,
                              stderr=subprocess.STDOUT).returncode:
                raise LabError(f"make {' '.join(arguments)} failed, see {log}")


def _xen_utils() -> list[str]:
    names = run(["apt-cache", "pkgnames", "xen-utils-"]).split()
    if not names and os.geteuid() == 0:  # a machine that has just been made knows no packages
        run(["apt-get", "update"])
        names = run(["apt-cache", "pkgnames", "xen-utils-"]).split()
    return [packages.newest_xen_utils(names)]


def _ensure_installed(proofs: dict[str, str], more) -> None:
    missing = [package for proof, package in proofs.items() if not os.path.exists(proof)] + (more() if more else [])
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0:
        raise LabError(f"packages are missing; run: sudo {' '.join(command)}")
    print(f"lab: installing {' '.join(missing)}", flush=True)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    log = paths.made(paths.lab()) / "apt-install.log"
    with log.open("wb") as out:
        for step in (["apt-get", "update"], command):
            if subprocess.run(step, stdout=out, stderr=subprocess.STDOUT, env=env).returncode:
                raise LabError(f"{' '.join(step)} failed, see {log}")

# SPDX-License-Identifier: LGPL-2.1-only
"""The guests' initramfs: busybox and one script that prints what the kernel was told at boot."""

import hashlib
import os
import subprocess
from pathlib import Path

from ..base import cc, packages, paths
from ..base.cpio import Archive
from ..base.errors import LabError
from ..base.packages import Store

HERE = Path(__file__).resolve().parent
PADDING_MIB = 64
# the probe guests that `make probes` builds, by the path that starts them
PROBES = {"pvh": "probe-pvh.elf", "linux32": "probe-linux32.bzimage", "linux64": "probe-linux64.bzimage",
          "vmlinux64": "probe-vmlinux64.elf", "stub": "probe-linux64.bzimage"}


def initramfs(store: Store, arch: str) -> Path:
    """An uncompressed archive (the emulated guest has better things to do than gunzip); its name tells its contents."""
    archive = Archive()
    archive.chardev("/dev/console", 5, 1)
    for name in ("proc", "sys", "tmp"):
        archive.directory(name)
    archive.copy(packages.busybox(store, arch), "/bin/busybox")
    archive.file("/init", (HERE / "init.sh").read_bytes(), 0o755)
    # what the kernel runs when the toolstack asks for it (xl shutdown, xl reboot)
    for action in ("poweroff", "reboot"):
        archive.file(f"/sbin/{action}", f"#!/bin/busybox sh\nexec /bin/busybox {action} -f\n".encode(), 0o755)
    archive.copy(_assembled("e9.S"), "/bin/e9")
    return named(f"guest-{arch}", archive.finish())


def seeing(store: Store) -> Path:
    """An amd64 one that tells more of what a guest sees: sight.sh."""
    archive = Archive()
    archive.file("/evidence.d/sight", (HERE / "sight.sh").read_bytes())
    archive.copy(cc.built("cpuid", [HERE / "cpuid.c"], "-static"), "/bin/cpuid")
    return named("guest-seeing", initramfs(store, "amd64").read_bytes() + archive.finish())


def pae_probe() -> Path:
    return _assembled("pae.S", "-Wl,-Ttext-segment=0x100000")


def probe_kernel(path: str) -> Path:
    return paths.build() / "guests" / PROBES[path]


def reset_at_entry() -> Path:
    """A PVH kernel that reboots at its first instruction."""
    return _assembled("reset.S", "-Wl,-Ttext-segment=0x100000")


def boot_disk() -> Path:
    """A disk of 1 MiB whose first sector boots, and tells what it sees."""
    sector = _assembled("bootsector.S", "-Wl,-Ttext=0x7c00,--oformat=binary").read_bytes()
    return _written(f"disk-{hashlib.sha256(sector).hexdigest()[:12]}.img", sector.ljust(1 << 20, b"\0"))


def reset_at_startup_64(kernel: bytes) -> bytes:
    """A bzImage that does so where linux64 enters: everything else of it is as it was."""
    startup_64 = (kernel[0x1f1] + 1) * 512 + 0x200
    return kernel[:startup_64] + b"\x0f\x0b" + kernel[startup_64 + 2:]  # ud2


def named(stem: str, data: bytes) -> Path:
    return _written(f"{stem}-{hashlib.sha256(data).hexdigest()[:12]}.cpio", data)


def padded(ramdisk: Path) -> Path:
    """With zeroes behind it, which no unpacker looks at."""
    return _written(f"{ramdisk.stem}-and-{PADDING_MIB}M.cpio", ramdisk.read_bytes() + bytes(PADDING_MIB << 20))


def _written(name: str, data: bytes) -> Path:
    """As a whole or not at all, whoever else writes it."""
    path = paths.made(paths.lab() / "guests") / name
    if not path.exists():
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.write_bytes(data)
        scratch.rename(path)
    return path


def _assembled(source: str, *options: str) -> Path:
    """A 32-bit program without libc, so that no cross compiler is needed."""
    out = paths.made(paths.lab() / "guests") / source.removesuffix(".S")
    try:
        subprocess.run(["gcc", "-m32", "-nostdlib", "-static", "-s", "-Wl,--build-id=none", *options, "-o", out, HERE / source],
                       check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise LabError("gcc is missing; run: sudo apt-get install -y --no-install-recommends gcc libc6-dev") from None
    except subprocess.CalledProcessError as failed:
        raise LabError(f"{source}: {failed.stderr.strip()}") from None
    return out

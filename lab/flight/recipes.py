# SPDX-License-Identifier: LGPL-2.1-only
"""How each path is asked for: xl.cfg, which xl, and for GRUB the image that has everything in it."""

import hashlib
import os
import subprocess
from pathlib import Path

from ..base import packages, paths
from ..base.errors import LabError
from ..base.kernels import Kernel
from ..machine import install
from ..guests import images
from ..cases import case
from . import grubnode, model
from .model import Cell

MODULES = f"linux normal tar memdisk {grubnode.MODULE}"
# The kernel's banner is a notice: the first mark comes at once, and so does whatever goes wrong.  The rest waits for
# dmesg, since each character on the debug port is an exit to Xen.
LOG = "loglevel=6"


def create(cell: Cell, config: str) -> str:
    """The command that makes the domain, paused."""
    if cell.path == "pv":  # libxl makes no PV domain for pvboot
        return f"pvboot launch --paused -f {config}"
    return f"{install.XL if cell.needs_pvboot else install.STOCK_XL} -vvv create -p {config}"


def config(cell: Cell, kernel: str, ramdisk: str, words: str) -> str:
    """The xl.cfg; `kernel` and `ramdisk` are paths in dom0."""
    keys = {"name": cell.name, **_asked_for(cell), **_same_twice(cell), "kernel": kernel, "ramdisk": ramdisk,
            "memory": cell.memory, "vcpus": cell.vcpus, "cmdline": words, "on_crash": "preserve",
            "on_poweroff": "preserve", "on_reboot": "preserve"}  # a triple fault would be a second, silent boot
    if cell.path == "grub":  # it has its own, in its image
        del keys["ramdisk"], keys["cmdline"]
    return "".join(f'{key} = {value}\n' if isinstance(value, int) else f'{key} = "{value}"\n'
                   for key, value in keys.items())


def _asked_for(cell: Cell) -> dict:
    if cell.how == "stock-xl":  # what the plugin makes of builder="pvboot", written out
        return {"type": "pvh", "pvshim": 1, "pvshim_path": f"{install.LIBDIR}/pvboot-stub.elf", "pvshim_cmdline": "pvboot",
                "pvshim_extra": "entry=stub"}
    return {"type": "pv", "pvboot_entry": "pv"} if cell.path == "pv" else case.PATHS.get(cell.path, {"type": "pvh"})


def _same_twice(cell: Cell) -> dict:
    """A random seed differs from guest to guest, and Linux wipes it before anybody can read it back."""
    return {"pvboot_rng_seed": 0} if cell.path in case.OURS else {}


def command_line(cell: Cell, kernel: Kernel, tsc_khz: int | None) -> str:
    """The same for all paths of a group, but for the marks that a PV guest has no port for."""
    words = case.CONSOLE if kernel.xen else case.NO_XEN
    if "KHZ" in words:
        words = words.replace("KHZ", str(tsc_khz)).replace("LPJ", str((tsc_khz or 0) * 4))  # at HZ=250
    words = " ".join(filter(None, (LOG, words, kernel.words, "pvlab.mode=evidence")))
    words += "" if kernel.xen else " pvlab.out=e9"
    return words if cell.path in model.PV else words + " pvlab.marks=e9"


def initrd(store: packages.Store, arch: str, size: str) -> Path:
    small = images.initramfs(store, arch)
    return images.padded(small) if size == "large" else small


def grub_image(kernel: Path, ramdisk: Path, words: str, adds_node: bool = False) -> Path:
    """An i386-xen_pvh GRUB with kernel, initrd and configuration in its memory disk."""
    directory = paths.made(paths.lab() / "grub")
    text = f"linux /boot/vmlinuz {words}\ninitrd /boot/initrd\nboot\n"
    if adds_node:
        text = grubnode.commands() + text
        named = directory / f"{kernel.name}-{grubnode.GPA:x}"
        named.write_bytes(grubnode.kernel(kernel.read_bytes()))
        kernel = named
    key = hashlib.sha256(kernel.read_bytes() + ramdisk.read_bytes() + text.encode()).hexdigest()[:12]
    image, cfg = directory / f"grub-{key}.elf", directory / f"grub-{key}.cfg"
    if not image.exists():
        cfg.write_text(text)
        scratch = image.with_suffix(f".{os.getpid()}")
        try:
            subprocess.run(["grub-mkstandalone", "-O", "i386-xen_pvh", "-o", scratch, f"--install-modules={MODULES}",
                            "--fonts=", "--locales=", "--themes=", f"boot/grub/grub.cfg={cfg}",
                            f"boot/vmlinuz={kernel}", f"boot/initrd={ramdisk}"], check=True, capture_output=True, text=True)
        except FileNotFoundError:
            raise LabError("grub-mkstandalone is missing: apt-get install grub-common grub-xen-bin") from None
        except subprocess.CalledProcessError as failed:
            raise LabError(f"grub-mkstandalone: {failed.stderr.strip()}") from None
        scratch.rename(image)
    return image

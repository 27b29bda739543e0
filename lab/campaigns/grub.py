# SPDX-License-Identifier: LGPL-2.1-only
"""GRUB as a PV guest: an ELF that is no Linux, linked at virtual address 0 as Mini-OS is, without a hypercall page or a
p2m list of its own.  It says a word and powers off.
"""

import subprocess
from pathlib import Path

from ..base import paths
from ..base.errors import LabError
from .testbed import Testbed

SAYS = "@@pv-grub"
MODULES = ("echo", "halt", "test")


def image() -> Path:
    directory = paths.made(paths.lab() / "grub")
    made, early = directory / "grub-pv.elf", directory / "grub-pv.cfg"
    early.write_text(f'echo "{SAYS}"\nhalt\n')
    try:
        subprocess.run(["grub-mkimage", "-O", "x86_64-xen", "-c", early, "-p", "/", "-o", made, *MODULES], check=True,
                       capture_output=True, text=True)
    except FileNotFoundError:
        raise LabError("grub-mkimage is missing: apt-get install grub-common grub-xen-bin") from None
    except subprocess.CalledProcessError as failed:
        raise LabError(f"grub-mkimage: {failed.stderr.strip()}") from None
    return made


def once(testbed: Testbed, command: str) -> tuple[str, str]:
    """What it said, and what is wrong."""
    rc, out, err = testbed.host.run(f"{command} < /dev/null")
    return out, judge(rc, out, err)


def judge(rc: int, out: str, err: str) -> str:
    """Its word, by the console's ring, and its end: --wait exits with 0 for a power-off."""
    if rc:
        return f"exit {rc}: {err.strip()[-200:]}"
    return "" if SAYS in out else "GRUB says nothing"

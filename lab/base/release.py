# SPDX-License-Identifier: LGPL-2.1-only
"""Which Debian release's Xen, dom0 and libraries are booted: this machine's own, or another one's."""

import os
import platform

from .errors import LabError

KNOWN = ("bookworm", "trixie", "forky")
VARIABLE = "PVBOOT_RELEASE"


def own() -> str:
    """This machine's; empty where it is no Debian that has a name."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def name() -> str:
    return os.environ.get(VARIABLE) or own()


def choose(wanted: str) -> None:
    """For this process and those it starts."""
    if wanted not in (*KNOWN, own()):
        raise LabError(f"release '{wanted}' is not known; these are: {', '.join(KNOWN)}")
    os.environ[VARIABLE] = wanted


def is_own(wanted: str | None = None) -> bool:
    return (wanted or name()) == own()

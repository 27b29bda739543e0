# SPDX-License-Identifier: LGPL-2.1-only
"""The table of what is booted.  A case is one guest: a kernel, a boot path, and what must come of it."""

import dataclasses
import fnmatch
import re

from . import paths
from .kernels import KERNELS, Kernel

# boot path -> the keys that choose it; those with a builder need pvboot, the others are stock Xen for comparison
PATHS: dict[str, dict[str, str]] = {
    "xl-pvh": {"type": "pvh"},
    "xl-pv": {"type": "pv"},
    **{entry: {"builder": "pvboot", "pvboot_entry": entry}
       for entry in ("pvh", "linux32", "linux64", "vmlinux64", "stub")},
}
CONSOLE = "console=hvc0 earlyprintk=xen"


@dataclasses.dataclass(frozen=True)
class Case:
    id: str
    path: str                      # key of PATHS
    kernel: str                    # key of KERNELS
    vcpus: int = 1
    memory: int = 256              # MiB
    cmdline: str = CONSOLE
    config: dict = dataclasses.field(default_factory=dict)  # more keys of the xl.cfg, or others for the same keys
    mode: str = "evidence"         # what the guest's init does
    action: str = ""               # what dom0 does once the guest is up: reboot, shutdown
    refused: str = ""              # a pattern: xl create must fail and say this
    text: str = ""                 # the whole xl.cfg, for a file of xl-config-examples/
    seconds: int = 60              # a guest's usual time to userland, in this emulation, times three

    @property
    def name(self) -> str:
        """The domain's name, and the directory's."""
        return re.sub(r"[^A-Za-z0-9.-]", "_", self.id)

    @property
    def needs_pvboot(self) -> bool:
        return "builder" in PATHS[self.path]

    @property
    def guest_kernel(self) -> Kernel:
        return KERNELS[self.kernel]

    @property
    def port_e9(self) -> bool:
        """Evidence comes through the hypervisor's debug port, for want of a Xen console driver."""
        return not self.guest_kernel.xen


def _boots(kernel: str, *boot_paths: str, **more) -> list[Case]:
    return [Case(f"{kernel}/{path}", path, kernel, **more) for path in boot_paths]


def table() -> list[Case]:
    return [
        *_boots("6.1", "xl-pvh", "xl-pv"),
        *_boots("6.1-cloud", "xl-pvh", "xl-pv"),
    ]


def select(cases: list[Case], patterns: str) -> list[Case]:
    """Cases whose id matches one of the comma-separated globs; all for an empty string."""
    globs = [glob for glob in patterns.split(",") if glob]
    return [case for case in cases if not globs or any(fnmatch.fnmatchcase(case.id, glob) for glob in globs)]


def config(case: Case, kernel: str, ramdisk: str) -> str:
    """The xl.cfg of a case."""
    words = f"{case.cmdline} pvlab.mode={case.mode}" + (" pvlab.out=e9" if case.port_e9 else "")
    keys = {"name": case.name, **PATHS[case.path], "kernel": kernel, "ramdisk": ramdisk, "memory": case.memory,
            "vcpus": case.vcpus, "cmdline": words, "on_crash": "preserve", "on_poweroff": "preserve", **case.config}
    return "".join(f"{key} = {_value(value)}\n" for key, value in keys.items() if value is not None)


def _value(value) -> str:
    if isinstance(value, list):
        return "[ " + ", ".join(map(_value, value)) + " ]"
    return str(value) if isinstance(value, int) else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'

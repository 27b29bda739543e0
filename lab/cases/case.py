# SPDX-License-Identifier: LGPL-2.1-only
"""A case is one guest: a kernel, a boot path, and what must come of it."""

import dataclasses
import re

from ..base.kernels import KERNELS, Kernel
from ..guests import images

# boot path -> the keys that choose it; those with a builder need pvboot, the others are stock Xen for comparison
OURS = ("pvh", "linux32", "linux64", "vmlinux64", "stub", "auto")
PATHS: dict[str, dict[str, str]] = {
    "xl-pvh": {"type": "pvh"},
    "xl-pv": {"type": "pv"},
    "xl-stub": {"type": "pvh", "pvshim": 1, "pvshim_path": "/usr/lib/pvboot/pvboot-stub.elf", "pvshim_cmdline": "pvboot",
                "pvshim_extra": "entry=linux64"},  # what builder="pvboot" comes to, docs/stub.md
    # one file for a stock xl, from pvboot pack: what it does not say itself, the configuration does
    "xl-packed": {"type": "pvh", "ramdisk": None, "cmdline": None},
    **{entry: {"builder": "pvboot", "pvboot_entry": entry} for entry in OURS},
}
EXAMPLE_FILES = {"kernel": "/vmlinuz", "ramdisk": "/initrd.img"}  # where Debian has links to its newest kernel
CONSOLE = "console=hvc0 earlyprintk=xen"
# A kernel that knows nothing of Xen finds no timer to calibrate by, so it is told; KHZ and LPJ are filled in.
NO_XEN = "earlyprintk=ttyS0 tsc_early_khz=KHZ lpj=LPJ"


@dataclasses.dataclass(frozen=True)
class Case:
    id: str
    path: str                      # key of PATHS
    kernel: str                    # key of KERNELS
    vcpus: int = 1
    memory: int = 256              # MiB
    cmdline: str = CONSOLE
    config: dict = dataclasses.field(default_factory=dict)  # more keys of the xl.cfg, or others for the same keys
    mode: str = "evidence"         # what the guest's init does, see guests/init.sh
    action: str = ""               # what dom0 does once the guest is up: reboot, shutdown, restore, move (to a stock xl)
    refused: str = ""              # a pattern: xl create must fail and say this
    example: str = ""              # a file of xl-config-examples/, used as it is
    plugin: bool = False           # run stock paths, too, through the xl with the plugin loaded
    ramdisk: str = ""              # "large", or "joined" from three archives, see variants.py
    reserve: tuple = ()            # ranges of addresses that are not to be RAM, see variants.py
    kernel_says: str = ""          # a version that is written into a copy of the kernel, see variants.py
    tenant: bool = False           # its words are a tenant's, and must do nothing on the host: see tenant.py
    dumped: bool = True            # with pvboot_dump, where it can be: that has a kernel unpacked aside, not in the guest
    cached: bool = False           # its kernel has been unpacked before, by pvboot cache
    early: bool = False            # refused before there is a domain
    probe: bool = False            # the kernel is a probe guest, see judges/entry_state.py
    seconds: int = 60              # of its machine's clock; a guest may be silent for so long before it counts as hung

    @property
    def name(self) -> str:
        """The domain's name, and the directory's."""
        return re.sub(r"[^A-Za-z0-9.-]", "_", self.id)

    @property
    def needs_pvboot(self) -> bool:
        return self.plugin or "builder" in PATHS[self.path]

    @property
    def needs_built(self) -> list[str]:
        """Files of the build directory."""
        ours = ["pvboot-xl.so", "pvboot-stub.elf"] if self.needs_pvboot or self.path == "xl-stub" else []
        ours += ["pvboot"] if self.cached else []
        ours += ["pvboot", "pvboot-stub.elf"] if self.path == "xl-packed" else []
        return [*ours, *([f"guests/{images.PROBES[self.path]}"] if self.probe else [])]

    @property
    def filled_by(self) -> str:
        """The path by whose rules the page that the guest tells of was filled: a toolstack's, or the in-guest stub's."""
        if self.path == "xl-packed" or self.action == "move" or (self.path == "xl-stub" and not self.plugin):
            return "stub"
        return {"auto": "linux64", "xl-stub": "linux64"}.get(self.path, self.path)

    @property
    def guest_kernel(self) -> Kernel:
        return KERNELS[self.kernel]

    @property
    def port_e9(self) -> bool:
        """Evidence comes through the hypervisor's debug port, for want of a Xen console driver."""
        return not self.guest_kernel.xen

# SPDX-License-Identifier: LGPL-2.1-only
"""The table of what is booted.  A case is one guest: a kernel, a boot path, and what must come of it."""

import dataclasses
import fnmatch
import re

from . import guest, paths
from .kernels import KERNELS, Kernel

# boot path -> the keys that choose it; those with a builder need pvboot, the others are stock Xen for comparison
OURS = ("pvh", "linux32", "linux64", "vmlinux64", "stub", "auto")
PATHS: dict[str, dict[str, str]] = {
    "xl-pvh": {"type": "pvh"},
    "xl-pv": {"type": "pv"},
    "xl-stub": {"type": "pvh", "pvshim": 1, "pvshim_path": "/usr/lib/pvboot/pvboot-stub.elf", "pvshim_cmdline": "pvboot",
                "pvshim_extra": "entry=linux64"},  # what builder="pvboot" comes to, docs/stub.md
    **{entry: {"builder": "pvboot", "pvboot_entry": entry} for entry in OURS},
}
CONSOLE = "console=hvc0 earlyprintk=xen"
# A kernel that knows nothing of Xen finds no timer to calibrate by, so it is told; KHZ and LPJ are filled in.
NO_XEN = "earlyprintk=ttyS0 tsc_early_khz=KHZ lpj=LPJ"
WITHOUT_XEN = {"cmdline": NO_XEN, "seconds": 180}  # nobody hears it until its userland is there
EXAMPLE_FILES = {"kernel": "/vmlinuz", "ramdisk": "/initrd.img"}  # where Debian has links to its newest kernel
LONGEST_CMDLINE = 2047
# Selections with a name: smoke is what `make check` runs, a few minutes.
SETS = {
    "smoke": "6.1-cloud/xl-pvh,6.1-cloud/xl-pv,6.1-cloud/pvh,6.1-cloud/linux32,6.1-cloud/linux64,6.1-cloud/vmlinux64,"
             "6.1-cloud/stub,6.1-cloud/xl-stub,6.12/linux64,686/linux32,6.1-cloud/linux64/unknown-key,"
             "6.1-cloud/linux64/cmdline-too-long,6.1-cloud/linux64/reboot,6.1-cloud/xl-pvh/with-plugin,example/auto",
}


@dataclasses.dataclass(frozen=True)
class Case:
    id: str
    path: str                      # key of PATHS
    kernel: str                    # key of KERNELS
    vcpus: int = 1
    memory: int = 256              # MiB
    cmdline: str = CONSOLE
    config: dict = dataclasses.field(default_factory=dict)  # more keys of the xl.cfg, or others for the same keys
    mode: str = "evidence"         # what the guest's init does, see guest-init.sh
    action: str = ""               # what dom0 does once the guest is up: reboot, shutdown, restore, move (to a stock xl)
    refused: str = ""              # a pattern: xl create must fail and say this
    example: str = ""              # a file of xl-config-examples/, used as it is
    plugin: bool = False           # run stock paths, too, through the xl with the plugin loaded
    ramdisk: str = ""              # "large", or "joined" from three archives, see shapes.py
    reserve: tuple = ()            # ranges of addresses that are not to be RAM, see shapes.py
    kernel_says: str = ""          # a version that is written into a copy of the kernel, see shapes.py
    early: bool = False            # refused before there is a domain
    probe: bool = False            # the kernel is a probe guest, see entered.py
    seconds: int = 60              # a guest may be silent for so long before it counts as hung

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
        return [*ours, *([f"guests/{guest.PROBES[self.path]}"] if self.probe else [])]

    @property
    def filled_by(self) -> str:
        """The path by whose rules the page that the guest tells of was filled: a toolstack's, or the in-guest stub's."""
        if self.action == "move" or (self.path == "xl-stub" and not self.plugin):
            return "stub"
        return {"auto": "linux64", "xl-stub": "linux64"}.get(self.path, self.path)

    @property
    def guest_kernel(self) -> Kernel:
        return KERNELS[self.kernel]

    @property
    def port_e9(self) -> bool:
        """Evidence comes through the hypervisor's debug port, for want of a Xen console driver."""
        return not self.guest_kernel.xen


def _boots(kernel: str, *paths_: str, **more) -> list[Case]:
    return [Case(f"{kernel}/{path}", path, kernel, **more) for path in paths_]


def _variant(of: str, name: str, **more) -> Case:
    kernel, path = of.split("/")
    return Case(f"{of}/{name}", path, kernel, **more)


def table() -> list[Case]:
    ours = OURS[:-1]
    return [
        *_boots("6.1", "xl-pvh", "xl-pv", *OURS),
        *_boots("6.1-cloud", "xl-pvh", "xl-pv", *ours),
        *_boots("6.12", "xl-pvh", "xl-pv", *ours),
        # 32-bit, with and without PAE; the latter knows nothing of Xen, so only linux32 and the stub can start it
        *_boots("686-pae", "xl-pvh", "pvh", "linux32", "stub"),
        *_boots("686", "linux32", "stub", **WITHOUT_XEN),
        *_boots("686", "xl-pvh", refused=r"xc_dom_find_loader: no loader found"),
        *_boots("686", "pvh", "linux64", "vmlinux64", refused=r"pvboot: unsupported: "),
        *_boots("686-pae", "linux64", "vmlinux64", refused=r"pvboot: unsupported: "),

        *(_variant(f"6.1-cloud/{path}", "4-vcpus", vcpus=4) for path in ("xl-pvh", *ours)),
        *(_variant(f"6.1-cloud/{path}", "above-4g", memory=4608) for path in ("xl-pvh", "linux32", "linux64", "vmlinux64")),
        _variant("6.1-cloud/linux64", "no-hypervisor-data", config={"pvboot_hypervisor": "none"}),
        # as after xl mem-set and a reboot
        *(_variant(f"6.1-cloud/{path}", "on-demand", config={"maxmem": 512}) for path in ("xl-pvh", "pvh", "linux64")),
        _variant("6.1-cloud/linux64", "strict", config={"pvboot_strict": 1}),
        *(_variant(f"6.1-cloud/{path}", "longest-cmdline", cmdline=_long_cmdline(LONGEST_CMDLINE))
          for path in ("linux32", "linux64", "vmlinux64")),
        _variant("6.1-cloud/linux64", "cmdline-too-long", cmdline=_long_cmdline(LONGEST_CMDLINE + 1),
                 refused=r"pvboot: limit: "),
        _variant("6.1-cloud/linux64", "no-ramdisk-room", memory=64, refused=r"pvboot: nofit: "),
        _variant("6.1-cloud/linux64", "unknown-key", config={"pvboot_entri": "linux64"},
                 refused=r"pvboot: usage: .*line \d+: .*did you mean 'entry'", early=True),
        *_subarch(),
        *_shapes(),
        *(Case(f"probe/{path}{vcpus}", path, "6.1-cloud", vcpus=int(vcpus[1:2] or 1), probe=True)
          for path in ours for vcpus in ("", "/4-vcpus")),
        *_without_plugin(),
        # a guest that replaces its kernel by itself, see kexec.py
        *(_variant(f"6.1-cloud/{path}", "kexec", mode="kexec", memory=512, cmdline=f"{CONSOLE} pvlab.kexec={call}")
          for path, call in (("linux64", "load"), ("vmlinux64", "file"), ("xl-pvh", "load"))),

        # the life of a guest after its first boot
        *(_variant(f"6.1-cloud/{path}", "reboot", action="reboot") for path in ("xl-pvh", *ours)),
        *(_variant(f"6.1-cloud/{path}", "shutdown", action="shutdown") for path in ("xl-pvh", "linux64")),
        *(_variant(f"6.1-cloud/{path}", "restore", action="restore") for path in ("xl-pvh", *ours)),
        # stock guests must not notice the plugin
        *(_variant(f"6.1-cloud/{path}", "with-plugin", plugin=True) for path in ("xl-pvh", "xl-pv")),

        *examples(),
    ]


def _subarch() -> list[Case]:
    """hardware_subarch 2: everywhere but where it is known to kill the kernel, and where there is no place for it."""
    xen = {"config": {"pvboot_subarch": "xen"}}
    old = {**xen, "cmdline": NO_XEN, "early": True}
    return [
        *(_variant(f"{kernel}/{path}", "subarch-xen", **xen) for kernel in ("6.1", "6.1-cloud", "6.12")
          for path in ("linux32", "linux64", "vmlinux64", "stub")),
        _variant("686/linux32", "subarch-xen", **WITHOUT_XEN, **xen),
        _variant("686/linux32", "subarch-xen-4.9", kernel_says="4.9.", **old,
                 refused=r"pvboot: unsupported: .*: subarch 2 with 32-bit kernel '4\.9\..*Xen PV.*force_subarch overrides"),
        _variant("686/linux32", "subarch-xen-5.4", kernel_says="5.4.", **old,
                 refused=r"pvboot: unsupported: .*: subarch 2 with 32-bit kernel '5\.4\..*force_subarch overrides"),
        _variant("6.1-cloud/pvh", "subarch-xen", early=True, **xen,
                 refused=r"pvboot: unsupported: .*: subarch 2 through pvh: a start info has no place for it"),
    ]


def _shapes() -> list[Case]:
    """Guests that stock xl never makes: see shapes.py."""
    many = tuple((gpa, gpa + 0x1000) for gpa in range(0x8000000, 0x8000000 + 150 * 0x100000, 0x100000))
    full = {"memory": 4352, "ramdisk": "large", "reserve": ((0x6000000, 0xfc000000),)}  # 16 MiB are left below 4 GiB
    return [
        *(_variant(f"6.1-cloud/{path}", "ramdisk-above-4g", **full) for path in ("linux64", "vmlinux64")),
        _variant("6.1-cloud/linux32", "ramdisk-above-4g", **full, refused=r"pvboot: nofit: .*ramdisk of \d+ bytes"),
        *(_variant(f"6.1-cloud/{path}", "305-ranges", memory=512, reserve=many)
          for path in ("pvh", "linux32", "linux64", "vmlinux64", "stub")),
        *(_variant(f"6.1-cloud/{path}", "ramdisks", ramdisk="joined") for path in ("pvh", "linux32", "linux64", "vmlinux64")),
        *(_variant(f"6.1-cloud/{path}", "rng-seed", config={"pvboot_rng_seed": 1}) for path in ("linux32", "linux64", "vmlinux64")),
    ]


def _without_plugin() -> list[Case]:
    """One config for a host with the plugin and one without; a guest that moves from the one to the other."""
    return [
        *_boots("6.1-cloud", "xl-stub"),
        _variant("6.1-cloud/xl-stub", "with-plugin", plugin=True),
        _variant("6.1-cloud/xl-stub", "ignored-keys", config={"pvboot_entry": "vmlinux64", "pvboot_subarch": "pc"}),
        _variant("6.1-cloud/xl-stub", "builder", config={"builder": "pvboot"}, early=True, refused="Invalid domain type pvboot"),
        _variant("6.1-cloud/linux64", "move", action="move"),
    ]


def _long_cmdline(length: int) -> str:
    """Filled up to what the guest gets to see, our own words included."""
    start = f"{CONSOLE} pvlab.fill="
    return start + "x" * (length - len(start) - len(" pvlab.mode=evidence"))


def examples() -> list[Case]:
    """Each file of xl-config-examples/, as it stands there."""
    found = []
    for path in sorted((paths.REPO / "xl-config-examples").glob("*.cfg")):
        keys = parse_config(path.read_text())
        boot = keys.get("pvboot_entry", "auto") if keys.get("builder") == "pvboot" else f"xl-{keys['type']}"
        boot = "xl-stub" if "pvshim_path" in keys else boot
        found.append(Case(f"example/{path.stem}", boot, "6.1", vcpus=int(keys.get("vcpus", 1)),
                          memory=int(keys["memory"]), cmdline=keys["extra"], example=path.name))
    return found


def parse_config(text: str) -> dict[str, str]:
    """The plain KEY = VALUE lines of an xl.cfg."""
    lines = re.findall(r'^\s*(\w+)\s*=\s*"?([^"\n#]*?)"?\s*(?:#.*)?$', text, re.M)
    return dict(lines)


def select(cases: list[Case], patterns: str) -> list[Case]:
    """Cases whose id matches one of the comma-separated globs or names of SETS; all for an empty string."""
    globs = [glob for name in patterns.split(",") for glob in SETS.get(name, name).split(",") if glob]
    return [case for case in cases if not globs or any(fnmatch.fnmatchcase(case.id, glob) for glob in globs)]


def config(case: Case, kernel: str, ramdisk: str, words: str = "") -> str:
    """The xl.cfg of a case; `words` stands in for the case's own command line."""
    cmdline = f"{words or case.cmdline} pvlab.mode={case.mode}" + (" pvlab.out=e9" if case.port_e9 else "")
    keys = {"name": case.name, **PATHS[case.path], "kernel": kernel, "ramdisk": ramdisk, "memory": case.memory,
            "vcpus": case.vcpus, "cmdline": cmdline, "on_crash": "preserve", "on_poweroff": "preserve", **case.config}
    return "".join(f"{key} = {_value(value)}\n" for key, value in keys.items() if value is not None)


def _value(value) -> str:
    if isinstance(value, list):
        return "[ " + ", ".join(map(_value, value)) + " ]"
    return str(value) if isinstance(value, int) else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'

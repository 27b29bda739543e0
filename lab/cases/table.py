# SPDX-License-Identifier: LGPL-2.1-only
"""The table of what is booted."""

import fnmatch

from ..base import paths
from . import tenant
from .case import CONSOLE, EXAMPLE_FILES, NO_XEN, OURS, Case
from .xlcfg import parse_config

WITHOUT_XEN = {"cmdline": NO_XEN, "seconds": 180}  # nobody hears it until its userland is there
LONGEST_CMDLINE = 2047
# Selections with a name: smoke is what `make check` runs, a few minutes.
SETS = {
    "smoke": "6.1-cloud/xl-pvh,6.1-cloud/xl-pv,6.1-cloud/pvh,6.1-cloud/linux32,6.1-cloud/linux64,6.1-cloud/vmlinux64,"
             "6.1-cloud/stub,6.1-cloud/xl-stub,6.12/linux64,686/linux32,6.1-cloud/linux64/unknown-key,"
             "6.1-cloud/linux64/cmdline-too-long,6.1-cloud/linux64/reboot,6.1-cloud/xl-pvh/with-plugin,example/auto,"
             "6.1-cloud/xl-pvh/tenants-stub,6.1-cloud/vmlinux64/in-place",
}


def _boots(kernel: str, *paths_: str, **more) -> list[Case]:
    return [Case(f"{kernel}/{path}", path, kernel, **more) for path in paths_]


def _variant(of: str, name: str, **more) -> Case:
    kernel, path = of.split("/")
    return Case(f"{of}/{name}", path, kernel, **more)


def all_cases() -> list[Case]:
    ours = OURS[:-1]
    return [
        *_boots("6.1", "xl-pvh", "xl-pv", *OURS),
        *_boots("6.1-cloud", "xl-pvh", "xl-pv", *ours),
        *(case for kernel in ("6.12", "6.12-deb13", "newest") for case in _boots(kernel, "xl-pvh", "xl-pv", *ours)),
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
        *(_variant(f"6.1-cloud/{path}", "digests", config={"pvboot_digests": 1})
          for path in ("linux32", "linux64", "vmlinux64", "stub")),
        _variant("6.1-cloud/linux64", "strict", config={"pvboot_strict": 1}),
        *(_variant(f"6.1-cloud/{path}", "longest-cmdline", cmdline=_long_cmdline(LONGEST_CMDLINE))
          for path in ("linux32", "linux64", "vmlinux64")),
        _variant("6.1-cloud/linux64", "cmdline-too-long", cmdline=_long_cmdline(LONGEST_CMDLINE + 1),
                 refused=r"pvboot: limit: "),
        _variant("6.1-cloud/linux64", "no-ramdisk-room", memory=64, refused=r"pvboot: nofit: "),
        _variant("6.1-cloud/linux64", "unknown-key", config={"pvboot_entri": "linux64"},
                 refused=r"pvboot: usage: .*line \d+: .*did you mean 'entry'", early=True),
        # without a dump the kernel is unpacked in the guest's memory; or it has been before
        *(_variant(f"6.1-cloud/{path}", "in-place", dumped=False) for path in ("pvh", "vmlinux64")),
        *(_variant(f"6.1-cloud/{path}", "cached", dumped=False, cached=True) for path in ("pvh", "vmlinux64")),
        *_subarch(),
        *_shapes(),
        *(Case(f"probe/{path}{vcpus}", path, "6.1-cloud", vcpus=int(vcpus[1:2] or 1), probe=True)
          for path in ours for vcpus in ("", "/4-vcpus")),
        *_without_plugin(),
        *_tenants_stub(),
        *_kexec(),

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
    """Guests that stock xl never makes: see variants.py."""
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


def _kexec() -> list[Case]:
    """A guest that replaces its kernel by itself, see kexec.py; stock's is destroyed for it."""
    def row(path: str, name: str, words: str, memory: int = 512) -> Case:
        return _variant(f"6.1-cloud/{path}", name, mode="kexec", memory=memory, cmdline=f"{CONSOLE} {words}")

    every = ("linux64", "vmlinux64", "pvh", "stub")
    return [
        row("xl-pvh", "kexec", "pvlab.kexec=load"),
        *(row(path, f"kexec{'-file' * (call == 'file')}", f"pvlab.kexec={call}") for path in every for call in ("load", "file")),
        row("linux64", "kexec-twice", "pvlab.kexec=load pvlab.kexecs=2"),
        *(row(path, "kdump", f"pvlab.kexec={call} pvlab.crash crashkernel=160M", 640)
          for path, call in (("linux64", "load"), ("vmlinux64", "file"))),
    ]


def _without_plugin() -> list[Case]:
    """One config for a host with the plugin and one without; a guest that moves from the one to the other."""
    return [
        *_boots("6.1-cloud", "xl-stub"),
        _variant("6.1-cloud/xl-stub", "with-plugin", plugin=True),
        _variant("6.1-cloud/xl-stub", "ignored-keys", config={"pvboot_entry": "vmlinux64", "pvboot_subarch": "pc"}),
        _variant("6.1-cloud/xl-stub", "builder", config={"builder": "pvboot"}, early=True, refused="Invalid domain type pvboot"),
        _variant("6.1-cloud/linux64", "move", action="move"),
        *_boots("6.1-cloud", "xl-packed"),
        _variant("6.1-cloud/xl-packed", "cmdline", config={"cmdline": f"{CONSOLE} pvlab.mode=evidence"}),
    ]


def _tenants_stub() -> list[Case]:
    """With a ramdisk it looks like a guest of ours that lost its command line; alone it is stock code's to start."""
    return [
        _variant("6.1-cloud/xl-pvh", "tenants-stub", plugin=True, tenant=True,
                 config={**tenant.KEYS, "ramdisk": EXAMPLE_FILES["kernel"]},
                 refused=r"pvboot: usage: a kernel without a command line: "),
        _variant("6.1-cloud/xl-pvh", "tenants-stub-alone", plugin=True, tenant=True, memory=tenant.MEMORY,
                 config={**tenant.KEYS, "ramdisk": None}),
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


def select(cases: list[Case], patterns: str) -> list[Case]:
    """Cases whose id matches one of the comma-separated globs or names of SETS; all for an empty string."""
    globs = [glob for name in patterns.split(",") for glob in SETS.get(name, name).split(",") if glob]
    return [case for case in cases if not globs or any(fnmatch.fnmatchcase(case.id, glob) for glob in globs)]

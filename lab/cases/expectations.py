# SPDX-License-Identifier: LGPL-2.1-only
"""What a guest has to say of itself, by its case."""

import re

from ..guests.evidence import Evidence
from ..judges import readback
from .case import Case

HANDOVER_PATHS = ("linux32", "linux64", "vmlinux64", "stub", "auto", "xl-stub", "xl-packed")  # those with a zero page of our making


def hands_over(case: Case) -> bool:
    """Is there to be a node that describes the hypervisor?"""
    return (case.path in HANDOVER_PATHS and case.config.get("pvboot_hypervisor") != "none"
            and "pvboot_strict" not in case.config)


def _loader(case: Case) -> int:
    """type_of_loader: docs/handover.md; Linux's own entry writes 0x90."""
    return {"pvh": 0x90, "xl-pvh": 0x90, "xl-pv": 0x90, "stub": 0x92}.get(case.filled_by, 0x91)


def unpacked_elsewhere(case: Case, said: str) -> list[str]:
    """Where the kernel of a guest without a dump was unpacked, by the phases that xl -vvv tells of, if not where it should."""
    if case.dumped:
        return []
    phases = re.findall(r"pvboot: domain \d+ phase ([a-z -]+?) \d+ us", said)
    if "load" not in phases:
        return [f"no phases of a load are told: {phases}"]
    unpacking = [phase for phase in phases if phase.startswith("unpack")]
    wanted = [] if case.cached else ["unpack"]
    return [] if unpacking == wanted else [f"phases of unpacking: {unpacking}, expected {wanted}"]


def unmet(case: Case, found: Evidence) -> list[str]:
    """What the guest says of itself that is not what the case asked for."""
    wrong = []
    guest_type = found.tree("hypervisor").get("guest_type")
    kind = "PV" if case.path == "xl-pv" else "PVH"
    if case.guest_kernel.xen and guest_type != kind:
        wrong.append(f"guest_type is {guest_type!r}, expected {kind!r}")
    if found.text("nproc").strip() != str(case.vcpus):
        wrong.append(f"{found.text('nproc').strip()} vCPUs are up, expected {case.vcpus}")
    if found.text("bootloader_type").strip() != str(_loader(case)):
        wrong.append(f"bootloader_type is {found.text('bootloader_type').strip()}, expected {_loader(case)}")
    if hands_over(case):
        if readback.HANDOVER_TYPE not in {kind for kind, _ in found.setup_data().values()}:
            wrong.append(f"no setup_data node of type {readback.HANDOVER_TYPE:#x}, which describes the hypervisor")
    elif case.filled_by in ("pvh", "xl-pvh", "xl-pv") and found.setup_data():
        wrong.append("setup_data nodes, although there is nobody to have put them there")
    modes = set(found.text("setup_data_modes").split())
    if modes != ({"444"} if found.setup_data() else set()):
        wrong.append(f"modes of the nodes in sysfs are {modes}")
    if "KHZ" not in case.cmdline and case.cmdline not in found.text("cmdline"):
        wrong.append(f"/proc/cmdline is {found.text('cmdline').strip()[:200]!r}")
    return wrong

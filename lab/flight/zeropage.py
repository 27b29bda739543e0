# SPDX-License-Identifier: LGPL-2.1-only
"""What a zero page that pvboot filled must hold, and the hypervisor node on it: as it is handed over, and as the guest
shows it, which for the stub is the only look there is.

Sources: Linux Documentation/arch/x86/boot.rst and zero-page.rst, the kernel file, docs/handover.md.
"""

import re

from ..judges import handover
from .model import ZERO_PAGE, Job

LOADERS = {"linux32": 0x91, "linux64": 0x91, "vmlinux64": 0x91, "stub": 0x92, "grub": 0x72}  # boot.rst, handover.md
OURS = (*ZERO_PAGE, "stub")
UNPACKS = ("linux32", "linux64", "stub", "grub")  # the decompressor runs in the guest
LOAD_OFFSET_64 = 0x200   # boot.rst: startup_64 is this far into the protected-mode part
KASLR = 2                # loadflags; the decompressor's to set
STACK_REACH = 64         # startup_32 finds out where it runs by a call in its first instructions

# Of boot.rst's setup header what its loader has to write, and what lies outside of the header.  All else is the file's.
WRITTEN = ("ramdisk_image", "ramdisk_size", "cmd_line_ptr", "ext_ramdisk_image", "ext_ramdisk_size", "ext_cmd_line_ptr",
           "setup_data", "acpi_rsdp_addr", "e820_entries", "e820_table")

# What `pvboot decode` rightly remarks on in pages that a kernel has run from since
REMARKS = {
    r"loadflags: KASLR is set, which is the kernel's to set": UNPACKS,
    r"boot_flag 0 is not 0xaa55": ("grub",),
    r"heap_end_ptr \S+ concerns 16-bit code, which does not run": ("grub",),
}


def load_gpa(job: Job, kernel: dict) -> int:
    """Where the kernel was put.  Of the stub's and GRUB's choice all that is known is that the place it prefers is free."""
    if job.cell.path == "vmlinux64":
        return kernel["elf_window"]["pref_gpa"]
    if job.cell.path in ZERO_PAGE:
        return job.handover["vcpu"]["rip"] - (LOAD_OFFSET_64 if job.cell.path == "linux64" else 0)
    return kernel["window"]["pref_gpa"]


def handed(job: Job, kernel: dict) -> list[str]:
    """Of the page that the toolstack made."""
    return _different(job.handover["zero_page"], _wanted(job, kernel))


def read_back(job: Job, kernel: dict) -> list[str]:
    """Of the page that the guest shows: what was handed over, but for what its decompressor writes there."""
    page = dict(job.guest["zero_page"])
    wanted = job.handover["zero_page"] if job.cell.path in ZERO_PAGE else _wanted(job, kernel)
    if job.cell.path in UNPACKS:
        page["loadflags"] &= ~KASLR
        wanted = {**wanted, "loadflags": wanted["loadflags"] & ~KASLR}
    if first_stack(job, kernel):
        page["scratch"] = wanted["scratch"]
    return _different(page, wanted)


def first_stack(job: Job, kernel: dict) -> bool:
    """`scratch` is as startup_32 leaves it: its first stack, with one return address on it."""
    enters_32 = job.cell.path in ("linux32", "grub") or job.cell.path == "stub" and not kernel["entries"]["linux64"]["ok"]
    return enters_32 and 0 < job.guest["zero_page"]["scratch"] - load_gpa(job, kernel) < STACK_REACH


def nodes(path: str, found: list[dict]) -> list[str]:
    """Of a chain: that there is one hypervisor node in it, and that it is whole."""
    ours = [node for node in found if node["type"] == handover.NODE]
    if len(ours) != 1:
        return [f"{len(ours)} hypervisor nodes"]
    status = ours[0]["status"]
    return ([f"status {status}"] if status != "ok" else []) + handover.head(bytes.fromhex(ours[0]["data"] or ""), path)


def nodes_read_back(job: Job) -> list[str]:
    found = list(job.guest["setup_data"].values())
    wrong = nodes(job.cell.path, found)
    if job.cell.path in ZERO_PAGE and _bytes(found) != _bytes(job.handover["setup_data"]):
        wrong.append("not the nodes that were handed over")
    return wrong


def remarks(job: Job) -> list[str]:
    """What is wrong with the page that the guest shows, less what its kernel or GRUB did."""
    known = [text for text, paths in REMARKS.items() if job.cell.path in paths]
    return [line for line in job.guest["lint"] if not any(re.fullmatch(text, line) for text in known)]


def _wanted(job: Job, kernel: dict) -> dict:
    """The kernel file's header, 0 around it, and what boot.rst has its loader put in."""
    asis = {name: value for name, value in kernel["header"].items() if name not in WRITTEN}
    return asis | {"type_of_loader": LOADERS[job.cell.path], "code32_start": load_gpa(job, kernel),
                   "heap_end_ptr": 0}  # of the 16-bit code, which does not run


def _different(page: dict, wanted: dict) -> list[str]:
    return [f"{name} {_shown(page.get(name))}, not {_shown(want)}" for name, want in wanted.items() if page.get(name) != want]


def _shown(value: object) -> str:
    return f"{value:#x}" if isinstance(value, int) else repr(value)[:60]


def _bytes(found: list[dict]) -> list[tuple]:
    return [(node["type"], node["data"]) for node in found]

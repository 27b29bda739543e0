# SPDX-License-Identifier: LGPL-2.1-only
"""The claims of the old argument, each put to a flight: docs/claims.md is written from a record by this file alone."""

import dataclasses
from collections.abc import Callable

from . import model
from .model import Job
from .record import Record

HOLDS, PARTLY, REFUTED, OPEN, ANSWERED = "holds", "holds in part", "refuted", "open", "answered"
PG, LMA = 1 << 31, 1 << 10
HVM_MAGIC = 0x336ec578
XENV = 0x566e6558          # "XenV", little endian
BANNER = "Booting kernel on Xen PVH"


@dataclasses.dataclass
class Answer:
    result: str
    text: str
    cells: str = ""    # where it was seen, as --select takes it


@dataclasses.dataclass
class Claim:
    id: str
    claim: str
    experiment: str
    answer: Callable[[Record], Answer]


def _jobs(record: Record, *paths: str) -> list[Job]:
    return [job for _, job in sorted(record.jobs.items()) if job.cell.path in paths and not job.cell.round
            and job.status in model.EXECUTED and job.handover]


def _waits(what: str) -> Callable[[Record], Answer]:
    return lambda record: Answer(OPEN, f"waits for {what}")


def _all(jobs: list[Job], test: Callable[[Job], bool], text: str) -> Answer:
    """`text` may name {n} and {cells}."""
    if not jobs:
        return Answer(OPEN, "waits for a flight in which such a job ran")
    cells = " ".join(f"`*/{column}`" for column in model.in_order({job.cell.column for job in jobs}))
    bad = [job.cell.id for job in jobs if not test(job)]
    if bad:
        return Answer(REFUTED, f"not so in {', '.join(bad)} ({len(bad)} of {len(jobs)})", cells)
    return Answer(HOLDS, text.format(n=len(jobs), cells=", ".join(sorted({job.cell.kernel for job in jobs}))), cells)


def _cpu(job: Job, name: str) -> int:
    return job.handover["vcpu"][name]


def _passed(job: Job) -> bool:
    return job.status == model.PASS


def _c1(record: Record) -> Answer:
    return _all([j for j in _jobs(record, "xl-pvh", "xl-pv") if j.guest],
                lambda j: (j.cell.path == "xl-pv" or _cpu(j, "rsi") == 0 and j.handover["start_info"]["magic"] == HVM_MAGIC)
                and j.guest["zero_page"]["header"] == 0 and j.guest["zero_page"]["type_of_loader"] == 0x90,
                "at the first instruction EBX names an hvm_start_info and RSI is 0 (PV: RSI names a PV start info); the zero page"
                " that the guest shows later has no \"HdrS\" and loader 0x90, which Linux writes itself ({n} stock guests)")


def _c2(record: Record) -> Answer:
    def native(job: Job) -> bool:
        entry = record.flight["kernels"][job.cell.kernel]["entries"]
        phys32 = entry["pvh"]["gpa"]
        return _passed(job) and _cpu(job, "rip") == entry[job.cell.path]["gpa"] != phys32 and BANNER not in job.guest["dmesg"]
    return _all([j for j in _jobs(record, *model.ZERO_PAGE) if j.guest], native,
                "{n} guests started at the native entry of {cells}, reached user space, and never printed what the PVH entry"
                " prints; those with Xen support say guest_type PVH like the others")


def _c3(record: Record) -> Answer:
    def told(job: Job) -> bool:
        nodes = [n for n in job.handover["setup_data"] if n["type_name"] == "hypervisor"]
        return bool(nodes) and nodes[0]["status"] == "ok" and nodes[0]["fields"]["hypervisor"] == XENV
    return _all(_jobs(record, *model.ZERO_PAGE), told,
                "before the first instruction a valid node that says XenVMMXenVMM hangs off the zero page in RSI ({n} guests)."
                " On the PVH entries the start info itself says so")


def _c4(record: Record) -> Answer:
    def mode(job: Job) -> bool:
        long_mode = bool(_cpu(job, "efer") & LMA)
        return long_mode == (job.cell.path in ("linux64", "vmlinux64")) and bool(_cpu(job, "cr0") & PG) == long_mode
    seen = _all(_jobs(record, "xl-pvh", "pvh", *model.ZERO_PAGE), mode,
                "pvh and linux32 start with paging and EFER.LMA off: the kernel's own head code or its decompressor switches."
                " linux64 and vmlinux64 start with both on: the toolstack did it, and Xen accepts that state ({n} guests)")
    return dataclasses.replace(seen, result=ANSWERED) if seen.result == HOLDS else seen


def _c5(record: Record) -> Answer:
    return _all(_jobs(record, "xl-pv"), lambda j: any("magic" in line for line in j.handover["as_hvm_start_info"])
                and j.handover["pv_start_info"]["magic"].startswith("xen-3.0"),
                "the PV structure begins with the text xen-3.0-x86_64 and names virtual addresses and machine frames; `pvboot"
                " decode --start-info` finds no hvm_start_info in it ({n} PV guests)")


def _c6(record: Record) -> Answer:
    seen = record.experiments.get("C6")
    if not seen:
        return Answer(OPEN, "waits for a flight in which the experiment ran")
    if seen["outcome"] != "crashed":
        return Answer(REFUTED, f"it {seen['outcome']}: {seen['said']}")
    return Answer(PARTLY, f"entered at {seen['entry']:#x} it crashed with RIP {seen['rip']:#x}, {seen['bytes_in']:#x} bytes from"
                  f" there, after a number of instructions that nobody counted; Xen says: {seen['said']}", "`lab/flight/nativepv.py`")


def _c7(record: Record) -> Answer:
    return _all(_jobs(record, *model.ZERO_PAGE), lambda j: _cpu(j, "idtr_base") == _cpu(j, "idtr_limit") == 0
                and "hardware_subarch" in j.handover["zero_page"],
                "at the first instruction IDTR is 0:0 while RSI already names the page with hardware_subarch in it ({n} guests)")


def _c8(record: Record) -> Answer:
    def filler(job: Job) -> bool:
        nodes = [n for n in job.guest["setup_data"].values() if n["type_name"] == "hypervisor"]
        return bool(nodes) and nodes[0]["fields"]["filler"] == 2 and job.guest["zero_page"]["type_of_loader"] == 0x92
    return _all([j for j in _jobs(record, "stub") if j.guest], filler,
                "the in-guest stub says in the node (filler 2) and in type_of_loader (0x92) that it was the one; a toolstack"
                " says 1 and 0x91; the guest reads both back ({n} guests)")


def _c9(record: Record) -> Answer:
    return _all(_jobs(record, "linux32", "linux64"), lambda j: _passed(j) and _cpu(j, "cr0") & 1 == 1,
                "{n} guests of {cells} started in protected or long mode at startup_32 or startup_64, with no real-mode code run")


def _c11(record: Record) -> Answer:
    def same(job: Job) -> bool:
        handed = {n["type"]: n["data"] for n in job.handover["setup_data"]}
        return bool(handed) and handed == {n["type"]: n["data"] for n in job.guest["setup_data"].values()}
    return _all([j for j in _jobs(record, *model.ZERO_PAGE) if j.guest], same,
                "stock {cells} kernels step over the node and export it; what they read back is what was handed over, byte for"
                " byte ({n} guests)")


def _c12(record: Record) -> Answer:
    return _all([j for j in _jobs(record, *model.ZERO_PAGE) if j.guest], lambda j: j.guest["zero_page"]["hardware_subarch"] == 0
                and any(n["type_name"] == "hypervisor" for n in j.guest["setup_data"].values()),
                "subarch stays 0 (PC) and type and data are there all the same ({n} guests); with subarch xen the node's address is"
                " in hardware_subarch_data too: lab cases 6.1-cloud/linux32/subarch-xen and linux64/subarch-xen")


def _c13(record: Record) -> Answer:
    grub = _all([j for j in _jobs(record, "grub") if j.guest], lambda j: _passed(j) and not j.guest["setup_data"]
                and j.guest["zero_page"]["type_of_loader"] == 0x72 and j.guest["zero_page"]["acpi_rsdp_addr"] != 0,
                "GRUB fills a zero page (loader 0x72, ACPI included) and adds no hypervisor node, so it can but does not ({n} guests)")
    if grub.result != HOLDS:
        return grub
    return Answer(PARTLY, grub.text + "; stub domains: open, waits for a stub domain in the lab", grub.cells)


def _c14(record: Record) -> Answer:
    before = _all(_jobs(record, "stub"), _passed,
                  "before: {n} guests of {cells} ran a stub first, then the kernel's native entry")
    return before if before.result != HOLDS else Answer(
        PARTLY, before.text + "; after: open, waits for a kernel that is built with one", before.cells)


CLAIMS = [
    Claim("C1", "Xen sets no boot_params", "capture stock guests before their first instruction; read boot_params back", _c1),
    Claim("C2", "a zero page from outside lets the init paths merge: no Xen-specific entry is executed",
          "start at the native entries; look for the PVH entry's traces", _c2),
    Claim("C3", "the hypervisor type is known at the first instruction", "capture the setup_data chain while paused", _c3),
    Claim("C4", "who switches an HVMlite guest to long mode", "CR0 and EFER at the first instruction, per path", _c4),
    Claim("C5", "hvm_start_info and the PV start_info do not match at all", "decode one as the other", _c5),
    Claim("C6", "native startup code entered in a PV container dies within a few instructions",
          "a PV domain whose entry note names startup_64", _c6),
    Claim("C7", "the subarch is readable before the IDT is loaded", "IDTR and the zero page at the first instruction", _c7),
    Claim("C8", "a shim can tell common code its mode", "what the guest reads back after the stub", _c8),
    Claim("C9", "a standard bzImage boots without its 16-bit entry", "start at startup_32 and startup_64", _c9),
    Claim("C10", "kexec works in every environment", "kexec inside each path's guest",
          _waits("a toolstack that lets PVH guests get there: xl 4.17 destroys them, whoever built them "
                 "(docs/handover.md, \"Across kexec\"; lab cases 6.1-cloud/*/kexec)")),
    Claim("C11", "the info block can hang off a normal boot_params", "hand over a node, read it back from sysfs", _c11),
    Claim("C12", "type and data can stand beside subarch", "node and hardware_subarch as the guest reads them", _c12),
    Claim("C13", "GRUB can set it, stub domains have no GRUB", "boot through GRUB in a PVH domain", _c13),
    Claim("C14", "stubs before and after startup_32/64", "boot through the in-guest stub", _c14),
]


def render(record: Record) -> str:
    flight = record.flight
    kernels = ", ".join(f"{name} ({kernel['file']})" for name, kernel in flight["kernels"].items())
    executed = sum(job.status in model.EXECUTED for job in record.jobs.values())
    lines = ["# The claims, measured", "",
             "Generated by `python3 -m lab report DIR --claims docs/claims.md`; change `lab/flight/claims.py`, not this file.", "",
             f"Flight {flight['id']} of {flight['started'][:10]}: {executed} guests on Xen {flight['xen']}; kernels {kernels}.", "",
             "| | claim | experiment | result | what was seen | cells |", "|---|---|---|---|---|---|"]
    for claim in CLAIMS:
        answer = claim.answer(record)
        lines.append(f"| {claim.id} | {claim.claim} | {claim.experiment} | **{answer.result}** | {answer.text} |"
                     f" {answer.cells} |")
    return "\n".join(lines) + "\n"

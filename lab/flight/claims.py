# SPDX-License-Identifier: LGPL-2.1-only
"""The claims of the old argument, each put to a flight.  docs/claims.md is written from a record by this file, but for
what `Elsewhere` adds: that comes from cases of `lab run`, which the page names and marks."""

import dataclasses

from . import model, pvboot_tool
from .answers import (ANSWERED, HOLDS, OPEN, PARTLY, REFUTED, Answer, Claim, Elsewhere, both, but, each, jobs,
                      read_back)
from .model import Job
from .record import Record

PE, PG, LMA = 1 << 0, 1 << 31, 1 << 10
HVM_MAGIC = 0x336ec578
HDRS = 0x53726448
XENV, SIGNATURE = 0x566e6558, b"XenVMMXenVMM".hex()  # "XenV", little endian
TOOLSTACK, STUB = (1, 0x91), (2, 0x92)  # who filled the page: in the node, and in type_of_loader
LINUX_PVH, GRUB = 0x90, 0x72            # type_of_loader, as Linux's own PVH entry and GRUB write it
LOADER = 3                              # in the node: a boot loader
BANNER = "Booting kernel on Xen PVH"    # the PVH entry has it printed; Linux's own words begin otherwise
VIRTUAL = 1 << 47


def _cpu(job: Job, name: str) -> int:
    return job.handover["vcpu"][name]


def _passed(job: Job) -> bool:
    return job.status == model.PASS


def _entry(record: Record, job: Job, path: str) -> int | None:
    return record.flight["kernels"][job.cell.kernel]["entries"][path]["gpa"]


def _at_its_entry(record: Record, job: Job) -> bool:
    return _cpu(job, "rip") == _entry(record, job, job.cell.path) != _entry(record, job, "pvh")


def _has_start_info(job: Job) -> bool:
    return _cpu(job, "rbx") == job.handover["gpa"] and job.handover["start_info"]["magic"] == HVM_MAGIC


def _has_zero_page(job: Job) -> bool:
    return _cpu(job, "rsi") == job.handover["gpa"] and job.handover["zero_page"]["header"] == HDRS


def _handed_node(job: Job) -> dict:
    return _node(job.handover["setup_data"])


def _guests_node(job: Job) -> dict:
    return _node(job.guest["setup_data"].values())


def _node(nodes) -> dict:
    """The fields of the hypervisor's node, if there is one that is whole."""
    return next((node["fields"] for node in nodes if node["type_name"] == "hypervisor" and node["status"] == "ok"), {})


def _filled_by(job: Job) -> tuple[int | None, int]:
    """As the guest reads it back."""
    return _guests_node(job).get("filler"), job.guest["zero_page"]["type_of_loader"]


def _c1(record: Record) -> Answer:
    def none_handed(job: Job) -> bool:
        if job.cell.path == "xl-pv":
            return _cpu(job, "rsi") == job.handover["gpa"] and job.handover["pv_start_info"]["magic"].startswith("xen-")
        return _cpu(job, "rsi") == 0 and _has_start_info(job)

    def linuxs_own(job: Job) -> bool:
        return job.guest["zero_page"]["header"] == 0 and job.guest["zero_page"]["type_of_loader"] == LINUX_PVH
    return each(read_back(record, "xl-pvh", "xl-pv"), lambda job: none_handed(job) and linuxs_own(job),
                "at the first instruction EBX names an hvm_start_info and RSI is 0 (PV: RSI names a PV start info); the"
                " zero page that the guest shows later has no \"HdrS\" and loader 0x90, which Linux writes itself ({n}"
                " stock guests)")


def _c2(record: Record) -> Answer:
    """The banner's absence says something only of kernels whose guests print it when they do take the PVH entry."""
    control = read_back(record, "xl-pvh", "pvh")
    kernels = {job.cell.kernel for job in control}

    def native(job: Job) -> bool:
        return (_passed(job) and _at_its_entry(record, job) and BANNER not in job.guest["dmesg"]
                and job.guest["zero_page"]["type_of_loader"] != LINUX_PVH and job.guest["guest_type"] == "PVH")
    subject = [job for job in read_back(record, *model.ZERO_PAGE) if job.cell.kernel in kernels]
    seen = each(subject, native,
                "{n} guests of {kernels} started at their native entry, reached user space, say guest_type PVH, and"
                " neither print the PVH entry's banner nor read back the loader that it writes")
    control = each(control, lambda job: BANNER in job.guest["dmesg"],
                   "the control, {n} guests of {kernels} that do enter there, print it")
    if control.result == REFUTED and seen.result == HOLDS:
        return dataclasses.replace(control, result=OPEN, text=f"the control prints no banner: {control.text}")
    return both(seen, control)


def _c3(record: Record) -> Answer:
    def told(job: Job) -> bool:
        node = _handed_node(job)
        return _has_zero_page(job) and node.get("hypervisor") == XENV and node.get("signature") == SIGNATURE
    return both(each(jobs(record, *model.ZERO_PAGE), told,
                     "before the first instruction a valid node that says XenVMMXenVMM hangs off the zero page in RSI"
                     " ({n} guests)"),
                each(jobs(record, "xl-pvh", "pvh"), _has_start_info,
                     "on the PVH entry EBX names a start info whose magic is Xen's ({n} guests)"))


def _c4(record: Record) -> Answer:
    def switched(job: Job) -> bool:
        return bool(_cpu(job, "efer") & LMA) and bool(_cpu(job, "cr0") & PG)

    def neither(job: Job) -> bool:
        return not _cpu(job, "efer") & LMA and not _cpu(job, "cr0") & PG
    seen = both(each(jobs(record, "xl-pvh", "pvh", "linux32"), lambda job: neither(job) and _passed(job),
                     "pvh and linux32 start with paging and EFER.LMA off, so that any switch is left to the guest's"
                     " own code ({n} guests)"),
                each(jobs(record, "linux64", "vmlinux64"), lambda job: switched(job) and _passed(job),
                     "linux64 and vmlinux64 start with both on: the toolstack did it, and they run ({n} guests)"))
    return but(seen, ANSWERED)


def _c5(record: Record) -> Answer:
    pv, pvh = jobs(record, "xl-pv"), jobs(record, "xl-pvh")

    def alien(job: Job) -> bool:
        info = job.handover["pv_start_info"]
        begins = int.from_bytes(info["magic"][:4].encode(), "little")
        return (info["magic"].startswith("xen-3.0") and pvboot_tool.number(info["pt_base"]) >= VIRTUAL
                and job.handover["as_hvm_start_info"] == [f"magic {begins:#x} is not {HVM_MAGIC:#x}"])

    def physical(job: Job) -> bool:
        return _has_start_info(job) and all(value < 1 << 32 for name, value in job.handover["start_info"].items()
                                            if name.endswith("_paddr"))
    seen = both(each(pv, alien,
                     "the PV structure begins with the text xen-3.0-x86_64, where `pvboot decode --start-info` looks"
                     " for its magic, and names its page tables by a virtual address ({n} PV guests)"),
                each(pvh, physical, "the other has the magic, and physical addresses below 4 GiB ({n} PVH guests)"))
    one, other = _fields(pv, "pv_start_info"), _fields(pvh, "start_info")
    shared = sorted(one & other - {"magic"})
    return but(seen, PARTLY if shared else HOLDS,
               f"; of {len(one)} and {len(other)} fields these have one name besides `magic`:"
               f" {', '.join(f'`{name}`' for name in shared) or 'none'}")


def _fields(of: list[Job], structure: str) -> set[str]:
    return {name for job in of for name in job.handover[structure]}


FEW = 100  # instructions


def _c6(record: Record) -> Answer:
    seen = record.experiments.get("C6")
    if not seen:
        return Answer(OPEN, "waits for a flight in which the experiment ran")
    if seen["outcome"] == "refused":
        return Answer(OPEN, f"the domain was not built: {seen['said']}")
    if seen["first"] != seen["entry"]:
        return Answer(OPEN, f"the domain was entered at {seen['first']:#x}, not at {seen['entry']:#x}")
    if seen["outcome"] != "crashed":
        return Answer(REFUTED, f"it {seen['outcome']}: {seen['said']}")
    died = f"entered at {seen['entry']:#x} it crashed with RIP {seen['rip']:#x}; Xen says: {seen['said']}"
    if "last" not in seen:
        return Answer(PARTLY, f"{died}; its instructions could not be counted")
    if seen["last"] != seen["rip"]:
        return Answer(PARTLY, f"{died}; counted, it came to {seen['last']:#x} only, after {seen['steps']} instructions")
    return Answer(HOLDS if seen["steps"] <= FEW else PARTLY, f"{died}; {seen['steps']} instructions were executed, and the next,"
                  f" `{seen['instruction']}`, is not a PV guest's to execute; startup_32 has no container to die in: Linux"
                  " since 5.9 is no 32-bit PV guest",
                  "`lab/flight/native_in_pv.py`")


def _c7(record: Record) -> Answer:
    return each(jobs(record, *model.ZERO_PAGE), lambda job: _cpu(job, "idtr_base") == _cpu(job, "idtr_limit") == 0
                and _has_zero_page(job) and job.handover["zero_page"]["hardware_subarch"] == 0,
                "at the first instruction IDTR is 0:0, while RSI already names a page with \"HdrS\" and "
                "hardware_subarch 0, which is PC ({n} guests)")


def _c8(record: Record) -> Answer:
    return both(each(read_back(record, "stub"), lambda job: _filled_by(job) == STUB,
                     "after the in-guest stub the guest reads filler 2 in the node and type_of_loader 0x92 ({n}"
                     " guests)"),
                each(read_back(record, *model.ZERO_PAGE), lambda job: _filled_by(job) == TOOLSTACK,
                     "where a toolstack filled the page, 1 and 0x91 ({n} guests)"))


def _c9(record: Record) -> Answer:
    return each(jobs(record, "linux32", "linux64"),
                lambda job: _passed(job) and _at_its_entry(record, job) and bool(_cpu(job, "cr0") & PE),
                "{n} guests of {kernels} had their first instruction at startup_32 or startup_64, with CR0.PE set, and"
                " reached user space")


def _c10(record: Record) -> Answer:
    """No flight has such guests; one that is empty answers nothing all the same."""
    return Answer(PARTLY if record.jobs else OPEN, "no guest of this record loads a next kernel")


def _c11(record: Record) -> Answer:
    def same(job: Job) -> bool:
        handed = {node["type"]: node["data"] for node in job.handover["setup_data"]}
        return bool(_handed_node(job)) and handed == {n["type"]: n["data"] for n in job.guest["setup_data"].values()}
    return each(read_back(record, *model.ZERO_PAGE), same,
                "stock {kernels} kernels step over the node and export it; what they read back is what was handed over,"
                " byte for byte ({n} guests)")


def _c12(record: Record) -> Answer:
    def beside(job: Job) -> bool:
        node = _guests_node(job)
        return (job.guest["zero_page"]["hardware_subarch"] == 0 and node.get("hypervisor") == XENV
                and bool(node["data_gpa"]))
    return each(read_back(record, *model.ZERO_PAGE), beside,
                "the guest reads subarch 0 (PC), and the type and the address of the data all the same ({n} guests)")


def _c13(record: Record) -> Answer:
    def fills(job: Job) -> bool:
        page = job.guest["zero_page"]
        return (_passed(job) and page["header"] == HDRS and page["type_of_loader"] == GRUB
                and page["acpi_rsdp_addr"] != 0 and bool(_guests_node(job)) == (job.cell.how == "node"))
    guests = read_back(record, "grub")
    filled = each([job for job in guests if not job.cell.how], fills,
                  "GRUB fills a zero page (loader 0x72, ACPI included) and adds no hypervisor node by itself ({n} guests)")
    if not any(job.cell.how for job in guests):
        return but(filled, PARTLY, ": that it could add one is not shown")
    added = each([job for job in guests if job.cell.how], lambda job: fills(job) and _filled_by(job) == (LOADER, GRUB),
                 "its configuration can: `write_dword` puts one where setup_data in the kernel's file points, and the guest reads"
                 " filler 3 in it ({n} guests)")
    return both(filled, added)


def _c14(record: Record) -> Answer:
    return but(each(read_back(record, "stub"), lambda job: _passed(job) and _filled_by(job) == STUB,
                    "before: {n} guests of {kernels} reached user space with the page that the stub filled (0x92; the"
                    " PVH entry would have put 0x90)"),
               PARTLY, "; after: none of these kernels has one")


CLAIMS = [
    Claim("C1", "Xen sets no boot_params",
          "capture stock guests before their first instruction; read boot_params back", _c1),
    Claim("C2", "with a zero page from outside, the kernel's PVH entry is not executed",
          "start at the native entries; look for the PVH entry's traces, and for the same in guests that take it", _c2),
    Claim("C3", "the hypervisor type is known at the first instruction",
          "capture the setup_data chain while paused", _c3),
    Claim("C4", "who switches an HVMlite guest to long mode", "CR0 and EFER at the first instruction, per path", _c4),
    Claim("C5", "hvm_start_info and the PV start_info do not match at all",
          "decode one as the other; compare their fields", _c5),
    Claim("C6", "native startup code entered in a PV container dies within a few instructions",
          "a PV domain whose entry note names startup_64", _c6),
    Claim("C7", "the subarch is readable before the IDT is loaded",
          "IDTR and the zero page at the first instruction", _c7),
    Claim("C8", "a shim can tell common code its mode",
          "what the guest reads back after the stub, and without it", _c8),
    Claim("C9", "a standard bzImage boots without its 16-bit entry", "start at startup_32 and startup_64", _c9,
          Elsewhere("so do guests of `pvboot launch`, 6.1-cloud by linux32 and linux64 (docs/launch.md)", (), "launch")),
    Claim("C10", "kexec works in every environment", "kexec inside each path's guest", _c10,
          Elsewhere("with the plugin, guests of linux64, vmlinux64, stub and pvh without disks and networks go on into their next"
                    " kernel, which after pvh has to be given acpi_rsdp=, twice in a row, too, and after a panic into a crash kernel;"
                    " stock xl destroys a PVH guest, and Xen's ACPI tables would kill the next kernel (docs/kexec.md)",
                    (*(f"6.1-cloud/{path}/{how}" for path in ("linux64", "vmlinux64", "stub", "pvh") for how in ("kexec", "kexec-file")),
                     "6.1-cloud/linux64/kexec-twice", "6.1-cloud/linux64/kdump", "6.1-cloud/vmlinux64/kdump", "6.1-cloud/xl-pvh/kexec"))),
    Claim("C11", "the info block can hang off a normal boot_params", "hand over a node, read it back from sysfs", _c11),
    Claim("C12", "type and data can stand beside subarch", "node and hardware_subarch as the guest reads them", _c12,
          Elsewhere("with subarch xen the node's address is in hardware_subarch_data too",
                    ("6.1-cloud/linux32/subarch-xen", "6.1-cloud/linux64/subarch-xen"))),
    Claim("C13", "GRUB can set it, stub domains have no GRUB", "boot through GRUB in a PVH domain", _c13,
          Elsewhere("a stub domain, xenstored's own, booted without GRUB by linux64, its page filled by the toolstack, and"
                    " served; a device model's can only be PV on Xen 4.17 (docs/stubdom.md)", (), "stubdom")),
    Claim("C14", "stubs before and after startup_32/64", "boot through the in-guest stub", _c14,
          Elsewhere("a Linux 6.12 with the patches of linux/ runs a hook of its own before and one after startup_64, by the type in"
                    " the node, on linux32, linux64, vmlinux64 and stub (linux/README.md)", (), "linux")),
]


def _header(record: Record) -> str:
    flight = record.flight
    executed = [job for job in record.jobs.values() if job.status in model.EXECUTED]
    ran = {job.cell.kernel for job in executed}
    kernels = ", ".join(f"{name} ({kernel['file']})" for name, kernel in flight["kernels"].items() if name in ran)
    timed = sum(bool(job.cell.round) for job in executed)
    return (f"Flight {flight['id']} of {flight['started'][:10]}: {len(executed)} guests on Xen {flight['xen']}"
            + (f", {timed} of them for their times alone" if timed else "") + f"; kernels {kernels}.")


def render(record: Record) -> str:
    lines = ["# The claims, measured", "",
             "Generated by `python3 -m lab report DIR --claims docs/claims.md`; change `lab/flight/claims.py`, not this"
             " file.", "", _header(record), "",
             "| | claim | experiment | result | what was seen | cells |", "|---|---|---|---|---|---|"]
    for claim in CLAIMS:
        answer = claim.answer(record)
        text = f"{answer.text}. {claim.elsewhere}" if claim.elsewhere else answer.text
        columns = (claim.id, claim.claim, claim.experiment, f"**{answer.result}**", text, answer.cells)
        lines.append(f"| {' | '.join(columns)} |")
    return "\n".join(lines) + "\n"

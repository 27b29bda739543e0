# SPDX-License-Identifier: LGPL-2.1-only
"""What two jobs and a kernel look like in a record, made up."""

import struct
import zlib

from lab.flight import model
from lab.flight.model import Cell, Job

RSDP = 0xfc008000
HEADER = {"header": 0x53726448, "version": 0x20f, "loadflags": 1, "setup_sects": 39, "kernel_alignment": 0x200000,
          "xloadflags": 0x7f, "initrd_addr_max": 0x7fffffff, "init_size": 0x3000000, "code32_start": 0x100000,
          "heap_end_ptr": 0x5be0, "type_of_loader": 0, "acpi_rsdp_addr": 0, "hardware_subarch": 0, "scratch": 0}
IOMEM = ["000000000-000000fff Reserved", "0000a0000-0000fffff Reserved", "000100000-00fffffff System RAM",
         "0fc000000-0fc00803f ACPI Tables"]
XSAVE_GIVEN_UP = ["Linux version #", "XSAVE consistency problem: size # != kernel_size #"]
E820 = [[0, 0xa0000, 1], [0xa0000, 0x100000, 2], [0x100000, 256 << 20, 1], [0xfc000000, 0xfc008040, 3]]
STOCK_E820 = [[0, 256 << 20, 1], [0xfc000000, 0xfc008040, 3]]
SEGMENT = {"base": 0, "limit": 0xffffffff}
INSPECTED = {
    "file": "vmlinuz-test", "sha256": "0" * 64, "header": HEADER, "notes": {"xen_version": "xen-3.0"},
    "window": {"pref_gpa": 0x1000000, "bytes": 0x3000000}, "elf_window": {"pref_gpa": 0x1000000, "bytes": 0x2000000},
    "entries": {"pvh": {"ok": True, "gpa": 0x1000850, "why": ""}, "linux32": {"ok": True, "gpa": 0x1000000, "why": ""},
                "linux64": {"ok": True, "gpa": 0x1000200, "why": ""}, "vmlinux64": {"ok": True, "gpa": 0x1000000, "why": ""},
                "pv": {"ok": True, "gpa": 0x2e4e1c0, "why": ""}},
}


def registers(**more: int) -> dict:
    cpu = {name: 0 for name in ("rip", "rflags", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "cr0", "cr3", "cr4",
                                "efer", "gdtr_base", "gdtr_limit", "idtr_base", "idtr_limit", "tr_base")}
    for name in ("cs", "ds", "es", "ss"):
        cpu |= {f"{name}_{key}": value for key, value in SEGMENT.items()}
        cpu |= {f"{name}_sel": 0, f"{name}_arbytes": 0xc9b if name == "cs" else 0xc93}
    return {**cpu, "cr0": 0x11, "rflags": 2, "tr_limit": 0x67, **more}


def stock_handover() -> dict:
    return {"container": "hvm", "page": "start info", "gpa": 0x3e00000, "vcpu": registers(rip=0x1000850, rbx=0x3e00000),
            "start_info": {"magic": 0x336ec578, "version": 1, "nr_modules": 1, "modlist_paddr": 0x3e00100, "rsdp_paddr": RSDP,
                           "cmdline_paddr": 0x3e00038},
            "modules": [{"paddr": 0x3e01000, "size": 0x1000, "cmdline_paddr": 0}], "e820": STOCK_E820, "lint": [],
            "rsdp": {"gpa": RSDP, "signature": "RSD PTR "}, "ramdisk": {"gpa": 0x3e01000, "bytes": 0x1000, "sha256": "ab"},
            "cmdline": "console=hvc0", "cmdline_gpa": 0x3e00038, "setup_data": [], "gdt": ""}


def node(filler: int = 1) -> dict:
    """docs/handover.md: the fixed part, no TLVs."""
    data = b"PVBH" + struct.pack("<HHII", 1, 1, 64, 0) + b"XenVXenVMMXenVMM"
    data += struct.pack("<IIQIIQ", filler, 0, 0, 0, 64, 0)
    data = data[:12] + struct.pack("<I", zlib.crc32(data)) + data[16:]
    return {"type": 0x50595648, "type_name": "hypervisor", "len": 64, "status": "ok", "data": data.hex(),
            "gpa": 0x102000, "fields": {"hypervisor": 0x566e6558, "filler": filler}}


NODE = node()


def zero_page_handover() -> dict:
    page = {**HEADER, "acpi_rsdp_addr": RSDP, "sentinel": 0, "type_of_loader": 0x91, "e820_entries": 4,
            "cmd_line_ptr": 0x101000, "ramdisk_image": 0xfe00000, "setup_data": 0x102000, "code32_start": 0x1000000,
            "heap_end_ptr": 0}
    cpu = registers(rip=0x1000000, rsi=0x100000, cs_sel=0x10, ds_sel=0x18, es_sel=0x18, ss_sel=0x18, gdtr_base=0x103000,
                    gdtr_limit=31)
    return {"container": "hvm", "page": "zero page", "gpa": 0x100000, "vcpu": cpu, "zero_page": page, "lint": [], "e820": E820,
            "rsdp": {"gpa": RSDP, "signature": "RSD PTR "}, "ramdisk": {"gpa": 0xfe00000, "bytes": 0x1000, "sha256": "ab"},
            "cmdline": "console=hvc0", "cmdline_gpa": 0x101000, "setup_data": [NODE], "gdt": "00"}


def pv_handover(**more) -> dict:
    """As xl's and ours have it, but for `more` of the start info."""
    info = {"magic": "xen-3.0-x86_64", "nr_pages": 65536, "shared_info": 0x9c000000, "flags": 8, "mod_len": 0x1000, **more}
    return {"container": "pv", "page": "PV start info", "gpa": 0xffffffff83e00000, "vcpu": registers(cr3=0x9c001000),
            "pv_start_info": info, "lint": [], "e820": [], "cmdline": "console=hvc0", "ramdisk": {"bytes": info["mod_len"]}}


def zero_page_guest(**more) -> dict:
    """What linux32's shows: startup_32 and the decompressor have run."""
    page = {**zero_page_handover()["zero_page"], "loadflags": 3, "scratch": 0x100000d}
    return guest(kernel_code=0xaa00000, setup_data={"0": NODE}, zero_page=page, **more)


def stub_guest() -> dict:
    """The same page, filled inside the guest, whose kernel has startup_64."""
    page = {**zero_page_handover()["zero_page"], "loadflags": 3, "type_of_loader": 0x92}
    return guest(kernel_code=0xcc00000, setup_data={"0": node(filler=2)}, zero_page=page)


def guest(**more) -> dict:
    return {"guest_type": "PVH", "cmdline": "console=hvc0", "nproc": 1, "clocksource": "xen", "memory_kib": 223764,
            "kernel_code": 0x1000000, "e820": E820, "iomem": IOMEM, "lint": [],
            "cpu": {"flags": ["fpu"]}, "zero_page": {}, "acpi": {},
            "setup_data": {}, "dmesg": ["Linux version #"], **more}


def job(path: str, handover: dict, read: dict, status: str = model.PASS) -> Job:
    made = Job(Cell("6.1", path), status, [], handover=handover, guest=read,
               times={"xl and libxl, before": 0.2, "copy": 0.5, "create": 0.7, "enter and unpack": 1.0, "start_kernel": 3.0,
                      "init": 0.5, "guest": 4.0})
    for step in made.steps:
        step.status = model.PASS
    return made

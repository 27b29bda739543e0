/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The zero page (struct boot_params) for an entry past the kernel's 16-bit code: addresses in, 4096 bytes out.
 * Linux Documentation/arch/x86/boot.rst and zero-page.rst.
 */
#ifndef PVB_ZERO_PAGE_H
#define PVB_ZERO_PAGE_H

#include "abi.h"
#include <pvboot/bytes.h>
#include <pvboot/handover.h>
#include <pvboot/memmap.h>

struct pvb_zero_page {
    /* The kernel file from 0x1f1 as far as its header goes (boot.rst: 0x202 + byte 0x201); empty for a bare ELF. */
    struct pvboot_bytes header;
    enum pvboot_filler filler;
    uint64_t kernel_gpa;                 /* where the protected-mode part lies */
    uint64_t ramdisk_gpa, ramdisk_bytes; /* 0, 0: none */
    uint64_t cmdline_gpa;                /* 0: none */
    uint64_t rsdp_gpa;                   /* 0: no ACPI */
    uint64_t setup_data_gpa;             /* of the chain's head; 0: none */
    uint32_t subarch;
    uint64_t subarch_data;
    const struct pvboot_range *e820; /* ascending; what exceeds the page belongs in a SETUP_E820_EXT node */
    size_t n_e820;
};

/*
 * Fill @bp, every byte of it.  Fields younger than the kernel's protocol are left zero.
 *
 * type_of_loader is 0x90 | filler: boot.rst's id for Xen's domain builder, with 1 for a toolstack and 2 for a stub, so
 * that /proc/sys/kernel/bootloader_type tells them from the 0x90 that Linux's own PVH entry writes.
 *
 * For a bare ELF the header is made up: "HdrS", 2.15, LOADED_HIGH.  startup_64 itself asks for none of it, but what
 * reads /sys/kernel/boot_params later, kexec for one, judges the page by these fields.
 */
void pvb_fill_zero_page(struct boot_params *bp, const struct pvb_zero_page *in);

#endif

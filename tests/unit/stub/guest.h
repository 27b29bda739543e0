/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Guest memory as stock libxenguest leaves it to the stub: the stub at 1 MiB, behind it the modules, each on a page of
 * its own, behind them the start info.  Written byte by byte at the offsets Xen's start_info.h prints.
 */
#ifndef STUB_GUEST_H
#define STUB_GUEST_H

#include <pvboot/plan.h>

#define STUB_GPA 0x100000ull
#define STUB_BYTES 0x4e000ull

struct stub_guest {
    uint8_t *memory; /* all that 32 bits can address; pages that are not touched cost nothing */
    size_t memory_bytes;
    uint64_t kernel_gpa, ramdisk_gpa;
    uint64_t start_info_gpa, modlist_gpa, memmap_gpa, carrier_gpa, cmdline_gpa;
    uint32_t memmap_entries;
    uint64_t used_end; /* from STUB_GPA to here lies what is in use */
};

/* Offsets in the structures: the tables in start_info.h. */
enum {
    SI_MAGIC = 0,
    SI_VERSION = 4,
    SI_MODULES = 12,
    SI_MODLIST = 16,
    SI_CMDLINE = 24,
    SI_RSDP = 32,
    SI_MEMMAP = 40,
    SI_ENTRIES = 48,
    SI_BYTES = 56,
    MOD_PADDR = 0,
    MOD_SIZE = 8,
    MOD_CMDLINE = 16,
    MOD_BYTES = 32,
    ENTRY_ADDR = 0,
    ENTRY_SIZE = 8,
    ENTRY_TYPE = 16,
    ENTRY_BYTES = 24,
};

/* @ramdisk may be empty: one module.  The machine is reported as libxl does, with ACPI in three entries. */
struct stub_guest stub_guest(const struct pvboot_machine *m, const char *carrier, struct pvboot_bytes kernel,
                             const char *cmdline, struct pvboot_bytes ramdisk);
void stub_guest_free(struct stub_guest *g);

/* Fill what of [@start, @end) is not in use: Xen need not hand out clean pages. */
void stub_guest_soil(struct stub_guest *g, uint64_t start, uint64_t end);

void stub_guest_le(struct stub_guest *g, uint64_t gpa, unsigned int width, uint64_t value);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Xen's start of day structure for PVH guests: Xen docs/misc/pvh.pandoc, public arch-x86/hvm/start_info.h.
 * start_info.c needs Xen's headers; start_info_none.c stands in for it on machines that lack them.
 */
#ifndef PVB_START_INFO_H
#define PVB_START_INFO_H

#include "blob.h"
#include <pvboot/memmap.h>

struct pvb_start_info {
    uint64_t cmdline_gpa;                /* 0: none */
    uint64_t rsdp_gpa;                   /* 0: no ACPI */
    uint64_t ramdisk_gpa, ramdisk_bytes; /* module 0; 0 bytes: no module */
    const struct pvboot_range *map;
    size_t n_map;
};

/* Were Xen's headers there? */
bool pvb_start_info_built_in(void);

/*
 * The structure, followed by its module list and memory map: children whose room is reserved first, so that the
 * structure is what @b starts with.  Its gpa; 0: full, or not built in.
 */
uint64_t pvb_put_start_info(struct pvb_blob *b, const struct pvb_start_info *in);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The setup_data chain: nodes in the order of their appending, each 8-byte aligned.
 * Linux Documentation/arch/x86/boot.rst "setup_data"; our node: include/pvboot/handover.h.
 */
#ifndef PVB_SETUP_DATA_H
#define PVB_SETUP_DATA_H

#include "blob.h"
#include "start_info.h"
#include <pvboot/handover.h>
#include <pvboot/memmap.h>

/* Starts zeroed but for @blob. */
struct pvb_chain {
    struct pvb_blob *blob;
    uint64_t head_gpa, last_gpa;
};

/* Append a node of @type around @n bytes.  Its gpa; 0: full. */
uint64_t pvb_chain_put(struct pvb_chain *c, uint32_t type, const void *data, size_t n);

/* Append SETUP_E820_EXT with the entries the zero page has no room for; nothing when there are none. */
void pvb_chain_put_e820(struct pvb_chain *c, const struct pvboot_range *e820, size_t n);

/* What goes into the hypervisor node. */
struct pvb_handover {
    enum pvboot_filler filler;
    char signature[12];                      /* CPUID leaf 0x40000000 */
    const struct pvb_start_info *start_info; /* NULL: no data */
    uint64_t console_gpa, xenstore_gpa;      /* 0: none */
    uint32_t console_evtchn, xenstore_evtchn;
    const char *builder;                                            /* "pvboot 0.1.0" */
    const uint8_t *sha256_kernel, *sha256_ramdisk, *sha256_cmdline; /* 32 bytes each; NULL: not known */
};

/* Append the hypervisor node.  Its gpa; 0: full. */
uint64_t pvb_chain_put_handover(struct pvb_chain *c, const struct pvb_handover *in);

#endif

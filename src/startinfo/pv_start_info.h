/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Xen's start_info of a PV guest: public xen.h.  pv_start_info.c needs Xen's headers; start_info_none.c stands in for it.
 */
#ifndef PVB_PV_START_INFO_H
#define PVB_PV_START_INFO_H

#include "blob.h"

#define PVB_PV_CMDLINE_MAX 1023u /* without NUL: MAX_GUEST_CMDLINE */

struct pvb_pv_start_info {
    uint64_t pages;                      /* of the domain */
    uint64_t shared_info_ma;             /* machine address */
    uint64_t store_frame, console_frame; /* machine frames */
    uint32_t store_port, console_port;
    uint64_t tables_va, n_tables;    /* those of the first mapping */
    uint64_t p2m_va;                 /* of the p2m list */
    uint64_t p2m_pfn, n_p2m;         /* its pages and its tables', where it is mapped apart; 0: it is not */
    uint64_t ramdisk, ramdisk_bytes; /* 0 bytes: none */
    bool ramdisk_is_pfn;             /* or a virtual address */
    const char *cmdline;
};

uint64_t pvb_put_pv_start_info(struct pvb_blob *b, const struct pvb_pv_start_info *in);

#endif

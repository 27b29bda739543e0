/* SPDX-License-Identifier: LGPL-2.1-only */
#include "pv_start_info.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <xen/xen.h>

_Static_assert(sizeof(unsigned long) == 8, "a 64-bit guest's structure");
_Static_assert(offsetof(struct start_info, pt_base) == 88 && offsetof(struct start_info, cmd_line) == 128, "xen.h");
_Static_assert(sizeof(struct start_info) == 1168, "xen.h");
_Static_assert(MAX_GUEST_CMDLINE == PVB_PV_CMDLINE_MAX + 1, "xen.h");

#define MAGIC "xen-3.0-x86_64"

uint64_t pvb_put_pv_start_info(struct pvb_blob *b, const struct pvb_pv_start_info *in)
{
    struct start_info si = {
        .magic = MAGIC,
        .nr_pages = in->pages,
        .shared_info = in->shared_info_ma,
        .flags = SIF_VIRT_P2M_4TOOLS, /* so they do since Xen 4.7 */
        .store_mfn = in->store_frame,
        .store_evtchn = in->store_port,
        .console.domU = { .mfn = in->console_frame, .evtchn = in->console_port },
        .pt_base = in->tables_va,
        .nr_pt_frames = in->n_tables,
        .mfn_list = in->p2m_va,
        .first_p2m_pfn = in->p2m_pfn,
        .nr_p2m_frames = in->n_p2m,
    };
    size_t n = in->cmdline ? strlen(in->cmdline) : 0;

    if (n >= sizeof(si.cmd_line))
        return 0;
    if (n)
        memcpy(si.cmd_line, in->cmdline, n);
    if (in->ramdisk_bytes) {
        si.flags |= in->ramdisk_is_pfn ? SIF_MOD_START_PFN : 0;
        si.mod_start = in->ramdisk;
        si.mod_len = in->ramdisk_bytes;
    }
    return pvb_put(b, &si, sizeof(si), 4096);
}

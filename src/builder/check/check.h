/* SPDX-License-Identifier: LGPL-2.1-only */
/* The plan's second opinion, in three files. It must not include a header of the planner. */
#ifndef PVB_CHECK_H
#define PVB_CHECK_H

#include "../base/base.h"

struct pvb_check {
    const struct pvboot_plan *plan;
    const struct pvboot_image *img;
    bool zero_page, long_mode, elf; /* what the path means */
    bool any_address;               /* may kernel and ramdisk lie above 4 GiB? */
    struct pvboot_error *e;
};

typedef int pvb_rule(const struct pvb_check *c);

/* check_pv.c: those of pv alone. */
pvb_rule pvb_rule_pv_memory, pvb_rule_pv_kernel, pvb_rule_pv_order, pvb_rule_pv_map, pvb_rule_pv_tables,
    pvb_rule_pv_start;

/* check_entry.c */
pvb_rule pvb_rule_path, pvb_rule_window, pvb_rule_entry, pvb_rule_registers, pvb_rule_page_tables, pvb_rule_subarch;

static inline const struct pvboot_segment *pvb_seg(const struct pvb_check *c, enum pvboot_segment_id id)
{
    return &c->plan->seg[id];
}

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The planner's placements, in the order in which they are made. */
#ifndef PVB_LAYOUT_H
#define PVB_LAYOUT_H

#include "room.h"

/* What goes into a layout and what is left of the guest's RAM. */
struct pvb_layout {
    const struct pvboot_image *img;
    const struct pvboot_request *req;
    struct pvboot_plan *plan;
    struct pvb_room room;
};

/* Each -NOFIT. */
int pvb_place_kernel(struct pvb_layout *l, struct pvboot_error *e);
int pvb_place_ramdisk(struct pvb_layout *l, struct pvboot_error *e);
int pvb_place_small(struct pvb_layout *l, struct pvboot_error *e);
/* ACPI and the special pages: not ours, but in the list of what lies where.  -USAGE: where no 32-bit entry reaches. */
int pvb_place_foreign(struct pvboot_plan *plan, struct pvboot_error *e);

/* Ceilings for a ramdisk, best first, exclusive; returns how many (1 to 3). */
#define PVB_CEILINGS 3
unsigned int pvb_ramdisk_ceilings(const struct pvboot_image *img, enum pvboot_path path, uint64_t *ceiling);

#endif

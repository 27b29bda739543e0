/* SPDX-License-Identifier: LGPL-2.1-only */
/* The planner: its decisions that concern no address, one file each; free room and placements are in room.h and layout.h. */
#ifndef PVB_PLAN_H
#define PVB_PLAN_H

#include "room.h"

/* remark.c: a remark for the administrator. There are eight places; a ninth remark is dropped. */
void pvb_remark(struct pvboot_plan *plan, const char *fmt, ...) PVB_PRINTF(2, 3);

/* plan.c: pvboot_plan_possible() and pvboot_plan_make(), of all paths but pv. */
int pvb_plan_possible(const struct pvboot_image *img, const struct pvboot_request *req, struct pvboot_error *e);
int pvb_plan_make(struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_machine *machine,
                  const struct pvboot_request *req, struct pvboot_error *e);
/* pv.c: the same of pv; @plan is zeroed.  The in-guest stub, which starts no PV guest, is made without it. */
int pvb_pv_possible(const struct pvboot_image *img, const struct pvboot_request *req, struct pvboot_error *e);
int pvb_pv_make(struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_machine *machine,
                const struct pvboot_request *req, struct pvboot_error *e);

/* entry.c: which path, and why. -UNSUPPORTED */
int pvb_choose_path(struct pvboot_plan *plan, const struct pvboot_image *img, enum pvboot_path asked,
                    struct pvboot_error *e);
/* entry.c: vCPU 0, once all segments are placed. */
void pvb_start_state(struct pvboot_plan *plan, const struct pvboot_image *img);

/* subarch.c: may this kernel see that subarch? -UNSUPPORTED */
int pvb_choose_subarch(struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_request *req,
                       struct pvboot_error *e);
/* subarch.c: major << 16 | minor << 8 | patch of "6.1.0-56-amd64 ..."; 0 when the text does not say. */
uint32_t pvb_kernel_version(const char *text);

/* limits of what goes along: cmdline.c. -LIMIT, -USAGE */
int pvb_check_request(const struct pvboot_request *req, struct pvboot_error *e);
int pvb_check_cmdline(const struct pvboot_image *img, enum pvboot_path path, const char *cmdline,
                      struct pvboot_error *e);

/* distance.c: how like two words are, for suggestions; the in-guest stub, which has to stay small, makes none. */
#define PVB_DISTANCE_CLOSE 2u /* up to this one word may have been meant for the other */
/* Letters to insert, delete or change to get from @a to @b (Levenshtein); SIZE_MAX when one is too long to say. */
size_t pvb_distance(const char *a, const char *b);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The planner's decisions that concern no address, one file each. */
#ifndef PVB_POLICY_H
#define PVB_POLICY_H

#include "internal.h"

/* remark.c: a remark for the administrator. There are four places; a fifth remark is dropped. */
void pvb_remark(struct pvboot_plan *plan, const char *fmt, ...) PVB_PRINTF(2, 3);

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

#endif

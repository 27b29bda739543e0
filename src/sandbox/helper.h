/* SPDX-License-Identifier: LGPL-2.1-only */
/* The helper as a process. */
#ifndef PVB_HELPER_H
#define PVB_HELPER_H

#include "../builder/file/file.h"
#include "sandbox.h"

/* Start @run's helper.  -SANDBOX, -HOST; then there is no child. */
int pvb_helper_start(struct pvb_child *c, const struct pvb_run *run, struct pvboot_error *e) PVB_CHECKED;

#endif

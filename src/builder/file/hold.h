/* SPDX-License-Identifier: LGPL-2.1-only */
/* A file that is held instead of copied. */
#ifndef PVB_HOLD_H
#define PVB_HOLD_H

#include "reader.h"

#include <pvboot/file.h>

/*
 * Make @r's file, given by its descriptor, the contents of @f, with a copy of what is looked at in the empty @memfd.
 * Takes both descriptors; if it fails, @memfd remains the caller's.  -UNREADABLE, -HOST.
 */
int pvb_hold(struct pvboot_file *f, int memfd, const struct pvb_reading *r, bool looked_at,
             struct pvboot_error *e) PVB_CHECKED;

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The caller's side of the confined parser. */
#ifndef PVB_SANDBOX_H
#define PVB_SANDBOX_H

#include "answer.h"

/* One run of the helper. */
struct pvb_run {
    const char *helper;
    const char *arg[2]; /* how strict, what for */
    int in, out;        /* its descriptors 0 and 1 */
    unsigned int wall_ms;
};

/*
 * Start the helper, wait for its answer and its end.  It is dead and reaped when this returns, however it returns.
 * @a is complete, of our version, and otherwise unchecked.  -SANDBOX, -HOST.
 */
int pvb_run(const struct pvb_run *run, struct pvb_answer *a, struct pvboot_error *e) PVB_CHECKED;

/*
 * Is @img a value the parser could have made of a file of @file_bytes?  Everything the planner and the loader rely
 * on is looked at again; nothing is read but @img, and even its bools may hold any byte.  -SANDBOX names what is wrong.
 */
int pvb_image_verify(const struct pvboot_image *img, uint64_t file_bytes, struct pvboot_error *e) PVB_CHECKED;

#endif

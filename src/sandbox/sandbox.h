/* SPDX-License-Identifier: LGPL-2.1-only */
/* The caller's side of the confined parser. */
#ifndef PVB_SANDBOX_H
#define PVB_SANDBOX_H

#include "answer.h"

/* One run of the helper. */
struct pvb_run {
    const char *helper;
    const char *arg[2]; /* how strict, what for */
    enum pvb_errand errand;
    int in, out; /* its descriptors 0 and 1 */
    unsigned int wall_ms;
};

/*
 * Start the helper, wait for its answer and its end.  It is dead and reaped when this returns, however it returns.
 * @a is complete, of our version, from a helper that ended well as far as anybody knows, and otherwise unchecked.
 * -SANDBOX, -HOST.
 */
int pvb_run(const struct pvb_run *run, struct pvb_answer *a, struct pvboot_error *e) PVB_CHECKED;

/*
 * Do layers, step and class of @a agree with each other, with its having an ELF, and with the mode that was asked for?
 * -SANDBOX names what does not.
 */
int pvb_answer_verify(const struct pvb_answer *a, bool strict, struct pvboot_error *e) PVB_CHECKED;

/*
 * Is @claim a value the parser could have made of a file of @file_bytes, unpacking to @unpacked_max at most?  Everything
 * planner and loader rely on is looked at again; nothing is read but @claim, and even its bools may hold any byte.  Then @img is the same, with
 * zeroes for the half it says it has not.  -SANDBOX names what is wrong.
 */
int pvb_image_verify(struct pvboot_image *img, const struct pvboot_image *claim, uint64_t file_bytes,
                     uint64_t unpacked_max, struct pvboot_error *e) PVB_CHECKED;

/* The same of the PT_LOADs that @a has of what is packed in @k, which it has been verified for: they become @k's. */
int pvb_look_verify(struct pvboot_kernel *k, const struct pvb_answer *a, struct pvboot_error *e) PVB_CHECKED;

/* Does what the parser says of @f, whose middle was left out, rest on nothing but what it was shown? */
bool pvb_all_shown(const struct pvboot_image *img, const struct pvboot_file *f);

/* confine.c, for place.c: start the helper for @f, with its other end @out; @a is whole and agrees with itself. */
int pvb_ask(struct pvb_answer *a, struct pvboot_confine *c, struct pvb_run run, struct pvboot_error *e) PVB_CHECKED;
/* A refusal of the parser's, as its own; -SANDBOX: it is of a class that it has not. */
int pvb_pass_on(const struct pvb_answer *a, struct pvboot_error *e);

/* Program @name of ours, beside @file; where there is none, the installed one.  Returns @buf. */
const char *pvb_program(const char *file, const char *name, char *buf, size_t n);
/* The same of a file of ours that is only read. */
const char *pvb_data(const char *file, const char *name, char *buf, size_t n);

#endif

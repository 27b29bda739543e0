/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Guest memory is three verbs, never a pointer; a fourth saves a copy where a back end has it.  Back ends: a recorder
 * (offline, dump, tests) and Xen foreign memory.
 */
#ifndef PVBOOT_GUEST_H
#define PVBOOT_GUEST_H

#include <pvboot/bytes.h>
#include <pvboot/error.h>
#include <pvboot/file.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pvboot_guest;

/* @n bytes at @off of what @from has. */
struct pvboot_piece {
    const struct pvboot_source *from;
    uint64_t off;
    size_t n;
};

struct pvboot_guest_ops {
    /* sizeof(struct pvboot_guest_ops) as who fills it knows it: a verb that lies beyond is one it does not have. */
    size_t bytes;
    /* Copy @n bytes to @gpa.  All or nothing; -NOFIT outside the guest's RAM, -XEN when Xen refuses. */
    int (*write)(struct pvboot_guest *g, uint64_t gpa, const void *src, size_t n, struct pvboot_error *e);
    /* Make @n bytes at @gpa read as zero.  Errors as write. */
    int (*zero)(struct pvboot_guest *g, uint64_t gpa, uint64_t n, struct pvboot_error *e);
    /* Release every mapping.  Accepts a back end whose write failed; safe to call twice. */
    void (*close)(struct pvboot_guest *g);
    /* Or NULL: write of a piece, which is asked for in order, once, into the guest's memory.  Errors also as get's. */
    int (*fill)(struct pvboot_guest *g, uint64_t gpa, const struct pvboot_piece *piece, struct pvboot_error *e);
};

struct pvboot_guest {
    const struct pvboot_guest_ops *ops; /* first member of each back end */
};

#ifdef __cplusplus
}
#endif

#endif

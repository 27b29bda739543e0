/* SPDX-License-Identifier: LGPL-2.1-only */
/* Anonymous memory behind a descriptor, which can be given away and then sealed: see memfd_create(2). */
#ifndef PVB_MEMFD_H
#define PVB_MEMFD_H

#include "../base/base.h"

#include <pvboot/file.h>

/* A new one, above the three standard descriptors; -HOST. */
int pvb_memfd(const char *name, struct pvboot_error *e) PVB_CHECKED;
/* May one have so many bytes?  It counts as a file, and one over its limit is a signal that ends the process.  -HOST. */
int pvb_memfd_room(uint64_t bytes, struct pvboot_error *e) PVB_CHECKED;
/* Append @b.  -UNREADABLE: @b maps a file that has been cut; -HOST. */
int pvb_memfd_put(int memfd, struct pvboot_bytes b, struct pvboot_error *e) PVB_CHECKED;
/*
 * Seal @memfd and make its first @bytes the contents of @f, which owns it from then on.  While anybody could still
 * write, sealing fails: -HOST, and @memfd remains the caller's.
 */
int pvb_memfd_seal(struct pvboot_file *f, int memfd, size_t bytes, struct pvboot_error *e) PVB_CHECKED;

/* For a pvboot_source: sealed memory, which does not end early.  -HOST, -INTERNAL. */
int pvb_memfd_get(const struct pvboot_source *s, uint64_t off, void *dst, size_t n, struct pvboot_error *e) PVB_CHECKED;

#endif

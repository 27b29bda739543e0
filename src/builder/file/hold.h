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
int pvb_hold(struct pvboot_file *f, int memfd, const struct pvb_reading *r, enum pvboot_show show,
             struct pvboot_error *e) PVB_CHECKED;

/* shown.c: of a kernel of @bytes bytes that begins with @head, PVB_SHOWN_BY of them or all: how many pieces, at @span. */
#define PVB_SHOWN_BY 1024u
uint32_t pvb_shown(struct pvboot_span span[PVBOOT_FILE_SPANS], enum pvboot_show show, struct pvboot_bytes head,
                   uint64_t bytes);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading a file in one version, or only looking at it, beside <pvboot/file.h>; and what the confined parser's caller
 * needs, too: memory that can be sealed, a child that answers; and whether a file can stall.
 */
#ifndef PVB_FILE_H
#define PVB_FILE_H

#include "child.h"
#include "memfd.h"

/* hold.c: is nobody waiting to write to what is held?  Also yes of a copy. */
bool pvb_still_held(const struct pvboot_file *f);

/* file.c: only the size of what pvboot_file_read() would read.  Errors as there, but for what only reading tells. */
int pvb_file_look(uint64_t *bytes, const char *path, uint64_t max, struct pvboot_error *e) PVB_CHECKED;

/*
 * directory.c: only the sizes of what pvboot_files_read() would read, at @bytes.  Errors as there, but for what only reading
 * tells.
 */
int pvb_files_look(uint64_t *bytes, uint32_t room, uint32_t *n, const char *path, uint64_t max,
                   struct pvboot_error *e) PVB_CHECKED;

/*
 * Is what @fd is of on a file system whose files come from memory or a disk of this machine?  A read of them waits for
 * that disk and for nobody else.
 */
bool pvb_file_is_local(int fd);

#endif

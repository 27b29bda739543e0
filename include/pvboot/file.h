/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whole files into private memory: one open, one size, no mapping that another process can change or cut.
 */
#ifndef PVBOOT_FILE_H
#define PVBOOT_FILE_H

#include <pvboot/bytes.h>
#include <pvboot/error.h>

/* @bytes views @owned, which pvboot_file_dispose() frees. */
struct pvboot_file {
    struct pvboot_bytes bytes;
    void *owned;
};

/*
 * Read all of @path: a regular file (a FIFO or device is refused without blocking), 1 to @max bytes.
 * -UNREADABLE: absent, not regular, empty, or its size or content time changed while it was read; -LIMIT: over
 * @max, without reading it; -HOST: no memory.  @e names the file.
 */
int pvboot_file_read(struct pvboot_file *f, const char *path, uint64_t max, struct pvboot_error *e);

/* Idempotent; accepts a zeroed struct. */
void pvboot_file_dispose(struct pvboot_file *f);

#endif

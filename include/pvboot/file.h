/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whole files into private memory: one open, one size, one version, no mapping that another process can change or cut.
 */
#ifndef PVBOOT_FILE_H
#define PVBOOT_FILE_H

#include <pvboot/bytes.h>
#include <pvboot/error.h>

/* @bytes views @owned, which pvboot_file_dispose() frees. */
struct pvboot_file {
    struct pvboot_bytes bytes;
    void *owned;
    size_t mapped; /* @owned is a read-only mapping of so many bytes; 0: it is heap */
    int memfd;     /* where @mapped: the sealed memory behind it, which nobody can change, us included */
};

/*
 * Read all of @path: a regular file (a FIFO or device is refused without blocking), 1 to @max bytes.  Where the
 * file system grants a lease, writers wait until it has been read; elsewhere it must have been quiet for a moment.
 * -UNREADABLE: absent, not regular, empty, being written, or changed while it was read; -LIMIT: over @max, without
 * reading it; -HOST: no memory.  @e names the file.
 */
int pvboot_file_read(struct pvboot_file *f, const char *path, uint64_t max, struct pvboot_error *e);

/* The same into sealed memory, which a confined parser can be given. */
int pvboot_file_read_sealed(struct pvboot_file *f, const char *path, uint64_t max, struct pvboot_error *e);

/* A sealed copy of @bytes.  -HOST. */
int pvboot_file_seal(struct pvboot_file *f, struct pvboot_bytes bytes, struct pvboot_error *e);

/* Idempotent; accepts a zeroed struct. */
void pvboot_file_dispose(struct pvboot_file *f);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file read by another process.  Opening a file, or reading one, can stall for ever on a network or FUSE mount, which
 * no signal but SIGKILL ends, and at times not even that: so it is not this process that waits there.
 */
#ifndef PVB_READER_H
#define PVB_READER_H

#include "../base/base.h"

#include <sys/stat.h>

struct pvb_reading {
    const char *path;
    uint64_t max;
    int memfd; /* empty; -1: only look */
    bool hold; /* rather give the file itself, where it is under a lease and cannot stall */
    /* out */
    struct stat st;
    int fd; /* of the file, which holds the lease; -1: it was copied */
};

/*
 * All of a regular file of 1 to ->max bytes, in one version, into ->memfd, or the file.  -UNREADABLE: it is none, or it
 * stalls; -LIMIT; -HOST.
 */
int pvb_read_elsewhere(struct pvb_reading *r, struct pvboot_error *e) PVB_CHECKED;

#endif

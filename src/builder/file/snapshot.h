/* SPDX-License-Identifier: LGPL-2.1-only */
/* A file that is being read, and holds still meanwhile or is refused. */
#ifndef PVB_SNAPSHOT_H
#define PVB_SNAPSHOT_H

#include "../base/base.h"

#include <sys/stat.h>

struct pvb_snapshot {
    int fd;
    bool leased; /* nobody can write while we read */
    struct stat st;
};

/* A regular file of 1 to @max bytes, without waiting for FIFOs.  -UNREADABLE, -LIMIT, -HOST. */
int pvb_snapshot_open(struct pvb_snapshot *s, const char *path, uint64_t max, struct pvboot_error *e) PVB_CHECKED;
/* The same of ->fd, which is open; false: there is no lease, or it would be refused. */
bool pvb_snapshot_lease(struct pvb_snapshot *s, uint64_t max);
/* The next @n bytes; *@got tells how many there were.  -UNREADABLE. */
int pvb_snapshot_read(const struct pvb_snapshot *s, void *p, size_t n, size_t *got, struct pvboot_error *e) PVB_CHECKED;
/* Were the @got bytes that have been read all there are, and of one version?  -UNREADABLE. */
int pvb_snapshot_check(const struct pvb_snapshot *s, uint64_t got, struct pvboot_error *e) PVB_CHECKED;
void pvb_snapshot_close(struct pvb_snapshot *s);

#endif

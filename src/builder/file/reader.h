/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file read by another process.  Opening a file, or reading one, can stall for ever on a network or FUSE mount, which
 * no signal but SIGKILL ends, and at times not even that: so it is not this process that waits there.
 */
#ifndef PVB_READER_H
#define PVB_READER_H

#include "../base/base.h"

#include <sys/stat.h>

/*
 * All of @path into the empty @memfd: a regular file of 1 to @max bytes, in one version, which was @st.  @memfd -1: only
 * look.  -UNREADABLE: that, or it stalls; -LIMIT; -HOST.
 */
int pvb_read_elsewhere(int memfd, const char *path, uint64_t max, struct stat *st, struct pvboot_error *e) PVB_CHECKED;

#endif

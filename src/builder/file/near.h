/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Files that this process may open itself: those of a file system whose files come from memory or a disk of this machine
 * (pvb_file_is_local), found by what the kernel knows already.  No other is asked anything.
 */
#ifndef PVB_NEAR_H
#define PVB_NEAR_H

#include "reader.h"

/* A descriptor of what @path names, of no use but to be asked about (O_PATH); -1: whoever is to be asked may not answer. */
int pvb_near_path(const char *path);

/*
 * What pvb_read_elsewhere() does of a file that is held, or only looked at, by no process: true.  False: it cannot be done
 * like this, or would be refused, and nothing has happened.
 */
bool pvb_read_near(struct pvb_reading *r);

#endif

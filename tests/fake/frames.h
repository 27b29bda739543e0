/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the fake's memory is to a process that its owner started: the confined parser with frames.c instead of Xen. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdint.h>
#include <sys/types.h>

#define FAKE_DOMID 7u
#define FAKE_SCRUB 0xc2
#define FAKE_PAGE 4096ul
#define FAKE_GFNS (16ul << 18) /* 16 GiB of guest addresses */

#define FAKE_FRAMES_FD 200                                /* of the owner, while it has one domain */
#define FAKE_TOUCHED_OFF ((off_t)(FAKE_GFNS * FAKE_PAGE)) /* in that file: a byte for each page */

#endif

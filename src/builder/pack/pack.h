/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A packed image: the in-guest stub, a kernel, ramdisks and a command line as one PVH ELF, which boots wherever PVH kernels
 * do, without pvboot on that host.  Pure: values in, where which bytes go out.
 */
#ifndef PVB_PACK_H
#define PVB_PACK_H

#include "../base/base.h"

struct pvb_pack_input {
    const struct pvboot_kernel *stub;   /* pvboot-stub.elf, whole in memory */
    const struct pvboot_kernel *kernel; /* a bzImage, whole in memory */
    const struct pvboot_request *req;   /* ramdisks, in memory, and command line; path is what the stub starts */
    bool untold; /* no note says what lies where: for who starts it at once, and is not to look at the kernel again */
};

#define PVB_PACK_ENTRY_MAX (3 * PVB_PAGE) /* code, start info, options and command line */
#define PVB_PACK_OPTIONS_MAX 96u          /* all that the stub knows, with their longest values */
#define PVB_PACK_PIECES_MAX (16u + PVBOOT_RAMDISKS_MAX)

struct pvb_pack_piece {
    uint64_t off; /* in the file; zeroes up to there */
    struct pvboot_bytes bytes;
};

/* Views into the input and into itself, so it is not to be copied. */
struct pvb_pack {
    uint8_t head[PVB_PAGE], entry[PVB_PACK_ENTRY_MAX];
    char options[PVB_PACK_OPTIONS_MAX]; /* for the stub, "entry=linux64 subarch=2" */
    uint32_t n;
    struct pvb_pack_piece piece[PVB_PACK_PIECES_MAX]; /* ascending */
    uint64_t bytes;                                   /* the whole file */
    uint64_t end_gpa;                                 /* where its memory ends before the kernel runs */
};

/*
 * -UNSUPPORTED: no bzImage, or none that the stub can enter; not the stub; -LIMIT: command line or options are longer
 * than what they go through; -NOFIT: it would end above PVB_PACK_END; -USAGE.
 */
int pvb_pack_make(struct pvb_pack *p, const struct pvb_pack_input *in, struct pvboot_error *e) PVB_CHECKED;

#define PVB_PACK_END (3ull << 30) /* all hosts have RAM below this, if the guest has as much */

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* One guest, made twice: by the toolstack and by the stub. */
#ifndef STUB_BOTH_H
#define STUB_BOTH_H

#include "../mkimage.h"

struct given {
    uint64_t memory;
    size_t kernel_bytes, ramdisk_bytes;
    const char *options; /* as in the carrier */
    const char *cmdline;
    struct mk_poke poke[4]; /* of the bzImage */
};

/*
 * Each side gets the same kernel, ramdisk, command line, options and machine; then all that was written, and the
 * registers, must be the same.  Returns what the toolstack failed with, and then the stub must have failed with it,
 * too; else what the stub failed with; 0 when both made the guest.
 */
int make_both(const struct given *in);

#endif

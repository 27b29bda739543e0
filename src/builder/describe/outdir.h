/* SPDX-License-Identifier: LGPL-2.1-only */
/* A directory for what was in a guest's memory, as files: a ramdisk may hold keys, setup_data the guest's random seed. */
#ifndef PVB_OUTDIR_H
#define PVB_OUTDIR_H

#include "../base/base.h"

struct pvb_outdir {
    int fd;
    const char *path; /* as it was asked for: borrowed */
};

/*
 * Open @path, made for its owner alone if absent.  -HOST: it is a symbolic link, another user's, or others may write to
 * it.  What lies above its last component is trusted.
 */
int pvb_outdir_open(struct pvb_outdir *d, const char *path, struct pvboot_error *e) PVB_CHECKED;
void pvb_outdir_close(struct pvb_outdir *d);

/*
 * A new file for its owner alone, under a hidden name until it is whole: returns a descriptor to write to, or -HOST.
 * The hidden name of an earlier process that was killed is taken over.
 */
int pvb_outdir_begin(const struct pvb_outdir *d, const char *name, struct pvboot_error *e) PVB_CHECKED;
/* Close @fd.  @rc 0: what it holds takes @name, whatever had it; else it goes.  Returns @rc, or -HOST. */
int pvb_outdir_end(const struct pvb_outdir *d, const char *name, int fd, int rc, struct pvboot_error *e) PVB_CHECKED;
int pvb_outdir_write(const struct pvb_outdir *d, const char *name, int fd, struct pvboot_bytes b,
                     struct pvboot_error *e) PVB_CHECKED;
/* All of that. */
int pvb_outdir_put(const struct pvb_outdir *d, const char *name, struct pvboot_bytes b,
                   struct pvboot_error *e) PVB_CHECKED;
/* There is no @name afterwards, nor a hidden one. */
int pvb_outdir_drop(const struct pvb_outdir *d, const char *name, struct pvboot_error *e) PVB_CHECKED;

#endif

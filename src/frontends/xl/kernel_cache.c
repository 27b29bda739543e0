/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The kernel that was read and looked at with the configuration, kept for the build that follows in the same process:
 * one copy and one confined parser for both.  If the path names another file by then, or the file has changed, it is
 * read again; a build without a configuration, as after a reboot, finds nothing here.
 */
#include "xl.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char *path; /* NULL: nothing is kept */
    struct pvb_kernel_file what;
} kept;

void pvb_kernel_cache_put(const char *path, struct pvb_kernel_file *what)
{
    char *copy = strdup(path);

    pthread_mutex_lock(&lock);
    free(kept.path);
    pvb_kernel_file_dispose(&kept.what);
    kept.path = copy;
    if (copy) {
        kept.what = *what;
        *what = (struct pvb_kernel_file){ 0 };
    }
    pthread_mutex_unlock(&lock);
    pvb_kernel_file_dispose(what);
}

/* The look at the file, which may take its time, without the lock. */
bool pvb_kernel_cache_take(const char *path, struct pvb_kernel_file *what)
{
    bool found;

    pthread_mutex_lock(&lock);
    found = kept.path && !strcmp(kept.path, path);
    if (found) {
        *what = kept.what;
        kept.what = (struct pvb_kernel_file){ 0 };
        free(kept.path);
        kept.path = NULL;
    }
    pthread_mutex_unlock(&lock);
    if (found && !pvboot_file_unchanged(&what->file, path)) {
        pvb_kernel_file_dispose(what);
        found = false;
    }
    return found;
}

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
    struct stat st;
    struct pvb_looked_at what;
} kept;

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

void pvb_looked_at_dispose(struct pvb_looked_at *w)
{
    pvboot_kernel_dispose(&w->parsed);
    pvboot_file_dispose(&w->file);
}

void pvb_keep(const char *path, const struct stat *before, struct pvb_looked_at *what)
{
    struct stat now = { 0 };
    char *copy = stat(path, &now) || !same(before, &now) ? NULL : strdup(path);

    pthread_mutex_lock(&lock);
    free(kept.path);
    pvb_looked_at_dispose(&kept.what);
    kept.path = copy;
    kept.st = now;
    if (copy) {
        kept.what = *what;
        *what = (struct pvb_looked_at){ 0 };
    }
    pthread_mutex_unlock(&lock);
    pvb_looked_at_dispose(what);
}

bool pvb_take_kept(const char *path, struct pvb_looked_at *what)
{
    struct stat now;
    bool found;

    pthread_mutex_lock(&lock);
    found = kept.path && !strcmp(kept.path, path) && !stat(path, &now) && same(&kept.st, &now);
    if (found) {
        *what = kept.what;
        kept.what = (struct pvb_looked_at){ 0 };
        free(kept.path);
        kept.path = NULL;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

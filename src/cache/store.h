/* SPDX-License-Identifier: LGPL-2.1-only */
/* The cache's directory and the files in it: whose they have to be, how one comes in and goes. */
#ifndef PVB_CACHE_STORE_H
#define PVB_CACHE_STORE_H

#include "entry.h"

#include <sys/stat.h>

struct pvb_store {
    int dir;
    const char *path; /* borrowed */
};

#define PVB_STORE_ABSENT 1

/*
 * The directory: the effective user's, with no right for anybody else, no symbolic link, on a file system of this machine.
 * PVB_STORE_ABSENT: there is none; -HOST: there is one that is not so.  @make: make it if it is absent.
 */
int pvb_store_open(struct pvb_store *s, const char *path, bool make, struct pvboot_error *e) PVB_CHECKED;
void pvb_store_close(struct pvb_store *s);

/*
 * Open file @name in it: regular, the effective user's, 0400, with no other name.  PVB_STORE_ABSENT; -MALFORMED: something
 * else has its name; -HOST.
 */
int pvb_store_file(const struct pvb_store *s, const char *name, struct stat *st, struct pvboot_error *e) PVB_CHECKED;
static inline bool pvb_store_is_file(int r)
{
    return r > PVB_STORE_ABSENT;
}
/* @n bytes from its start, neither less nor, if it ends there, more.  -MALFORMED, -HOST. */
int pvb_store_read(int fd, void *dst, size_t n, struct pvboot_error *e) PVB_CHECKED;

/* Wait until nobody else changes anything; until the descriptor is closed nobody else does.  -HOST. */
int pvb_store_lock(const struct pvb_store *s, struct pvboot_error *e) PVB_CHECKED;

/* A new file without a name that anybody looks for, to be given one or dropped.  Only under the lock.  -HOST. */
int pvb_store_new(const struct pvb_store *s, struct pvboot_error *e) PVB_CHECKED;
/* -HOST: short of room, for one. */
int pvb_store_write(int fd, uint64_t off, const void *src, size_t n, struct pvboot_error *e) PVB_CHECKED;
/* Make it @name, once it is on the disk; closes @fd, also if that fails, and then it is gone.  -HOST. */
int pvb_store_name(const struct pvb_store *s, int fd, const char *name, struct pvboot_error *e) PVB_CHECKED;
void pvb_store_drop_new(const struct pvb_store *s, int fd);

/* Each name of hexadecimal digits and dashes and then @suffix to @each, until it returns other than 0, which is then returned. */
typedef int pvb_store_each(const struct pvb_store *s, const char *name, void *closure, struct pvboot_error *e);
int pvb_store_walk(const struct pvb_store *s, const char *suffix, pvb_store_each *each, void *closure,
                   struct pvboot_error *e) PVB_CHECKED;

/* @e is about @name in the directory.  Returns @rc. */
int pvb_store_about(const struct pvb_store *s, const char *name, int rc, struct pvboot_error *e);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which version of a file it is, without a look into it. */
#include "inner.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void from_stat(struct pvb_cache_id *id, const struct stat *st)
{
    *id = (struct pvb_cache_id){
        .device = st->st_dev,
        .inode = st->st_ino,
        .bytes = (uint64_t)st->st_size,
        .modified_s = st->st_mtim.tv_sec,
        .modified_ns = st->st_mtim.tv_nsec,
        .changed_s = st->st_ctim.tv_sec,
        .changed_ns = st->st_ctim.tv_nsec,
    };
}

/* The kernel writes an int, whatever the number of the request says. */
static uint64_t generation(int fd)
{
    union {
        long whole;
        uint32_t part;
    } g = { 0 };

    return ioctl(fd, FS_IOC_GETVERSION, &g) ? 0 : g.part;
}

int pvb_cache_id_of(int fd, struct pvb_cache_id *id, bool *trusted, struct pvboot_error *e)
{
    struct stat st;

    if (fstat(fd, &st))
        return pvb_fail_errno(e, PVBOOT_E_UNREADABLE, "fstat");
    from_stat(id, &st);
    id->generation = generation(fd);
    *trusted = S_ISREG(st.st_mode) && (!st.st_uid || st.st_uid == geteuid()) && !(st.st_mode & (S_IWGRP | S_IWOTH));
    return 0;
}

bool pvb_cache_same_id(const struct pvb_cache_id *a, const struct pvb_cache_id *b)
{
    return !memcmp(a, b, sizeof(*a)); /* without padding */
}
static_assert(sizeof(struct pvb_cache_id) == 8 * 8, "an id has no padding");

bool pvb_cache_id_at(const char *path, struct pvb_cache_id *id)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool ok, trusted;

    if (fd < 0)
        return false;
    ok = !pvb_cache_id_of(fd, id, &trusted, NULL);
    close(fd);
    return ok;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which version of a file it is, without reading all of it. */
#include "../builder/file/file.h"
#include "inner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <lzma.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define END_BYTES 65536u

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

/* Up to @n bytes at @off; fewer where it ends. */
static int sum(int fd, uint64_t off, size_t n, uint64_t *sum, struct pvboot_error *e)
{
    uint8_t bytes[END_BYTES];
    ssize_t got;

    do
        got = pread(fd, bytes, n, (off_t)off);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return pvb_fail_errno(e, PVBOOT_E_UNREADABLE, "read");
    *sum = lzma_crc64(bytes, (size_t)got, *sum);
    return 0;
}

/*
 * Of a kernel these tell its version and build, and what it unpacks to: an image of a file system, in place of another on the
 * same device, may have the same stamps.
 */
static int sum_ends(int fd, struct pvb_cache_id *id, struct pvboot_error *e)
{
    int rc = sum(fd, 0, END_BYTES, &id->ends, e);

    return rc || id->bytes <= END_BYTES ? rc : sum(fd, id->bytes - END_BYTES, END_BYTES, &id->ends, e);
}

int pvb_cache_id_of(int fd, struct pvb_cache_id *id, bool *trusted, struct pvboot_error *e)
{
    struct stat st;

    if (fstat(fd, &st))
        return pvb_fail_errno(e, PVBOOT_E_UNREADABLE, "fstat");
    from_stat(id, &st);
    id->generation = generation(fd);
    *trusted = S_ISREG(st.st_mode) && (!st.st_uid || st.st_uid == geteuid()) && !(st.st_mode & (S_IWGRP | S_IWOTH));
    /* what may stall is never held, so no key is of it */
    return S_ISREG(st.st_mode) && pvb_file_is_local(fd) ? sum_ends(fd, id, e) : 0;
}

bool pvb_cache_same_id(const struct pvb_cache_id *a, const struct pvb_cache_id *b)
{
    return !memcmp(a, b, sizeof(*a)); /* without padding */
}
static_assert(sizeof(struct pvb_cache_id) == 9 * 8, "an id has no padding");

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

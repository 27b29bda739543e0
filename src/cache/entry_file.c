/* SPDX-License-Identifier: LGPL-2.1-only */
/* Keys and entries as files. */
#include "inner.h"

#include <errno.h>
#include <unistd.h>

int pvb_cache_key_read(const struct pvb_store *s, const char *name, struct pvb_cache_key *key, struct pvboot_error *e)
{
    struct stat st;
    int fd = pvb_store_file(s, name, &st, e), rc = 0;

    if (!pvb_store_is_file(fd))
        return fd;
    if (st.st_size != sizeof(*key))
        rc = pvb_fail(e, PVBOOT_E_MALFORMED, "%lld bytes, a key has %zu", (long long)st.st_size, sizeof(*key));
    if (!rc)
        rc = pvb_store_read(fd, key, sizeof(*key), e);
    if (!rc)
        rc = pvb_cache_key_check(key, e);
    close(fd);
    return pvb_store_about(s, name, rc, e);
}

int pvb_cache_entry_open(struct pvb_cache_entry *entry, const struct pvb_store *s, const struct pvb_cache_key *key,
                         struct pvboot_error *e)
{
    struct pvb_cache_want want = { key->sha256, key->id.bytes, 0, PVBOOT_UNPACKED_HARD_MAX };
    char name[PVB_CACHE_NAME_BYTES];
    int rc;

    pvb_cache_entry_name(name, key->sha256);
    entry->fd = pvb_store_file(s, name, &entry->st, e);
    if (!pvb_store_is_file(entry->fd))
        return entry->fd;
    want.entry_bytes = (uint64_t)entry->st.st_size;
    rc = pvb_store_read(entry->fd, &entry->head, sizeof(entry->head), e);
    if (!rc)
        rc = pvb_cache_head_check(&entry->image, &entry->head, &want, e);
    if (rc)
        close(entry->fd);
    return pvb_store_about(s, name, rc, e);
}

struct each {
    pvb_cache_each *each;
    void *closure;
};

static int one_key(const struct pvb_store *s, const char *name, void *closure, struct pvboot_error *e)
{
    const struct each *to = closure;
    struct pvboot_error bad = { 0 };
    struct pvb_cache_key key;
    int rc = pvb_cache_key_read(s, name, &key, &bad);

    if (rc == PVB_STORE_ABSENT) /* by now */
        return 0;
    return to->each(s, name, rc ? NULL : &key, rc ? &bad : NULL, to->closure, e);
}

int pvb_cache_each_key(const struct pvb_store *s, pvb_cache_each *each, void *closure, struct pvboot_error *e)
{
    struct each to = { each, closure };

    return pvb_store_walk(s, ".key", one_key, &to, e);
}

/* Bytes at @off up to the next data, or hole; UINT64_MAX: to the end; 0 if the file system cannot tell. */
static uint64_t up_to(int fd, uint64_t off, int whence)
{
    off_t at = lseek(fd, (off_t)off, whence);

    if (at >= 0)
        return (uint64_t)at - off;
    return errno == ENXIO ? UINT64_MAX : 0;
}

static int read_some(int fd, uint64_t off, uint8_t *dst, size_t n, size_t *got, struct pvboot_error *e)
{
    ssize_t r;

    do
        r = pread(fd, dst, n, (off_t)off);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return pvb_fail_errno(e, PVBOOT_E_HOST, "reading an entry of the cache");
    if (!r)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "an entry of the cache ends before 0x%llx", (unsigned long long)off);
    *got = (size_t)r;
    return 0;
}

int pvb_cache_get(const struct pvboot_source *s, uint64_t off, void *dst, size_t n, struct pvboot_error *e)
{
    uint8_t *p = dst;

    for (size_t some = 0; n; p += some, off += some, n -= some) {
        uint64_t hole = up_to(s->fd, off, SEEK_DATA), data;
        int rc;

        if (hole) {
            some = hole < n ? (size_t)hole : n;
            memset(p, 0, some);
            continue;
        }
        data = up_to(s->fd, off, SEEK_HOLE);
        rc = read_some(s->fd, off, p, data && data < n ? (size_t)data : n, &some, e);
        if (rc)
            return rc;
    }
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the verbs of the cache have in common. */
#ifndef PVB_CACHE_INNER_H
#define PVB_CACHE_INNER_H

#include "cache.h"
#include "store.h"

/*
 * id.c: what is known of the open file @fd, whose ends are read.  *@trusted: nobody but root and the effective user can
 * write to it, so its stamps tell a version from another.  -UNREADABLE.
 */
int pvb_cache_id_of(int fd, struct pvb_cache_id *id, bool *trusted, struct pvboot_error *e) PVB_CHECKED;
bool pvb_cache_same_id(const struct pvb_cache_id *a, const struct pvb_cache_id *b);
/* The same of a path, for looking after the cache; false: nothing can be told of it. */
bool pvb_cache_id_at(const char *path, struct pvb_cache_id *id);

/* entry_file.c: a key.  PVB_STORE_ABSENT, -MALFORMED, -HOST. */
int pvb_cache_key_read(const struct pvb_store *s, const char *name, struct pvb_cache_key *key,
                       struct pvboot_error *e) PVB_CHECKED;

/* An entry that is open. */
struct pvb_cache_entry {
    int fd;
    struct stat st;
    struct pvb_cache_head head;
    struct pvboot_image image; /* checked */
};
/* That of @key.  PVB_STORE_ABSENT, and as pvb_cache_head_check() and pvb_store_file(). */
int pvb_cache_entry_open(struct pvb_cache_entry *entry, const struct pvb_store *s, const struct pvb_cache_key *key,
                         struct pvboot_error *e) PVB_CHECKED;

/* For a pvboot_source: what an entry has at its descriptor's offset; holes are not read, but made. */
int pvb_cache_get(const struct pvboot_source *s, uint64_t off, void *dst, size_t n, struct pvboot_error *e) PVB_CHECKED;

/* digest.c: the SHA-256 of @head's fields before its own digest; of @n bytes that @from has at @off. */
int pvb_cache_digest_head(const struct pvb_cache_head *head, uint8_t sha256[32], struct pvboot_error *e) PVB_CHECKED;
int pvb_cache_digest(const struct pvboot_source *from, uint64_t off, uint64_t n, uint8_t sha256[32],
                     struct pvboot_error *e) PVB_CHECKED;

/* Something about each key that can be read, or, if it cannot, @bad why. */
typedef int pvb_cache_each(const struct pvb_store *s, const char *name, const struct pvb_cache_key *key,
                           const struct pvboot_error *bad, void *closure, struct pvboot_error *e);
int pvb_cache_each_key(const struct pvb_store *s, pvb_cache_each *each, void *closure,
                       struct pvboot_error *e) PVB_CHECKED;

/*
 * audit.c: are @entry's bytes those that were written, and, if it is @fresh, those that the kernel unpacks to?  Then
 * *@again.  -MALFORMED says what is not; other classes: it could not be told.
 */
int pvb_cache_audit(const struct pvb_cache_job *job, const struct pvb_cache_key *key,
                    const struct pvb_cache_entry *entry, bool fresh, bool *again, struct pvboot_error *e) PVB_CHECKED;

/*
 * room.c, all three only under the lock: forget the keys of @path, but for the one called @but; *@any: there were some.
 * Entries that no key names go.  Of the others those that have not been used for the longest time, but for @keep, until
 * they take @max bytes together.  -HOST.
 */
int pvb_cache_forget(const struct pvb_store *s, const char *path, const char *but, bool *any,
                     struct pvboot_error *e) PVB_CHECKED;
int pvb_cache_sweep(const struct pvb_store *s, struct pvboot_error *e) PVB_CHECKED;
int pvb_cache_make_room(const struct pvb_store *s, const char *keep, uint64_t max, struct pvboot_error *e) PVB_CHECKED;
static inline int64_t pvb_cache_used_s(const struct stat *st)
{
    return st->st_atim.tv_sec > st->st_mtim.tv_sec ? st->st_atim.tv_sec : st->st_mtim.tv_sec;
}

#endif

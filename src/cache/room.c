/* SPDX-License-Identifier: LGPL-2.1-only */
/* What goes: keys of a path, entries without a key, entries for which there is no room. */
#include "inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int gone(const struct pvb_store *s, const char *name, struct pvboot_error *e)
{
    if (!unlinkat(s->dir, name, 0) || errno == ENOENT)
        return 0;
    return pvb_store_about(s, name, pvb_fail_errno(e, PVBOOT_E_HOST, "cannot remove"), e);
}

struct forgetting {
    const char *path, *but;
    bool any;
};

static int forget_key(const struct pvb_store *s, const char *name, const struct pvb_cache_key *key,
                      const struct pvboot_error *bad, void *closure, struct pvboot_error *e)
{
    struct forgetting *f = closure;

    if (bad || strcmp(key->path, f->path) || (f->but && !strcmp(name, f->but)))
        return 0;
    f->any = true;
    return gone(s, name, e);
}

int pvb_cache_forget(const struct pvb_store *s, const char *path, const char *but, bool *any, struct pvboot_error *e)
{
    struct forgetting f = { path, but, false };
    int rc = pvb_cache_each_key(s, forget_key, &f, e);

    *any = f.any;
    return rc;
}

struct named {
    const char *entry;
    bool found;
    bool drop; /* the keys that name it */
};

static int names_entry(const struct pvb_store *s, const char *name, const struct pvb_cache_key *key,
                       const struct pvboot_error *bad, void *closure, struct pvboot_error *e)
{
    char entry[PVB_CACHE_NAME_BYTES];
    struct named *n = closure;

    if (bad)
        return 0;
    pvb_cache_entry_name(entry, key->sha256);
    if (strcmp(entry, n->entry))
        return 0;
    n->found = true;
    return n->drop ? gone(s, name, e) : 0;
}

static int sweep_entry(const struct pvb_store *s, const char *name, void *closure, struct pvboot_error *e)
{
    struct named n = { .entry = name };
    int rc = pvb_cache_each_key(s, names_entry, &n, e);

    (void)closure;
    return rc || n.found ? rc : gone(s, name, e);
}

int pvb_cache_sweep(const struct pvb_store *s, struct pvboot_error *e)
{
    return pvb_store_walk(s, ".elf", sweep_entry, NULL, e);
}

struct use {
    const char *keep;
    uint64_t bytes;                        /* of all */
    char oldest[PVB_CACHE_NAME_BYTES * 4]; /* but for @keep; "": none */
    int64_t used_s;                        /* when that was */
};

static int weigh(const struct pvb_store *s, const char *name, void *closure, struct pvboot_error *e)
{
    struct use *u = closure;
    struct stat st;

    if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT
                   ? 0
                   : pvb_store_about(s, name, pvb_fail_errno(e, PVBOOT_E_HOST, "cannot look at an entry"), e);
    u->bytes += (uint64_t)st.st_blocks * 512;
    if (!strcmp(name, u->keep) || (u->oldest[0] && u->used_s <= pvb_cache_used_s(&st)))
        return 0;
    strcpy(u->oldest, name);
    u->used_s = pvb_cache_used_s(&st);
    return 0;
}

int pvb_cache_make_room(const struct pvb_store *s, const char *keep, uint64_t max, struct pvboot_error *e)
{
    for (;;) {
        struct use u = { .keep = keep };
        struct named n = { .entry = u.oldest, .drop = true };
        int rc = pvb_store_walk(s, ".elf", weigh, &u, e);

        if (rc || u.bytes <= max || !u.oldest[0])
            return rc;
        rc = pvb_cache_each_key(s, names_entry, &n, e);
        if (!rc)
            rc = gone(s, u.oldest, e);
        if (rc)
            return rc;
    }
}

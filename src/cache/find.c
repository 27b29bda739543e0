/* SPDX-License-Identifier: LGPL-2.1-only */
/* A build's look into the cache. */
#include "inner.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

const char *pvb_cache_dir(const char *said)
{
    if (!said)
        return PVBOOT_CACHEDIR;
    return strcmp(said, "off") ? said : NULL;
}

/* Address space that stands for the ELF: its bytes come from the entry, and nobody looks at them here. */
static int stand_in(struct pvboot_file *f, int fd, uint64_t bytes, struct pvboot_error *e)
{
    void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return pvb_fail_errno(e, PVBOOT_E_HOST, "no address space for an entry of the cache");
    *f = (struct pvboot_file){ .bytes = { p, bytes }, .owned = p, .mapped = bytes, .memfd = fd };
    return 0;
}

static bool take(struct pvboot_kernel *k, const struct pvboot_file *f, const struct pvb_cache_entry *entry,
                 struct pvboot_error *why)
{
    if (stand_in(&k->own_elf, entry->fd, entry->image.bz.unpacked_bytes, why)) {
        close(entry->fd);
        return false;
    }
    k->image = entry->image;
    k->whole = k->file = f->bytes;
    k->elf = k->own_elf.bytes;
    k->confined = true;
    k->file_from = pvboot_file_source(f);
    k->elf_from = (struct pvboot_source){ .get = pvb_cache_get, .fd = entry->fd };
    k->elf_off = PVB_CACHE_BODY_OFF;
    k->has_sha256 = true;
    memcpy(k->sha256, entry->head.file_sha256, sizeof(k->sha256));
    return true;
}

struct same_path {
    const char *path;
    bool found;
};

static int has_path(const struct pvb_store *s, const char *name, const struct pvb_cache_key *key,
                    const struct pvboot_error *bad, void *closure, struct pvboot_error *e)
{
    struct same_path *same = closure;

    (void)s;
    (void)name;
    (void)e;
    same->found = same->found || (!bad && !strcmp(key->path, same->path));
    return 0;
}

/* Nothing is known of this file: was there another one in its place? */
static void look_for_path(const struct pvb_store *s, const char *file, struct pvboot_error *why)
{
    char path[PATH_MAX];
    struct same_path same = { path, false };

    if (realpath(file, path) && !pvb_cache_each_key(s, has_path, &same, NULL) && same.found)
        pvb_store_about(s, "", pvb_fail(why, PVBOOT_E_UNREADABLE, "has another version of %s: add it again", path),
                        why);
}

static bool find_in(const struct pvb_store *s, struct pvboot_kernel *k, const struct pvboot_file *f,
                    const struct pvb_cache_id *id, uint64_t unpacked_max, struct pvboot_error *why)
{
    char name[PVB_CACHE_NAME_BYTES];
    struct pvb_cache_entry entry;
    struct pvb_cache_key key;
    int rc;

    pvb_cache_key_name(name, id);
    rc = pvb_cache_key_read(s, name, &key, why);
    if (rc == PVB_STORE_ABSENT)
        look_for_path(s, f->path, why);
    if (rc)
        return false;
    if (!pvb_cache_same_id(&key.id, id)) {
        pvb_store_about(s, name, pvb_fail(why, PVBOOT_E_UNREADABLE, "of another version of %s: add it again", f->path),
                        why);
        return false;
    }
    rc = pvb_cache_entry_open(&entry, s, &key, why);
    if (rc == PVB_STORE_ABSENT)
        pvb_store_about(s, name, pvb_fail(why, PVBOOT_E_UNREADABLE, "its entry is not there: add it again"), why);
    if (rc)
        return false;
    if (entry.image.bz.unpacked_bytes <= unpacked_max)
        return take(k, f, &entry, why);
    close(entry.fd); /* what refuses it says so */
    return false;
}

bool pvb_cache_find(struct pvboot_kernel *k, const struct pvboot_file *f, const char *dir, uint64_t unpacked_max,
                    struct pvboot_error *why)
{
    struct pvb_cache_id id;
    struct pvb_store s;
    bool trusted, found = false;

    *k = (struct pvboot_kernel){ 0 };
    *why = (struct pvboot_error){ 0 };
    if (!dir || !f->held || pvb_store_open(&s, dir, false, why))
        return false;
    if (!pvb_cache_id_of(f->fd, &id, &trusted, why) && trusted && id.bytes == f->bytes.len)
        found = find_in(&s, k, f, &id, unpacked_max, why);
    pvb_store_close(&s);
    return found;
}

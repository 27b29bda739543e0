/* SPDX-License-Identifier: LGPL-2.1-only */
/* What there is, told of; and the same with every byte looked at. */
#include "inner.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

struct telling {
    const struct pvb_cache_job *job;
    const char *only; /* this path; NULL: all */
    bool verify;
    pvb_cache_tell *tell;
    void *closure;
    uint32_t told;
    struct pvboot_error first; /* that is bad */
};

static const char *state_of(const struct pvb_cache_key *key)
{
    struct pvb_cache_id now;

    if (!pvb_cache_id_at(key->path, &now))
        return "gone";
    return pvb_cache_same_id(&now, &key->id) ? "fresh" : "stale";
}

static void know(struct pvb_cache_fact *fact, const struct pvb_cache_entry *entry)
{
    fact->known = true;
    fact->version = entry->image.bz.kernel_version;
    memcpy(fact->file_sha256, entry->head.file_sha256, sizeof(fact->file_sha256));
    memcpy(fact->elf_sha256, entry->head.elf_sha256, sizeof(fact->elf_sha256));
    fact->elf_bytes = entry->image.bz.unpacked_bytes;
    fact->disk_bytes = (uint64_t)entry->st.st_blocks * 512;
    fact->used_s = pvb_cache_used_s(&entry->st);
}

static int judge(const struct telling *t, const struct pvb_cache_key *key, struct pvb_cache_entry *entry,
                 struct pvb_cache_fact *fact, struct pvboot_error *bad)
{
    int rc = 0;

    know(fact, entry);
    if (t->verify)
        rc = pvb_cache_audit(t->job, key, entry, !strcmp(fact->state, "fresh"), &fact->unpacked_again, bad);
    close(entry->fd);
    return rc;
}

/* Odd and bad ones are told of, too; only what is the host's fault ends it. */
static int tell_of(const struct pvb_store *s, const char *name, const struct pvb_cache_key *key,
                   const struct pvboot_error *odd, void *closure, struct pvboot_error *e)
{
    struct telling *t = closure;
    struct pvboot_error bad = { 0 };
    struct pvb_cache_fact fact = { 0 };
    struct pvb_cache_entry entry;
    int rc;

    if (t->only && (odd || strcmp(key->path, t->only)))
        return 0;
    t->told++;
    fact.path = odd ? name : key->path;
    fact.state = odd ? "odd" : state_of(key);
    rc = odd ? pvb_fail_escaped(&bad, PVBOOT_E_MALFORMED, "%s", odd->text) : pvb_cache_entry_open(&entry, s, key, &bad);
    if (rc == PVB_STORE_ABSENT)
        rc = pvb_fail(&bad, PVBOOT_E_MALFORMED, "its entry is not there");
    if (rc)
        fact.state = "odd";
    else
        rc = judge(t, key, &entry, &fact, &bad);
    if (rc == -PVBOOT_E_HOST && t->verify)
        return pvb_in_file(e, fact.path, pvb_fail_escaped(e, PVBOOT_E_HOST, "%s", bad.text));
    fact.odd = rc ? bad.text : NULL;
    if (rc && !t->first.code)
        pvb_in_file(&t->first, fact.path, pvb_fail_escaped(&t->first, PVBOOT_E_MALFORMED, "%s", bad.text));
    t->tell(&fact, t->closure);
    return 0;
}

static int tell_all(struct telling *t, struct pvboot_error *e)
{
    struct pvb_store s;
    int rc = pvb_store_open(&s, t->job->dir, false, e);

    if (rc)
        return rc < 0 ? rc : 0;
    rc = pvb_cache_each_key(&s, tell_of, t, e);
    pvb_store_close(&s);
    return rc;
}

int pvb_cache_list(const struct pvb_cache_job *job, pvb_cache_tell *tell, void *closure, struct pvboot_error *e)
{
    struct telling t = { .job = job, .tell = tell, .closure = closure };

    return tell_all(&t, e);
}

static int verify_one(struct telling *t, const char *kernel, struct pvboot_error *e)
{
    char path[PATH_MAX];
    int rc;

    t->only = realpath(kernel, path) ? path : kernel;
    t->told = 0;
    rc = tell_all(t, e);
    if (!rc && !t->told)
        rc = pvb_in_file(e, kernel, pvb_fail(e, PVBOOT_E_UNREADABLE, "is not in the cache %s", t->job->dir));
    return rc;
}

int pvb_cache_verify(const struct pvb_cache_job *job, char *const *kernel, int n, pvb_cache_tell *tell, void *closure,
                     struct pvboot_error *e)
{
    struct telling t = { .job = job, .verify = true, .tell = tell, .closure = closure };
    int rc = n ? 0 : tell_all(&t, e);

    for (int i = 0; !rc && i < n; i++)
        rc = verify_one(&t, kernel[i], e);
    if (!rc && t.first.code) {
        *e = t.first;
        rc = -t.first.code;
    }
    return rc;
}

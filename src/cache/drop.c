/* SPDX-License-Identifier: LGPL-2.1-only */
#include "inner.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* Whatever it is: what cannot be read is not to stay. */
static int drop_name(const struct pvb_store *s, const char *name, void *closure, struct pvboot_error *e)
{
    (void)closure;
    if (!unlinkat(s->dir, name, 0) || errno == ENOENT)
        return 0;
    return pvb_store_about(s, name, pvb_fail_errno(e, PVBOOT_E_HOST, "cannot remove"), e);
}

static int drop_all(const struct pvb_store *s, struct pvboot_error *e)
{
    int rc = pvb_store_walk(s, ".key", drop_name, NULL, e);

    return rc ? rc : pvb_store_walk(s, ".elf", drop_name, NULL, e);
}

static int drop_one(const struct pvb_store *s, const char *kernel, struct pvboot_error *e)
{
    char path[PATH_MAX];
    bool any = false, more = false;
    int rc = pvb_cache_forget(s, kernel, NULL, &any, e);

    if (!rc && realpath(kernel, path))
        rc = pvb_cache_forget(s, path, NULL, &more, e);
    if (!rc && !any && !more)
        rc = pvb_in_file(e, kernel, pvb_fail(e, PVBOOT_E_UNREADABLE, "is not in the cache %s", s->path));
    return rc ? rc : pvb_cache_sweep(s, e);
}

int pvb_cache_drop(const struct pvb_cache_job *job, const char *kernel, struct pvboot_error *e)
{
    struct pvb_store s;
    int rc = pvb_store_open(&s, job->dir, false, e), lock;

    if (rc == PVB_STORE_ABSENT)
        return kernel ? pvb_in_file(e, kernel, pvb_fail(e, PVBOOT_E_UNREADABLE, "is not in the cache %s", job->dir))
                      : 0;
    if (rc)
        return rc;
    lock = pvb_store_lock(&s, e);
    rc = lock < 0 ? lock : kernel ? drop_one(&s, kernel, e) : drop_all(&s, e);
    if (lock >= 0)
        close(lock);
    pvb_store_close(&s);
    return rc;
}

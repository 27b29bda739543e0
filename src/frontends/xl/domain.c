/* SPDX-License-Identifier: LGPL-2.1-only */
/* The domains under construction in this process: usually one, several under a threaded caller. */
#include "xl.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pvb_domain *domains;

static struct pvb_domain **slot(const struct xc_dom_image *dom)
{
    struct pvb_domain **p = &domains;

    while (*p && (*p)->dom != dom)
        p = &(*p)->next;
    return p;
}

struct pvb_domain *pvb_domain_find(const struct xc_dom_image *dom)
{
    struct pvb_domain *d;

    pthread_mutex_lock(&lock);
    d = *slot(dom);
    pthread_mutex_unlock(&lock);
    return d;
}

struct pvb_domain *pvb_domain_get(const struct xc_dom_image *dom)
{
    struct pvb_domain **p, *d;

    pthread_mutex_lock(&lock);
    p = slot(dom);
    if (!*p) {
        *p = calloc(1, sizeof(**p));
        if (*p) {
            (*p)->dom = dom;
            pvboot_request_init(&(*p)->req);
            (*p)->req.has_rng_seed = true; /* a guest wants entropy early; who wants the same bytes twice, says so */
        }
    }
    d = *p;
    pthread_mutex_unlock(&lock);
    return d;
}

int pvb_domain_request(struct pvb_domain *d, struct pvboot_error *e)
{
    int rc = d->has_request ? 0 : pvb_shim_options_parse(d->dom->cmdline, &d->req, &d->paths, e);

    d->has_request = !rc;
    return rc;
}

static void dispose(struct pvb_domain *d)
{
    if (d->record.guest.ops)
        d->record.guest.ops->close(&d->record.guest);
    pvb_kernel_file_dispose(&d->kernel);
    for (size_t i = 0; i < PVBOOT_RAMDISKS_MAX; i++)
        pvboot_file_dispose(&d->ramdisk_file[i]);
    if (d->xen.fmem)
        xenforeignmemory_close(d->xen.fmem);
    explicit_bzero(d->req.rng_seed, sizeof(d->req.rng_seed));
    free(d->kernel_path);
    free(d->ramdisk_path);
    pvb_paths_dispose(&d->paths);
    free(d);
}

void pvb_domain_drop(const struct xc_dom_image *dom)
{
    struct pvb_domain **p, *d;

    pthread_mutex_lock(&lock);
    p = slot(dom);
    d = *p;
    if (d)
        *p = d->next;
    pthread_mutex_unlock(&lock);
    if (d)
        dispose(d);
}

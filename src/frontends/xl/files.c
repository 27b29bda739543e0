/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Stock libxenguest maps kernel and ramdisk files shared: who truncates one meanwhile kills xl with SIGBUS.  For our
 * domains the files are held under a lease, and read when they are placed, or else read into sealed memory; the confined
 * parser sees a sealed copy of what it looks at.  Every other domain goes straight to the stock function.
 */
#include "xl.h"

#include <stdio.h>
#include <stdlib.h>

static int read_kernel(struct pvb_domain *d, const char *path, struct pvboot_error *e)
{
    if (pvb_kernel_cache_take(path, &d->kernel))
        return 0;
    return pvb_kernel_file_hold(&d->kernel, path, &d->req, e);
}

static int read_ramdisk(struct pvb_domain *d, struct pvboot_file *f, const char *path, struct pvboot_error *e)
{
    return pvboot_file_hold(f, path, pvboot_limit(d->req.limits.ramdisk, PVBOOT_RAMDISK_MAX), PVBOOT_SHOW_NOTHING, e);
}

static int read_module(struct xc_dom_image *dom, const char *path, const char *cmdline, struct pvboot_error *e)
{
    __typeof__(&xc_dom_module_mem) module_mem = PVB_STOCK(xc_dom_module_mem);
    struct pvb_domain *d = pvb_domain_get(dom);
    bool kernel = !dom->num_modules;
    struct pvboot_file *f;
    int rc;

    if (!d)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a domain's description");
    rc = pvb_domain_request(d, e);
    if (rc)
        return rc;
    f = kernel ? &d->kernel.file : &d->ramdisk_file[0];
    pvb_phase_begin(dom, d, kernel ? "read-kernel" : "read-ramdisk");
    rc = kernel ? read_kernel(d, path, e) : read_ramdisk(d, f, path, e);
    pvb_phase_end(dom, d);
    if (rc)
        return rc;
    *(kernel ? &d->kernel_path : &d->ramdisk_path) = strdup(path);
    if (module_mem(dom, f->bytes.p, f->bytes.len, cmdline))
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a module's command line");
    return 0;
}

static int give_back(struct pvboot_file *f, struct xc_dom_module *m, const char *path, struct pvboot_error *e)
{
    int rc = f->held ? pvboot_file_copy(f, e) : 0;

    if (!rc && f->owned)
        m->blob = (void *)f->bytes.p;
    return pvb_in_file(e, path, rc);
}

int pvb_give_back(struct xc_dom_image *dom, struct pvboot_error *e)
{
    struct pvb_domain *d = pvb_domain_find(dom);
    int rc = 0;

    if (d && dom->num_modules)
        rc = give_back(&d->kernel.file, &dom->modules[0], d->kernel_path, e);
    if (!rc && d && dom->num_modules > 1)
        rc = give_back(&d->ramdisk_file[0], &dom->modules[1], d->ramdisk_path, e);
    return rc;
}

int pvb_read_ramdisks(struct pvb_domain *d, struct pvboot_error *e)
{
    struct pvboot_request *req = &d->req;
    char *path, *save = NULL;
    int rc = 0;

    if (!d->paths.ramdisks)
        return 0;
    for (path = strtok_r(d->paths.ramdisks, ",", &save); !rc && path; path = strtok_r(NULL, ",", &save)) {
        struct pvboot_file *f = &d->ramdisk_file[req->n_ramdisks];
        uint32_t n = 0;

        if (req->n_ramdisks == PVBOOT_RAMDISKS_MAX)
            return pvb_fail(e, PVBOOT_E_LIMIT, "ramdisks: %s is one too many, limit %u", path, PVBOOT_RAMDISKS_MAX);
        rc = pvboot_files_read(f, PVBOOT_RAMDISKS_MAX - req->n_ramdisks, &n, path,
                               pvboot_limit(req->limits.ramdisk, PVBOOT_RAMDISK_MAX), e);
        for (uint32_t i = 0; i < n; i++)
            req->ramdisk[req->n_ramdisks++] = f[i].bytes;
    }
    return rc;
}

__attribute__((visibility("default"))) int xc_dom_module_file(struct xc_dom_image *dom, const char *filename,
                                                              const char *cmdline)
{
    __typeof__(&xc_dom_module_file) stock = PVB_STOCK(xc_dom_module_file);
    struct pvboot_error e = { 0 };

    if ((dom->num_modules ? pvb_owner(dom) : pvb_owner_by_cmdline(dom, cmdline)) != PVB_OWNER_PVBOOT)
        return stock(dom, filename, cmdline);
    return read_module(dom, filename, cmdline, &e) ? pvb_report(&e) : 0;
}

__attribute__((visibility("default"))) void xc_dom_release(struct xc_dom_image *dom)
{
    __typeof__(&xc_dom_release) stock = PVB_STOCK(xc_dom_release);

    pvb_domain_drop(dom);
    stock(dom);
}

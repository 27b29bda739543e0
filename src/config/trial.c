/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * All that can be refused before there is a domain.  The files are looked at as the build would, the kernel by the same
 * confined parser; of ramdisks only the sizes count here, so they are not read.
 */
#include "config.h"

#include "../builder/file/file.h"
#include "../builder/load/load.h"

#include <stdlib.h>

static int contradictions(struct pvb_trial *t, const struct pvb_cfg *c, struct pvboot_error *e)
{
    if (c->req.path == PVBOOT_PATH_PV) {
        t->key = "pvboot_entry";
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                        "pvboot_entry=\"pv\": libxl makes a PVH domain for pvboot; pvboot launch makes PV ones");
    }
    if (c->req.path != PVBOOT_PATH_STUB)
        return 0;
    if (c->paths.ramdisks) {
        t->key = "pvboot_ramdisks";
        return pvb_fail(e, PVBOOT_E_USAGE, "pvboot_ramdisks contradicts pvboot_entry=\"stub\": libxl hands over one");
    }
    if (c->paths.dump_dir) {
        t->key = "pvboot_dump";
        return pvb_fail(e, PVBOOT_E_USAGE, "pvboot_dump contradicts pvboot_entry=\"stub\": the guest fills the page");
    }
    return 0;
}

static int look_at_ramdisk(struct pvboot_request *req, const char *path, struct pvboot_error *e)
{
    uint64_t bytes[PVBOOT_RAMDISKS_MAX], max = pvboot_limit(req->limits.ramdisk, PVBOOT_RAMDISK_MAX);
    uint32_t n;
    int rc;

    if (req->n_ramdisks == PVBOOT_RAMDISKS_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "ramdisks: %s is one too many, limit %u", path, PVBOOT_RAMDISKS_MAX);
    rc = pvb_files_look(bytes, PVBOOT_RAMDISKS_MAX - req->n_ramdisks, &n, path, max, e);
    for (uint32_t i = 0; !rc && i < n; i++)
        req->ramdisk[req->n_ramdisks++] = (struct pvboot_bytes){ .len = (size_t)bytes[i] };
    return rc;
}

static int look_at_ramdisks(struct pvb_trial *t, const struct pvb_cfg *c, struct pvboot_error *e)
{
    char *copy, *path, *save = NULL;
    int rc = 0;

    t->key = "ramdisk";
    if (t->domain.ramdisk && t->domain.ramdisk[0] && !t->domain.bootloader)
        rc = look_at_ramdisk(&t->req, t->domain.ramdisk, e);
    if (rc || !c->paths.ramdisks)
        return rc;
    t->key = "pvboot_ramdisks";
    copy = strdup(c->paths.ramdisks);
    if (!copy)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for the names of ramdisks");
    for (path = strtok_r(copy, ",", &save); !rc && path; path = strtok_r(NULL, ",", &save))
        rc = look_at_ramdisk(&t->req, path, e);
    free(copy);
    return rc;
}

static int open_kernel(struct pvb_trial *t, const struct pvb_paths *paths, struct pvboot_error *e)
{
    const struct pvboot_request *req = &t->req;
    struct pvb_kernel_file *w = &t->kernel;
    int rc = pvb_kernel_file_hold(w, t->domain.kernel, req, e);

    if (!rc)
        rc = pvb_kernel_file_parse(w, req, paths, t->look, t->helper, e);
    if (!rc && (req->path != PVBOOT_PATH_AUTO || !pvb_kernel_file_lacks_elf(w, req)))
        rc = pvboot_plan_possible(&w->parsed.image, req, e);
    return rc;
}

/* The machine is what is wrong where kernel and options go together. */
static int make_plan(struct pvb_trial *t, struct pvboot_error *e)
{
    const struct pvboot_image *img = &t->kernel.parsed.image;
    int rc = pvboot_request_embedded(&t->req, &t->kernel.parsed, e);

    if (rc)
        return rc;
    t->key = t->domain.memory_mib ? t->domain.vcpus_key : t->domain.memory_key;
    rc = pvboot_machine_default(&t->machine, t->domain.memory_mib << 20, (uint32_t)t->domain.vcpus, e);
    if (rc)
        return rc;
    rc = pvboot_plan_make(&t->plan, img, &t->machine, &t->req, e);
    t->key = rc == -PVBOOT_E_NOFIT ? t->domain.memory_key : rc == -PVBOOT_E_LIMIT ? "cmdline" : "kernel";
    return rc ? rc : pvboot_plan_check(&t->plan, img, e);
}

/* Stock libxenguest carries the command line of a guest that the stub starts, or asserts that it can. */
static int through_stub(const struct pvb_trial *t, struct pvboot_error *e)
{
    size_t n = strlen(t->domain.cmdline);

    if (n > PVBOOT_STOCK_CMDLINE_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "a command line of %zu bytes through stub: stock libxenguest's limit is %u",
                        n, PVBOOT_STOCK_CMDLINE_MAX);
    return 0;
}

static int try_kernel(struct pvb_trial *t, const struct pvb_paths *paths, struct pvboot_error *e)
{
    uint64_t bytes;
    int rc;

    t->key = "kernel";
    if (t->req.path != PVBOOT_PATH_STUB) {
        rc = open_kernel(t, paths, e);
        if (rc || pvb_kernel_file_lacks_elf(&t->kernel, &t->req))
            return pvb_in_file(e, t->domain.kernel, rc);
        rc = make_plan(t, e);
        t->planned = !rc;
        return pvb_in_file(e, t->domain.kernel, rc);
    }
    rc = pvb_file_look(&bytes, t->domain.kernel, pvboot_limit(t->req.limits.kernel, PVBOOT_KERNEL_MAX), e);
    if (rc)
        return rc;
    t->key = "cmdline";
    return through_stub(t, e);
}

int pvb_cfg_try(struct pvb_trial *t, const struct pvb_cfg *c, struct pvboot_error *e)
{
    int rc = contradictions(t, c, e);

    t->req = c->req;
    if (!rc && (c->req.digests.wanted || c->paths.dump_dir))
        rc = pvb_digest_ready(e);
    if (!rc)
        rc = pvb_cfg_domain(&t->domain, c, &t->key, e);
    t->req.cmdline = t->domain.cmdline;
    if (rc || (!t->domain.kernel && !t->domain.bootloader)) /* whoever reads it without us says that better */
        return rc;
    rc = look_at_ramdisks(t, c, e);
    return rc || t->domain.bootloader ? rc : try_kernel(t, &c->paths, e);
}

void pvb_trial_dispose(struct pvb_trial *t)
{
    pvb_cfg_domain_dispose(&t->domain);
    pvb_kernel_file_dispose(&t->kernel);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Entry stub.  A domain of ours gets no list of modules; the stub brings its own, where it is packed together with the
 * kernel, as `pvboot pack` does it.  What is to be built then is that image, by its PVH entry.
 */
#include "../../builder/pack/pack.h"
#include "../../sandbox/sandbox.h"
#include "launch.h"

#include <limits.h>
#include <stdlib.h>

/* Our own file: whoever has put it there could have put another launcher there. */
static int open_stub(struct pvboot_kernel *stub, const char *self, struct pvboot_error *e)
{
    char path[PATH_MAX + 32];

    return pvboot_kernel_open(stub, pvb_data(self, "pvboot-stub.elf", path, sizeof(path)), e);
}

static int join(struct pvboot_file *f, const struct pvb_pack *p, struct pvboot_error *e)
{
    uint8_t *all = calloc(1, p->bytes);

    if (!all)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a packed image of %llu bytes", (unsigned long long)p->bytes);
    for (uint32_t i = 0; i < p->n; i++)
        memcpy(all + p->piece[i].off, p->piece[i].bytes.p, p->piece[i].bytes.len);
    *f = (struct pvboot_file){ .bytes = { all, p->bytes }, .owned = all, .memfd = -1, .fd = -1 };
    return 0;
}

/* The image has it all now: kernel, ramdisks, command line and what the stub is told. */
static void forget_parts(struct launch *l)
{
    const struct pvboot_request told = l->cfg->req;

    for (uint32_t i = 0; i < PVBOOT_RAMDISKS_MAX; i++)
        pvboot_file_dispose(&l->ramdisk[i]);
    pvboot_kernel_dispose(&l->kernel);
    pvboot_request_init(&l->cfg->req);
    l->cfg->req.path = PVBOOT_PATH_PVH;
    l->cfg->req.sandbox = told.sandbox;
    l->cfg->req.limits = told.limits;
}

int launch_pack(struct launch *l, const char *self, struct pvboot_error *e)
{
    struct pvboot_request req = l->cfg->req;
    struct pvboot_kernel stub = { 0 };
    struct pvboot_file image = { 0 };
    struct pvb_pack pack;
    int rc;

    if (l->cfg->seed_by_default)
        req.has_rng_seed = false;
    if (req.has_rng_seed || req.digests.wanted)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "entry stub: the stub hands over no %s",
                        req.has_rng_seed ? "rng_seed" : "digests");
    req.path = req.stub_path;
    rc = open_stub(&stub, self, e);
    if (!rc)
        rc = pvb_pack_make(&pack, &(struct pvb_pack_input){ &stub, &l->kernel, &req, .untold = true }, e);
    if (!rc)
        rc = join(&image, &pack, e);
    pvboot_kernel_dispose(&stub);
    if (rc)
        return rc;
    forget_parts(l);
    rc = pvboot_kernel_parse(&l->kernel, image.bytes, e); /* headers and notes of ours; the kernel in it was confined */
    l->kernel.own_file = image;
    return rc;
}

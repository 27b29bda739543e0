/* SPDX-License-Identifier: LGPL-2.1-only */
/* --config: a guest as an xl.cfg describes it. */
#include "xlcfg.h"

#include <stdlib.h>

struct owned {
    struct xlcfg x;
    struct pvb_cfg_domain domain;
};

static int add_ramdisk(struct cli_config *c, const char *path, struct pvboot_error *e)
{
    if (c->n_ramdisks == PVBOOT_RAMDISKS_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "more than %u ramdisks", PVBOOT_RAMDISKS_MAX);
    c->ramdisk[c->n_ramdisks++] = path;
    return 0;
}

static int take_ramdisks(struct cli_config *c, const struct owned *o, struct pvboot_error *e)
{
    char *path, *save = NULL;
    int rc = o->domain.ramdisk && *o->domain.ramdisk ? add_ramdisk(c, o->domain.ramdisk, e) : 0;

    if (!o->x.cfg.paths.ramdisks)
        return rc;
    for (path = strtok_r(o->x.cfg.paths.ramdisks, ",", &save); !rc && path; path = strtok_r(NULL, ",", &save))
        rc = add_ramdisk(c, path, e);
    return rc;
}

static int take(struct cli_config *c, struct owned *o, struct pvboot_error *e)
{
    const char *key = NULL;
    int rc;

    if (!pvb_cfg_is_ours(&o->x.cfg))
        return pvb_fail(e, PVBOOT_E_USAGE, "no builder=\"" PVB_BUILDER "\": stock xl builds this guest");
    o->x.cfg.req = c->req;
    rc = pvb_cfg_options(&o->x.cfg, o->x.file.bytes, e);
    if (!rc)
        rc = pvb_cfg_domain(&o->domain, &o->x.cfg, &key, e);
    if (rc)
        return rc;
    c->req = o->x.cfg.req;
    c->req.cmdline = o->domain.cmdline;
    c->memory_mib = o->domain.memory_mib;
    c->vcpus = o->domain.vcpus;
    c->kernel = o->domain.kernel;
    return take_ramdisks(c, o, e);
}

int cli_config_open(struct cli_config *c, const char *path, struct pvboot_error *e)
{
    struct owned *o = calloc(1, sizeof(*o));
    int rc;

    if (!o)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a configuration");
    c->owned = o;
    rc = xlcfg_open(&o->x, path, e);
    return rc ? rc : pvb_in_file(e, path, take(c, o, e));
}

void cli_config_dispose(struct cli_config *c)
{
    struct owned *o = c->owned;

    if (!o)
        return;
    pvb_cfg_domain_dispose(&o->domain);
    xlcfg_close(&o->x);
    free(o);
    *c = (struct cli_config){ 0 };
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* pvboot-init-xenstore-domain, from its options to a xenstored that answers. */
#include "launch.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_NAME "Xenstore"

static void fill(struct launch_config *c)
{
    pvboot_request_init(&c->req);
    snprintf(c->name, sizeof(c->name), DEFAULT_NAME);
    c->vcpus = 1;
    c->serves_xenstore = c->no_xenstore = true;
}

static int open_logger(struct launch *l, struct pvboot_error *e)
{
    unsigned int quiet = XTL_PROGRESS, v = l->cfg->verbose < quiet ? l->cfg->verbose : quiet;

    l->logger = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, (xentoollog_level)(quiet - v), 0);
    return l->logger ? 0 : pvb_fail(e, PVBOOT_E_HOST, "no memory for a logger");
}

/* There is nobody yet to ask for a name, and one xenstored is enough. */
static int look_around(struct launch *l, const char *maxmem, struct pvboot_error *e)
{
    xc_physinfo_t host = { 0 };
    uint32_t domid;

    if (launch_store_served(l->xen.xch, &domid))
        return domid ? pvb_fail(e, PVBOOT_E_USAGE, "there is a domain that serves xenstore already: %u", domid)
                     : pvb_fail(e, PVBOOT_E_USAGE, "a xenstored runs in this domain already");
    if (xc_physinfo(l->xen.xch, &host))
        return pvb_fail(e, PVBOOT_E_XEN, "asking what the host has");
    return maxmem ? launch_storedom_maxmem(l->cfg, maxmem, host.total_pages * PVB_PAGE, e) : 0;
}

/* Once xenstored has answered, the domain stays whatever happens: this kernel takes no other. */
static int start(struct launch *l, struct pvboot_error *e)
{
    int rc = launch_create(l, e);

    if (rc)
        return rc;
    rc = launch_storedom_wait(l, e);
    if (rc)
        launch_undo(l);
    return rc ? rc : launch_storedom_note(l, e);
}

static int run(struct launch *l, const char *maxmem, struct pvboot_error *e)
{
    int rc = l->cfg->req.path == PVBOOT_PATH_PV
                 ? pvb_fail(e, PVBOOT_E_UNSUPPORTED, "entry pv: xenstored's own domain is a PVH one here")
                 : open_logger(l, e);

    if (!rc)
        rc = launch_open(l, e);
    if (!rc)
        rc = look_around(l, maxmem, e);
    if (!rc)
        rc = launch_event_cmdline(l->cfg, UINT32_MAX, e);
    if (!rc)
        rc = launch_prepare(l, e);
    if (!rc && l->cfg->verbose)
        fprintf(stderr, "pvboot: entry %s: %s\n", pvboot_path_name(l->plan.path), l->plan.path_why);
    return rc ? rc : start(l, e);
}

int launch_storedom(int argc, char **argv, struct pvboot_error *e)
{
    static struct launch l;
    static struct launch_config c;
    const char *sandbox = getenv("PVBOOT_SANDBOX");
    char *maxmem = NULL;
    int rc = 0;

    memset(&l, 0, sizeof(l));
    memset(&c, 0, sizeof(c));
    l.cfg = &c;
    fill(&c);
    if (sandbox)
        rc = pvboot_request_set(&c.req, "sandbox", sandbox, e);
    if (!rc)
        rc = launch_storedom_options(&c, argc, argv, &maxmem, e);
    if (!rc)
        rc = run(&l, maxmem, e);
    launch_close(&l);
    launch_dispose(&l);
    if (l.logger)
        xtl_logger_destroy(l.logger);
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What there is around the domain: Xen, other domains, perhaps a xenstored. */
#include "launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

bool launch_next_domain(xc_interface *xch, uint32_t *next, xc_domaininfo_t *info)
{
    if (xc_domain_getinfolist(xch, *next, 1, info) != 1)
        return false;
    *next = info->domain + 1u;
    return true;
}

static uint32_t daemon_domid(const struct launch *l, const char *path)
{
    unsigned int n;
    char *text = xs_read(l->xs, XBT_NULL, path, &n);
    uint32_t domid = text ? (uint32_t)strtoul(text, NULL, 10) : 0;

    free(text);
    return domid;
}

bool launch_find(const struct launch *l, const char *name, uint32_t *domid)
{
    xc_domaininfo_t info;
    char number[16];

    for (uint32_t next = 0; launch_next_domain(l->xen.xch, &next, &info);) {
        char *has = launch_store_read(l, info.domain, "name");
        bool same = has && !strcmp(has, name);

        free(has);
        snprintf(number, sizeof(number), "%u", info.domain);
        if (!same && strcmp(number, name))
            continue;
        *domid = info.domain;
        return true;
    }
    return false;
}

/* As libxl reads "2-5,^3,7": one item after the other, the first of them not excluded. */
static int take_cpus(struct launch *l, struct pvboot_error *e)
{
    const char *p = l->cfg->cpus;
    bool any = false;
    int most;

    if (!p || !strcmp(p, "all"))
        return 0;
    most = xc_get_max_cpus(l->xen.xch);
    l->cpus = xc_cpumap_alloc(l->xen.xch);
    if (!l->cpus || most <= 0)
        return pvb_fail(e, PVBOOT_E_XEN, "asking how many processors the host has: errno %d", errno);
    while (*p) {
        bool out = *p == '^';
        unsigned long from, to;
        char *end;

        from = to = strtoul(p += out, &end, 10);
        if (end != p && *end == '-')
            to = strtoul(p = end + 1, &end, 10);
        if (end == p || (*end && *end != ',') || from > to || to >= (unsigned long)most)
            return pvb_fail(e, PVBOOT_E_USAGE, "cpus '%.60s': want numbers up to %d, as in \"2-5,^3,7\"", l->cfg->cpus,
                            most - 1);
        for (unsigned long i = from; i <= to; i++)
            l->cpus[i / 8] = (uint8_t)(out ? l->cpus[i / 8] & ~(1u << i % 8) : l->cpus[i / 8] | 1u << i % 8);
        p = end + (*end == ',');
    }
    for (int i = 0; i < most; i++)
        any = any || (l->cpus[i / 8] & 1u << i % 8);
    return any ? 0 : pvb_fail(e, PVBOOT_E_USAGE, "cpus '%.60s' leaves none", l->cfg->cpus);
}

int launch_open(struct launch *l, struct pvboot_error *e)
{
    uint32_t other;
    int rc;

    l->xen.call = (struct pvboot_xen_calls){
#define X(f) .f = f,
        PVBOOT_XEN_CALLS(X)
#undef X
    };
    l->xen.xch = xc_interface_open(l->logger, l->logger, 0);
    l->xen.fmem = l->xen.xch ? xenforeignmemory_open(NULL, 0) : NULL;
    if (!l->xen.fmem)
        return pvb_fail(e, PVBOOT_E_XEN, "opening Xen's interfaces: errno %d (is this dom0?)", errno);
    rc = !l->cfg || !l->cfg->no_xenstore ? launch_store_connect(l, e) : 0;
    if (rc)
        return rc;
    if (l->xs) {
        l->store_domid = daemon_domid(l, "/tool/xenstored/domid");
        if (!l->cfg || !l->cfg->console) /* then it is for us in this domain to read */
            l->console_domid = daemon_domid(l, "/tool/xenconsoled/domid");
    }
    if (l->cfg && launch_find(l, l->cfg->name, &other))
        return pvb_fail(e, PVBOOT_E_USAGE, "there is a domain '%s' already: %u", l->cfg->name, other);
    return l->cfg ? take_cpus(l, e) : 0;
}

void launch_close(struct launch *l)
{
    free(l->cpus);
    launch_store_disconnect(l);
    if (l->xen.fmem)
        xenforeignmemory_close(l->xen.fmem);
    if (l->xen.xch)
        xc_interface_close(l->xen.xch);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who serves xenstore: a daemon in this domain, by its socket, or another domain, through this kernel.  Not through the
 * kernel otherwise: with no xenstored behind it, that waits for an answer for ever.
 */
#include "guard.h"

#include <errno.h>
#include <stdio.h>

bool launch_domain_lives(xc_interface *xch, uint32_t domid)
{
    xc_domaininfo_t d;

    return xc_domain_getinfolist(xch, domid, 1, &d) == 1 && d.domain == domid &&
           !(d.flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown));
}

/* The first that says so; @domid also of one that has ended and not been removed. */
static bool find_domain(xc_interface *xch, uint32_t *domid, bool *lives)
{
    xc_domaininfo_t d;
    bool found = false;

    *lives = false;
    for (uint32_t next = 1; !*lives && launch_next_domain(xch, &next, &d);)
        if (d.flags & XEN_DOMINF_xs_domain) {
            found = true;
            *domid = d.domain;
            *lives = !(d.flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown));
        }
    return found;
}

bool launch_store_served(xc_interface *xch, uint32_t *domid)
{
    bool lives;

    *domid = 0;
    return launch_daemon_answers() || find_domain(xch, domid, &lives);
}

static int ended(uint32_t domid, const struct launch *l, struct pvboot_error *e)
{
    static const char text[] = "domain %u, which served xenstore, has ended";

    if (l->cfg)
        return pvb_fail(e, PVBOOT_E_XEN, text, domid);
    fputs("pvboot: note: ", stderr);
    fprintf(stderr, text, domid);
    fputs(": nobody has a name\n", stderr);
    return 0;
}

int launch_store_connect_to(struct launch *l, uint32_t domid, struct pvboot_error *e)
{
    l->xs = xs_open(0);
    if (!l->xs)
        return pvb_fail(e, PVBOOT_E_XEN, "opening xenstore, which domain %u serves: errno %d", domid, errno);
    return launch_guard_start(l, domid, e);
}

int launch_store_connect(struct launch *l, struct pvboot_error *e)
{
    uint32_t domid;
    bool lives;

    if (launch_daemon_answers()) {
        l->xs = xs_open(0);
        return l->xs ? 0 : pvb_fail(e, PVBOOT_E_XEN, "opening xenstore, which a daemon serves: errno %d", errno);
    }
    if (!find_domain(l->xen.xch, &domid, &lives))
        return launch_noted_store(&domid) ? ended(domid, l, e) : 0;
    return lives ? launch_store_connect_to(l, domid, e) : ended(domid, l, e);
}

void launch_store_disconnect(struct launch *l)
{
    if (launch_store_lost(l) && !l->guard->told)
        fprintf(stderr, "pvboot: note: domain %u, which served xenstore, has ended\n", l->guard->domid);
    launch_guard_stop(l);
    if (l->xs)
        xs_close(l->xs);
    l->xs = NULL;
}

int launch_store_gone(const struct launch *l, struct pvboot_error *e)
{
    l->guard->told = true;
    return pvb_fail(e, PVBOOT_E_XEN, "domain %u, which served xenstore, has ended", l->guard->domid);
}

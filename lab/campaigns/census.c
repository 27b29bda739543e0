/* SPDX-License-Identifier: LGPL-2.1-only */
/* Runs in dom0: what Xen holds, to the page, domains that are still dying included, and dom0's event channels. */
#include <err.h>
#include <stdio.h>
#include <xenctrl.h>

static void memory(xc_interface *xch)
{
    xc_physinfo_t info = { 0 };

    if (xc_physinfo(xch, &info))
        err(71, "xc_physinfo");
    printf("free_pages %llu\nclaimed_pages %llu\n", (unsigned long long)info.free_pages,
           (unsigned long long)info.outstanding_pages);
}

static void domains(xc_interface *xch)
{
    xc_domaininfo_t d;

    for (uint32_t next = 0; xc_domain_getinfolist(xch, next, 1, &d) == 1; next = d.domain + 1u)
        printf("domain %u%s%s %llu\n", d.domain, d.flags & XEN_DOMINF_paused ? " paused" : "",
               d.flags & XEN_DOMINF_dying ? " dying" : "", (unsigned long long)d.tot_pages);
}

/* Xen says which ports are in range by refusing the first that is not. */
static void ports(xc_interface *xch)
{
    unsigned int bound = 0;
    xc_evtchn_status_t s = { .dom = DOMID_SELF };

    for (s.port = 0; !xc_evtchn_status(xch, &s); s.port++)
        bound += s.status != EVTCHNSTAT_closed;
    printf("ports %u\n", bound);
}

int main(void)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);

    if (!xch)
        err(71, "xc_interface_open");
    memory(xch);
    domains(xch);
    ports(xch);
    xc_interface_close(xch);
    return 0;
}

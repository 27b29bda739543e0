/* SPDX-License-Identifier: LGPL-2.1-only */
/* The builder's own time, phase by phase, in libxenguest's log (/var/log/xen/domain-builder-ng.log). */
#include "xl.h"

#include <time.h>

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void pvb_phase_begin(struct xc_dom_image *dom, struct pvb_domain *d, const char *phase)
{
    pvb_phase_end(dom, d);
    d->clock.phase = phase;
    d->clock.ns = now();
}

void pvb_phase_end(struct xc_dom_image *dom, struct pvb_domain *d)
{
    __typeof__(&xc_dom_printf) log = PVB_FIND(xc_dom_printf);

    if (d->clock.phase && log)
        log(dom->xch, "pvboot: domain %u phase %s %llu us", dom->guest_domid, d->clock.phase,
            (unsigned long long)(now() - d->clock.ns) / 1000);
    d->clock.phase = NULL;
}

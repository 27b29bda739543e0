/* SPDX-License-Identifier: LGPL-2.1-only */
/* RAM for the guest, in the largest extents Xen will give. */
#include "../base/base.h"

#include <errno.h>
#include <pvboot/xen.h>

/* x86 page orders: 1 GiB, 2 MiB, 4 KiB. Larger first; what one order cannot give the next one tries. */
static const unsigned int order[] = { 18, 9, 0 };
#define ORDERS (sizeof(order) / sizeof(order[0]))
#define BATCH 1024u

/* One call at @level from gfn @at: how many gfns got memory, 0 when Xen has no extent of that size. */
static uint64_t try_order(const struct pvboot_xen *x, unsigned int flags, unsigned int level, uint64_t at, uint64_t end)
{
    uint64_t extent = 1ull << order[level];
    xen_pfn_t gfn[BATCH];
    unsigned long n = 0;
    int done;

    if (at % extent)
        return 0;
    for (; n < BATCH && end - at >= extent * (n + 1); n++)
        gfn[n] = at + extent * n;
    /* Leave the aligned head of a larger extent to the larger order. */
    if (level)
        for (unsigned long i = 1; i < n; i++)
            if (!(gfn[i] % (1ull << order[level - 1])))
                n = i;
    if (!n)
        return 0;
    done = x->call.xc_domain_populate_physmap(x->xch, x->domid, n, order[level], flags, gfn);
    return done > 0 ? (uint64_t)done * extent : 0;
}

static int populate_range(const struct pvboot_xen *x, unsigned int flags, uint64_t at, uint64_t end,
                          struct pvboot_error *e)
{
    while (at < end) {
        uint64_t got = 0;

        errno = 0;
        for (unsigned int level = 0; !got && level < ORDERS; level++)
            got = try_order(x, flags, level, at, end);
        if (!got)
            return pvb_fail(e, PVBOOT_E_XEN, "Xen gives domain %u no memory at gpa 0x%llx, %llu KiB short: errno %d",
                            x->domid, (unsigned long long)(at * PVB_PAGE),
                            (unsigned long long)((end - at) * (PVB_PAGE / 1024)), errno);
        at += got;
    }
    return 0;
}

int pvboot_xen_populate(const struct pvboot_xen *x, const struct pvboot_memmap *map, uint64_t target_pages, bool claim,
                        struct pvboot_error *e)
{
    uint64_t ram_pages = pvboot_memmap_bytes(map, PVBOOT_RAM) / PVB_PAGE;
    bool on_demand = target_pages < ram_pages;
    unsigned long pages = (unsigned long)(on_demand ? target_pages : ram_pages);
    unsigned int flags = on_demand ? XENMEMF_populate_on_demand : 0;
    int rc = 0;

    if (claim && x->call.xc_domain_claim_pages(x->xch, x->domid, pages))
        return pvb_fail(e, PVBOOT_E_XEN, "Xen cannot set %lu pages aside for domain %u: errno %d", pages, x->domid,
                        errno);
    /* Takes the memory: the claim has to come before, the extents after it. */
    if (on_demand && x->call.xc_domain_set_pod_target(x->xch, x->domid, pages, NULL, NULL, NULL))
        rc = pvb_fail(e, PVBOOT_E_XEN, "Xen gives domain %u no %lu pages to populate on demand: errno %d", x->domid,
                      pages, errno);
    for (size_t i = 0; !rc && i < map->n; i++)
        if (map->r[i].type == PVBOOT_RAM)
            rc = populate_range(x, flags, map->r[i].start / PVB_PAGE, map->r[i].end / PVB_PAGE, e);
    if (claim && x->call.xc_domain_claim_pages(x->xch, x->domid, 0) && !rc)
        rc = pvb_fail(e, PVBOOT_E_XEN, "releasing the memory claim of domain %u: errno %d", x->domid, errno);
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The calls pvboot makes, but for the save context: memory, claims, params, foreign mappings. */
#include "fake.h"

#include <errno.h>
#include <string.h>

#define CONTROL_DOMAIN_MAX_ORDER 18u /* xen/common/memory.c:max_order() for a domain that may control others */

/* Returns how many extents there were memory for; that is no failure to Xen, however few. */
int xc_domain_populate_physmap(xc_interface *xch, uint32_t domid, unsigned long n, unsigned int order,
                               unsigned int flags, xen_pfn_t *gfn)
{
    unsigned long done = 0, most = fake.setup.per_call ? fake.setup.per_call : n;

    (void)xch;
    if (!fake_asked(__func__, domid, order, n, n ? gfn[0] : 0))
        return -1;
    if (flags & ~(unsigned int)XENMEMF_populate_on_demand)
        return fake_breach("populate flags");
    if (order > CONTROL_DOMAIN_MAX_ORDER)
        return 0;
    while (done < n && done < most) {
        gfn[done] += fake.setup.frames_from;
        if (!(flags ? fake_promise(gfn[done], order) : fake_add(gfn[done], order)))
            break;
        done++;
    }
    return (int)done;
}

int xc_domain_claim_pages(xc_interface *xch, uint32_t domid, unsigned long pages)
{
    (void)xch;
    if (!fake_asked(__func__, domid, pages, 0, 0))
        return -1;
    if (!pages) {
        fake.claim = 0;
        return 0;
    }
    if (fake.claim)
        return fake_breach("a second claim");
    if (pages <= fake.tot_pages || pages > fake.setup.max_pages)
        return fake_error(EINVAL);
    if (pages - fake.tot_pages > fake.host_free)
        return fake_error(ENOMEM);
    fake.claim = pages - fake.tot_pages;
    return 0;
}

/* xen/arch/x86/mm/p2m-pod.c, p2m_pod_set_mem_target(): memory that is set aside for the domain at once. */
int xc_domain_set_pod_target(xc_interface *xch, uint32_t domid, uint64_t pages, uint64_t *tot, uint64_t *cache,
                             uint64_t *entries)
{
    uint64_t from_claim;

    (void)xch;
    if (!fake_asked(__func__, domid, pages, 0, 0))
        return -1;
    if (tot || cache || entries || fake.tot_pages)
        return fake_breach("a target for a domain that has memory, or figures the fake does not keep");
    from_claim = fake.claim < pages ? fake.claim : pages;
    if (pages > fake.setup.max_pages || pages > fake.host_free - fake.claim + from_claim)
        return fake_error(ENOMEM);
    fake.pod_target = fake.tot_pages = pages;
    fake.host_free -= pages;
    fake.claim -= from_claim;
    return 0;
}

int xc_clear_domain_pages(xc_interface *xch, uint32_t domid, unsigned long gfn, int n)
{
    (void)xch;
    if (!fake_asked(__func__, domid, gfn, (uint64_t)n, 0))
        return -1;
    for (xen_pfn_t i = gfn; i < gfn + (unsigned long)n; i++) {
        void *p = fake_map(&i, 1);

        if (!p)
            return -1;
        memset(p, 0, FAKE_PAGE);
        fake_unmap(p, 1);
    }
    return 0;
}

static bool only_once(uint32_t param)
{
    return param == HVM_PARAM_IOREQ_PFN || param == HVM_PARAM_BUFIOREQ_PFN;
}

int xc_hvm_param_set(xc_interface *xch, uint32_t domid, uint32_t param, uint64_t value)
{
    (void)xch;
    if (!fake_asked(__func__, domid, param, value, 0))
        return -1;
    if (param >= HVM_NR_PARAMS)
        return fake_breach("a param that does not exist");
    if (only_once(param) && fake.param[param] && fake.param[param] != value)
        return fake_error(EEXIST);
    fake.param[param] = value;
    fake.param_set[param] = true;
    return 0;
}

xenforeignmemory_handle *xenforeignmemory_open(xentoollog_logger *logger, unsigned int flags)
{
    static int handle;

    (void)logger;
    if (!fake_asked(__func__, FAKE_DOMID, flags, 0, 0))
        return NULL;
    fake.handles++;
    return (xenforeignmemory_handle *)&handle;
}

int xenforeignmemory_restrict(xenforeignmemory_handle *fmem, domid_t domid)
{
    (void)fmem;
    return fake_asked(__func__, domid, 0, 0, 0) ? 0 : -1;
}

int xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
    if (fmem)
        fake.handles--;
    return 0;
}

void *xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t domid, int prot, size_t pages, const xen_pfn_t gfn[],
                           int error[])
{
    void *p;

    (void)prot;
    if (!fake_asked(__func__, domid, pages, pages ? gfn[0] : 0, 0))
        return NULL;
    if (!fmem || error || !pages) {
        fake_breach("a mapping without handle or pages, or with an error array");
        return NULL;
    }
    p = fake_map(gfn, pages);
    if (p && ++fake.maps > fake.maps_max)
        fake.maps_max = fake.maps;
    return p;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *addr, size_t pages)
{
    if (!fake_asked(__func__, FAKE_DOMID, pages, 0, 0))
        return -1;
    if (!fmem || !addr || !fake.maps)
        return fake_breach("unmapping what is not mapped");
    fake.maps--;
    return fake_unmap(addr, pages);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The special pages of an HVM-container domain and the HVM params that tell Xen, tools and guest where they are. */
#include "../base/base.h"

#include <errno.h>
#include <pvboot/xen.h>
#include <xen/hvm/params.h>
#include <xenguest.h>

_Static_assert(PVBOOT_SPECIAL_PAGES == X86_HVM_NR_SPECIAL_PAGES, "xenguest.h and plan.h disagree");

/* Flags of a 4 MiB page directory entry: present, writable, user, accessed, dirty, PS (Intel SDM 3A 4.3). */
#define PDE_4M 0xe7u

static int identity_table(const struct pvboot_xen *x, uint64_t gpa, struct pvboot_error *e)
{
    struct pvboot_xen_guest g;
    uint32_t pde[PVB_PAGE / sizeof(uint32_t)];

    for (uint32_t i = 0; i < sizeof(pde) / sizeof(pde[0]); i++)
        pde[i] = i << 22 | PDE_4M;
    pvboot_xen_guest_init(&g, x);
    return g.guest.ops->write(&g.guest, gpa, pde, sizeof(pde), e);
}

static int set_params(const struct pvboot_xen *x, uint64_t first, const struct pvboot_xen_rings *r,
                      struct pvboot_error *e)
{
    const struct {
        const char *name;
        uint32_t param;
        uint64_t value;
    } set[] = {
        { "STORE_PFN", HVM_PARAM_STORE_PFN, r->no_xenstore ? 0 : first + PVBOOT_SPECIAL_XENSTORE },
        { "STORE_EVTCHN", HVM_PARAM_STORE_EVTCHN, r->xenstore_evtchn },
        { "CONSOLE_PFN", HVM_PARAM_CONSOLE_PFN, first + PVBOOT_SPECIAL_CONSOLE },
        { "CONSOLE_EVTCHN", HVM_PARAM_CONSOLE_EVTCHN, r->console_evtchn },
        { "IOREQ_PFN", HVM_PARAM_IOREQ_PFN, first + PVBOOT_SPECIAL_IOREQ },
        { "BUFIOREQ_PFN", HVM_PARAM_BUFIOREQ_PFN, first + PVBOOT_SPECIAL_BUFIOREQ },
        { "PAGING_RING_PFN", HVM_PARAM_PAGING_RING_PFN, first + PVBOOT_SPECIAL_PAGING },
        { "MONITOR_RING_PFN", HVM_PARAM_MONITOR_RING_PFN, first + PVBOOT_SPECIAL_ACCESS },
        { "SHARING_RING_PFN", HVM_PARAM_SHARING_RING_PFN, first + PVBOOT_SPECIAL_SHARING },
        { "IDENT_PT", HVM_PARAM_IDENT_PT, (first + PVBOOT_SPECIAL_IDENT_PT) * PVB_PAGE },
    };

    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
        if (x->call.xc_hvm_param_set(x->xch, x->domid, set[i].param, set[i].value))
            return pvb_fail(e, PVBOOT_E_XEN, "setting HVM_PARAM_%s of domain %u to 0x%llx: errno %d", set[i].name,
                            x->domid, (unsigned long long)set[i].value, errno);
    return 0;
}

/* Xen may give fewer than it was asked for, and then says no errno. */
static int give_pages(const struct pvboot_xen *x, uint64_t first, struct pvboot_error *e)
{
    xen_pfn_t gfn[PVBOOT_SPECIAL_PAGES];
    int n;

    for (unsigned int i = 0; i < PVBOOT_SPECIAL_PAGES; i++)
        gfn[i] = first + i;
    n = x->call.xc_domain_populate_physmap(x->xch, x->domid, PVBOOT_SPECIAL_PAGES, 0, 0, gfn);
    if (n == PVBOOT_SPECIAL_PAGES)
        return 0;
    if (n < 0)
        return pvb_fail(e, PVBOOT_E_XEN, "Xen gives domain %u no special pages at gpa 0x%llx: errno %d", x->domid,
                        (unsigned long long)(first * PVB_PAGE), errno);
    return pvb_fail(
        e, PVBOOT_E_XEN,
        "Xen gives domain %u %d of %u special pages at gpa 0x%llx: its memory or page table pool is used up", x->domid,
        n, PVBOOT_SPECIAL_PAGES, (unsigned long long)(first * PVB_PAGE));
}

int pvboot_xen_special_pages(const struct pvboot_xen *x, const struct pvboot_machine *m,
                             const struct pvboot_xen_rings *rings, struct pvboot_error *e)
{
    uint64_t first = m->special_start / PVB_PAGE;
    int rc = give_pages(x, first, e);

    if (rc)
        return rc;
    if (x->call.xc_clear_domain_pages(x->xch, x->domid, first, PVBOOT_SPECIAL_PAGES))
        return pvb_fail(e, PVBOOT_E_XEN, "clearing the special pages of domain %u: errno %d", x->domid, errno);
    rc = identity_table(x, m->special_start + PVBOOT_SPECIAL_IDENT_PT * PVB_PAGE, e);
    if (!rc)
        rc = set_params(x, first, rings, e);
    return rc;
}

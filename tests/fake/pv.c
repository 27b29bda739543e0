/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a PV domain is asked about and told besides: xen/arch/x86/mm.c, domctl.c. */
#include "fake.h"

#include <errno.h>
#include <string.h>

#define SHARED_INFO_FRAME 0x3ff000ul /* beyond any guest memory */

uint64_t fake_shared_info(void)
{
    if (fake_order(SHARED_INFO_FRAME) < 0) {
        fake.setup.max_pages++;
        fake.host_free++;
        fake_add(SHARED_INFO_FRAME, 0);
    }
    return SHARED_INFO_FRAME;
}

/* Where there is a domain that comes and goes, domain.c has another. */
__attribute__((weak)) int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int n,
                                                xc_domaininfo_t *info)
{
    (void)xch;
    if (!fake_asked(__func__, FAKE_DOMID, first, n, 0))
        return -1;
    *info = (xc_domaininfo_t){ .domain = FAKE_DOMID, .shared_info_frame = fake_shared_info() };
    return first <= FAKE_DOMID;
}

/* A page of the domain's, which becomes code: here a pattern that differs from page to page and call to call. */
int xc_domctl(xc_interface *xch, struct xen_domctl *d)
{
    (void)xch;
    if (!fake_asked(__func__, d->domain, d->cmd, d->u.hypercall_init.gmfn, 0))
        return -1;
    if (d->cmd != XEN_DOMCTL_hypercall_init || fake_order(d->u.hypercall_init.gmfn) < 0)
        return fake_breach("a domctl that is none of a builder's, or not of its domain's memory");
    fake.hypercall_frame = d->u.hypercall_init.gmfn;
    return 0;
}

/* Whoever has a table mapped writably could change it behind Xen's back. */
int xc_mmuext_op(xc_interface *xch, struct mmuext_op *op, unsigned int n, uint32_t domid)
{
    (void)xch;
    if (!fake_asked(__func__, domid, op->cmd, op->arg1.mfn, n))
        return -1;
    if (n != 1 || op->cmd != MMUEXT_PIN_L4_TABLE || fake_order(op->arg1.mfn) < 0)
        return fake_breach("pinning what is no page table of the domain");
    fake.pinned_frame = op->arg1.mfn;
    return 0;
}

int xc_vcpu_setcontext(xc_interface *xch, uint32_t domid, uint32_t vcpu, vcpu_guest_context_any_t *c)
{
    (void)xch;
    if (!fake_asked(__func__, domid, vcpu, c->c.user_regs.rip, c->c.ctrlreg[3]))
        return -1;
    if (vcpu || c->c.ctrlreg[3] != fake.pinned_frame * FAKE_PAGE)
        return fake_breach("a vCPU on a table that has not been pinned");
    fake.context = c->c;
    return 0;
}

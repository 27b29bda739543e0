/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A PV domain: its memory, and what Xen has to be told before it runs.
 * Spec: Xen public xen.h, arch-x86/xen.h (vcpu_guest_context), memory.h.
 */
#include "pv.h"

#include <errno.h>
#include <sys/mman.h>

#define ORDER_2M 9u
#define BATCH 1024u
#define RFLAGS_IF (1u << 9)
#define DR6_RESET 0xffff0ff0u
#define DR7_RESET 0x400u

static int xen_fails(const struct pvboot_xen *x, const char *what, struct pvboot_error *e)
{
    return pvb_fail(e, PVBOOT_E_XEN, "%s of domain %u: errno %d", what, x->domid, errno);
}

/* One call: pages from @at on, @order at a time; how many got memory.  Xen answers with the first frame of each extent. */
static uint64_t try_order(const struct pvboot_xen *x, uint64_t *mfn, unsigned int order, uint64_t at, uint64_t pages)
{
    uint64_t extent = 1ull << order, n = (pages - at) / extent;
    xen_pfn_t frame[BATCH];
    int done;

    if (!n || at % extent)
        return 0;
    n = n < BATCH ? n : BATCH;
    for (uint64_t i = 0; i < n; i++)
        frame[i] = at + i * extent;
    done = x->call.xc_domain_populate_physmap(x->xch, x->domid, n, order, 0, frame);
    for (uint64_t i = 0; done > 0 && i < (uint64_t)done * extent; i++)
        mfn[at + i] = frame[i / extent] + i % extent;
    return done > 0 ? (uint64_t)done * extent : 0;
}

int launch_xen_pv_populate(const struct pvboot_xen *x, uint64_t *mfn, uint64_t pages, bool claim,
                           struct pvboot_error *e)
{
    int rc = 0;

    if (claim && x->call.xc_domain_claim_pages(x->xch, x->domid, pages))
        return pvb_fail(e, PVBOOT_E_XEN, "Xen cannot set %llu pages aside for domain %u: errno %d",
                        (unsigned long long)pages, x->domid, errno);
    for (uint64_t at = 0, got; !rc && at < pages; at += got) {
        errno = 0;
        got = try_order(x, mfn, ORDER_2M, at, pages);
        if (!got)
            got = try_order(x, mfn, 0, at, pages);
        if (!got)
            rc = pvb_fail(e, PVBOOT_E_XEN, "Xen gives domain %u no memory at gpa 0x%llx, %llu KiB short: errno %d",
                          x->domid, (unsigned long long)(at * PVB_PAGE),
                          (unsigned long long)((pages - at) * (PVB_PAGE / 1024)), errno);
    }
    if (claim && x->call.xc_domain_claim_pages(x->xch, x->domid, 0) && !rc)
        rc = xen_fails(x, "releasing the memory claim", e);
    return rc;
}

int launch_xen_pv_shared_info(const struct pvboot_xen *x, uint64_t *ma, struct pvboot_error *e)
{
    xc_domaininfo_t info = { 0 };

    if (xc_domain_getinfolist(x->xch, x->domid, 1, &info) != 1 || info.domain != x->domid)
        return xen_fails(x, "asking for the shared_info", e);
    *ma = info.shared_info_frame * PVB_PAGE;
    return 0;
}

/* Events stay masked until the guest has somewhere to take them to. */
static int mask_events(const struct pvboot_xen *x, uint64_t shared_info_ma, struct pvboot_error *e)
{
    xen_pfn_t frame = shared_info_ma / PVB_PAGE;
    struct shared_info *s = x->call.xenforeignmemory_map(x->fmem, x->domid, PROT_READ | PROT_WRITE, 1, &frame, NULL);

    if (!s)
        return xen_fails(x, "mapping the shared_info", e);
    memset(s, 0, sizeof(*s));
    for (size_t i = 0; i < sizeof(s->vcpu_info) / sizeof(s->vcpu_info[0]); i++)
        s->vcpu_info[i].evtchn_upcall_mask = 1;
    return x->call.xenforeignmemory_unmap(x->fmem, s, 1) ? xen_fails(x, "unmapping the shared_info", e) : 0;
}

static int fill_hypercall_page(const struct pvboot_xen *x, uint64_t gpa, struct pvboot_error *e)
{
    struct xen_domctl d = { .cmd = XEN_DOMCTL_hypercall_init, .domain = (domid_t)x->domid };

    if (gpa == UINT64_MAX)
        return 0;
    d.u.hypercall_init.gmfn = x->mfn[gpa / PVB_PAGE];
    return xc_domctl(x->xch, &d) ? xen_fails(x, "filling the hypercall page", e) : 0;
}

/* Xen looks at every entry of every table, and from now on the guest changes them through Xen alone. */
static int pin_tables(const struct pvboot_xen *x, uint64_t root_gpa, struct pvboot_error *e)
{
    struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = x->mfn[root_gpa / PVB_PAGE] };

    return xc_mmuext_op(x->xch, &op, 1, (domid_t)x->domid) < 0 ? xen_fails(x, "pinning the page tables", e) : 0;
}

static int set_vcpu(const struct pvboot_xen *x, const struct pvboot_plan *plan, struct pvboot_error *e)
{
    vcpu_guest_context_any_t any = { 0 };
    vcpu_guest_context_t *c = &any.c;

    c->flags = VGCF_in_kernel | VGCF_online;
    c->user_regs.rip = plan->vcpu.rip;
    c->user_regs.rsi = plan->vcpu.rsi;
    c->user_regs.rsp = plan->pv.rsp;
    c->user_regs.rflags = RFLAGS_IF;
    c->user_regs.cs = FLAT_KERNEL_CS;
    c->user_regs.ss = FLAT_KERNEL_SS;
    c->user_regs.ds = c->user_regs.es = c->user_regs.fs = c->user_regs.gs = FLAT_KERNEL_DS;
    c->kernel_ss = FLAT_KERNEL_SS;
    c->kernel_sp = plan->pv.rsp;
    c->debugreg[6] = DR6_RESET;
    c->debugreg[7] = DR7_RESET;
    c->ctrlreg[3] = xen_pfn_to_cr3(x->mfn[plan->vcpu.cr3 / PVB_PAGE]);
    return xc_vcpu_setcontext(x->xch, x->domid, 0, &any) ? xen_fails(x, "setting the start state", e) : 0;
}

int launch_xen_pv_start(const struct pvboot_xen *x, const struct pvboot_plan *plan, struct pvboot_error *e)
{
    int rc;

    if (!x->mfn || !plan->machine.pv)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "a PV start of what is no PV domain");
    rc = fill_hypercall_page(x, plan->pv.hypercall_gpa, e);
    if (!rc)
        rc = mask_events(x, plan->machine.shared_info_ma, e);
    if (!rc)
        rc = pin_tables(x, plan->vcpu.cr3, e);
    return rc ? rc : set_vcpu(x, plan, e);
}

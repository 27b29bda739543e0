/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Arch hooks for guest type hvm-3.0-x86_64, which Xen advertises and stock libxenguest leaves free: memory, special
 * pages and the vCPU of a domain whose image is ours.
 */
#include "xl.h"

#include <errno.h>
#include <xen/io/protocols.h>

static int open_xen(struct xc_dom_image *dom, struct pvb_domain *d, struct pvboot_error *e)
{
    d->xen.xch = dom->xch;
    d->xen.domid = dom->guest_domid;
    d->xen.fmem = xenforeignmemory_open(NULL, 0);
    if (!d->xen.fmem)
        return pvb_fail(e, PVBOOT_E_XEN, "opening the foreign memory device: errno %d", errno);
    (void)xenforeignmemory_restrict(d->xen.fmem,
                                    (domid_t)d->xen.domid); /* to no other domain's memory, where it can be */
    return pvb_xen_calls(&d->xen.call, e);
}

static int populate(struct xc_dom_image *dom, struct pvb_domain *d, struct pvboot_error *e)
{
    struct pvboot_memmap *ram = &d->machine.map;
    int rc;

    if (dom->nr_vmemranges)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "vnuma: virtual NUMA is not built");
    rc = pvboot_memmap_set(ram, 0, dom->lowmem_end, PVBOOT_RAM, e);
    if (!rc && dom->highmem_end)
        rc = pvboot_memmap_set(ram, PVB_4G, dom->highmem_end, PVBOOT_RAM, e);
    if (!rc)
        rc = pvboot_xen_populate(&d->xen, ram, dom->target_pages, dom->claim_enabled, e);
    return rc;
}

static int meminit(struct xc_dom_image *dom)
{
    struct pvb_domain *d = pvb_domain_find(dom);
    struct pvboot_error e = { 0 };

    pvb_phase_begin(dom, d, "populate");
    if (open_xen(dom, d, &e) || populate(dom, d, &e))
        return pvb_report(&e);
    pvb_phase_end(dom, d);
    dom->p2m_size = (dom->highmem_end ? dom->highmem_end : dom->lowmem_end) / PVB_PAGE;
    return 0;
}

static int alloc_magic_pages(struct xc_dom_image *dom)
{
    struct pvb_domain *d = pvb_domain_find(dom);
    struct pvboot_xen_rings rings = { .console_evtchn = dom->console_evtchn, .xenstore_evtchn = dom->xenstore_evtchn };
    struct pvboot_error e = { 0 };

    pvb_phase_begin(dom, d, "special");
    if (pvboot_xen_special_pages(&d->xen, &d->machine, &rings, &e))
        return pvb_report(&e);
    dom->console_pfn = d->machine.console_gpa / PVB_PAGE;
    dom->xenstore_pfn = d->machine.xenstore_gpa / PVB_PAGE;
    pvb_phase_end(dom, d);
    return 0;
}

static int nothing_to_do(struct xc_dom_image *dom)
{
    (void)dom; /* libxenguest calls bootearly and bootlate without asking whether they exist */
    return 0;
}

static int vcpu(struct xc_dom_image *dom)
{
    struct pvb_domain *d = pvb_domain_find(dom);
    struct pvboot_error e = { 0 };
    int rc;

    pvb_phase_begin(dom, d, "vcpu");
    rc = pvboot_xen_start_state(&d->xen, &d->plan.vcpu, d->machine.vcpus, &e);
    pvb_phase_end(dom, d);
    if (!rc && d->paths.dump_dir)
        rc = pvboot_record_dump(&d->record, &d->plan, &d->kernel.parsed.image, d->paths.dump_dir, &e);
    return rc ? pvb_report(&e) : 0;
}

struct xc_dom_arch pvb_arch_hooks = {
    .guest_type = PVB_GUEST_TYPE,
    .native_protocol = XEN_IO_PROTO_ABI_X86_64,
    .page_shift = 12,
    .sizeof_pfn = 8,
    .meminit = meminit,
    .alloc_magic_pages = alloc_magic_pages,
    .bootearly = nothing_to_do,
    .bootlate = nothing_to_do,
    .vcpu = vcpu,
};

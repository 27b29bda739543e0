/* SPDX-License-Identifier: LGPL-2.1-only */
/* What only stock libxenguest asks for: PV domains, its own PVH path, ACPI pages, grants. */
#include "fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xencall.h>

#include <xen/sys/privcmd.h>
#include <xen/version.h>

#define XEN_4_17 0x40011

static _Thread_local uint8_t grant_table[FAKE_PAGE];

int xc_version(xc_interface *xch, int cmd, void *arg)
{
    static const char caps[] =
        "xen-3.0-x86_64 xen-3.0-x86_32p hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 "; /* Xen 4.17, xl info */

    (void)xch;
    if (cmd == XENVER_version)
        return XEN_4_17;
    if (cmd != XENVER_capabilities)
        return fake_error(ENOSYS);
    memcpy(arg, caps, sizeof(caps));
    return 0;
}

int xc_domain_populate_physmap_exact(xc_interface *xch, uint32_t domid, unsigned long n, unsigned int order,
                                     unsigned int flags, xen_pfn_t *gfn)
{
    int r = xc_domain_populate_physmap(xch, domid, n, order, flags, gfn);

    if (r < 0)
        return r;
    return (unsigned long)r == n ? 0 : fake_error(EBUSY);
}

/* libxenguest moves a page of RAM here when Xen has none for ACPI. */
int xc_domain_add_to_physmap(xc_interface *xch, uint32_t domid, unsigned int space, unsigned long idx, xen_pfn_t gfn)
{
    (void)xch;
    if (!fake_asked(__func__, domid, space, idx, gfn))
        return -1;
    return fake_order(idx) >= 0 && fake_add(gfn, 0) ? 0 : fake_error(EINVAL);
}

void *xc_map_foreign_range(xc_interface *xch, uint32_t domid, int size, int prot, unsigned long gfn)
{
    size_t n = (size_t)size / FAKE_PAGE;
    xen_pfn_t *list = calloc(n, sizeof(*list));
    void *p = NULL;

    (void)xch;
    (void)prot;
    for (size_t i = 0; list && i < n; i++)
        list[i] = gfn + i;
    if (list && fake_asked(__func__, domid, gfn, n, 0))
        p = fake_map(list, n);
    free(list);
    return p;
}

void *xc_map_foreign_ranges(xc_interface *xch, uint32_t domid, size_t size, int prot, size_t chunk,
                            privcmd_mmap_entry_t entries[], int n)
{
    xen_pfn_t *list = calloc((size_t)n, sizeof(*list));
    void *p = NULL;

    (void)xch;
    (void)prot;
    if (chunk != FAKE_PAGE || size != (size_t)n * FAKE_PAGE)
        fake_breach("ranges that are not pages");
    for (int i = 0; list && i < n; i++)
        list[i] = entries[i].mfn;
    if (list && fake_asked(__func__, domid, list[0], (uint64_t)n, 0))
        p = fake_map(list, (size_t)n);
    free(list);
    return p;
}

/* libxenguest has the domctl hypercall inline; its buffer may come from anywhere here. */
void *xencall_alloc_buffer(xencall_handle *xcall, size_t n)
{
    (void)xcall;
    return malloc(n);
}

void xencall_free_buffer(xencall_handle *xcall, void *p)
{
    (void)xcall;
    free(p);
}

int xencall1(xencall_handle *xcall, unsigned int op, uint64_t arg)
{
    struct xen_domctl domctl;

    (void)xcall;
    if (op != __HYPERVISOR_domctl)
        return fake_breach("a hypercall that is not a domctl");
    memcpy(&domctl, (const void *)(uintptr_t)arg, offsetof(struct xen_domctl, u) + sizeof(domctl.u.hypercall_init));
    if (domctl.cmd == XEN_DOMCTL_hypercall_init)
        fake.hypercall_frame = domctl.u.hypercall_init.gmfn;
    return fake_asked(__func__, domctl.domain, domctl.cmd, 0, 0) ? 0 : -1;
}

int xc_domain_cacheflush(xc_interface *xch, uint32_t domid, xen_pfn_t gfn, xen_pfn_t n)
{
    (void)xch;
    return fake_asked(__func__, domid, gfn, n, 0) ? 0 : -1;
}

xenforeignmemory_resource_handle *xenforeignmemory_map_resource(xenforeignmemory_handle *fmem, domid_t domid,
                                                                unsigned int type, unsigned int id, unsigned long frame,
                                                                unsigned long n, void **addr, int prot, int flags)
{
    (void)fmem;
    (void)prot;
    (void)flags;
    if (!fake_asked(__func__, domid, type, id, frame) || n != 1)
        return NULL;
    memset(grant_table, 0, sizeof(grant_table));
    *addr = grant_table;
    return (xenforeignmemory_resource_handle *)grant_table;
}

int xenforeignmemory_unmap_resource(xenforeignmemory_handle *fmem, xenforeignmemory_resource_handle *resource)
{
    uint64_t entry[2]; /* grant table version 1: console and xenstore are 0 and 1 */

    (void)fmem;
    memcpy(entry, resource, sizeof(entry));
    return fake_asked(__func__, FAKE_DOMID, entry[0], entry[1], 0) ? 0 : -1;
}

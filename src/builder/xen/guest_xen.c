/* SPDX-License-Identifier: LGPL-2.1-only */
/* Guest memory through xenforeignmemory: map, copy, unmap; nothing stays mapped between two verbs. */
#include "../base/base.h"

#include <errno.h>
#include <pvboot/xen.h>
#include <sys/mman.h>

/* One mapping covers this much: the gfn array stays small and the ioctl's batches full. */
#define CHUNK_PAGES 4096u

struct span {
    uint64_t gpa;
    size_t bytes;    /* within one chunk */
    const void *src; /* NULL: zeroes */
};

static int put_chunk(const struct pvboot_xen *x, const struct span *s, xen_pfn_t *gfn, struct pvboot_error *e)
{
    size_t skip = s->gpa % PVB_PAGE, pages = (skip + s->bytes + PVB_PAGE - 1) / PVB_PAGE;
    uint8_t *p;

    for (size_t i = 0; i < pages; i++)
        gfn[i] = s->gpa / PVB_PAGE + i;
    p = x->call.xenforeignmemory_map(x->fmem, x->domid, PROT_READ | PROT_WRITE, pages, gfn, NULL);
    if (!p)
        return pvb_fail(e, PVBOOT_E_XEN, "mapping %zu guest pages at gpa 0x%llx of domain %u: errno %d", pages,
                        (unsigned long long)s->gpa, x->domid, errno);
    if (s->src)
        memcpy(p + skip, s->src, s->bytes);
    else
        memset(p + skip, 0, s->bytes);
    if (x->call.xenforeignmemory_unmap(x->fmem, p, pages))
        return pvb_fail(e, PVBOOT_E_XEN, "unmapping %zu guest pages at gpa 0x%llx of domain %u: errno %d", pages,
                        (unsigned long long)s->gpa, x->domid, errno);
    return 0;
}

static int put(struct pvboot_guest *g, uint64_t gpa, const void *src, uint64_t n, struct pvboot_error *e)
{
    const struct pvboot_xen *x = ((struct pvboot_xen_guest *)g)->xen;
    xen_pfn_t gfn[CHUNK_PAGES];
    uint64_t done = 0;
    int rc = 0;

    while (!rc && done < n) {
        struct span s = { .gpa = gpa + done, .src = src ? (const uint8_t *)src + done : NULL };
        uint64_t room = CHUNK_PAGES * PVB_PAGE - s.gpa % PVB_PAGE;

        s.bytes = (size_t)(n - done < room ? n - done : room);
        rc = put_chunk(x, &s, gfn, e);
        done += s.bytes;
    }
    return rc;
}

static int xen_write(struct pvboot_guest *g, uint64_t gpa, const void *src, size_t n, struct pvboot_error *e)
{
    return put(g, gpa, src, n, e);
}

static int xen_zero(struct pvboot_guest *g, uint64_t gpa, uint64_t n, struct pvboot_error *e)
{
    return put(g, gpa, NULL, n, e);
}

static void xen_close(struct pvboot_guest *g)
{
    (void)g; /* no mapping outlives a verb */
}

static const struct pvboot_guest_ops ops = { .write = xen_write, .zero = xen_zero, .close = xen_close };

void pvboot_xen_guest_init(struct pvboot_xen_guest *g, const struct pvboot_xen *x)
{
    *g = (struct pvboot_xen_guest){ .guest = { .ops = &ops }, .xen = x };
}

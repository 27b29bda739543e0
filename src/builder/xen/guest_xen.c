/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Guest memory through xenforeignmemory: map, put, unmap; nothing stays mapped between two verbs.  What comes from a
 * file is read where it will lie, so that no byte of it passes through memory of ours.
 */
#include "../base/base.h"

#include <errno.h>
#include <pvboot/xen.h>
#include <sys/mman.h>

/* One mapping covers this much: the gfn array stays small and the ioctl's batches full. */
#define CHUNK_PAGES 4096u

struct span {
    uint64_t gpa;
    size_t bytes;    /* within one chunk */
    const void *src; /* with @from NULL, too: zeroes */
    const struct pvboot_source *from;
    uint64_t off;
};

static int put_bytes(uint8_t *p, const struct span *s, struct pvboot_error *e)
{
    if (s->from)
        return s->from->get(s->from, s->off, p, s->bytes, e);
    if (s->src)
        memcpy(p, s->src, s->bytes);
    else
        memset(p, 0, s->bytes);
    return 0;
}

static int put_chunk(const struct pvboot_xen *x, const struct span *s, xen_pfn_t *gfn, struct pvboot_error *e)
{
    size_t skip = s->gpa % PVB_PAGE, pages = (skip + s->bytes + PVB_PAGE - 1) / PVB_PAGE;
    uint8_t *p;
    int rc;

    if (x->mfn && (s->gpa / PVB_PAGE > x->n_mfn || pages > x->n_mfn - s->gpa / PVB_PAGE))
        return pvb_fail(e, PVBOOT_E_NOFIT, "0x%llx+0x%zx is not in the domain's %llu pages", (unsigned long long)s->gpa,
                        s->bytes, (unsigned long long)x->n_mfn);
    for (size_t i = 0; i < pages; i++)
        gfn[i] = x->mfn ? x->mfn[s->gpa / PVB_PAGE + i] : s->gpa / PVB_PAGE + i;
    p = x->call.xenforeignmemory_map(x->fmem, x->domid, PROT_READ | PROT_WRITE, pages, gfn, NULL);
    if (!p)
        return pvb_fail(e, PVBOOT_E_XEN, "mapping %zu guest pages at gpa 0x%llx of domain %u: errno %d", pages,
                        (unsigned long long)s->gpa, x->domid, errno);
    rc = put_bytes(p + skip, s, e);
    if (x->call.xenforeignmemory_unmap(x->fmem, p, pages))
        return pvb_fail(e, PVBOOT_E_XEN, "unmapping %zu guest pages at gpa 0x%llx of domain %u: errno %d", pages,
                        (unsigned long long)s->gpa, x->domid, errno);
    return rc;
}

/* @whole, a chunk at a time. */
static int put(struct pvboot_guest *g, const struct span *whole, uint64_t n, struct pvboot_error *e)
{
    const struct pvboot_xen *x = ((struct pvboot_xen_guest *)g)->xen;
    xen_pfn_t gfn[CHUNK_PAGES];
    uint64_t done = 0;
    int rc = 0;

    while (!rc && done < n) {
        struct span s = { .gpa = whole->gpa + done, .from = whole->from, .off = whole->off + done };
        uint64_t room = CHUNK_PAGES * PVB_PAGE - s.gpa % PVB_PAGE;

        s.src = whole->src ? (const uint8_t *)whole->src + done : NULL;
        s.bytes = (size_t)(n - done < room ? n - done : room);
        rc = put_chunk(x, &s, gfn, e);
        done += s.bytes;
    }
    return rc;
}

static int xen_write(struct pvboot_guest *g, uint64_t gpa, const void *src, size_t n, struct pvboot_error *e)
{
    return put(g, &(struct span){ .gpa = gpa, .src = src }, n, e);
}

static int xen_zero(struct pvboot_guest *g, uint64_t gpa, uint64_t n, struct pvboot_error *e)
{
    return put(g, &(struct span){ .gpa = gpa }, n, e);
}

static int xen_fill(struct pvboot_guest *g, uint64_t gpa, const struct pvboot_piece *piece, struct pvboot_error *e)
{
    return put(g, &(struct span){ .gpa = gpa, .from = piece->from, .off = piece->off }, piece->n, e);
}

static void xen_close(struct pvboot_guest *g)
{
    (void)g; /* no mapping outlives a verb */
}

static const struct pvboot_guest_ops ops = {
    .bytes = sizeof(ops), .write = xen_write, .zero = xen_zero, .close = xen_close, .fill = xen_fill
};

void pvboot_xen_guest_init(struct pvboot_xen_guest *g, const struct pvboot_xen *x)
{
    *g = (struct pvboot_xen_guest){ .guest = { .ops = &ops }, .xen = x };
}

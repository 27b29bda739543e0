/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Guest memory, a page at a time.  An HVM container's pages are named by guest frame; a PV guest's are found through
 * its own page tables, which vCPU 0 already stands on.
 */
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BATCH 512u

static xen_pfn_t frame_of(const struct capture *c, uint64_t address)
{
    return c->pv ? xc_translate_foreign_address(c->xch, c->domid, 0, address) : address / PVB_PAGE;
}

/* How many of up to @n pages from @address on are there; they are mapped at @*map. */
static size_t map_pages(const struct capture *c, uint64_t address, size_t n, uint8_t **map)
{
    xen_pfn_t frame[BATCH];
    int bad[BATCH];
    size_t have = 0;

    *map = NULL;
    for (; have < n; have++) {
        frame[have] = frame_of(c, address + have * PVB_PAGE);
        if (c->pv && !frame[have])
            break;
    }
    if (!have)
        return 0;
    *map = xenforeignmemory_map(c->fmem, c->domid, PROT_READ, have, frame, bad);
    if (!*map)
        return 0;
    n = have;
    for (have = 0; have < n && !bad[have]; have++)
        ;
    if (have < n)
        xenforeignmemory_unmap(c->fmem, *map + have * PVB_PAGE, n - have);
    return have;
}

struct output {
    struct pvb_outdir dir;
    char name[80]; /* NAME.bin */
    int fd;
};

/* Through a copy: a file system may refuse to read from foreign pages. */
static int copy_out(const struct output *out, const uint8_t *from, uint64_t n, struct pvboot_error *e)
{
    uint8_t page[PVB_PAGE];
    int rc = 0;

    for (uint64_t done = 0; !rc && done < n;) {
        size_t part = n - done < sizeof(page) ? (size_t)(n - done) : sizeof(page);

        memcpy(page, from + done, part);
        rc = pvb_outdir_write(&out->dir, out->name, out->fd, (struct pvboot_bytes){ page, part }, e);
        done += part;
    }
    return rc;
}

/* As far as there are pages; the number of bytes that were written. */
static int write_range(const struct capture *c, const struct range *r, const struct output *out, uint64_t *done,
                       struct pvboot_error *e)
{
    for (*done = 0; *done < r->bytes;) {
        uint64_t at = r->address + *done, skip = at % PVB_PAGE, left = r->bytes - *done;
        uint64_t pages = (skip + left + PVB_PAGE - 1) / PVB_PAGE;
        uint8_t *map;
        size_t have = map_pages(c, at - skip, pages < BATCH ? (size_t)pages : BATCH, &map);
        uint64_t n = have * PVB_PAGE - skip;
        int rc;

        if (!have)
            break;
        if (n > left)
            n = left;
        rc = copy_out(out, map + skip, n, e);
        xenforeignmemory_unmap(c->fmem, map, have);
        if (rc)
            return rc;
        *done += n;
    }
    if (*done)
        return 0;
    return pvb_fail(e, PVBOOT_E_XEN, "domain %u has no memory at %#llx (%s)", c->domid, (unsigned long long)r->address,
                    r->name);
}

int capture_range(const struct capture *c, const struct range *r, json_t *list, struct pvboot_error *e)
{
    struct output out;
    uint64_t done = 0;
    int rc = pvb_outdir_open(&out.dir, c->dir, e);

    if (rc)
        return rc;
    snprintf(out.name, sizeof(out.name), "%s.bin", r->name);
    rc = out.fd = pvb_outdir_begin(&out.dir, out.name, e);
    if (rc >= 0)
        rc = pvb_outdir_end(&out.dir, out.name, out.fd, write_range(c, r, &out, &done, e), e);
    pvb_outdir_close(&out.dir);
    if (rc)
        return pvb_in_file(e, c->dir, rc);
    json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o}", "name", r->name, "address", pvb_json_u64(r->address),
                                          "bytes", pvb_json_u64(done), "asked", pvb_json_u64(r->bytes)));
    return 0;
}

int capture_read(const struct capture *c, uint64_t address, void *buf, size_t bytes, struct pvboot_error *e)
{
    uint64_t skip = address % PVB_PAGE;
    size_t pages = (size_t)((skip + bytes + PVB_PAGE - 1) / PVB_PAGE), have;
    uint8_t *map;

    have = map_pages(c, address - skip, pages, &map);
    if (have == pages)
        memcpy(buf, map + skip, bytes);
    if (have)
        xenforeignmemory_unmap(c->fmem, map, have);
    return have == pages ? 0
                         : pvb_fail(e, PVBOOT_E_XEN, "domain %u has no %zu bytes at %#llx", c->domid, bytes,
                                    (unsigned long long)address);
}

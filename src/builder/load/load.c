/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the plan says, written through the guest's three verbs; in few calls, since each maps memory on Xen. */
#include "load.h"
#include "../segment/segment.h"

#include <stdlib.h>

#define PIECE (1u << 20) /* of an ELF that is not read where it is */

struct load {
    const struct pvboot_plan *plan;
    const struct pvboot_kernel *kernel;
    const struct pvboot_request *req;
    struct pvboot_guest *g;
    struct pvb_hash *hash; /* of what is being placed */
    struct pvboot_error *e;
};

static int write_gpa(const struct load *l, uint64_t gpa, struct pvboot_bytes b)
{
    return b.len ? l->g->ops->write(l->g, gpa, b.p, b.len, l->e) : 0;
}

static int zero_gpa(const struct load *l, uint64_t start, uint64_t end)
{
    return start < end ? l->g->ops->zero(l->g, start, end - start, l->e) : 0;
}

/* What the guest will be told the digest of. */
static int place_gpa(const struct load *l, uint64_t gpa, struct pvboot_bytes b)
{
    pvb_hash_more(l->hash, b);
    return write_gpa(l, gpa, b);
}

/* The protected-mode part.  The window behind it needs no zeroes: startup_32/64 clears its own bss and unpacks there. */
static int load_bzimage(const struct load *l)
{
    const struct pvboot_bzimage *bz = &l->kernel->image.bz;
    struct pvboot_bytes file = l->kernel->file, part = pvboot_sub(file, bz->kernel_off, bz->kernel_bytes);
    uint64_t end = bz->kernel_off + bz->kernel_bytes;
    int rc;

    if (part.len != bz->kernel_bytes)
        return pvb_fail(l->e, PVBOOT_E_INTERNAL, "kernel at %#llx+%#llx is outside its file of %zu bytes",
                        (unsigned long long)bz->kernel_off, (unsigned long long)bz->kernel_bytes, file.len);
    pvb_hash_more(l->hash, pvboot_sub(file, 0, bz->kernel_off));
    rc = place_gpa(l, l->plan->kernel_load_gpa, part);
    pvb_hash_more(l->hash, pvboot_sub(file, end, file.len - end));
    return rc;
}

/* Bytes that exist in the ELF. */
static int write_elf(const struct load *l, uint64_t gpa, uint64_t off, uint64_t n)
{
    const struct pvboot_kernel *k = l->kernel;
    uint8_t *piece;
    int rc = 0;

    if (!k->elf_get || !n)
        return write_gpa(l, gpa, pvboot_sub(k->elf, off, n));
    piece = calloc(1, PIECE);
    if (!piece)
        return pvb_fail(l->e, PVBOOT_E_HOST, "no memory to copy the ELF by way of");
    for (uint64_t done = 0, some; !rc && done < n; done += some) {
        some = n - done < PIECE ? n - done : PIECE;
        rc = k->elf_get(k, off + done, piece, (size_t)some, l->e);
        if (!rc)
            rc = write_gpa(l, gpa + done, (struct pvboot_bytes){ piece, (size_t)some });
    }
    free(piece);
    return rc;
}

/*
 * Each PT_LOAD, in order of address, and zeroes all around them: Xen need not have scrubbed the pages to 0.  What the
 * guest is told is the digest of the file, which is not what is placed: that takes a pass of its own.
 */
static int load_elf(const struct load *l)
{
    const struct pvboot_segment *seg = &l->plan->seg[PVBOOT_SEG_KERNEL];
    const struct pvboot_elf *elf = &l->kernel->image.elf;
    uint64_t end = seg->start;

    pvb_hash_more(l->hash, l->kernel->file);
    for (uint32_t i = 0; i < elf->n_loads; i++) {
        const struct pvboot_load *p = &elf->load[i];
        uint64_t gpa = p->gpa + (uint64_t)l->plan->elf_delta;
        int rc;

        if (!pvboot_has(l->kernel->elf, p->off, p->file_bytes))
            return pvb_fail(l->e, PVBOOT_E_INTERNAL, "PT_LOAD %u at %#llx+%#llx is outside the ELF of %zu bytes", i,
                            (unsigned long long)p->off, (unsigned long long)p->file_bytes, l->kernel->elf.len);
        rc = zero_gpa(l, end, gpa);
        if (!rc)
            rc = write_elf(l, gpa, p->off, p->file_bytes);
        if (rc)
            return rc;
        end = gpa + p->file_bytes;
    }
    return zero_gpa(l, end, seg->end);
}

static int load_kernel(const struct load *l)
{
    bool bzimage = l->plan->path == PVBOOT_PATH_LINUX32 || l->plan->path == PVBOOT_PATH_LINUX64;

    return bzimage ? load_bzimage(l) : load_elf(l);
}

static int load_ramdisks(const struct load *l)
{
    const struct pvboot_segment *seg = &l->plan->seg[PVBOOT_SEG_RAMDISK];
    uint64_t gpa = seg->start;

    for (uint32_t i = 0; i < l->req->n_ramdisks; i++) {
        uint64_t start = (gpa + 3) & ~3ull;
        int rc = zero_gpa(l, gpa, start);

        pvb_hash_more(l->hash, (struct pvboot_bytes){ (const uint8_t *)"\0\0\0", (size_t)(start - gpa) });
        if (!rc)
            rc = place_gpa(l, start, l->req->ramdisk[i]);
        if (rc)
            return rc;
        gpa = start + l->req->ramdisk[i].len;
    }
    return zero_gpa(l, gpa, seg->end);
}

/* A whole segment in one write, so that nothing of the toolstack's memory reaches the guest between structures. */
static int load_structures(const struct load *l, enum pvboot_segment_id id)
{
    const struct pvboot_segment *seg = &l->plan->seg[id];
    size_t n = (size_t)(seg->end - seg->start);
    uint8_t *buf;
    int rc;

    if (!seg->end)
        return 0;
    buf = calloc(1, n);
    if (!buf)
        return pvb_fail(l->e, PVBOOT_E_HOST, "no memory for %zu bytes of %s", n, pvboot_segment_name(id));
    rc = pvb_segment_write(l->plan, l->kernel, l->req, id, buf, l->e);
    if (!rc)
        rc = write_gpa(l, seg->start, (struct pvboot_bytes){ buf, n });
    explicit_bzero(buf, n); /* setup_data holds the guest's random seed */
    free(buf);
    return rc;
}

static int hash_cmdline(const struct load *l)
{
    const char *cmdline = l->req->cmdline ? l->req->cmdline : "";

    pvb_hash_more(l->hash, (struct pvboot_bytes){ (const uint8_t *)cmdline, strlen(cmdline) });
    return 0;
}

/* Do @step, with the digest of what it places for @digest, if the guest is told any. */
static int do_step(const struct load *l, int (*step)(const struct load *l), uint8_t digest[32])
{
    bool told = l->req->digests.wanted && pvb_has_handover(l->plan, &l->kernel->image, l->req);
    int rc = told ? pvb_hash_open(l->hash, l->e) : 0;

    if (rc)
        return rc;
    rc = step(l);
    if (told)
        pvb_hash_close(l->hash, rc ? NULL : digest);
    return rc;
}

/* The digests are known before the structure that tells them is made. */
int pvboot_load(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel, const struct pvboot_request *req,
                struct pvboot_guest *g, struct pvboot_error *e)
{
    struct pvboot_request told = *req;
    struct pvb_hash hash = { 0 };
    const struct load l = { plan, kernel, &told, g, &hash, e };
    int rc = do_step(&l, load_kernel, told.digests.kernel);

    if (!rc)
        rc = do_step(&l, load_ramdisks, told.digests.ramdisk);
    if (!rc)
        rc = do_step(&l, hash_cmdline, told.digests.cmdline);
    for (enum pvboot_segment_id id = 0; !rc && id < PVBOOT_SEGMENTS; id++)
        if (pvb_segment_is_structure(id))
            rc = load_structures(&l, id);
    explicit_bzero(told.rng_seed, sizeof(told.rng_seed));
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the plan says, written through the guest's verbs; in few calls, since each maps memory on Xen. */
#include "load.h"
#include "../segment/segment.h"

#include <stdlib.h>

#define PIECE (1u << 20) /* of what a guest that has no fill is given */

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

/* A source that is hashed as it is read. */
struct hashed {
    struct pvboot_source source; /* first member */
    const struct pvboot_source *from;
    struct pvb_hash *hash;
};

static int get_hashed(const struct pvboot_source *s, uint64_t off, void *dst, size_t n, struct pvboot_error *e)
{
    const struct hashed *h = (const struct hashed *)s;
    int rc = h->from->get(h->from, off, dst, n, e);

    if (!rc)
        pvb_hash_more(h->hash, (struct pvboot_bytes){ dst, n });
    return rc;
}

/* By way of memory, in parts; @gpa NULL: only to have them hashed. */
static int get_parts(const struct load *l, const uint64_t *gpa, const struct pvboot_piece *piece)
{
    uint8_t *part = calloc(1, PIECE);
    int rc = 0;

    if (!part)
        return pvb_fail(l->e, PVBOOT_E_HOST, "no memory to copy by way of");
    for (uint64_t done = 0, some; !rc && done < piece->n; done += some) {
        some = piece->n - done < PIECE ? piece->n - done : PIECE;
        rc = piece->from->get(piece->from, piece->off + done, part, (size_t)some, l->e);
        if (!rc && gpa)
            rc = write_gpa(l, *gpa + done, (struct pvboot_bytes){ part, (size_t)some });
    }
    free(part);
    return rc;
}

/* A table of the time before there was fill ends before it. */
static bool fills(const struct pvboot_guest_ops *ops)
{
    return ops->bytes >= offsetof(struct pvboot_guest_ops, fill) + sizeof(ops->fill) && ops->fill;
}

/* What a source has, hashed on its way. */
static int fill_gpa(const struct load *l, uint64_t gpa, const struct pvboot_piece *piece)
{
    const struct hashed h = { { .get = get_hashed }, piece->from, l->hash };
    const struct pvboot_piece hashed = { l->hash->md ? &h.source : piece->from, piece->off, piece->n };

    if (!piece->n)
        return 0;
    return fills(l->g->ops) ? l->g->ops->fill(l->g, gpa, &hashed, l->e) : get_parts(l, &gpa, &hashed);
}

/* The file that the guest may be told the digest of, whatever the kernel is wrapped in. */
static struct pvboot_bytes whole_file(const struct pvboot_kernel *k)
{
    return k->whole.len ? k->whole : k->file;
}

/* Bytes of the kernel's file that the guest does not get, for the digest of all of it. */
static int hash_file(const struct load *l, uint64_t off, uint64_t n)
{
    const struct hashed h = { { .get = get_hashed }, &l->kernel->file_from, l->hash };

    if (!l->hash->md || !n)
        return 0;
    if (h.from->get)
        return get_parts(l, NULL, &(struct pvboot_piece){ &h.source, off, (size_t)n });
    pvb_hash_more(l->hash, pvboot_sub(whole_file(l->kernel), off, n));
    return 0;
}

static int place_part(const struct load *l, uint64_t off, uint64_t n)
{
    const struct pvboot_kernel *k = l->kernel;

    if (k->file_from.get)
        return fill_gpa(l, l->plan->kernel_load_gpa, &(struct pvboot_piece){ &k->file_from, off, (size_t)n });
    return place_gpa(l, l->plan->kernel_load_gpa, pvboot_sub(k->file, off, n));
}

/* The protected-mode part.  The window behind it needs no zeroes: startup_32/64 clears its own bss and unpacks there. */
static int load_bzimage(const struct load *l)
{
    const struct pvboot_bzimage *bz = &l->kernel->image.bz;
    uint64_t off = bz->kernel_off, n = bz->kernel_bytes;
    struct pvboot_bytes file = l->kernel->file;
    int rc;

    if (!pvboot_has(file, off, n))
        return pvb_fail(l->e, PVBOOT_E_INTERNAL, "kernel at %#llx+%#llx is outside its file of %zu bytes",
                        (unsigned long long)off, (unsigned long long)n, file.len);
    if (file.p != whole_file(l->kernel).p) {
        rc = hash_file(l, 0, whole_file(l->kernel).len);
        return rc ? rc : write_gpa(l, l->plan->kernel_load_gpa, pvboot_sub(file, off, n));
    }
    rc = hash_file(l, 0, off);
    if (!rc)
        rc = place_part(l, off, n);
    if (!rc)
        rc = hash_file(l, off + n, file.len - off - n);
    return rc;
}

/* Bytes that exist in the ELF, and may lie in the guest already. */
static int write_elf(const struct load *l, uint64_t gpa, uint64_t off, uint64_t n)
{
    const struct pvboot_kernel *k = l->kernel;
    const struct pvboot_piece piece = { &k->elf_from, k->elf_off + off, (size_t)n };

    if (k->placed)
        return 0;
    if (!n || !k->elf_from.get)
        return write_gpa(l, gpa, pvboot_sub(k->elf, off, n));
    return fills(l->g->ops) ? l->g->ops->fill(l->g, gpa, &piece, l->e) : get_parts(l, &gpa, &piece);
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
    int rc;

    if (l->kernel->placed && l->plan->elf_delta)
        return pvb_fail(l->e, PVBOOT_E_INTERNAL, "a kernel that lies in the guest was to be moved");
    rc = l->kernel->has_sha256 ? 0 : hash_file(l, 0, whole_file(l->kernel).len);

    for (uint32_t i = 0; !rc && i < elf->n_loads; i++) {
        const struct pvboot_load *p = &elf->load[i];
        uint64_t gpa = p->gpa + (uint64_t)l->plan->elf_delta;

        if (!pvboot_has(l->kernel->elf, p->off, p->file_bytes))
            return pvb_fail(l->e, PVBOOT_E_INTERNAL, "PT_LOAD %u at %#llx+%#llx is outside the ELF of %zu bytes", i,
                            (unsigned long long)p->off, (unsigned long long)p->file_bytes, l->kernel->elf.len);
        rc = zero_gpa(l, end, gpa);
        if (!rc)
            rc = write_elf(l, gpa, p->off, p->file_bytes);
        end = gpa + p->file_bytes;
    }
    return rc ? rc : zero_gpa(l, end, seg->end);
}

static int load_kernel(const struct load *l)
{
    bool bzimage = l->plan->path == PVBOOT_PATH_LINUX32 || l->plan->path == PVBOOT_PATH_LINUX64;

    return bzimage ? load_bzimage(l) : load_elf(l);
}

static int place_ramdisk(const struct load *l, uint64_t gpa, uint32_t i)
{
    const struct pvboot_piece piece = { &l->req->ramdisk_from[i], 0, l->req->ramdisk[i].len };

    return piece.from->get ? fill_gpa(l, gpa, &piece) : place_gpa(l, gpa, l->req->ramdisk[i]);
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
            rc = place_ramdisk(l, start, i);
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
    if (l->plan->path == PVBOOT_PATH_PV)
        rc = pvb_pv_write(l->plan, l->kernel, l->req, id, buf, l->e);
    else
        rc = id == PVBOOT_SEG_ACPI ? pvb_acpi_write(l->plan, buf, l->e)
                                   : pvb_segment_write(l->plan, l->kernel, l->req, id, buf, l->e);
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
    bool told = l->req->digests.wanted && l->plan->path != PVBOOT_PATH_PV &&
                pvb_has_handover(l->plan, &l->kernel->image, l->req);
    int rc = told ? pvb_hash_open(l->hash, l->e) : 0;

    if (rc)
        return rc;
    rc = step(l);
    if (told)
        pvb_hash_close(l->hash, rc ? NULL : digest);
    return rc;
}

static bool is_structure(const struct pvboot_plan *plan, enum pvboot_segment_id id)
{
    if (plan->path == PVBOOT_PATH_PV)
        return pvb_pv_is_structure(id);
    return pvb_segment_is_structure(id) || (id == PVBOOT_SEG_ACPI && plan->machine.tables);
}

/* The digests are known before the structure that tells them is made. */
int pvboot_load(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel, const struct pvboot_request *req,
                struct pvboot_guest *g, struct pvboot_error *e)
{
    struct pvboot_request told = *req;
    struct pvb_hash hash = { 0 };
    const struct load l = { plan, kernel, &told, g, &hash, e };
    int rc = do_step(&l, load_kernel, told.digests.kernel);

    if (pvb_loads_elf(plan->path) && kernel->has_sha256)
        memcpy(told.digests.kernel, kernel->sha256, sizeof(kernel->sha256));
    if (!rc)
        rc = do_step(&l, load_ramdisks, told.digests.ramdisk);
    if (!rc)
        rc = do_step(&l, hash_cmdline, told.digests.cmdline);
    for (enum pvboot_segment_id id = 0; !rc && id < PVBOOT_SEGMENTS; id++)
        if (is_structure(plan, id))
            rc = load_structures(&l, id);
    explicit_bzero(told.rng_seed, sizeof(told.rng_seed));
    return rc;
}

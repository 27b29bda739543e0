/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From modules to a guest that is ready to start.
 *
 * The toolstack's planner decides where everything goes, as if memory were empty: the same guest lies the same way
 * whoever fills it.  But memory is not empty: modules and stub lie where their own and each other's places are.  So
 * the structures are emitted into memory that nothing uses, now or then, and all the moves, theirs too, are left
 * to the code in the departure page, which lies there as well.
 */
#include "../builder/plan/plan.h"
#include "../builder/segment/segment.h"
#include "stub.h"

#include <pvboot/handover.h>

#define LOW_START 0x10000ull /* clear of the interrupt table and BIOS data */
#define LOW_END 0xa0000ull   /* the ISA hole */

static bool overlap(uint32_t a, uint32_t a_bytes, uint32_t b, uint32_t b_bytes)
{
    return a < (uint64_t)b + b_bytes && b < (uint64_t)a + a_bytes;
}

/* Does @m write over what another of @move still has to read? */
static bool destroys(const struct pvb_move *m, const struct pvb_move *move, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (&move[i] != m && move[i].src && overlap(m->dst, m->bytes, move[i].src, move[i].bytes))
            return true;
    return false;
}

bool pvb_stub_order(struct pvb_move *move, uint32_t n)
{
    for (; n; move++, n--) {
        struct pvb_move first = *move;
        uint32_t i = 0;

        while (i < n && destroys(&move[i], move, n))
            i++;
        if (i == n)
            return false;
        *move = move[i];
        move[i] = first;
    }
    return true;
}

/* What entry= means inside the guest. */
static int choose_path(struct pvb_stub *s, struct pvboot_error *e)
{
    struct pvboot_request *req = &s->req;

    if (req->path == PVBOOT_PATH_STUB)
        req->path = req->stub_path;
    if (s->long_mode)
        return 0;
    if (req->path == PVBOOT_PATH_LINUX64)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "entry=linux64: this CPU has no long mode");
    if (req->path == PVBOOT_PATH_AUTO)
        req->path = PVBOOT_PATH_LINUX32;
    return 0;
}

/* @bytes that belong neither to the guest as it will be nor to anything that is still needed. */
static int find_scratch(const struct pvb_stub *s, uint64_t bytes, uint64_t *gpa, struct pvboot_error *e)
{
    struct pvb_want want = { .bytes = bytes, .align = PVB_PAGE, .from = PVB_LOW_MEM_END, .limit = PVB_4G };
    struct pvboot_memmap map = s->machine.map;
    struct pvb_room room;
    struct pvboot_range used[PVBOOT_SEGMENTS + 3] = {
        { s->start_gpa, s->end_gpa, PVBOOT_RESERVED },
        { s->kernel_gpa, s->kernel_gpa + s->kernel.file.len, PVBOOT_RESERVED },
        { s->ramdisk_gpa, s->ramdisk_gpa + s->req.ramdisk[0].len, PVBOOT_RESERVED },
    };

    for (size_t i = 0; i < PVBOOT_SEGMENTS; i++)
        used[3 + i] = (struct pvboot_range){ s->plan.seg[i].start, s->plan.seg[i].end, PVBOOT_RESERVED };
    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
        if (used[i].start < used[i].end && pvboot_memmap_set(&map, used[i].start, used[i].end, PVBOOT_RESERVED, e))
            return -e->code;
    pvb_room_init(&room, &map);
    if (pvb_room_lowest(&room, &want, gpa))
        return 0;
    want.from = LOW_START;
    want.limit = LOW_END;
    if (pvb_room_lowest(&room, &want, gpa))
        return 0;
    return pvb_fail(e, PVBOOT_E_NOFIT, "%llu bytes to assemble boot structures in, beside kernel and ramdisk",
                    (unsigned long long)bytes);
}

static void add_move(struct pvb_departure *d, uint64_t dst, uint64_t src, uint64_t bytes)
{
    if (bytes && dst != src && d->n_moves < PVB_MOVES_MAX)
        d->move[d->n_moves++] = (struct pvb_move){ (uint32_t)dst, (uint32_t)src, (uint32_t)bytes };
}

static void move_modules(const struct pvb_stub *s, struct pvb_departure *d)
{
    const struct pvboot_segment *seg = &s->plan.seg[PVBOOT_SEG_RAMDISK];

    add_move(d, s->plan.kernel_load_gpa, s->kernel_gpa + s->kernel.image.bz.kernel_off, s->plan.kernel_load_bytes);
    add_move(d, seg->start, s->ramdisk_gpa, seg->bytes);
    add_move(d, seg->start + seg->bytes, 0, seg->end - seg->start - seg->bytes);
}

/* The structures go to @gpa and on, each as large as its segment. */
static int emit(const struct pvb_stub *s, struct pvb_departure *d, uint64_t gpa, struct pvboot_error *e)
{
    int rc = 0;

    for (enum pvboot_segment_id id = 0; !rc && id < PVBOOT_SEGMENTS; id++) {
        const struct pvboot_segment *seg = &s->plan.seg[id];

        if (!pvb_segment_is_structure(id) || !seg->end)
            continue;
        memset(s->memory + gpa, 0, (size_t)(seg->end - seg->start));
        rc = pvb_segment_write(&s->plan, &s->kernel, &s->req, id, s->memory + gpa, e);
        add_move(d, seg->start, gpa, seg->end - seg->start);
        gpa += seg->end - seg->start;
    }
    return rc;
}

static void set_state(const struct pvboot_vcpu *v, struct pvb_departure *d)
{
    d->cr0 = (uint32_t)v->cr0;
    d->cr3 = (uint32_t)v->cr3;
    d->cr4 = (uint32_t)v->cr4;
    d->efer = (uint32_t)v->efer;
    d->rip = (uint32_t)v->rip;
    d->rsi = (uint32_t)v->rsi;
    d->cs = v->cs;
    d->ds = v->ds;
    d->gdt_gpa = (uint32_t)v->gdt_gpa;
    d->gdt_limit = (uint16_t)v->gdt_limit;
}

static int plan(struct pvb_stub *s, struct pvboot_error *e)
{
    int rc = choose_path(s, e);

    s->req.filler = PVBOOT_FILLER_STUB;
    s->req.has_rng_seed = false; /* a stub has no entropy, and zeroes would be taken for some */
    if (!rc)
        rc = pvb_plan_make(&s->plan, &s->kernel.image, &s->machine, &s->req, e);
    return rc;
}

int pvb_stub_prepare(struct pvb_stub *s, struct pvboot_error *e)
{
    uint64_t bytes = PVB_DEP_BYTES, gpa = 0;
    struct pvb_departure *d;
    int rc = plan(s, e);

    for (enum pvboot_segment_id id = 0; id < PVBOOT_SEGMENTS; id++)
        if (pvb_segment_is_structure(id))
            bytes += s->plan.seg[id].end - s->plan.seg[id].start;
    if (!rc)
        rc = find_scratch(s, bytes, &gpa, e);
    if (rc)
        return rc;
    d = (struct pvb_departure *)(void *)(s->memory + gpa);
    memset(d, 0, sizeof(*d));
    set_state(&s->plan.vcpu, d);
    move_modules(s, d);
    rc = emit(s, d, gpa + PVB_DEP_BYTES, e);
    if (!rc && !pvb_stub_order(d->move, d->n_moves))
        rc = pvb_fail(e, PVBOOT_E_NOFIT, "kernel and ramdisk lie in each other's places: the guest needs more memory");
    s->departure = d;
    return rc;
}

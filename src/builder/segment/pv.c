/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the segments of a PV guest hold.  Spec: Xen public xen.h, "Start-of-day memory layout". */
#include "../../startinfo/pv_start_info.h"
#include "segment.h"

static uint64_t list_bytes(const struct pvboot_plan *plan)
{
    uint64_t pages = pvboot_memmap_bytes(&plan->machine.map, PVBOOT_RAM) / PVB_PAGE;

    return (pages * sizeof(uint64_t) + PVB_PAGE - 1) & ~(PVB_PAGE - 1);
}

static bool is_apart(const struct pvboot_plan *plan)
{
    return plan->pv.p2m_va != plan->pv.virt_base + plan->seg[PVBOOT_SEG_P2M].start;
}

void pvb_pv_layout(struct pvb_pv_layout *l, const struct pvboot_plan *plan)
{
    const struct pvboot_segment *p2m = &plan->seg[PVBOOT_SEG_P2M];

    l->map[0] = (struct pvb_pv_map){
        .va = plan->pv.virt_base,
        .bytes = plan->pv.mapped_end,
        .tables_gpa = plan->seg[PVBOOT_SEG_PAGE_TABLES].start,
    };
    l->map[1] = (struct pvb_pv_map){
        .va = plan->pv.p2m_va,
        .bytes = list_bytes(plan),
        .gpa = p2m->start,
        .tables_gpa = p2m->start + list_bytes(plan),
    };
    l->space = (struct pvb_pv_space){ l->map, is_apart(plan) ? 2 : 1, plan->machine.mfn };
}

struct origin {
    const struct pvboot_plan *plan;
    const struct pvboot_image *img;
    const struct pvboot_request *req;
    struct pvb_pv_layout layout;
};

static uint64_t emit_start_info(const struct origin *o, struct pvb_blob *b)
{
    const struct pvboot_plan *p = o->plan;
    const struct pvboot_machine *m = &p->machine;
    const struct pvboot_segment *p2m = &p->seg[PVBOOT_SEG_P2M], *ramdisk = &p->seg[PVBOOT_SEG_RAMDISK];
    bool apart = o->layout.space.n > 1, by_pfn = o->img->elf.notes.pv.mod_start_pfn;

    return pvb_put_pv_start_info(b,
                                 &(struct pvb_pv_start_info){
                                     .pages = pvboot_memmap_bytes(&m->map, PVBOOT_RAM) / PVB_PAGE,
                                     .shared_info_ma = m->shared_info_ma,
                                     .store_frame = pvb_pv_frame(m->mfn, m->xenstore_gpa),
                                     .console_frame = pvb_pv_frame(m->mfn, m->console_gpa),
                                     .store_port = m->xenstore_evtchn,
                                     .console_port = m->console_evtchn,
                                     .tables_va = p->pv.virt_base + p->seg[PVBOOT_SEG_PAGE_TABLES].start,
                                     .n_tables = pvb_pv_tables(&o->layout.space, 0),
                                     .p2m_va = p->pv.p2m_va,
                                     .p2m_pfn = apart ? p2m->start / PVB_PAGE : 0,
                                     .n_p2m = apart ? (p2m->end - p2m->start) / PVB_PAGE : 0,
                                     .ramdisk = by_pfn ? ramdisk->start / PVB_PAGE : p->pv.virt_base + ramdisk->start,
                                     .ramdisk_bytes = ramdisk->bytes,
                                     .ramdisk_is_pfn = by_pfn,
                                     .cmdline = o->req->cmdline,
                                 });
}

static uint64_t emit_tables(const struct origin *o, struct pvb_blob *b)
{
    return pvb_put_pv_tables(b, &o->layout.space, 0);
}

/* The list, and the tables that map it where it is mapped apart. */
static uint64_t emit_p2m(const struct origin *o, struct pvb_blob *b)
{
    const struct pvboot_machine *m = &o->plan->machine;
    uint64_t pages = pvboot_memmap_bytes(&m->map, PVBOOT_RAM) / PVB_PAGE;
    uint64_t gpa = pvb_reserve(b, (size_t)list_bytes(o->plan), PVB_PAGE);

    for (uint64_t i = 0; b->buf && gpa && i < pages; i++) {
        uint64_t mfn = pvb_pv_frame(m->mfn, i * PVB_PAGE);

        pvb_poke(b, gpa + i * sizeof(mfn), &mfn, sizeof(mfn));
    }
    if (o->layout.space.n > 1)
        pvb_put_pv_tables(b, &o->layout.space, 1);
    return gpa;
}

static uint64_t emit_page(const struct origin *o, struct pvb_blob *b)
{
    (void)o;
    return pvb_reserve(b, PVB_PAGE, PVB_PAGE);
}

/* xenstore's ring and the console's. */
static uint64_t emit_rings(const struct origin *o, struct pvb_blob *b)
{
    (void)o;
    return pvb_reserve(b, PVB_PV_RINGS * PVB_PAGE, PVB_PAGE);
}

static uint64_t (*const emit[PVBOOT_SEGMENTS])(const struct origin *o, struct pvb_blob *b) = {
    [PVBOOT_SEG_START_INFO] = emit_start_info,
    [PVBOOT_SEG_PAGE_TABLES] = emit_tables,
    [PVBOOT_SEG_P2M] = emit_p2m,
    [PVBOOT_SEG_STACK] = emit_page,
    [PVBOOT_SEG_SPECIAL] = emit_rings,
};

bool pvb_pv_is_structure(enum pvboot_segment_id id)
{
    return emit[id] != NULL;
}

uint64_t pvb_pv_bytes(const struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_request *req,
                      enum pvboot_segment_id id)
{
    struct origin o = { .plan = plan, .img = img, .req = req };
    struct pvb_blob b = pvb_blob_measure();

    if (id == PVBOOT_SEG_RAMDISK)
        return pvb_segment_bytes(plan, img, req, id);
    pvb_pv_layout(&o.layout, plan);
    if (emit[id])
        emit[id](&o, &b);
    return b.used;
}

int pvb_pv_write(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel, const struct pvboot_request *req,
                 enum pvboot_segment_id id, uint8_t *buf, struct pvboot_error *e)
{
    const struct pvboot_segment *seg = &plan->seg[id];
    struct origin o = { .plan = plan, .img = &kernel->image, .req = req };
    struct pvb_blob b = { .gpa = seg->start, .buf = buf, .cap = (size_t)(seg->end - seg->start) };
    uint64_t bytes = pvb_segment_bytes(plan, &kernel->image, req, PVBOOT_SEG_RAMDISK);

    pvb_pv_layout(&o.layout, plan);
    if (plan->seg[PVBOOT_SEG_RAMDISK].bytes != bytes)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "ramdisk of %llu bytes in a segment for %llu", (unsigned long long)bytes,
                        (unsigned long long)plan->seg[PVBOOT_SEG_RAMDISK].bytes);
    if (!seg->start || emit[id](&o, &b) != seg->start || !pvb_blob_ok(&b))
        return pvb_fail(e, PVBOOT_E_INTERNAL, "%s outgrows its segment of %llu bytes at %#llx", pvboot_segment_name(id),
                        (unsigned long long)(seg->end - seg->start), (unsigned long long)seg->start);
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "emit.h"
#include "../startinfo/gdt.h"
#include "../startinfo/page_tables.h"
#include "../startinfo/setup_data.h"
#include "../startinfo/zero_page.h"

#include <string.h>

/* What an emitter may look at. @header is empty while measuring and for a bare ELF. */
struct source {
    const struct pvboot_plan *plan;
    const struct pvboot_image *img;
    const struct pvboot_request *req;
    struct pvboot_bytes header;
};

static bool on_zero_page(const struct pvboot_plan *plan)
{
    return plan->path == PVBOOT_PATH_LINUX32 || plan->path == PVBOOT_PATH_LINUX64 ||
           plan->path == PVBOOT_PATH_VMLINUX64;
}

static bool on_start_info(const struct pvboot_plan *plan)
{
    return plan->path == PVBOOT_PATH_PVH || plan->path == PVBOOT_PATH_STUB;
}

static bool has_chain(const struct pvboot_plan *plan, const struct pvboot_image *img)
{
    return on_zero_page(plan) && (!img->has_bzimage || img->bz.protocol >= PVB_BOOT_2_09);
}

/* kernel_info's setup_type_max has SETUP_INDIRECT set beside the highest type; 0: the kernel does not say. */
static bool lists_type(const struct pvboot_image *img, uint32_t type)
{
    uint32_t max = img->has_bzimage ? img->bz.setup_type_max : 0;

    return !max || type <= (max & ~PVBOOT_SETUP_INDIRECT);
}

bool pvb_emit_can_start_info(void)
{
    return pvb_start_info_built_in();
}

bool pvb_emit_has_handover(const struct pvboot_plan *plan, const struct pvboot_image *img,
                           const struct pvboot_request *req)
{
    return req->hypervisor != PVBOOT_HYPERVISOR_NONE && has_chain(plan, img) &&
           (!req->strict || lists_type(img, PVBOOT_SETUP_TYPE));
}

/*
 * A seed that the kernel would not consume, and so not wipe, would stay readable for every user of the guest: only for
 * one that says it knows the type.
 */
static bool has_rng_seed(const struct source *s)
{
    return s->req->has_rng_seed && s->img->has_bzimage && s->img->bz.setup_type_max &&
           lists_type(s->img, SETUP_RNG_SEED);
}

uint64_t pvb_emit_ramdisk_bytes(const struct pvboot_request *req)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < req->n_ramdisks; i++)
        bytes = ((bytes + 3) & ~3ull) + req->ramdisk[i].len;
    return bytes;
}

static enum pvboot_filler filler_of(const struct source *s)
{
    return s->req->filler ? s->req->filler : PVBOOT_FILLER_TOOLSTACK;
}

static struct pvb_start_info start_info_of(const struct source *s)
{
    const struct pvboot_segment *seg = s->plan->seg;

    return (struct pvb_start_info){
        .cmdline_gpa = seg[PVBOOT_SEG_CMDLINE].start,
        .rsdp_gpa = s->plan->machine.rsdp_gpa,
        .ramdisk_gpa = seg[PVBOOT_SEG_RAMDISK].start,
        .ramdisk_bytes = pvb_emit_ramdisk_bytes(s->req),
        .map = s->plan->e820.r,
        .n_map = s->plan->e820.n,
    };
}

static uint64_t emit_start_info(const struct source *s, struct pvb_blob *b)
{
    const struct pvb_start_info si = start_info_of(s);

    return pvb_put_start_info(b, &si);
}

static void put_handover(const struct source *s, struct pvb_chain *c)
{
    const struct pvb_start_info si = start_info_of(s);
    const struct pvboot_digests *d = &s->req->digests;
    struct pvb_handover in = {
        .filler = filler_of(s),
        .start_info = &si,
        .console_gpa = s->plan->machine.console_gpa,
        .console_evtchn = s->plan->machine.console_evtchn,
        .xenstore_gpa = s->plan->machine.xenstore_gpa,
        .xenstore_evtchn = s->plan->machine.xenstore_evtchn,
        .builder = "pvboot " PVBOOT_VERSION,
        .sha256_kernel = d->present ? d->kernel : NULL,
        .sha256_ramdisk = d->present && s->req->n_ramdisks ? d->ramdisk : NULL,
        .sha256_cmdline = d->present && s->req->cmdline ? d->cmdline : NULL,
    };

    memcpy(in.signature, "XenVMMXenVMM", sizeof(in.signature));
    pvb_chain_put_handover(c, &in);
}

static uint64_t emit_setup_data(const struct source *s, struct pvb_blob *b)
{
    struct pvb_chain c = { .blob = b };

    if (!has_chain(s->plan, s->img))
        return 0;
    if (pvb_emit_has_handover(s->plan, s->img, s->req))
        put_handover(s, &c);
    pvb_chain_put_e820(&c, s->plan->e820.r, s->plan->e820.n);
    if (has_rng_seed(s))
        pvb_chain_put(&c, SETUP_RNG_SEED, s->req->rng_seed, sizeof(s->req->rng_seed));
    return c.head_gpa;
}

static uint64_t emit_zero_page(const struct source *s, struct pvb_blob *b)
{
    const struct pvboot_segment *seg = s->plan->seg;
    struct boot_params bp;

    pvb_fill_zero_page(&bp, &(struct pvb_zero_page){
                                .header = s->header,
                                .filler = filler_of(s),
                                .kernel_gpa = s->plan->kernel_load_gpa,
                                .ramdisk_gpa = seg[PVBOOT_SEG_RAMDISK].start,
                                .ramdisk_bytes = pvb_emit_ramdisk_bytes(s->req),
                                .cmdline_gpa = seg[PVBOOT_SEG_CMDLINE].start,
                                .rsdp_gpa = s->plan->machine.rsdp_gpa,
                                .setup_data_gpa = seg[PVBOOT_SEG_SETUP_DATA].start,
                                .subarch = s->plan->subarch,
                                .subarch_data = s->plan->subarch_data,
                                .e820 = s->plan->e820.r,
                                .n_e820 = s->plan->e820.n,
                            });
    return pvb_put(b, &bp, sizeof(bp), PVB_PAGE);
}

static uint64_t emit_cmdline(const struct source *s, struct pvb_blob *b)
{
    const char *cmdline = s->req->cmdline ? s->req->cmdline : "";

    return pvb_put(b, cmdline, strlen(cmdline) + 1, 1);
}

static uint64_t emit_gdt(const struct source *s, struct pvb_blob *b)
{
    return pvb_put_gdt(b, s->plan->vcpu.mode);
}

static uint64_t emit_page_tables(const struct source *s, struct pvb_blob *b)
{
    struct pvb_span map[1 + PVBOOT_SEGMENTS] = { { 0, PVB_4G } };

    for (size_t i = 0; i < PVBOOT_SEGMENTS; i++)
        if (s->plan->seg[i].end > PVB_4G)
            map[1 + i] = (struct pvb_span){ s->plan->seg[i].start, s->plan->seg[i].end };
    return pvb_put_page_tables(b, map, sizeof(map) / sizeof(map[0]));
}

typedef uint64_t emit_fn(const struct source *s, struct pvb_blob *b);

static emit_fn *const emitter[PVBOOT_SEGMENTS] = {
    [PVBOOT_SEG_ZERO_PAGE] = emit_zero_page,
    [PVBOOT_SEG_CMDLINE] = emit_cmdline,
    [PVBOOT_SEG_SETUP_DATA] = emit_setup_data,
    [PVBOOT_SEG_START_INFO] = emit_start_info,
    [PVBOOT_SEG_GDT] = emit_gdt,
    [PVBOOT_SEG_PAGE_TABLES] = emit_page_tables,
};

static uint64_t measure(emit_fn *emit, const struct source *s)
{
    struct pvb_blob b = pvb_blob_measure();

    emit(s, &b);
    return b.used;
}

void pvb_emit_sizes(const struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_request *req,
                    uint64_t *setup_data_bytes, uint64_t *start_info_bytes)
{
    const struct source s = { .plan = plan, .img = img, .req = req };

    *setup_data_bytes = measure(emit_setup_data, &s);
    *start_info_bytes = on_start_info(plan) ? measure(emit_start_info, &s) : 0;
}

uint64_t pvb_emit_page_tables_bytes(const struct pvboot_plan *plan)
{
    const struct source s = { .plan = plan };

    return plan->path == PVBOOT_PATH_LINUX64 || plan->path == PVBOOT_PATH_VMLINUX64 ? measure(emit_page_tables, &s) : 0;
}

bool pvb_emit_knows(enum pvboot_segment_id id)
{
    return emitter[id] != NULL;
}

static int check_agreement(const struct source *s, struct pvboot_error *e)
{
    const struct pvboot_plan *plan = s->plan;
    uint64_t ramdisk_bytes = pvb_emit_ramdisk_bytes(s->req);
    bool handover = pvb_emit_has_handover(plan, s->img, s->req);

    if (plan->seg[PVBOOT_SEG_RAMDISK].bytes != ramdisk_bytes)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "ramdisk of %llu bytes in a segment for %llu",
                        (unsigned long long)ramdisk_bytes, (unsigned long long)plan->seg[PVBOOT_SEG_RAMDISK].bytes);
    if (plan->handover_gpa != (handover ? plan->seg[PVBOOT_SEG_SETUP_DATA].start : 0))
        return pvb_fail(e, PVBOOT_E_INTERNAL, "plan has the hypervisor node at %#llx, setup_data starts at %#llx",
                        (unsigned long long)plan->handover_gpa,
                        (unsigned long long)plan->seg[PVBOOT_SEG_SETUP_DATA].start);
    return 0;
}

int pvb_emit_segment(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel,
                     const struct pvboot_request *req, enum pvboot_segment_id id, uint8_t *buf, struct pvboot_error *e)
{
    const struct pvboot_segment *seg = &plan->seg[id];
    const struct pvboot_image *img = &kernel->image;
    const struct source s = {
        .plan = plan,
        .img = img,
        .req = req,
        .header = img->has_bzimage ? pvboot_sub(kernel->file, PVB_HEADER_OFF, img->bz.header_bytes)
                                   : (struct pvboot_bytes){ NULL, 0 },
    };
    struct pvb_blob b = { .gpa = seg->start, .buf = buf, .cap = (size_t)(seg->end - seg->start) };
    int rc = check_agreement(&s, e);

    if (rc)
        return rc;
    if (!seg->start || emitter[id](&s, &b) != seg->start || !pvb_blob_ok(&b))
        return pvb_fail(e, PVBOOT_E_INTERNAL, "%s outgrows its segment of %llu bytes at %#llx", pvboot_segment_name(id),
                        (unsigned long long)(seg->end - seg->start), (unsigned long long)seg->start);
    return 0;
}

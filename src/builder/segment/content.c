/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What each segment holds, from plan to bytes: the bridge to src/startinfo, which knows no plan.  Measuring a segment and
 * writing it are the same code, without and with a buffer.
 */
#include "../../startinfo/gdt.h"
#include "../../startinfo/page_tables.h"
#include "../../startinfo/setup_data.h"
#include "../../startinfo/zero_page.h"
#include "segment.h"

#include <string.h>

/* What the contents are made from. @header is empty while measuring and for a bare ELF. */
struct origin {
    const struct pvboot_plan *plan;
    const struct pvboot_image *img;
    const struct pvboot_request *req;
    struct pvboot_bytes header;
};

static bool has_chain(const struct pvboot_plan *plan, const struct pvboot_image *img)
{
    return !pvb_is_pvh(plan->path) && (!img->has_bzimage || img->bz.protocol >= PVB_BOOT_2_09);
}

/* kernel_info's setup_type_max has SETUP_INDIRECT set beside the highest type; 0: the kernel does not say. */
static bool lists_type(const struct pvboot_image *img, uint32_t type)
{
    uint32_t max = img->has_bzimage ? img->bz.setup_type_max : 0;

    return !max || type <= (max & ~PVBOOT_SETUP_INDIRECT);
}

bool pvb_can_start_info(void)
{
    return pvb_start_info_built_in();
}

bool pvb_has_handover(const struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_request *req)
{
    return req->hypervisor != PVBOOT_HYPERVISOR_NONE && has_chain(plan, img) &&
           (!req->strict || lists_type(img, PVBOOT_SETUP_TYPE));
}

/*
 * A seed that the kernel would not consume, and so not wipe, would stay readable for every user of the guest: only for
 * one that says it knows the type.
 */
static bool has_rng_seed(const struct origin *o)
{
    return o->req->has_rng_seed && o->img->has_bzimage && o->img->bz.setup_type_max &&
           lists_type(o->img, SETUP_RNG_SEED);
}

static uint64_t ramdisk_bytes(const struct pvboot_request *req)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < req->n_ramdisks; i++)
        bytes = ((bytes + 3) & ~3ull) + req->ramdisk[i].len;
    return bytes;
}

static enum pvboot_filler filler_of(const struct origin *o)
{
    return o->req->filler ? o->req->filler : PVBOOT_FILLER_TOOLSTACK;
}

static struct pvb_start_info start_info_of(const struct origin *o)
{
    const struct pvboot_segment *seg = o->plan->seg;

    return (struct pvb_start_info){
        .cmdline_gpa = seg[PVBOOT_SEG_CMDLINE].start,
        .rsdp_gpa = o->plan->machine.rsdp_gpa,
        .ramdisk_gpa = seg[PVBOOT_SEG_RAMDISK].start,
        .ramdisk_bytes = ramdisk_bytes(o->req),
        .map = o->plan->e820.r,
        .n_map = o->plan->e820.n,
    };
}

static uint64_t emit_start_info(const struct origin *o, struct pvb_blob *b)
{
    const struct pvb_start_info si = start_info_of(o);

    return pvb_put_start_info(b, &si);
}

static void put_handover(const struct origin *o, struct pvb_chain *c)
{
    const struct pvb_start_info si = start_info_of(o);
    const struct pvboot_digests *d = &o->req->digests;
    struct pvb_handover in = {
        .filler = filler_of(o),
        .start_info = &si,
        .console_gpa = o->plan->machine.console_gpa,
        .console_evtchn = o->plan->machine.console_evtchn,
        .xenstore_gpa = o->plan->machine.xenstore_gpa,
        .xenstore_evtchn = o->plan->machine.xenstore_evtchn,
        .builder = "pvboot " PVBOOT_VERSION,
        .sha256_kernel = d->wanted ? d->kernel : NULL,
        .sha256_ramdisk = d->wanted && o->req->n_ramdisks ? d->ramdisk : NULL,
        .sha256_cmdline = d->wanted && o->req->cmdline ? d->cmdline : NULL,
    };

    memcpy(in.signature, "XenVMMXenVMM", sizeof(in.signature));
    pvb_chain_put_handover(c, &in);
}

static uint64_t emit_setup_data(const struct origin *o, struct pvb_blob *b)
{
    struct pvb_chain c = { .blob = b };

    if (pvb_has_handover(o->plan, o->img, o->req))
        put_handover(o, &c);
    pvb_chain_put_e820(&c, o->plan->e820.r, o->plan->e820.n);
    if (has_rng_seed(o))
        pvb_chain_put(&c, SETUP_RNG_SEED, o->req->rng_seed, sizeof(o->req->rng_seed));
    return c.head_gpa;
}

static uint64_t emit_zero_page(const struct origin *o, struct pvb_blob *b)
{
    const struct pvboot_segment *seg = o->plan->seg;
    struct boot_params bp;

    pvb_fill_zero_page(&bp, &(struct pvb_zero_page){
                                .header = o->header,
                                .filler = filler_of(o),
                                .kernel_gpa = o->plan->kernel_load_gpa,
                                .ramdisk_gpa = seg[PVBOOT_SEG_RAMDISK].start,
                                .ramdisk_bytes = ramdisk_bytes(o->req),
                                .cmdline_gpa = seg[PVBOOT_SEG_CMDLINE].start,
                                .rsdp_gpa = o->plan->machine.rsdp_gpa,
                                .setup_data_gpa = seg[PVBOOT_SEG_SETUP_DATA].start,
                                .subarch = o->plan->subarch,
                                .subarch_data = o->plan->subarch_data,
                                .e820 = o->plan->e820.r,
                                .n_e820 = o->plan->e820.n,
                            });
    return pvb_put(b, &bp, sizeof(bp), PVB_PAGE);
}

static uint64_t emit_cmdline(const struct origin *o, struct pvb_blob *b)
{
    const char *cmdline = o->req->cmdline ? o->req->cmdline : "";

    return pvb_put(b, cmdline, strlen(cmdline) + 1, 1);
}

static uint64_t emit_gdt(const struct origin *o, struct pvb_blob *b)
{
    return pvb_put_gdt(b, o->plan->vcpu.mode);
}

static uint64_t emit_page_tables(const struct origin *o, struct pvb_blob *b)
{
    struct pvb_span map[1 + PVBOOT_SEGMENTS] = { { 0, PVB_4G } };

    for (size_t i = 0; i < PVBOOT_SEGMENTS; i++)
        if (o->plan->seg[i].end > PVB_4G)
            map[1 + i] = (struct pvb_span){ o->plan->seg[i].start, o->plan->seg[i].end };
    return pvb_put_page_tables(b, map, sizeof(map) / sizeof(map[0]));
}

static bool on_zero_page(const struct origin *o)
{
    return !pvb_is_pvh(o->plan->path);
}

static bool on_start_info(const struct origin *o)
{
    return pvb_is_pvh(o->plan->path);
}

static bool on_long_mode(const struct origin *o)
{
    return pvb_is_long(o->plan->path);
}

static bool has_setup_data(const struct origin *o)
{
    return has_chain(o->plan, o->img);
}

/*
 * On a zero page always, at least an empty one: to boot.rst a zero cmd_line_ptr is a loader from before 2.02, and the
 * decompressor reads from it without a look.  Linux copies 2048 bytes: whole pages see to that.
 */
static bool has_cmdline(const struct origin *o)
{
    return o->req->cmdline || on_zero_page(o);
}

/* One row for each segment that consists of structures, from FIRST to LAST; on paths that are not @wanted it is empty. */
#define FIRST PVBOOT_SEG_ZERO_PAGE
#define LAST PVBOOT_SEG_PAGE_TABLES
static const struct {
    uint64_t (*emit)(const struct origin *o, struct pvb_blob *b);
    bool (*wanted)(const struct origin *o);
} structure[LAST - FIRST + 1] = {
    [PVBOOT_SEG_ZERO_PAGE - FIRST] = { .emit = emit_zero_page, .wanted = on_zero_page },
    [PVBOOT_SEG_CMDLINE - FIRST] = { .emit = emit_cmdline, .wanted = has_cmdline },
    [PVBOOT_SEG_SETUP_DATA - FIRST] = { .emit = emit_setup_data, .wanted = has_setup_data },
    [PVBOOT_SEG_START_INFO - FIRST] = { .emit = emit_start_info, .wanted = on_start_info },
    [PVBOOT_SEG_GDT - FIRST] = { .emit = emit_gdt, .wanted = on_zero_page },
    [PVBOOT_SEG_PAGE_TABLES - FIRST] = { .emit = emit_page_tables, .wanted = on_long_mode },
};

bool pvb_segment_is_structure(enum pvboot_segment_id id)
{
    return id >= FIRST && id <= LAST;
}

uint64_t pvb_segment_bytes(const struct pvboot_plan *plan, const struct pvboot_image *img,
                           const struct pvboot_request *req, enum pvboot_segment_id id)
{
    const struct origin o = { .plan = plan, .img = img, .req = req };
    struct pvb_blob b = pvb_blob_measure();

    if (id == PVBOOT_SEG_RAMDISK)
        return ramdisk_bytes(req);
    if (pvb_segment_is_structure(id) && structure[id - FIRST].wanted(&o))
        structure[id - FIRST].emit(&o, &b);
    return b.used;
}

static int check_agreement(const struct origin *o, struct pvboot_error *e)
{
    const struct pvboot_plan *plan = o->plan;
    uint64_t bytes = ramdisk_bytes(o->req);
    bool handover = pvb_has_handover(plan, o->img, o->req);

    if (plan->seg[PVBOOT_SEG_RAMDISK].bytes != bytes)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "ramdisk of %llu bytes in a segment for %llu", (unsigned long long)bytes,
                        (unsigned long long)plan->seg[PVBOOT_SEG_RAMDISK].bytes);
    if (plan->handover_gpa != (handover ? plan->seg[PVBOOT_SEG_SETUP_DATA].start : 0))
        return pvb_fail(e, PVBOOT_E_INTERNAL, "plan has the hypervisor node at %#llx, setup_data starts at %#llx",
                        (unsigned long long)plan->handover_gpa,
                        (unsigned long long)plan->seg[PVBOOT_SEG_SETUP_DATA].start);
    return 0;
}

int pvb_segment_write(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel,
                      const struct pvboot_request *req, enum pvboot_segment_id id, uint8_t *buf, struct pvboot_error *e)
{
    const struct pvboot_segment *seg = &plan->seg[id];
    const struct pvboot_image *img = &kernel->image;
    const struct origin o = {
        .plan = plan,
        .img = img,
        .req = req,
        .header = img->has_bzimage ? pvboot_sub(kernel->file, PVB_HEADER_OFF, img->bz.header_bytes)
                                   : (struct pvboot_bytes){ NULL, 0 },
    };
    struct pvb_blob b = { .gpa = seg->start, .buf = buf, .cap = (size_t)(seg->end - seg->start) };
    int rc = check_agreement(&o, e);

    if (rc)
        return rc;
    if (!seg->start || structure[id - FIRST].emit(&o, &b) != seg->start || !pvb_blob_ok(&b))
        return pvb_fail(e, PVBOOT_E_INTERNAL, "%s outgrows its segment of %llu bytes at %#llx", pvboot_segment_name(id),
                        (unsigned long long)(seg->end - seg->start), (unsigned long long)seg->start);
    return 0;
}

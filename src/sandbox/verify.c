/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A second opinion on an answer and an image value that a compromised parser may have made up.  It shares no code with
 * the parser, sees no byte of the kernel, and asks only what its caller, planner and loader take for granted.
 */
#include "sandbox.h"

#include <elf.h>
#include <pvboot/limits.h>

#define HEADER_MIN 0x3fu /* boot.rst, setup header: up to kernel_alignment */
#define HEADER_MAX 144u  /* as far as a short jump at 0x200 reaches, and the zero page has room: before any kernel */
#define SECTOR 512u
#define ALIGN_MAX (1ull << 30)

#define RULE(what, holds) \
    do {                  \
        if (!(holds))     \
            return what;  \
    } while (0)

/* Does [@off, @off + @n) lie in @bytes? */
static bool inside(uint64_t off, uint64_t n, uint64_t bytes)
{
    return off <= bytes && n <= bytes - off;
}

/* A bool that is none must not be looked at as one. */
static bool is_bool(const bool *b)
{
    uint8_t byte;

    memcpy(&byte, b, sizeof(byte));
    return byte <= 1;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Printable, a backslash stands for itself as two or begins \xNN, and it ends. */
static bool is_text(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!s[i])
            return true;
        if (s[i] < ' ' || s[i] > '~')
            return false;
        if (s[i] != '\\')
            continue;
        if (n - i > 2 && s[i + 1] == '\\')
            i++;
        else if (n - i > 4 && s[i + 1] == 'x' && is_hex(s[i + 2]) && is_hex(s[i + 3]))
            i += 3;
        else
            return false;
    }
    return false;
}
#define IS_TEXT(a) is_text(a, sizeof(a))

static const char *window(const struct pvboot_window *w)
{
    uint64_t start;

    RULE("window: relocatable", is_bool(&w->relocatable));
    RULE("window: alignment", pvb_power_of_two(w->align) && w->align <= ALIGN_MAX);
    RULE("window: size", w->bytes);
    RULE("window: wraps", pvb_align_up(w->pref_gpa, w->align, &start) && w->bytes <= UINT64_MAX - start);
    RULE("window: bounds", w->min_gpa <= w->max_gpa);
    return NULL;
}

static const char *payload(const struct pvboot_bzimage *bz)
{
    RULE("payload: codec", (unsigned)bz->codec <= PVBOOT_CODEC_UNKNOWN);
    if (!bz->payload_bytes) {
        RULE("payload: none, but described", !bz->payload_off && !bz->unpacked_bytes && !bz->codec);
        return NULL;
    }
    RULE("payload: before the kernel", bz->payload_off >= bz->kernel_off);
    RULE("payload: behind the kernel", inside(bz->payload_off - bz->kernel_off, bz->payload_bytes, bz->kernel_bytes));
    RULE("payload: unpacked size", bz->unpacked_bytes <= UINT32_MAX);
    RULE("payload: plain, but of two sizes", bz->codec || bz->unpacked_bytes == bz->payload_bytes);
    return NULL;
}

static const char *bzimage(const struct pvboot_bzimage *bz, uint64_t file_bytes)
{
    const char *broken;

    RULE("boot protocol", bz->protocol >= 0x204 && bz->protocol <= 0x2ff);
    RULE("setup header: size", bz->header_bytes >= HEADER_MIN && bz->header_bytes <= HEADER_MAX);
    RULE("setup_sects", bz->setup_sects && bz->kernel_off == (bz->setup_sects + 1ull) * SECTOR);
    RULE("kernel: empty", bz->kernel_bytes);
    RULE("kernel: behind the file", inside(bz->kernel_off, bz->kernel_bytes, file_bytes));
    RULE("kernel_info: outside the kernel",
         !bz->info_off ||
             (bz->info_off >= bz->kernel_off && inside(bz->info_off - bz->kernel_off, 16, bz->kernel_bytes)));
    broken = window(&bz->window);
    if (broken)
        return broken;
    RULE("window: over 4 GiB", bz->window.bytes <= UINT32_MAX);
    RULE("window: bounds", !bz->window.min_gpa && bz->window.max_gpa >= UINT32_MAX);
    RULE("cmdline_size", bz->cmdline_max && bz->cmdline_max <= PVBOOT_CMDLINE_MAX);
    RULE("initrd_addr_max", bz->initrd_addr_max && bz->initrd_addr_max <= UINT32_MAX);
    RULE("kernel_version", IS_TEXT(bz->kernel_version));
    return payload(bz);
}

static const char *loads(const struct pvboot_elf *elf, uint64_t elf_bytes)
{
    uint64_t end = 0;

    RULE("segments: number", elf->n_loads && elf->n_loads <= PVBOOT_LOADS_MAX);
    for (uint32_t i = 0; i < elf->n_loads; i++) {
        const struct pvboot_load *l = &elf->load[i];

        RULE("segment: size", l->mem_bytes && l->file_bytes <= l->mem_bytes);
        RULE("segment: behind the ELF", inside(l->off, l->file_bytes, elf_bytes));
        RULE("segment: overlaps, or out of order", l->gpa >= end);
        RULE("segment: wraps", pvb_add(l->gpa, l->mem_bytes, &end) && end <= UINT64_MAX - (PVB_PAGE - 1));
    }
    return NULL;
}

/* Are there bytes of the file for the instruction at @gpa? */
static bool is_loaded(const struct pvboot_elf *elf, uint64_t gpa)
{
    for (uint32_t i = 0; i < elf->n_loads; i++)
        if (gpa >= elf->load[i].gpa && gpa - elf->load[i].gpa < elf->load[i].file_bytes)
            return true;
    return false;
}

static const char *packed(const struct pvboot_packed *p, uint64_t elf_bytes)
{
    uint64_t any = (uint64_t)(uint8_t)p->kernel_version[0];

    RULE("packed: flag", is_bool(&p->there));
    for (unsigned i = 0; i < PVBOOT_PACKED_PARTS; i++) {
        RULE("packed: behind the ELF", inside(p->part[i].off, p->part[i].bytes, elf_bytes));
        RULE("packed: no bytes, but a place", p->part[i].bytes || !p->part[i].off);
        any |= p->part[i].bytes;
    }
    RULE("packed: not, but described", p->there || !any);
    RULE("packed: no kernel", !p->there || p->part[PVBOOT_PACKED_KERNEL].bytes);
    RULE("packed: kernel_version", IS_TEXT(p->kernel_version));
    return NULL;
}

static const char *notes(const struct pvboot_notes *n)
{
    RULE("notes: flags", is_bool(&n->has_phys32_entry) && is_bool(&n->has_phys32_reloc) && is_bool(&n->pvboot_stub) &&
                             is_bool(&n->linux_note));
    RULE("PV notes: flags", is_bool(&n->pv.has_entry) && is_bool(&n->pv.has_hypercall_page) &&
                                is_bool(&n->pv.has_init_p2m) && is_bool(&n->pv.mod_start_pfn));
    RULE("notes: text", IS_TEXT(n->guest_os) && IS_TEXT(n->guest_version) && IS_TEXT(n->xen_version) &&
                            IS_TEXT(n->loader) && IS_TEXT(n->features) && IS_TEXT(n->pv.unmet));
    RULE("PHYS32_ENTRY", n->phys32_entry <= UINT32_MAX && (n->has_phys32_entry || !n->phys32_entry));
    return NULL;
}

/* The ELF's window is the span of its segments; where it may move is for the note to say. */
static const char *elf_window(const struct pvboot_elf *elf)
{
    const struct pvboot_load *last = &elf->load[elf->n_loads - 1];
    const struct pvboot_window *w = &elf->window;
    const struct pvboot_notes *n = &elf->notes;
    uint64_t end = (last->gpa + last->mem_bytes + PVB_PAGE - 1) & ~(PVB_PAGE - 1);
    const char *broken = window(w);

    if (broken)
        return broken;
    RULE("window: not that of the segments",
         w->pref_gpa == (elf->load[0].gpa & ~(PVB_PAGE - 1)) && w->bytes == end - w->pref_gpa);
    RULE("window: relocatable", w->relocatable == n->has_phys32_reloc);
    if (w->relocatable) {
        RULE("PHYS32_RELOC", w->align == n->reloc_align && w->min_gpa == n->reloc_min && w->max_gpa == n->reloc_max);
        return NULL;
    }
    RULE("window: alignment", w->align >= PVB_PAGE && !(w->pref_gpa & (w->align - 1)));
    RULE("window: bounds", !w->min_gpa && w->max_gpa == UINT64_MAX);
    return NULL;
}

static const char *elf_part(const struct pvboot_elf *elf, uint64_t elf_bytes)
{
    const char *broken;

    RULE("ELF: class", is_bool(&elf->is64));
    RULE("ELF: machine", elf->machine == (elf->is64 ? EM_X86_64 : EM_386));
    broken = loads(elf, elf_bytes);
    if (broken)
        return broken;
    broken = notes(&elf->notes);
    if (!broken)
        broken = packed(&elf->notes.packed, elf_bytes);
    if (broken)
        return broken;
    RULE("ELF: entry", !elf->entry_gpa || is_loaded(elf, elf->entry_gpa));
    RULE("PHYS32_ENTRY", !elf->notes.has_phys32_entry || is_loaded(elf, elf->notes.phys32_entry));
    return elf_window(elf);
}

static bool has_no_parts(const struct pvboot_wrapper *w)
{
    uint64_t any = w->profiles | (uint64_t)(uint8_t)w->cmdline[0];

    for (unsigned i = 0; i < PVBOOT_PARTS; i++)
        any |= w->part[i].off | w->part[i].bytes;
    return !any;
}

/* Without control bytes, and it ends. */
static bool is_cmdline(const char *s)
{
    for (size_t i = 0; i <= PVBOOT_CMDLINE_MAX; i++) {
        if (!s[i])
            return true;
        if ((uint8_t)s[i] < ' ' || s[i] == 0x7f)
            return false;
    }
    return false;
}

static const char *wrapper(const struct pvboot_wrapper *w, uint64_t file_bytes, uint64_t unpacked_max)
{
    bool packed = w->kind == PVBOOT_WRAPPER_PACKED || w->kind == PVBOOT_WRAPPER_ZBOOT;

    RULE("wrapper: kind", (unsigned)w->kind <= PVBOOT_WRAPPER_ZBOOT);
    RULE("wrapper: codec", (unsigned)w->codec < PVBOOT_CODEC_UNKNOWN && packed == (w->codec != PVBOOT_CODEC_NONE));
    RULE("wrapper: sections", w->kind == PVBOOT_WRAPPER_UKI || has_no_parts(w));
    if (w->kind == PVBOOT_WRAPPER_NONE) {
        RULE("wrapper: none, but described", !w->off && !w->bytes && !w->kernel_bytes);
        return NULL;
    }
    RULE("wrapper: behind the file", inside(w->off, w->bytes, file_bytes));
    RULE("wrapper: kernel's size", w->kernel_bytes && w->kernel_bytes <= (packed ? unpacked_max : w->bytes));
    RULE("wrapper: kernel of two sizes", packed || w->kernel_bytes == w->bytes);
    for (unsigned i = 0; i < PVBOOT_PARTS; i++)
        RULE("wrapper: section behind the file", inside(w->part[i].off, w->part[i].bytes, file_bytes));
    RULE("wrapper: command line", is_cmdline(w->cmdline));
    return NULL;
}

static const char *image(const struct pvboot_image *img, uint64_t file_bytes, uint64_t unpacked_max)
{
    uint64_t elf_bytes, most, used;
    const char *broken = wrapper(&img->wrapper, file_bytes, unpacked_max);

    if (broken)
        return broken;
    RULE("file size", img->file_bytes == file_bytes);
    used = pvb_unwrapped_bytes(&img->wrapper);
    elf_bytes = most = img->wrapper.kind == PVBOOT_WRAPPER_NONE ? file_bytes : img->wrapper.kernel_bytes;
    RULE("flags", is_bool(&img->has_bzimage) && is_bool(&img->has_elf));
    RULE("format", img->format == PVBOOT_FORMAT_BZIMAGE || img->format == PVBOOT_FORMAT_ELF);
    RULE("format", img->has_bzimage == (img->format == PVBOOT_FORMAT_BZIMAGE) && (img->has_bzimage || img->has_elf));
    if (img->has_bzimage) {
        broken = bzimage(&img->bz, most);
        if (broken)
            return broken;
        elf_bytes = img->bz.unpacked_bytes;
        if (img->bz.codec)
            most = used < unpacked_max ? unpacked_max - used : 0;
    }
    if (!img->has_elf)
        return NULL;
    RULE("ELF: of no known payload", elf_bytes && (!img->has_bzimage || img->bz.codec != PVBOOT_CODEC_UNKNOWN));
    RULE("ELF: size", elf_bytes <= most);
    return elf_part(&img->elf, elf_bytes);
}

static int contradiction(const char *broken, struct pvboot_error *e)
{
    return broken ? pvb_fail(e, PVBOOT_E_SANDBOX, "the confined parser's answer contradicts itself: %s", broken) : 0;
}

int pvb_look_verify(struct pvboot_kernel *k, const struct pvb_answer *a, struct pvboot_error *e)
{
    const struct pvboot_bzimage *bz = &k->image.bz;
    const struct pvboot_elf *elf = &a->image.elf;
    bool packed = k->image.has_bzimage && bz->payload_bytes && bz->codec && bz->codec != PVBOOT_CODEC_UNKNOWN;
    const char *broken = packed ? loads(elf, bz->unpacked_bytes) : "a look at what is not packed";

    if (broken)
        return contradiction(broken, e);
    k->n_seen = elf->n_loads;
    memcpy(k->seen, elf->load, sizeof(k->seen));
    return 0;
}

static const char *answer(const struct pvb_answer *a, bool strict)
{
    RULE("layers", !(a->missing & ~PVB_LAYERS_ALL));
    RULE("strict, but without a layer", !strict || !a->missing);
    RULE("step", a->step <= PVB_STEP_MAP);
    RULE("class and step", (a->step == PVB_STEP_DONE) == !a->code);
    RULE("class and step", (a->step == PVB_STEP_CONFINE) == (a->code == PVBOOT_E_SANDBOX));
    RULE("class and step", (a->step == PVB_STEP_MAP) == (a->code == PVBOOT_E_XEN));
    RULE("flags", is_bool(&a->image.has_elf));
    RULE("look: at nothing", a->looked <= 1 && (!a->looked || (a->step == PVB_STEP_DONE && !a->image.has_elf)));
    RULE("ELF: could not be unpacked", a->step != PVB_STEP_UNPACK || !a->image.has_elf);
    return NULL;
}

int pvb_answer_verify(const struct pvb_answer *a, bool strict, struct pvboot_error *e)
{
    return contradiction(answer(a, strict), e);
}

int pvb_image_verify(struct pvboot_image *img, const struct pvboot_image *claim, uint64_t file_bytes,
                     uint64_t unpacked_max, struct pvboot_error *e)
{
    int rc = contradiction(image(claim, file_bytes, unpacked_max), e);

    if (rc)
        return rc;
    *img = *claim;
    if (!img->has_bzimage)
        memset(&img->bz, 0, sizeof(img->bz));
    if (!img->has_elf)
        memset(&img->elf, 0, sizeof(img->elf));
    return 0;
}

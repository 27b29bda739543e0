/* SPDX-License-Identifier: LGPL-2.1-only */
#include "fuzz.h"

#include "sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>

#define RAMDISK_BYTES 0x10000u

void fuzz_broken(const char *what, const char *file, unsigned int line)
{
    fprintf(stderr, "%s:%u: does not hold: %s\n", file, line, what);
    abort();
}

void fuzz_take(struct pvboot_bytes *in, void *dst, size_t n)
{
    size_t has = n < in->len ? n : in->len;

    memset(dst, 0, n);
    if (has)
        memcpy(dst, in->p, has);
    *in = pvboot_sub(*in, has, in->len - has);
}

/* One line of printable ASCII that ends within @n bytes. */
static bool is_line(const char *s, size_t n)
{
    if (!n || !s[0] || !memchr(s, 0, n))
        return false;
    for (; *s; s++)
        if (*s < ' ' || *s > '~')
            return false;
    return true;
}

void fuzz_judge(int rc, const struct pvboot_error *e)
{
    FUZZ_MUST(rc == -e->code);
    if (!rc)
        return;
    FUZZ_MUST(strcmp(pvboot_class_name(e->code), "unknown"));
    FUZZ_MUST(is_line(e->text, sizeof(e->text)));
}

void fuzz_judge_json(json_t *o)
{
    const json_t *text;
    size_t i;
    char *dump;

    FUZZ_MUST(o);
    dump = json_dumps(o, JSON_COMPACT);
    FUZZ_MUST(dump);
    json_array_foreach(json_object_get(o, "lint"), i, text)
    {
        FUZZ_MUST(json_is_string(text));
        FUZZ_MUST(is_line(json_string_value(text), json_string_length(text) + 1));
    }
    free(dump);
    json_decref(o);
}

static const uint8_t ramdisk[RAMDISK_BYTES];
static char cmdline[PVBOOT_CMDLINE_MAX + 2];

void fuzz_wish(struct fuzz_wish *w, struct pvboot_bytes *in)
{
    struct {
        uint32_t pages;
        uint16_t cmdline_bytes, ramdisk_bytes;
        uint8_t ramdisks, vcpus, subarch, flags;
    } wish;
    struct pvboot_error e = { 0 };
    int rc;

    _Static_assert(sizeof(wish) == FUZZ_WISH_BYTES, "seeds begin with this");
    fuzz_take(in, &wish, sizeof(wish));
    rc = pvboot_machine_default(&w->machine, (uint64_t)wish.pages * PVB_PAGE, wish.vcpus, &e);
    fuzz_judge(rc, &e);
    w->possible = !rc;
    pvboot_request_init(&w->req);
    if (wish.cmdline_bytes) {
        memset(cmdline, 'x', sizeof(cmdline));
        cmdline[(wish.cmdline_bytes - 1u) % sizeof(cmdline)] = 0;
        w->req.cmdline = cmdline;
    }
    w->req.n_ramdisks = wish.ramdisks % (PVBOOT_RAMDISKS_MAX + 2);
    for (uint32_t i = 0; i < w->req.n_ramdisks && i < PVBOOT_RAMDISKS_MAX; i++)
        w->req.ramdisk[i] = (struct pvboot_bytes){ ramdisk, wish.ramdisk_bytes };
    w->req.subarch = wish.subarch;
    w->req.force_subarch = wish.flags & 1;
    w->req.strict = wish.flags & 2;
    w->req.has_rng_seed = wish.flags & 4;
    w->req.hypervisor = wish.flags & 8 ? PVBOOT_HYPERVISOR_NONE : PVBOOT_HYPERVISOR_XEN;
    w->req.digests.wanted = wish.flags & 16;
}

/* A guest that takes nothing but what the plan has a place for. */
struct judge {
    struct pvboot_guest guest;
    const struct pvboot_plan *plan;
    uint8_t zero_page[PVB_PAGE];
};

static void must_be_planned(const struct judge *j, uint64_t gpa, uint64_t n)
{
    const struct pvboot_segment *s = j->plan->seg;
    uint64_t end;
    bool planned = false;

    FUZZ_MUST(n && pvb_add(gpa, n, &end));
    for (unsigned int i = 0; i < PVBOOT_SEGMENTS; i++) /* a PV guest's rings are the planner's own */
        planned |= (i < PVBOOT_SEG_ACPI || j->plan->machine.pv) && s[i].start <= gpa && end <= s[i].end;
    FUZZ_MUST(planned);
    FUZZ_MUST(pvboot_memmap_inside(&j->plan->machine.map, gpa, end, PVBOOT_RAM));
}

static int judge_write(struct pvboot_guest *g, uint64_t gpa, const void *src, size_t n, struct pvboot_error *e)
{
    struct judge *j = (struct judge *)g;
    volatile uint8_t sum = 0;

    (void)e;
    must_be_planned(j, gpa, n);
    for (size_t i = 0; i < n; i++) /* a sanitizer sees bytes that do not exist */
        sum = (uint8_t)(sum + ((const uint8_t *)src)[i]);
    if (gpa == j->plan->seg[PVBOOT_SEG_ZERO_PAGE].start && n == sizeof(j->zero_page))
        memcpy(j->zero_page, src, n);
    return 0;
}

static int judge_zero(struct pvboot_guest *g, uint64_t gpa, uint64_t n, struct pvboot_error *e)
{
    (void)e;
    must_be_planned((struct judge *)g, gpa, n);
    return 0;
}

static void judge_close(struct pvboot_guest *g)
{
    (void)g;
}

void fuzz_start(const struct pvboot_kernel *k, struct fuzz_wish *w, fuzz_look *look)
{
    static const struct pvboot_guest_ops ops = {
        .bytes = sizeof(ops), .write = judge_write, .zero = judge_zero, .close = judge_close
    };
    static struct pvboot_plan plan;
    static struct pvboot_machine pv;
    uint64_t ram = pvboot_memmap_bytes(&w->machine.map, PVBOOT_RAM);
    struct judge j = { .guest = { &ops }, .plan = &plan };

    if (pvboot_machine_pv(&pv, ram, w->machine.vcpus, NULL))
        w->possible = false;
    for (w->req.path = PVBOOT_PATH_AUTO; w->possible && w->req.path < PVBOOT_PATHS; w->req.path++) {
        struct pvboot_error e = { 0 }, possible = { 0 };
        const struct pvboot_machine *m = w->req.path == PVBOOT_PATH_PV ? &pv : &w->machine;
        int rc = pvboot_plan_make(&plan, &k->image, m, &w->req, &e);

        fuzz_judge(rc, &e);
        FUZZ_MUST(rc != -PVBOOT_E_INTERNAL);
        fuzz_judge(pvboot_plan_possible(&k->image, &w->req, &possible), &possible);
        if (rc)
            continue;
        FUZZ_MUST(!possible.code); /* what can be made is possible */
        rc = pvboot_plan_check(&plan, &k->image, &e);
        if (rc)
            fuzz_broken(e.text, "plan of the path", w->req.path);
        rc = pvboot_load(&plan, k, &w->req, &j.guest, &e);
        if (rc)
            fuzz_broken(e.text, "load of the path", w->req.path);
        if (look)
            look(k, &plan, plan.seg[PVBOOT_SEG_ZERO_PAGE].end ? j.zero_page : NULL);
    }
}

void fuzz_verified(const struct pvboot_image *img, uint64_t file_bytes)
{
    static struct pvboot_image out;
    struct pvboot_error e = { 0 };

    if (pvb_image_verify(&out, img, file_bytes, PVBOOT_UNPACKED_MAX, &e))
        fuzz_broken(e.text, "parser against verifier", 0);
}

int fuzz_file(struct pvboot_bytes file, enum pvboot_format format, fuzz_look *look)
{
    struct pvboot_error e = { 0 };
    struct fuzz_wish wish;
    struct pvboot_kernel k;
    int rc;

    fuzz_wish(&wish, &file);
    rc = pvboot_kernel_parse(&k, file, &e);
    fuzz_judge(rc, &e);
    if (rc || k.image.format != format)
        return 0;
    fuzz_verified(&k.image, file.len);
    fuzz_start(&k, &wish, look);
    pvboot_kernel_dispose(&k);
    return 0;
}

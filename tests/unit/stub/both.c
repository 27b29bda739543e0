/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What must differ, and nothing else does:
 *
 *     zero page   0x210        type_of_loader: 0x91 toolstack, 0x92 stub
 *     setup_data  payload 32   who filled the page: 1, 2
 *     setup_data  payload 12   the checksum over it
 *     setup_data  TLVs 5 to 7  digests: the stub makes none; here the toolstack is not asked for them
 *     rsp                      a stack that is left over, instead of 0: the plan has no rsp to compare
 */
#include "both.h"
#include "guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pvboot/build.h>
#include <pvboot/handover.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stub/stub.h"

#define TYPE_OF_LOADER 0x210
#define NODE_HEAD 16 /* struct setup_data */
#define PAYLOAD_CRC32 12
#define PAYLOAD_FILLER 32

/* --- the toolstack's side: guest memory is a flat buffer ----------------------------------------------------------- */

struct flat {
    struct pvboot_guest guest;
    uint8_t *memory;
};

static int flat_write(struct pvboot_guest *g, uint64_t gpa, const void *src, size_t n, struct pvboot_error *e)
{
    (void)e;
    assert_true(gpa <= UINT32_MAX && n <= UINT32_MAX - gpa);
    memcpy(((struct flat *)g)->memory + gpa, src, n);
    return 0;
}

static int flat_zero(struct pvboot_guest *g, uint64_t gpa, uint64_t n, struct pvboot_error *e)
{
    (void)e;
    assert_true(gpa <= UINT32_MAX && n <= UINT32_MAX - gpa);
    memset(((struct flat *)g)->memory + gpa, 0, n);
    return 0;
}

static const struct pvboot_guest_ops flat_ops = { .bytes = sizeof(flat_ops), .write = flat_write, .zero = flat_zero };

static void set_options(struct pvboot_request *req, const char *options)
{
    char *words = strdup(options), *save = NULL;
    struct pvboot_error e = { 0 };

    for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(w, '=');

        *eq = '\0';
        assert_int_equal(pvboot_request_set(req, w, eq + 1, &e), 0);
    }
    free(words);
}

/* Returns what pvboot_build() does. */
static int by_toolstack(const struct given *in, const struct pvboot_machine *m, struct pvboot_bytes kernel,
                        struct pvboot_bytes ramdisk, struct flat *f, struct pvboot_plan *p)
{
    struct pvboot_kernel k = { 0 };
    struct pvboot_request req;
    struct pvboot_error e = { 0 };
    int rc;

    pvboot_request_init(&req);
    set_options(&req, in->options);
    req.has_rng_seed = false;
    req.cmdline = in->cmdline;
    if (ramdisk.len)
        req.ramdisk[req.n_ramdisks++] = ramdisk;
    rc = pvboot_kernel_parse(&k, kernel, &e);
    if (!rc)
        rc = pvboot_build(p, &k, m, &req, &f->guest, &e);
    pvboot_kernel_dispose(&k);
    return rc;
}

/* --- the stub's side ------------------------------------------------------------------------------------------------ */

/* What head.S does. */
static void make_moves(struct stub_guest *g, const struct pvb_departure *d)
{
    for (uint32_t i = 0; i < d->n_moves; i++) {
        const struct pvb_move m = d->move[i];

        if (m.src)
            memmove(g->memory + m.dst, g->memory + m.src, m.bytes);
        else
            memset(g->memory + m.dst, 0, m.bytes);
    }
}

/*
 * What is still in use, which the start info no longer is, may not be written to before the moves; the page they are
 * made from may not be written to by them.
 */
static void assert_nothing_harmed(const struct stub_guest *g, const uint8_t *before, const struct pvb_stub *s)
{
    uint64_t departure = (uint64_t)((uint8_t *)s->departure - g->memory);

    assert_true(!memcmp(g->memory + STUB_GPA, before, g->start_info_gpa - STUB_GPA));
    for (uint32_t i = 0; i < s->departure->n_moves; i++) {
        const struct pvb_move m = s->departure->move[i];

        assert_true(departure + PVB_DEP_BYTES <= m.dst || m.dst + (uint64_t)m.bytes <= departure);
    }
}

static int by_stub(const struct pvboot_machine *m, struct stub_guest *g, struct pvb_stub *s,
                   struct pvb_departure *departure)
{
    uint8_t *before = malloc(g->start_info_gpa - STUB_GPA);
    struct pvboot_error e = { 0 };
    int rc;

    assert_non_null(before);
    memcpy(before, g->memory + STUB_GPA, g->start_info_gpa - STUB_GPA);

    memset(s, 0, sizeof(*s));
    s->memory = g->memory;
    s->memory_bytes = g->memory_bytes;
    s->start_gpa = STUB_GPA;
    s->end_gpa = STUB_GPA + STUB_BYTES;
    s->long_mode = true;
    rc = pvb_stub_read(s, g->start_info_gpa, &e);
    s->machine.console_gpa = m->console_gpa; /* these four by hypercall */
    s->machine.console_evtchn = m->console_evtchn;
    s->machine.xenstore_gpa = m->xenstore_gpa;
    s->machine.xenstore_evtchn = m->xenstore_evtchn;
    if (!rc)
        rc = pvb_stub_prepare(s, &e);
    if (!rc)
        assert_nothing_harmed(g, before, s);
    free(before);
    if (rc)
        return rc;
    e = (struct pvboot_error){ 0 };
    if (pvboot_plan_check(&s->plan, &s->kernel.image, &e))
        fail_msg("%s", e.text);
    *departure = *s->departure;
    make_moves(g, departure);
    return 0;
}

/* --- the comparison ------------------------------------------------------------------------------------------------- */

static void mask_byte(uint8_t *toolstack, uint8_t *stub, uint8_t by_toolstack, uint8_t by_stub)
{
    assert_int_equal(*toolstack, by_toolstack);
    assert_int_equal(*stub, by_stub);
    *stub = *toolstack;
}

/* Both nodes are valid as they are: only then may they be made alike. */
static void mask_node(uint8_t *toolstack, uint8_t *stub, uint64_t bytes)
{
    struct pvboot_handover a, b;

    assert_int_equal(pvboot_handover_check(toolstack + NODE_HEAD, bytes - NODE_HEAD, &a), PVBOOT_HANDOVER_OK);
    assert_int_equal(pvboot_handover_check(stub + NODE_HEAD, bytes - NODE_HEAD, &b), PVBOOT_HANDOVER_OK);
    mask_byte(toolstack + NODE_HEAD + PAYLOAD_FILLER, stub + NODE_HEAD + PAYLOAD_FILLER, 1, 2);
    memcpy(stub + NODE_HEAD + PAYLOAD_CRC32, toolstack + NODE_HEAD + PAYLOAD_CRC32, sizeof(uint32_t));
}

static void assert_same_bytes(const char *name, const uint8_t *a, const uint8_t *b, uint64_t start, uint64_t end)
{
    for (uint64_t i = start; i < end; i++)
        if (a[i] != b[i])
            fail_msg("%s differs at 0x%llx, byte %llu: toolstack 0x%02x, stub 0x%02x", name, (unsigned long long)i,
                     (unsigned long long)(i - start), a[i], b[i]);
}

static void assert_same_memory(const struct pvboot_plan *p, uint8_t *toolstack, uint8_t *stub)
{
    uint64_t zero_page = p->seg[PVBOOT_SEG_ZERO_PAGE].start;

    mask_byte(toolstack + zero_page + TYPE_OF_LOADER, stub + zero_page + TYPE_OF_LOADER, 0x91, 0x92);
    if (p->handover_gpa)
        mask_node(toolstack + p->handover_gpa, stub + p->handover_gpa, p->seg[PVBOOT_SEG_SETUP_DATA].bytes);
    for (enum pvboot_segment_id id = 0; id < PVBOOT_SEG_ACPI; id++) {
        const struct pvboot_segment *seg = &p->seg[id];
        uint64_t end = id == PVBOOT_SEG_KERNEL ? p->kernel_load_gpa + p->kernel_load_bytes : seg->end;

        if (memcmp(toolstack + seg->start, stub + seg->start, end - seg->start))
            assert_same_bytes(pvboot_segment_name(id), toolstack, stub, seg->start, end);
    }
}

static void assert_same_state(const struct pvboot_vcpu *v, const struct pvb_departure *d)
{
    assert_int_equal(d->cr0, v->cr0);
    assert_int_equal(d->cr3, v->cr3);
    assert_int_equal(d->cr4, v->cr4);
    assert_int_equal(d->efer, v->efer);
    assert_int_equal(d->rip, v->rip);
    assert_int_equal(d->rsi, v->rsi);
    assert_int_equal(d->cs, v->cs);
    assert_int_equal(d->ds, v->ds);
    assert_int_equal(d->gdt_gpa, v->gdt_gpa);
    assert_int_equal(d->gdt_limit, v->gdt_limit);
    assert_int_equal(v->rbx, 0);
}

static struct mk make_bytes(size_t n, uint32_t seed)
{
    struct mk m = { calloc(1, n ? n : 1), n };

    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        m.p[i] = (uint8_t)(seed >> 24);
    }
    return m;
}

static struct mk make_kernel(const struct given *in)
{
    struct mk payload = make_bytes(in->kernel_bytes, 1), k;

    memcpy(payload.p, "\x1f\x8b\x08", 3);
    k = mk_bzimage(&payload);
    mk_pokes(&k, in->poke, sizeof(in->poke) / sizeof(in->poke[0]));
    mk_free(&payload);
    return k;
}

int make_both(const struct given *in)
{
    static struct pvboot_machine m;
    static struct pvboot_plan p;
    static struct pvb_stub s;
    struct mk kernel = make_kernel(in), ramdisk = make_bytes(in->ramdisk_bytes, 2);
    struct flat f = { .guest = { &flat_ops } };
    struct pvb_departure d;
    struct stub_guest g;
    struct pvboot_error e = { 0 };
    char carrier[256];
    int rc, rc_stub;

    snprintf(carrier, sizeof(carrier), "pvboot %s", in->options);
    assert_int_equal(pvboot_machine_default(&m, in->memory, 4, &e), 0);
    m.console_evtchn = 5;
    m.xenstore_evtchn = 6;
    g = stub_guest(&m, carrier, mk_bytes(&kernel), in->cmdline, mk_bytes(&ramdisk));
    f.memory = mmap(NULL, g.memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(f.memory != MAP_FAILED);
    rc = by_toolstack(in, &m, mk_bytes(&kernel), mk_bytes(&ramdisk), &f, &p);
    stub_guest_soil(&g, 0, g.used_end + 0x40000);
    for (enum pvboot_segment_id id = 0; !rc && id < PVBOOT_SEG_ACPI; id++)
        stub_guest_soil(&g, p.seg[id].start, p.seg[id].end);
    rc_stub = by_stub(&m, &g, &s, &d);
    if (!rc && !rc_stub) {
        assert_same_state(&p.vcpu, &d);
        assert_same_memory(&p, f.memory, g.memory);
    } else if (rc) {
        assert_int_equal(rc_stub, rc);
    }
    munmap(f.memory, g.memory_bytes);
    stub_guest_free(&g);
    mk_free(&kernel);
    mk_free(&ramdisk);
    return rc ? rc : rc_stub;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Plans of PV guests: what is refused, that every plan made is legal, and the address space, which is walked as the
 * processor would, by the Intel SDM, volume 3, table 4-15 to 4-20, on frames in no order.
 */
#include "builder/segment/segment.h"
#include "plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE FIXTURE_PV_BASE
#define P2M FIXTURE_PV_P2M
#define UNMAPPED UINT64_MAX
#define PAGE UINT64_C(4096)

/* One thing changed, and the sentence. */
static const struct refusal {
    const char *name;
    uint64_t memory;
    size_t ramdisk, cmdline;
    struct pvboot_pv_notes pv;
    int code; /* 0: it is made */
    const char *says;
} bad[] = {
    { "as it should", 256 * MIB, 100000, 20, { .virt_base = BASE }, 0, "" },
    { "smallest", 0x4c2a000, 0, 0, { .virt_base = BASE }, 0, "" },
    { "a page less",
      0x4c29000,
      0,
      0,
      { .virt_base = BASE },
      PVBOOT_E_NOFIT,
      "p2m of 172032 bytes at 0x4c00000: guest memory ends at 0x4c29000" },
    { "less than the mapping",
      0x4bff000,
      0,
      0,
      { .virt_base = BASE },
      PVBOOT_E_NOFIT,
      "the first mapping ends at 0x4c00000, guest memory at 0x4bff000" },
    { "less than the kernel",
      64 * MIB,
      0,
      0,
      { .virt_base = BASE },
      PVBOOT_E_NOFIT,
      "kernel of 60817408 bytes at 0x1000000: guest memory ends at 0x4000000" },
    { "ramdisk",
      128 * MIB,
      64 * MIB,
      0,
      { .virt_base = BASE },
      PVBOOT_E_NOFIT,
      "ramdisk of 67108864 bytes at 0x4c00000: guest memory ends at 0x8000000" },
    { "command line that just fits", 256 * MIB, 0, 1023, { .virt_base = BASE }, 0, "" },
    { "command line one over",
      256 * MIB,
      0,
      1024,
      { .virt_base = BASE },
      PVBOOT_E_LIMIT,
      "command line is 1024 bytes, 1 over start_info's 1023" },
    { "mapped into Xen's",
      256 * MIB,
      0,
      0,
      { .virt_base = 0xffff87ffffffe000 },
      PVBOOT_E_UNSUPPORTED,
      "the first mapping from 0xffff87ffffffe000 on, 0x" },
    { "mapped up to Xen's", 256 * MIB, 0, 0, { .virt_base = 0x800000000000 - 0x4c00000 }, 0, "" },
    { "no canonical address",
      256 * MIB,
      0,
      0,
      { .virt_base = 0x800000000000 - 0x4a00000 },
      PVBOOT_E_UNSUPPORTED,
      "is not all of a guest's addresses: those end at 0x800000000000 and begin again at 0xffff880000000000" },
    { "behind Xen's", 256 * MIB, 0, 0, { .virt_base = 0xffff880000000000, .init_p2m_va = 0x1000 }, 0, "" },
    { "wraps",
      256 * MIB,
      0,
      0,
      { .virt_base = 0xfffffffffc000000 },
      PVBOOT_E_UNSUPPORTED,
      "the first mapping from 0xfffffffffc000000 on" },
    { "list that is no page",
      256 * MIB,
      0,
      0,
      { .virt_base = BASE, .init_p2m_va = P2M + 8 },
      PVBOOT_E_UNSUPPORTED,
      "INIT_P2M 0x8000000008: the list is no page, or lies within 512 GiB of VIRT_BASE 0xffffffff80000000" },
    { "list beside the kernel",
      256 * MIB,
      0,
      0,
      { .virt_base = BASE, .init_p2m_va = BASE - 0x200000 },
      PVBOOT_E_UNSUPPORTED,
      "INIT_P2M 0xffffffff7fe00000: the list is no page, or lies within 512 GiB" },
    { "list in Xen's",
      256 * MIB,
      0,
      0,
      { .virt_base = BASE, .init_p2m_va = 0xffff800000000000 },
      PVBOOT_E_UNSUPPORTED,
      "the p2m list (INIT_P2M) from 0xffff800000000000 on, 0x" },
    { "list over the hole's edge",
      256 * MIB,
      0,
      0,
      { .virt_base = BASE, .init_p2m_va = 0x7ffffffff000 },
      PVBOOT_E_UNSUPPORTED,
      "the p2m list (INIT_P2M) from 0x7ffffffff000 on, 0x" },
    { "list above the kernel is none", 256 * MIB, 0, 0, { .virt_base = 0x10000000, .init_p2m_va = P2M }, 0, "" },
    { "more than the limit",
      65 * GIB,
      0,
      0,
      { .virt_base = BASE },
      PVBOOT_E_LIMIT,
      "guest memory of 69793218560 bytes: a PV domain's limit is 68719476736" },
};

static void refused(void **state)
{
    static char cmdline[1025];

    (void)state;
    for (size_t i = 0; can_plan(PVBOOT_PATH_PV) && i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pvboot_image img = fixture_pv();
        struct pvboot_machine m = fixture_pv_machine(bad[i].memory);
        struct pvboot_request req;

        print_message("%s\n", bad[i].name);
        memset(cmdline, 'a', sizeof(cmdline));
        cmdline[bad[i].cmdline] = 0;
        req = fixture_request(PVBOOT_PATH_PV, bad[i].cmdline ? cmdline : NULL, bad[i].ramdisk);
        img.bz.cmdline_max = 2047;
        img.elf.notes.pv.entry_va += bad[i].pv.virt_base - BASE;
        img.elf.notes.pv.virt_base = bad[i].pv.virt_base;
        if (bad[i].pv.init_p2m_va)
            img.elf.notes.pv.init_p2m_va = bad[i].pv.init_p2m_va;
        if (make_plan(&img, &m, &req) != -bad[i].code || !strstr(refusal.text, bad[i].says))
            fail_msg("%d: %s", refusal.code, refusal.text);
    }
}

/* The list lies apart, but where a base that wraps would have it as well. */
static void wraps_onto_the_list(void **state)
{
    const uint64_t base = 0xfffffffff8000000;
    struct pvboot_image img = fixture_pv();
    struct pvboot_machine m = fixture_pv_machine(256 * MIB);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_PV, "", 4096);

    (void)state;
    if (!can_plan(PVBOOT_PATH_PV))
        return;
    img.elf.notes.pv.entry_va += base - BASE;
    img.elf.notes.pv.virt_base = base;
    img.elf.notes.pv.init_p2m_va = 0;
    assert_int_equal(make_plan(&img, &m, &req), 0);
    req = fixture_request(PVBOOT_PATH_PV, "", -base - plan.pv.mapped_end);
    assert_int_equal(make_plan(&img, &m, &req), -PVBOOT_E_UNSUPPORTED);
    assert_string_equal(refusal.text, "INIT_P2M 0x0: VIRT_BASE 0xfffffffff8000000 wraps around to it");
}

/* A domain of one kind, an entry of the other. */
static void kinds(void **state)
{
    struct pvboot_image img = fixture_pv();
    struct pvboot_machine pv = fixture_pv_machine(256 * MIB), pvh = fixture_machine(256 * MIB);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_PV, "", 0);

    (void)state;
    if (!can_plan(PVBOOT_PATH_PV))
        return;
    assert_int_equal(make_plan(&img, &pvh, &req), -PVBOOT_E_USAGE);
    assert_string_equal(refusal.text, "pv needs a PV domain, which this is not");
    req.path = PVBOOT_PATH_LINUX64;
    assert_int_equal(make_plan(&img, &pv, &req), -PVBOOT_E_USAGE);
    assert_string_equal(refusal.text, "a PV domain has no other entry than pv");
    req.path = PVBOOT_PATH_AUTO;
    assert_int_equal(make_plan(&img, &pvh, &req), 0);
    assert_int_equal(plan.path, PVBOOT_PATH_LINUX64);
    req.path = PVBOOT_PATH_PV;
    req.subarch = 2;
    assert_int_equal(make_plan(&img, &pv, &req), -PVBOOT_E_UNSUPPORTED);
}

/* --- the address space ---------------------------------------------------------------------------------------------- */

static uint64_t *mfn;
static uint8_t *bytes[PVBOOT_SEGMENTS];

/* Pseudo-physical address of what lies in @frame. */
static uint64_t gpa_of(uint64_t frame)
{
    for (uint64_t i = 0; i < plan.machine.map.r[0].end / PAGE; i++)
        if (mfn[i] == frame)
            return i * PAGE;
    return UNMAPPED;
}

static uint64_t word_at(uint64_t gpa)
{
    for (unsigned int id = 0; id < PVBOOT_SEGMENTS; id++) {
        uint64_t v;

        if (!bytes[id] || gpa < plan.seg[id].start || gpa >= plan.seg[id].end)
            continue;
        memcpy(&v, bytes[id] + (gpa - plan.seg[id].start), sizeof(v));
        return v;
    }
    fail_msg("no structure at %#llx", (unsigned long long)gpa);
    return 0;
}

/* The entry that maps @va, which has every bit on its way; 0: none does. */
static uint64_t leaf(uint64_t va)
{
    uint64_t table = plan.vcpu.cr3;

    for (unsigned int shift = 39;; shift -= 9) {
        uint64_t e = word_at(table + 8 * (va >> shift & 511));

        if (!(e & 1) || shift == 12)
            return e & 1 ? e : 0;
        assert_int_equal(e & 0xfff0000000000f80, 0); /* no large page, nothing reserved */
        assert_int_equal(e & 6, 6);                  /* whatever lies below may be written, and is the guest's */
        table = gpa_of(e >> 12);
        assert_true(table != UNMAPPED);
    }
}

static bool in(enum pvboot_segment_id id, uint64_t gpa)
{
    return gpa >= plan.seg[id].start && gpa < plan.seg[id].end;
}

/* xen.h, points 5 and 6. */
static void walk_first_mapping(void)
{
    for (uint64_t gpa = 0; gpa < plan.pv.mapped_end; gpa += PAGE) {
        uint64_t e = leaf(plan.pv.virt_base + gpa);

        if (e >> 12 != mfn[gpa / PAGE])
            fail_msg("%#llx is mapped to %#llx", (unsigned long long)gpa, (unsigned long long)e);
        assert_int_equal(e & 2, in(PVBOOT_SEG_PAGE_TABLES, gpa) ? 0 : 2);
    }
    assert_int_equal(leaf(plan.pv.virt_base + plan.pv.mapped_end), 0);
    assert_int_equal(leaf(plan.pv.virt_base - PAGE), 0);
}

static void walk_list(void)
{
    uint64_t pages = plan.machine.map.r[0].end / PAGE;

    for (uint64_t i = 0; i < pages; i++) {
        uint64_t va = plan.pv.p2m_va + 8 * i, e = leaf(va);

        assert_int_equal(e & 3, 3);
        assert_int_equal(word_at(gpa_of(e >> 12) + va % PAGE), mfn[i]);
    }
}

static void emit(const struct pvboot_image *img, const struct pvboot_request *req)
{
    struct pvboot_kernel k = { .image = *img };

    for (unsigned int id = 0; id < PVBOOT_SEGMENTS; id++) {
        const struct pvboot_segment *s = &plan.seg[id];

        free(bytes[id]);
        bytes[id] = NULL;
        if (!pvb_pv_is_structure(id))
            continue;
        bytes[id] = calloc(1, s->end - s->start);
        if (pvb_pv_write(&plan, &k, req, id, bytes[id], &refusal))
            fail_msg("%s", refusal.text);
    }
}

static void shuffle(uint64_t pages)
{
    mfn = calloc(pages, sizeof(*mfn));
    for (uint64_t i = 0; i < pages; i++)
        mfn[i] = 0x100000 + i;
    for (uint64_t i = pages - 1; i; i--) {
        uint64_t j = (uint64_t)rand() % i, was = mfn[i];

        mfn[i] = mfn[j];
        mfn[j] = was;
    }
}

static void as_the_processor_walks(void **state)
{
    static const struct {
        uint64_t base, p2m; /* 0: not apart */
    } at[] = { { BASE, P2M }, { BASE, 0 }, { BASE + 0x3f123000, 0x7fffff000 }, { 0, 0 }, { 0x7ffe000000, 0 } };

    (void)state;
    for (size_t i = 0; can_plan(PVBOOT_PATH_PV) && i < sizeof(at) / sizeof(at[0]); i++) {
        struct pvboot_image img = fixture_pv();
        struct pvboot_machine m = fixture_pv_machine(96 * MIB);
        struct pvboot_request req = fixture_request(PVBOOT_PATH_PV, "a", 3000);

        img.elf.notes.pv.entry_va += at[i].base - BASE;
        img.elf.notes.pv.virt_base = at[i].base;
        img.elf.notes.pv.has_init_p2m = at[i].p2m != 0;
        img.elf.notes.pv.init_p2m_va = at[i].p2m;
        img.elf.notes.pv.mod_start_pfn = i % 2;
        shuffle(m.map.r[0].end / PAGE);
        m.mfn = mfn;
        if (make_plan(&img, &m, &req))
            fail_msg("%s", refusal.text);
        emit(&img, &req);
        walk_first_mapping();
        walk_list();
        assert_int_equal(word_at(plan.vcpu.rsi - plan.pv.virt_base + 32), 96 * 256); /* xen.h: nr_pages */
        free(mfn);
    }
}

/* Whatever the numbers: no plan, or one that the check agrees with (make_plan() asks it). */
static void always_legal(void **state)
{
    unsigned int made = 0;

    (void)state;
    srand(7);
    for (unsigned int i = 0; can_plan(PVBOOT_PATH_PV) && i < 3000; i++) {
        struct pvboot_image img = fixture_pv();
        struct pvboot_machine m = fixture_pv_machine(((uint64_t)rand() % 90000 + 1) * PAGE);
        struct pvboot_request req = fixture_request(PVBOOT_PATH_PV, "a", (size_t)(rand() % 100000000));
        uint64_t base = ((uint64_t)rand() << 33 ^ (uint64_t)rand() << 12) & ~(PAGE - 1);

        if (rand() % 2)
            base = BASE + ((uint64_t)(rand() % 0x80000) << 12);
        img.elf.notes.pv.entry_va += base - BASE;
        img.elf.notes.pv.virt_base = base;
        img.elf.notes.pv.has_init_p2m = rand() % 2;
        img.elf.notes.pv.init_p2m_va = rand() % 2 ? P2M : (uint64_t)rand() << (rand() % 33);
        img.elf.notes.pv.mod_start_pfn = rand() % 2;
        made += !make_plan(&img, &m, &req);
    }
    assert_true(made > 200 || !can_plan(PVBOOT_PATH_PV));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),      cmocka_unit_test(wraps_onto_the_list),
        cmocka_unit_test(kinds),        cmocka_unit_test(as_the_processor_walks),
        cmocka_unit_test(always_legal),
    };

    return cmocka_run_group_tests_name("plan_pv", tests, NULL, NULL);
}

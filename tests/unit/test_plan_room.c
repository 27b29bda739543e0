/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where room ends: fits exactly, one page over, wraps.  Sums by hand: Debian's 6.1 amd64 unpacks in 0x3f98000 bytes
 * from 0x1000000, to 0x4f98000; its small segments are 10 pages on linux64.
 */
#include "plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define RAM PVBOOT_RAM
#define NOFIT (-PVBOOT_E_NOFIT)
#define SMALL 0xa000u /* ten pages */

static void test_memory(void **state)
{
    static const struct {
        const char *name;
        uint64_t memory;
        size_t ramdisk;
        int rc;
        const char *text;
    } row[] = {
        { "the window exactly", 0x4f98000, 0, 0, NULL },
        { "one page less", 0x4f97000, 0, NOFIT,
          "kernel window of 66682880 bytes at or above 0x1000000 (ends 0x4f98000), alignment 0x200000: "
          "largest free range from there is 66678784 bytes at 0x1000000; guest memory ends at 0x4f97000" },
        { "64 MiB", 64 * MIB, 0, NOFIT,
          "kernel window of 66682880 bytes at or above 0x1000000 (ends 0x4f98000), alignment 0x200000: "
          "largest free range from there is 50331648 bytes at 0x1000000; guest memory ends at 0x4000000" },
        { "less than 16 MiB", 8 * MIB, 0, NOFIT, NULL },
        { "one page", 4096, 0, NOFIT, NULL },
        { "a ramdisk of one page above the window", 0x4f99000, 4096, 0, NULL },
        { "all of 1..16 MiB but the small ones", 0x4f98000, 0xf00000 - SMALL, 0, NULL },
        { "one byte over", 0x4f98000, 0xf00000 - SMALL + 1, NOFIT,
          "boot structures of 40960 bytes in one piece between 1 MiB and 4 GiB: "
          "largest free range is 36864 bytes at 0x100000" },
        { "all of 1..16 MiB", 0x4f98000, 0xf00000, NOFIT,
          "boot structures of 40960 bytes in one piece between 1 MiB and 4 GiB: "
          "largest free range is 0 bytes at 0x0" },
        { "one byte over that", 0x4f98000, 0xf00001, NOFIT,
          "ramdisk of 15728641 bytes (15732736 in whole pages): "
          "largest free range is 15728640 bytes at 0x100000" },
        { "the small ones above the window", 0x4f98000 + SMALL, 0xf00000, 0, NULL },
    };
    struct pvboot_image img = fixture_amd64();

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_machine m = fixture_machine(row[i].memory);
        struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", row[i].ramdisk);

        if (make_plan(&img, &m, &req) != row[i].rc)
            fail_msg("%s: %s", row[i].name, refusal.text);
        if (row[i].text)
            assert_string_equal(refusal.text, row[i].text);
    }
}

/* initrd_addr_max 0xfffffff with RAM to 4 GiB: between 0x4f98000 and 0x10000000 lie 0xb068000 bytes. */
static void test_initrd_addr_max(void **state)
{
    static const struct {
        enum pvboot_path path;
        bool above_4g;
        size_t ramdisk;
        int rc;
        uint64_t start;
    } row[] = {
        { PVBOOT_PATH_LINUX32, true, 0xb068000, 0, 0x4f98000 },
        { PVBOOT_PATH_LINUX32, true, 0xb068001, NOFIT, 0 },
        { PVBOOT_PATH_LINUX64, false, 0xb068000, 0, 0x4f98000 },
        { PVBOOT_PATH_LINUX64, false, 0xb068001, NOFIT, 0 },
        { PVBOOT_PATH_LINUX64, true, 0xb068001, 0, 0xfc000000 - 0xb069000 },
        { PVBOOT_PATH_VMLINUX64, true, 0x20000000, 0, 0xfc000000 - 0x20000000 },
        /* a PVH kernel takes any 32-bit address, but gets one that its header likes when there is room */
        { PVBOOT_PATH_PVH, false, 0x1000, 0, 0xffff000 },
        { PVBOOT_PATH_PVH, false, 0x20000000, 0, 0xfc000000 - 0x20000000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = fixture_amd64();
        struct pvboot_machine m = fixture_machine(4 * GIB);
        struct pvboot_request req = fixture_request(row[i].path, "", row[i].ramdisk);

        if (!can_plan(req.path))
            continue;
        img.bz.initrd_addr_max = 0xfffffff;
        if (!row[i].above_4g)
            img.bz.xloadflags &= (uint16_t)~2u;
        if (make_plan(&img, &m, &req) != row[i].rc)
            fail_msg("row %zu: %s", i, refusal.text);
        if (!row[i].rc)
            assert_int_equal(plan.seg[PVBOOT_SEG_RAMDISK].start, row[i].start);
    }
}

/* Eight ramdisks of 1 GiB do not fit below 4 GiB. 16 GiB of guest end at 0x404000000. */
static void test_above_4g(void **state)
{
    static const struct {
        enum pvboot_path path;
        bool header, above_4g;
        int rc;
        uint64_t start, page_tables;
    } row[] = {
        /* GiB 8 to 16 (0x204000000..0x404000000) in nine directories more */
        { PVBOOT_PATH_LINUX64, true, true, 0, 0x204000000, 4096 * (1 + 1 + 4 + 9) },
        { PVBOOT_PATH_VMLINUX64, true, true, 0, 0x204000000, 4096 * (1 + 1 + 4 + 9) },
        { PVBOOT_PATH_VMLINUX64, false, true, 0, 0x204000000, 4096 * (1 + 1 + 4 + 9) },
        { PVBOOT_PATH_LINUX64, true, false, NOFIT, 0, 0 },
        { PVBOOT_PATH_VMLINUX64, true, false, NOFIT, 0, 0 },
        { PVBOOT_PATH_LINUX32, true, true, NOFIT, 0, 0 },
        { PVBOOT_PATH_PVH, true, true, NOFIT, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = fixture_amd64();
        struct pvboot_machine m = fixture_machine(16 * GIB);
        struct pvboot_request req = fixture_request(row[i].path, "", GIB);

        if (!can_plan(req.path))
            continue;
        req.n_ramdisks = 8;
        for (unsigned int j = 1; j < 8; j++)
            req.ramdisk[j].len = GIB;
        img.has_bzimage = row[i].header;
        if (!row[i].above_4g)
            img.bz.xloadflags &= (uint16_t)~2u;
        if (make_plan(&img, &m, &req) != row[i].rc)
            fail_msg("row %zu: %s", i, refusal.text);
        if (row[i].rc)
            continue;
        assert_int_equal(plan.seg[PVBOOT_SEG_RAMDISK].start, row[i].start);
        assert_int_equal(plan.seg[PVBOOT_SEG_PAGE_TABLES].bytes, row[i].page_tables);
    }
}

/* Small segments from 1 MiB to the window: ten pages fit, nine do not and go to the top of 256 MiB. */
static void test_small_below(void **state)
{
    static const struct {
        uint64_t pref, zero_page;
    } row[] = { { 0x100000 + SMALL, 0x100000 }, { 0x100000 + SMALL - 0x1000, 0x10000000 - SMALL } };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pvboot_image img = fixture_amd64();
        struct pvboot_machine m = fixture_machine(256 * MIB);
        struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 0);

        img.bz.window.align = 0x1000;
        img.bz.window.pref_gpa = row[i].pref;
        assert_int_equal(make_plan(&img, &m, &req), 0);
        assert_int_equal(plan.kernel_load_gpa, row[i].pref);
        assert_int_equal(plan.seg[PVBOOT_SEG_ZERO_PAGE].start, row[i].zero_page);
    }
}

/* Maps from a toolstack: RAM in pieces that meet inside a page, RAM with ragged ends, no RAM. */
static void test_odd_maps(void **state)
{
    static const struct {
        const char *name;
        struct pvboot_range r[5];
        int rc;
    } row[] = {
        { "no RAM", { { 0, 0x10000000, PVBOOT_RESERVED } }, NOFIT },
        { "nothing", { { 0 } }, NOFIT },
        { "meet inside the window", { { 0, 0x2000800, RAM }, { 0x2000800, 0x10000000, RAM } }, 0 },
        { "ragged ends", { { 1, 0x4f98fff, RAM } }, 0 },
        { "ragged end inside the window's last page", { { 0, 0x4f97fff, RAM } }, NOFIT },
        { "1 byte reserved in the window", { { 0, 0x2000000, RAM }, { 0x2000001, 0x5f98000, RAM } }, NOFIT },
        { "RAM at the very top", { { 0, 0x10000000, RAM }, { UINT64_MAX - 0x1000, UINT64_MAX, RAM } }, 0 },
    };
    struct pvboot_image img = fixture_amd64();
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 0);

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_machine m = fixture_map(row[i].r);

        if (make_plan(&img, &m, &req) != row[i].rc)
            fail_msg("%s: %s", row[i].name, refusal.text);
    }
}

/* ACPI is the run of ranges that holds the RSDP, as libxl reports it, in 4.17 and (as NVS) in 4.21. */
static void test_acpi(void **state)
{
    static const struct {
        struct pvboot_range r[5];
        uint64_t rsdp, start, end;
    } row[] = {
        { { { 0, 0x10000000, RAM },
            { 0xfc000000, 0xfc001000, PVBOOT_ACPI },
            { 0xfc001000, 0xfc008000, PVBOOT_ACPI },
            { 0xfc008000, 0xfc008040, PVBOOT_ACPI } },
          0xfc008000,
          0xfc000000,
          0xfc008040 },
        { { { 0, 0x10000000, RAM },
            { 0xfc000000, 0xfc000040, PVBOOT_ACPI },
            { 0xfc000040, 0xfc008000, PVBOOT_NVS },
            { 0xfd000000, 0xfd001000, PVBOOT_ACPI } },
          0xfc000000,
          0xfc000000,
          0xfc008000 },
        { { { 0, 0x10000000, RAM }, { 0xfc000000, 0xfc008040, PVBOOT_NVS } }, 0xfc008000, 0xfc000000, 0xfc008040 },
        { { { 0, 0xfffc0, RAM },
            { 0xfffc0, 0x100000, PVBOOT_ACPI },
            { 0x100000, 0x10000000, RAM },
            { 0xfc000000, 0xfc008000, PVBOOT_ACPI } },
          0xfffc0,
          0xfffc0,
          0x100000 },
        { { { 0, 0x10000000, RAM }, { 0xe0000000, 0xe0001000, PVBOOT_ACPI }, { 0xfc000000, 0xfc001000, PVBOOT_ACPI } },
          0xfc000000,
          0xfc000000,
          0xfc001000 },
        { { { 0, 0x10000000, RAM }, { 0xfc000000, 0xfc008000, PVBOOT_ACPI } }, 0xfc008000, 0, 0 },
        { { { 0, 0x10000000, RAM }, { 0xfc000000, 0xfc008000, PVBOOT_ACPI } }, 0, 0, 0 },
        { { { 0, 0x10000000, RAM }, { 0xfc000000, 0xfc008000, PVBOOT_RESERVED } }, 0xfc000000, 0, 0 },
    };
    struct pvboot_image img = fixture_amd64();
    struct pvboot_request req = fixture_request(PVBOOT_PATH_PVH, "", 0);

    (void)state;
    if (!can_plan(req.path))
        skip();
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_machine m = fixture_map(row[i].r);

        m.rsdp_gpa = row[i].rsdp;
        assert_int_equal(make_plan(&img, &m, &req), 0);
        assert_int_equal(plan.seg[PVBOOT_SEG_ACPI].start, row[i].start);
        assert_int_equal(plan.seg[PVBOOT_SEG_ACPI].end, row[i].end);
        assert_int_equal(!!plan.seg[PVBOOT_SEG_ACPI].why[0], !!row[i].end);
    }
}

/* The whole of what a map can hold, as single pages with gaps, around a window that is free. */
static void test_full_map(void **state)
{
    static struct pvboot_machine m;
    struct pvboot_image img = fixture_amd64();
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 4096);

    (void)state;
    m = (struct pvboot_machine){ .vcpus = 1 };
    m.map.r[m.map.n++] = (struct pvboot_range){ 0x100000, 0x10000000, RAM };
    while (m.map.n < PVBOOT_MEMMAP_MAX - 1) {
        m.map.r[m.map.n] = (struct pvboot_range){ 0x10000000 + m.map.n * 0x2000, 0x10001000 + m.map.n * 0x2000, RAM };
        m.map.n++;
    }
    assert_int_equal(make_plan(&img, &m, &req), 0); /* the ISA hole takes the last entry */
    assert_int_equal(plan.e820.n, PVBOOT_MEMMAP_MAX);
    assert_int_equal(plan.seg[PVBOOT_SEG_RAMDISK].start, 0x10000000 + (PVBOOT_MEMMAP_MAX - 2) * 0x2000);
    m.map.r[m.map.n] = (struct pvboot_range){ 0x20000000, 0x20001000, RAM };
    m.map.n++;
    assert_int_equal(make_plan(&img, &m, &req), -PVBOOT_E_LIMIT);
    if (!can_plan(PVBOOT_PATH_PVH))
        skip();
    req.path = PVBOOT_PATH_PVH; /* nothing is added to Xen's own map */
    assert_int_equal(make_plan(&img, &m, &req), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),      cmocka_unit_test(test_initrd_addr_max), cmocka_unit_test(test_above_4g),
        cmocka_unit_test(test_small_below), cmocka_unit_test(test_odd_maps),        cmocka_unit_test(test_full_map),
        cmocka_unit_test(test_acpi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

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

static struct pvboot_plan plan;
static struct pvboot_error error;

static int make(const struct pvboot_image *img, const struct pvboot_machine *m, const struct pvboot_request *req)
{
    int rc;

    memset(&error, 0, sizeof(error));
    rc = pvboot_plan_make(&plan, img, m, req, &error);
    assert_int_equal(error.code, -rc);
    if (!rc && pvboot_plan_check(&plan, img, &error))
        fail_msg("check: %s", error.text);
    return rc;
}

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
          "largest free range from there is 66678784 bytes at 0x1000000" },
        { "64 MiB", 64 * MIB, 0, NOFIT,
          "kernel window of 66682880 bytes at or above 0x1000000 (ends 0x4f98000), alignment 0x200000: "
          "largest free range from there is 50331648 bytes at 0x1000000" },
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

        if (make(&img, &m, &req) != row[i].rc)
            fail_msg("%s: %s", row[i].name, error.text);
        if (row[i].text)
            assert_string_equal(error.text, row[i].text);
    }
}

/* A page in the kernel's way. Only upwards, only in its own steps, never an ELF that does not say it may move. */
static void test_window_taken(void **state)
{
    static const struct pvboot_range busy[] = {
        { 0, 0x1000000, RAM }, { 0x1000000, 0x1001000, PVBOOT_RESERVED }, { 0x1001000, 0x10000000, RAM }, { 0 }
    };
    static const struct {
        const char *name;
        struct pvboot_image (*img)(void);
        enum pvboot_path path;
        int rc;
        uint64_t load, rip;
        int64_t delta;
    } row[] = {
        { "bzImage", fixture_amd64, PVBOOT_PATH_LINUX64, 0, 0x1200000, 0x1200200, 0 },
        { "bzImage, 32-bit entry", fixture_amd64, PVBOOT_PATH_LINUX32, 0, 0x1200000, 0x1200000, 0 },
        { "steps of 16 MiB", fixture_686_pae, PVBOOT_PATH_LINUX32, 0, 0x2000000, 0x2000000, 0 },
        { "vmlinux", fixture_amd64, PVBOOT_PATH_VMLINUX64, 0, 0x1200000, 0x1200000, 0x200000 },
        { "pvh", fixture_amd64, PVBOOT_PATH_PVH, NOFIT, 0, 0, 0 },
        { "not in its way", fixture_unikernel, PVBOOT_PATH_PVH, 0, 0x100000, 0x100010, 0 },
        { "fixed bzImage from 1 MiB", fixture_old32, PVBOOT_PATH_LINUX32, NOFIT, 0, 0, 0 },
    };
    struct pvboot_machine m = fixture_map(busy);

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = row[i].img();
        struct pvboot_request req = fixture_request(row[i].path, "", 0);

        if (make(&img, &m, &req) != row[i].rc)
            fail_msg("%s: %s", row[i].name, error.text);
        if (row[i].rc)
            continue;
        assert_int_equal(plan.kernel_load_gpa, row[i].load);
        assert_int_equal(plan.vcpu.rip, row[i].rip);
        assert_int_equal(plan.elf_delta, row[i].delta);
    }
}

static void test_fixed(void **state)
{
    static const struct pvboot_range busy[] = {
        { 0, 0x1000000, RAM }, { 0x1000000, 0x1001000, PVBOOT_RESERVED }, { 0x1001000, 0x10000000, RAM }, { 0 }
    };
    struct pvboot_image img = fixture_amd64();
    struct pvboot_machine m = fixture_map(busy);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 0);

    (void)state;
    img.bz.window.relocatable = false;
    assert_int_equal(make(&img, &m, &req), NOFIT);
    assert_string_equal(error.text, "kernel window of 66682880 bytes at exactly 0x1000000 (ends 0x4f98000), alignment "
                                    "0x200000: largest free range from there is 251654144 bytes "
                                    "at 0x1001000");
    /* a vmlinux is as movable as the bzImage it came in says */
    req.path = PVBOOT_PATH_VMLINUX64;
    assert_int_equal(make(&img, &m, &req), NOFIT);
    img.has_bzimage = false;
    assert_int_equal(make(&img, &m, &req), 0);
    assert_int_equal(plan.kernel_load_gpa, 0x1200000);
}

/* PHYS32_RELOC, elfnote.h: alignment and lowest address of the start, highest of the last byte; span 0x3a00000. */
static void test_phys32_reloc(void **state)
{
    static const struct pvboot_range busy[] = {
        { 0, 0x1000000, RAM }, { 0x1000000, 0x1001000, PVBOOT_RESERVED }, { 0x1001000, 0x10000000, RAM }, { 0 }
    };
    static const struct pvboot_range low[] = { { 0, 0x4000000, RAM }, { 0 } };
    static const struct {
        const char *name;
        const struct pvboot_range *map;
        uint32_t align, min, max;
        int rc;
        uint64_t load;
    } row[] = {
        { "Linux's own note", busy, 0x200000, 0x1000000, 0xffffffff, 0, 0x1200000 },
        { "larger steps", busy, 0x1000000, 0x1000000, 0xffffffff, 0, 0x2000000 },
        { "smaller steps", busy, 0x1000, 0x1000000, 0xffffffff, 0, 0x1001000 },
        { "a step below a page", busy, 4, 0x1000000, 0xffffffff, 0, 0x1001000 },
        { "higher minimum", busy, 0x200000, 0x3000001, 0xffffffff, 0, 0x3200000 },
        { "last byte at the maximum", busy, 0x200000, 0, 0x4bfffff, 0, 0x1200000 },
        { "last byte over it", busy, 0x200000, 0x1000000, 0x4bffffe, NOFIT, 0 },
        { "minimum above all RAM", busy, 0x200000, 0x10000000, 0xffffffff, NOFIT, 0 },
        { "last step of RAM", busy, 0x200000, 0xc600000, 0xffffffff, 0, 0xc600000 },
        { "one step further", busy, 0x200000, 0xc600001, 0xffffffff, NOFIT, 0 },
        { "downwards", low, 0x200000, 0, 0xffffffff, 0, 0x200000 },
        { "not below its minimum", low, 0x200000, 0x1000000, 0xffffffff, NOFIT, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = fixture_movable(row[i].align, row[i].min, row[i].max);
        struct pvboot_machine m = fixture_map(row[i].map);
        struct pvboot_request req = fixture_request(PVBOOT_PATH_PVH, "", 0);

        if (make(&img, &m, &req) != row[i].rc)
            fail_msg("%s: %s at 0x%llx", row[i].name, error.text, (unsigned long long)plan.kernel_load_gpa);
        if (row[i].rc)
            continue;
        assert_int_equal(plan.kernel_load_gpa, row[i].load);
        assert_int_equal(plan.elf_delta, (int64_t)row[i].load - 0x1000000);
        assert_int_equal(plan.vcpu.rip, row[i].load + 0x850);
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

        img.bz.initrd_addr_max = 0xfffffff;
        if (!row[i].above_4g)
            img.bz.xloadflags &= (uint16_t)~2u;
        if (make(&img, &m, &req) != row[i].rc)
            fail_msg("row %zu: %s", i, error.text);
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

        req.n_ramdisks = 8;
        for (unsigned int j = 1; j < 8; j++)
            req.ramdisk[j].len = GIB;
        img.has_bzimage = row[i].header;
        if (!row[i].above_4g)
            img.bz.xloadflags &= (uint16_t)~2u;
        if (make(&img, &m, &req) != row[i].rc)
            fail_msg("row %zu: %s", i, error.text);
        if (row[i].rc)
            continue;
        assert_int_equal(plan.seg[PVBOOT_SEG_RAMDISK].start, row[i].start);
        assert_int_equal(plan.seg[PVBOOT_SEG_PAGE_TABLES].bytes, row[i].page_tables);
    }
}

/* 32 MiB of RAM below 4 GiB, 1 GiB above: only a kernel that says so goes there, and is mapped there. */
static void test_kernel_above_4g(void **state)
{
    static const struct pvboot_range split[] = { { 0, 0x2000000, RAM }, { 0x100000000, 0x140000000, RAM }, { 0 } };
    struct pvboot_image img = fixture_amd64();
    struct pvboot_machine m = fixture_map(split);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 4096);

    (void)state;
    assert_int_equal(make(&img, &m, &req), 0);
    assert_int_equal(plan.kernel_load_gpa, 0x100000000);
    assert_int_equal(plan.vcpu.rip, 0x100000200);
    assert_int_equal(plan.seg[PVBOOT_SEG_RAMDISK].start, 0x1fff000);
    assert_int_equal(plan.seg[PVBOOT_SEG_PAGE_TABLES].bytes, 4096 * 7);
    req.path = PVBOOT_PATH_LINUX32;
    assert_int_equal(make(&img, &m, &req), NOFIT);
    req.path = PVBOOT_PATH_PVH;
    assert_int_equal(make(&img, &m, &req), NOFIT);
    req.path = PVBOOT_PATH_LINUX64;
    img.bz.xloadflags &= (uint16_t)~2u;
    assert_int_equal(make(&img, &m, &req), NOFIT);
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
        assert_int_equal(make(&img, &m, &req), 0);
        assert_int_equal(plan.kernel_load_gpa, row[i].pref);
        assert_int_equal(plan.seg[PVBOOT_SEG_ZERO_PAGE].start, row[i].zero_page);
    }
}

/* Figures that no sane file has: no wrap, no fit. */
static void test_wraps(void **state)
{
    static const struct {
        uint64_t pref, bytes, align;
        bool relocatable;
    } row[] = {
        { UINT64_MAX & ~0x1fffffull, 0x200000, 0x200000, true },
        { UINT64_MAX & ~0x1fffffull, 0x200000, 0x200000, false },
        { UINT64_MAX, 1, 0x200000, true },
        { UINT64_MAX, 1, 1, false },
        { 0x1000000, UINT64_MAX, 0x200000, true },
        { 0x1000000, UINT64_MAX - 0xffffff, 0x200000, false },
        { 0x1000000, UINT64_MAX - 0x1000fff, 0x200000, true },
        { 0x1000000, 0x1000, 1ull << 63, true },
        { 0, 0x1000, 0x1000, false },
        { 0x1000, 0x1000, 0x1000, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = fixture_amd64();
        struct pvboot_machine m = fixture_machine(16 * GIB);
        struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 0);

        img.bz.window.pref_gpa = row[i].pref;
        img.bz.window.bytes = row[i].bytes;
        img.bz.window.align = row[i].align;
        img.bz.window.relocatable = row[i].relocatable;
        if (make(&img, &m, &req) != NOFIT)
            fail_msg("row %zu", i);
        img.elf.window = img.bz.window;
        img.elf.window.relocatable = false;
        req.path = PVBOOT_PATH_PVH;
        if (i < 7 && make(&img, &m, &req) != NOFIT)
            fail_msg("row %zu as pvh", i);
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

        if (make(&img, &m, &req) != row[i].rc)
            fail_msg("%s: %s", row[i].name, error.text);
    }
}

/* A kernel that may not move, up to the last byte below 4 GiB and one page further. */
static void test_fixed_at_4g(void **state)
{
    static const struct pvboot_range all[] = { { 0, 0x200000000, RAM }, { 0 } };
    struct pvboot_image img = fixture_old32();
    struct pvboot_machine m = fixture_map(all);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX32, "", 0);

    (void)state;
    img.bz.window.pref_gpa = 0xfe000000;
    assert_int_equal(make(&img, &m, &req), 0);
    img.bz.window.pref_gpa = 0xfe001000;
    assert_int_equal(make(&img, &m, &req), NOFIT);
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
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_machine m = fixture_map(row[i].r);

        m.rsdp_gpa = row[i].rsdp;
        assert_int_equal(make(&img, &m, &req), 0);
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
    assert_int_equal(make(&img, &m, &req), 0); /* the ISA hole takes the last entry */
    assert_int_equal(plan.e820.n, PVBOOT_MEMMAP_MAX);
    assert_int_equal(plan.seg[PVBOOT_SEG_RAMDISK].start, 0x10000000 + (PVBOOT_MEMMAP_MAX - 2) * 0x2000);
    m.map.r[m.map.n] = (struct pvboot_range){ 0x20000000, 0x20001000, RAM };
    m.map.n++;
    assert_int_equal(make(&img, &m, &req), -PVBOOT_E_LIMIT);
    req.path = PVBOOT_PATH_PVH; /* nothing is added to Xen's own map */
    assert_int_equal(make(&img, &m, &req), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_window_taken),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_phys32_reloc),
        cmocka_unit_test(test_initrd_addr_max),
        cmocka_unit_test(test_above_4g),
        cmocka_unit_test(test_kernel_above_4g),
        cmocka_unit_test(test_small_below),
        cmocka_unit_test(test_wraps),
        cmocka_unit_test(test_odd_maps),
        cmocka_unit_test(test_full_map),
        cmocka_unit_test(test_fixed_at_4g),
        cmocka_unit_test(test_acpi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where the kernel goes when the place it wants is taken, and where it must not go. */
#include "plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define RAM PVBOOT_RAM
#define NOFIT (-PVBOOT_E_NOFIT)

/* 256 MiB with a page in the way of whoever wants to lie at 16 MiB. */
static const struct pvboot_range busy[] = {
    { 0, 0x1000000, RAM }, { 0x1000000, 0x1001000, PVBOOT_RESERVED }, { 0x1001000, 0x10000000, RAM }, { 0 }
};

/* A page in the kernel's way. Only upwards, only in its own steps, never an ELF that does not say it may move. */
static void test_window_taken(void **state)
{
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

        if (!can_plan(req.path))
            continue;
        if (make_plan(&img, &m, &req) != row[i].rc)
            fail_msg("%s: %s", row[i].name, refusal.text);
        if (row[i].rc)
            continue;
        assert_int_equal(plan.kernel_load_gpa, row[i].load);
        assert_int_equal(plan.vcpu.rip, row[i].rip);
        assert_int_equal(plan.elf_delta, row[i].delta);
    }
}

/* The sentence beside an address must be true of it. */
static void test_reasons(void **state)
{
    static const struct {
        uint64_t pref, load;
        const char *why;
    } row[] = {
        { 0x2000000, 0x2000000, "its preferred address, with all that unpacking in place overwrites" },
        { 0x1f00000, 0x2000000, "its preferred address, with all that unpacking in place overwrites" },
        { 0x1000000, 0x1200000, "lowest free multiple of 0x200000: its preferred address 0x1000000 is taken" },
        { 0xf00001, 0x1200000, "lowest free multiple of 0x200000: its preferred address 0x1000000 is taken" },
    };
    struct pvboot_machine m = fixture_map(busy);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 0);

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = fixture_amd64();

        img.bz.window.pref_gpa = row[i].pref;
        assert_int_equal(make_plan(&img, &m, &req), 0);
        assert_int_equal(plan.kernel_load_gpa, row[i].load);
        assert_string_equal(plan.seg[PVBOOT_SEG_KERNEL].why, row[i].why);
    }
}

/* What the refusal names: the first range that is no RAM, whatever it is, but the end of memory before all else. */
static void test_in_the_way(void **state)
{
    static const struct {
        const char *says;
        struct pvboot_range map[4];
    } row[] = {
        { "; guest memory ends at 0x4f97fff", { { 0, 0x4f97fff, RAM } } },
        { "; guest memory ends at 0x800000", { { 0, 0x800000, RAM }, { 0xfc000000, 0xfc009000, PVBOOT_ACPI } } },
        { "; guest memory ends at 0x0", { { 0x1000000, 0x8000000, PVBOOT_UNUSABLE } } },
        { "; guest memory ends at 0x4000000", { { 0, 0x2000000, RAM }, { 0x2001000, 0x4000000, RAM } } },
        { "; no memory is at 0x2000000..0x2001000", { { 0, 0x2000000, RAM }, { 0x2001000, 0x10000000, RAM } } },
        { "; no memory is at 0x1000000..0x1001000", { { 0x1001000, 0x10000000, RAM } } },
        { "; in the way: the ACPI tables at 0x2000000..0x2001000",
          { { 0, 0x2000000, RAM }, { 0x2000000, 0x2001000, PVBOOT_ACPI }, { 0x2001000, 0x10000000, RAM } } },
        { "; in the way: the ACPI tables at 0x4f97000..0x4f98000",
          { { 0, 0x4f97000, RAM }, { 0x4f97000, 0x4f98000, PVBOOT_NVS }, { 0x4f98000, 0x10000000, RAM } } },
        { "; in the way: unusable memory at 0x800000..0x1000001",
          { { 0, 0x800000, RAM }, { 0x800000, 0x1000001, PVBOOT_UNUSABLE }, { 0x1000001, 0x10000000, RAM } } },
    };
    struct pvboot_image img = fixture_amd64();
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 0);

    (void)state;
    img.bz.window.relocatable = false;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_machine m = fixture_map(row[i].map);
        size_t n = strlen(row[i].says);

        assert_int_equal(make_plan(&img, &m, &req), NOFIT);
        if (strlen(refusal.text) < n || strcmp(refusal.text + strlen(refusal.text) - n, row[i].says) != 0)
            fail_msg("not \"%s\": %s", row[i].says, refusal.text);
    }
}

static void test_fixed(void **state)
{
    struct pvboot_image img = fixture_amd64();
    struct pvboot_machine m = fixture_map(busy);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 0);

    (void)state;
    img.bz.window.relocatable = false;
    assert_int_equal(make_plan(&img, &m, &req), NOFIT);
    assert_string_equal(refusal.text,
                        "kernel window of 66682880 bytes at exactly 0x1000000 (ends 0x4f98000), alignment "
                        "0x200000: largest free range from there is 251654144 bytes "
                        "at 0x1001000; in the way: a reserved range at 0x1000000..0x1001000");
    /* a vmlinux is as movable as the bzImage it came in says */
    req.path = PVBOOT_PATH_VMLINUX64;
    assert_int_equal(make_plan(&img, &m, &req), NOFIT);
    img.has_bzimage = false;
    assert_int_equal(make_plan(&img, &m, &req), 0);
    assert_int_equal(plan.kernel_load_gpa, 0x1200000);
}

/* PHYS32_RELOC, elfnote.h: alignment and lowest address of the start, highest of the last byte; span 0x3a00000. */
static void test_phys32_reloc(void **state)
{
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
    if (!can_plan(PVBOOT_PATH_PVH))
        skip();
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = fixture_movable(row[i].align, row[i].min, row[i].max);
        struct pvboot_machine m = fixture_map(row[i].map);
        struct pvboot_request req = fixture_request(PVBOOT_PATH_PVH, "", 0);

        if (make_plan(&img, &m, &req) != row[i].rc)
            fail_msg("%s: %s at 0x%llx", row[i].name, refusal.text, (unsigned long long)plan.kernel_load_gpa);
        if (row[i].rc)
            continue;
        assert_int_equal(plan.kernel_load_gpa, row[i].load);
        assert_int_equal(plan.elf_delta, (int64_t)row[i].load - 0x1000000);
        assert_int_equal(plan.vcpu.rip, row[i].load + 0x850);
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
    assert_int_equal(make_plan(&img, &m, &req), 0);
    assert_int_equal(plan.kernel_load_gpa, 0x100000000);
    assert_int_equal(plan.vcpu.rip, 0x100000200);
    assert_int_equal(plan.seg[PVBOOT_SEG_RAMDISK].start, 0x1fff000);
    assert_int_equal(plan.seg[PVBOOT_SEG_PAGE_TABLES].bytes, 4096 * 7);
    req.path = PVBOOT_PATH_LINUX32;
    assert_int_equal(make_plan(&img, &m, &req), NOFIT);
    req.path = PVBOOT_PATH_LINUX64;
    img.bz.xloadflags &= (uint16_t)~2u;
    assert_int_equal(make_plan(&img, &m, &req), NOFIT);
    if (!can_plan(PVBOOT_PATH_PVH))
        skip();
    req.path = PVBOOT_PATH_PVH;
    assert_int_equal(make_plan(&img, &m, &req), NOFIT);
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
        if (make_plan(&img, &m, &req) != NOFIT)
            fail_msg("row %zu", i);
        img.elf.window = img.bz.window;
        img.elf.window.relocatable = false;
        req.path = PVBOOT_PATH_PVH;
        if (i < 7 && can_plan(req.path) && make_plan(&img, &m, &req) != NOFIT)
            fail_msg("row %zu as pvh", i);
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
    assert_int_equal(make_plan(&img, &m, &req), 0);
    img.bz.window.pref_gpa = 0xfe001000;
    assert_int_equal(make_plan(&img, &m, &req), NOFIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_taken), cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_in_the_way),   cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_phys32_reloc), cmocka_unit_test(test_kernel_above_4g),
        cmocka_unit_test(test_wraps),        cmocka_unit_test(test_fixed_at_4g),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

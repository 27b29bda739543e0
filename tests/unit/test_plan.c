/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whole layouts, worked out by hand from boot.rst, pvh.pandoc and the machine's map.
 *
 * Below a kernel at 16 MiB the small segments follow each other from 1 MiB, one page each, page tables six:
 * PML4, PDPT and a directory for each of four GiB.
 */
#include "plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

struct span {
    uint64_t start, end;
};

static struct span at(enum pvboot_segment_id id)
{
    return (struct span){ plan.seg[id].start, plan.seg[id].end };
}

static void assert_segments(const char *name, const struct span *want)
{
    for (unsigned int i = 0; i < PVBOOT_SEG_ACPI; i++) {
        struct span is = at(i);

        if (is.start != want[i].start || is.end != want[i].end)
            fail_msg("%s: %s is 0x%llx..0x%llx, should be 0x%llx..0x%llx", name, pvboot_segment_name(i),
                     (unsigned long long)is.start, (unsigned long long)is.end, (unsigned long long)want[i].start,
                     (unsigned long long)want[i].end);
        assert_int_equal(!!plan.seg[i].why[0], !!is.end);
    }
}

/* Columns: kernel, ramdisk, zero page, cmdline, setup_data, start info, gdt, page tables. ACPI and special pages are
 * stock: 0xfc000000..0xfc008040, 0xfeff8000..0xff000000. */
/* clang-format off */
static const struct {
    const char *name;
    struct pvboot_image (*img)(void);
    enum pvboot_path path;
    uint64_t memory;
    size_t ramdisk;
    struct span seg[PVBOOT_SEG_ACPI];
} layout[] = {
    { "6.1 amd64, linux64, 256 MiB", fixture_amd64, PVBOOT_PATH_LINUX64, 256 * MIB, 10000001,
      { { 0x1000000, 0x4f98000 }, { 0xf676000, 0x10000000 }, { 0x100000, 0x101000 }, { 0x101000, 0x102000 },
        { 0x102000, 0x103000 }, { 0, 0 }, { 0x103000, 0x104000 }, { 0x104000, 0x10a000 } } },
    { "6.1 amd64, linux32, 256 MiB", fixture_amd64, PVBOOT_PATH_LINUX32, 256 * MIB, 4096,
      { { 0x1000000, 0x4f98000 }, { 0xffff000, 0x10000000 }, { 0x100000, 0x101000 }, { 0x101000, 0x102000 },
        { 0x102000, 0x103000 }, { 0, 0 }, { 0x103000, 0x104000 }, { 0, 0 } } },
    { "6.1 amd64, vmlinux64, 256 MiB, no ramdisk", fixture_amd64, PVBOOT_PATH_VMLINUX64, 256 * MIB, 0,
      { { 0x1000000, 0x4a00000 }, { 0, 0 }, { 0x100000, 0x101000 }, { 0x101000, 0x102000 },
        { 0x102000, 0x103000 }, { 0, 0 }, { 0x103000, 0x104000 }, { 0x104000, 0x10a000 } } },
    { "6.1 amd64, pvh, 256 MiB", fixture_amd64, PVBOOT_PATH_PVH, 256 * MIB, 1,
      { { 0x1000000, 0x4a00000 }, { 0xffff000, 0x10000000 }, { 0, 0 }, { 0x100000, 0x101000 },
        { 0, 0 }, { 0x101000, 0x102000 }, { 0, 0 }, { 0, 0 } } },
    /* 200 MiB of initrd: 0x80000000 - 0xc800000, for initrd_addr_max is 0x7fffffff */
    { "6.1 amd64, linux64, 16 GiB", fixture_amd64, PVBOOT_PATH_LINUX64, 16 * GIB, 200 * MIB,
      { { 0x1000000, 0x4f98000 }, { 0x73800000, 0x80000000 }, { 0x100000, 0x101000 }, { 0x101000, 0x102000 },
        { 0x102000, 0x103000 }, { 0, 0 }, { 0x103000, 0x104000 }, { 0x104000, 0x10a000 } } },
    { "6.1 686-pae, linux32, 64 MiB", fixture_686_pae, PVBOOT_PATH_LINUX32, 64 * MIB, 8 * MIB,
      { { 0x1000000, 0x2135000 }, { 0x3800000, 0x4000000 }, { 0x100000, 0x101000 }, { 0x101000, 0x102000 },
        { 0x102000, 0x103000 }, { 0, 0 }, { 0x103000, 0x104000 }, { 0, 0 } } },
    /* A window from 1 MiB leaves no room below: the small ones go under the ramdisk. */
    { "2.6.26, linux32, 64 MiB", fixture_old32, PVBOOT_PATH_LINUX32, 64 * MIB, 8 * MIB,
      { { 0x100000, 0x2100000 }, { 0x3800000, 0x4000000 }, { 0x37fc000, 0x37fd000 }, { 0x37fd000, 0x37fe000 },
        { 0x37fe000, 0x37ff000 }, { 0, 0 }, { 0x37ff000, 0x3800000 }, { 0, 0 } } },
    { "2.6.26, linux32, 64 MiB, no ramdisk", fixture_old32, PVBOOT_PATH_LINUX32, 64 * MIB, 0,
      { { 0x100000, 0x2100000 }, { 0, 0 }, { 0x3ffc000, 0x3ffd000 }, { 0x3ffd000, 0x3ffe000 },
        { 0x3ffe000, 0x3fff000 }, { 0, 0 }, { 0x3fff000, 0x4000000 }, { 0, 0 } } },
    /* not above initrd_addr_max 0x37ffffff, where a 32-bit kernel of those days has no lowmem */
    { "2.6.26, linux32, 4 GiB, no ramdisk", fixture_old32, PVBOOT_PATH_LINUX32, 4 * GIB, 0,
      { { 0x100000, 0x2100000 }, { 0, 0 }, { 0x37ffc000, 0x37ffd000 }, { 0x37ffd000, 0x37ffe000 },
        { 0x37ffe000, 0x37fff000 }, { 0, 0 }, { 0x37fff000, 0x38000000 }, { 0, 0 } } },
    { "unikernel, pvh, 32 MiB", fixture_unikernel, PVBOOT_PATH_PVH, 32 * MIB, 0,
      { { 0x100000, 0x140000 }, { 0, 0 }, { 0, 0 }, { 0x1ffe000, 0x1fff000 },
        { 0, 0 }, { 0x1fff000, 0x2000000 }, { 0, 0 }, { 0, 0 } } },
};
/* clang-format on */

static void test_layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(layout) / sizeof(layout[0]); i++) {
        struct pvboot_image img = layout[i].img();
        struct pvboot_machine m = fixture_machine(layout[i].memory);
        struct pvboot_request req = fixture_request(layout[i].path, "console=hvc0", layout[i].ramdisk);

        if (!can_plan(req.path))
            continue;
        if (make_plan(&img, &m, &req))
            fail_msg("%s: %s", layout[i].name, refusal.text);
        assert_segments(layout[i].name, layout[i].seg);
        assert_int_equal(at(PVBOOT_SEG_ACPI).start, 0xfc000000);
        assert_int_equal(at(PVBOOT_SEG_ACPI).end, 0xfc008040);
        assert_int_equal(at(PVBOOT_SEG_SPECIAL).start, 0xfeff8000);
        assert_int_equal(at(PVBOOT_SEG_SPECIAL).end, 0xff000000);
        assert_int_equal(plan.seg[PVBOOT_SEG_RAMDISK].bytes, layout[i].ramdisk);
        assert_int_equal(plan.seg[PVBOOT_SEG_CMDLINE].bytes, 13); /* with its NUL */
    }
}

/* boot.rst and pvh.pandoc, entry state. */
static void test_registers(void **state)
{
    static const struct {
        enum pvboot_path path;
        struct pvboot_vcpu v;
    } row[] = {
        { PVBOOT_PATH_PVH, { .mode = 32, .rip = 0x1000850, .rbx = 0x101000, .cr0 = 0x11 } },
        { PVBOOT_PATH_LINUX32,
          { .mode = 32,
            .rip = 0x1000000,
            .rsi = 0x100000,
            .cr0 = 0x11,
            .gdt_gpa = 0x103000,
            .gdt_limit = 31,
            .cs = 0x10,
            .ds = 0x18 } },
        { PVBOOT_PATH_LINUX64,
          { .mode = 64,
            .rip = 0x1000200,
            .rsi = 0x100000,
            .cr0 = 0x80000011,
            .cr3 = 0x104000,
            .cr4 = 0x20,
            .efer = 0x500,
            .gdt_gpa = 0x103000,
            .gdt_limit = 31,
            .cs = 0x10,
            .ds = 0x18 } },
        { PVBOOT_PATH_VMLINUX64,
          { .mode = 64,
            .rip = 0x1000000,
            .rsi = 0x100000,
            .cr0 = 0x80000011,
            .cr3 = 0x104000,
            .cr4 = 0x20,
            .efer = 0x500,
            .gdt_gpa = 0x103000,
            .gdt_limit = 31,
            .cs = 0x10,
            .ds = 0x18 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = fixture_amd64();
        struct pvboot_machine m = fixture_machine(256 * MIB);
        struct pvboot_request req = fixture_request(row[i].path, "console=hvc0", 0);

        if (!can_plan(req.path))
            continue;
        assert_int_equal(make_plan(&img, &m, &req), 0);
        assert_memory_equal(&plan.vcpu, &row[i].v, sizeof(row[i].v));
    }
}

/* The start info repeats Xen's map; the zero page reserves the ISA hole in it. */
static void test_memory_told(void **state)
{
    struct pvboot_image img = fixture_amd64();
    struct pvboot_machine m = fixture_machine(16 * GIB);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_PVH, NULL, 0);

    (void)state;
    if (!can_plan(req.path))
        skip();
    assert_int_equal(make_plan(&img, &m, &req), 0);
    assert_memory_equal(&plan.e820, &m.map, sizeof(m.map));
    assert_memory_equal(&plan.machine, &m, sizeof(m));
    req.path = PVBOOT_PATH_LINUX64;
    assert_int_equal(make_plan(&img, &m, &req), 0);
    assert_memory_equal(&plan.machine, &m, sizeof(m));
    assert_int_equal(plan.e820.n, m.map.n + 2);
    assert_true(pvboot_memmap_inside(&plan.e820, 0, 0xa0000, PVBOOT_RAM));
    assert_true(pvboot_memmap_inside(&plan.e820, 0xa0000, 0x100000, PVBOOT_RESERVED));
    assert_true(pvboot_memmap_inside(&plan.e820, 0x100000, 0xfc000000, PVBOOT_RAM));
    assert_true(pvboot_memmap_inside(&plan.e820, 0x100000000, 0x404000000, PVBOOT_RAM));
}

/* boot.rst wants a command line even when there is none; a start info may have a null pointer. */
static void test_no_cmdline(void **state)
{
    struct pvboot_image img = fixture_amd64();
    struct pvboot_machine m = fixture_machine(256 * MIB);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, NULL, 0);

    (void)state;
    assert_int_equal(make_plan(&img, &m, &req), 0);
    assert_int_equal(plan.seg[PVBOOT_SEG_CMDLINE].bytes, 1);
    assert_true(at(PVBOOT_SEG_CMDLINE).end - at(PVBOOT_SEG_CMDLINE).start >= 2048);
    req.path = PVBOOT_PATH_PVH;
    if (!can_plan(req.path))
        skip();
    assert_int_equal(make_plan(&img, &m, &req), 0);
    assert_int_equal(at(PVBOOT_SEG_CMDLINE).end, 0);
}

/* Each ramdisk starts at a multiple of 4: 5, pad 3, 7, pad 1, 4096 makes 4112. */
static void test_joined_ramdisks(void **state)
{
    struct pvboot_image img = fixture_amd64();
    struct pvboot_machine m = fixture_machine(256 * MIB);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 5);

    (void)state;
    req.n_ramdisks = 3;
    req.ramdisk[1].len = 7;
    req.ramdisk[2].len = 4096;
    assert_int_equal(make_plan(&img, &m, &req), 0);
    assert_int_equal(plan.seg[PVBOOT_SEG_RAMDISK].bytes, 4112);
    assert_int_equal(at(PVBOOT_SEG_RAMDISK).start, 0xfffe000);
}

static void test_auto(void **state)
{
    static const struct {
        const char *name;
        struct pvboot_image (*img)(void);
        uint16_t drop_xloadflags;
        enum pvboot_path path;
        const char *why;
    } row[] = {
        { "64-bit", fixture_amd64, 0, PVBOOT_PATH_LINUX64, "linux64: the first choice, and the kernel offers it" },
        { "no XLF_KERNEL_64", fixture_amd64, 1, PVBOOT_PATH_LINUX32,
          "linux64: xloadflags 0x7e has no XLF_KERNEL_64; linux32: the next one the kernel offers" },
        { "32-bit", fixture_686_pae, 0, PVBOOT_PATH_LINUX32,
          "linux64: xloadflags 0x4 has no XLF_KERNEL_64; linux32: the next one the kernel offers" },
        { "PVH ELF", fixture_unikernel, 0, PVBOOT_PATH_PVH,
          "linux64: an ELF file, not a bzImage; linux32: an ELF file, not a bzImage; "
          "pvh: the next one the kernel offers" },
    };
    struct pvboot_request req = fixture_request(PVBOOT_PATH_AUTO, "", 0);
    struct pvboot_machine m = fixture_machine(256 * MIB);

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = row[i].img();

        if (!can_plan(row[i].path))
            continue;
        img.bz.xloadflags &= (uint16_t)~row[i].drop_xloadflags;
        assert_int_equal(make_plan(&img, &m, &req), 0);
        assert_int_equal(plan.path, row[i].path);
        assert_string_equal(plan.path_why, row[i].why);
    }
}

static void test_not_offered(void **state)
{
    struct pvboot_image img = fixture_unikernel();
    struct pvboot_machine m = fixture_machine(256 * MIB);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 0);

    (void)state;
    assert_int_equal(make_plan(&img, &m, &req), -PVBOOT_E_UNSUPPORTED);
    assert_string_equal(refusal.text, "the kernel cannot be started through linux64: an ELF file, not a bzImage");
    img.elf.notes.has_phys32_entry = false;
    req.path = PVBOOT_PATH_AUTO;
    assert_int_equal(make_plan(&img, &m, &req), -PVBOOT_E_UNSUPPORTED);
    assert_string_equal(refusal.text, "no entry of this kernel can be used: linux64: an ELF file, not a bzImage; "
                                      "linux32: an ELF file, not a bzImage; pvh: no PHYS32_ENTRY note");
    req.path = PVBOOT_PATHS;
    assert_int_equal(make_plan(&img, &m, &req), -PVBOOT_E_USAGE);
}

/* The in-guest stub is a PVH ELF like any other, but for the id and the remark on KASLR. */
static void test_stub(void **state)
{
    struct pvboot_image kernel = fixture_unikernel();
    struct pvboot_machine m = fixture_machine(256 * MIB);
    struct pvboot_request req = fixture_request(PVBOOT_PATH_STUB, "", 4096);

    (void)state;
    if (!can_plan(req.path))
        skip();
    assert_int_equal(make_plan(&kernel, &m, &req), -PVBOOT_E_UNSUPPORTED);
    kernel.elf.notes.pvboot_stub = true;
    assert_int_equal(make_plan(&kernel, &m, &req), 0);
    assert_int_equal(plan.vcpu.rip, 0x100010);
    assert_int_equal(plan.vcpu.rbx, plan.seg[PVBOOT_SEG_START_INFO].start);
    assert_int_equal(plan.seg[PVBOOT_SEG_ZERO_PAGE].end, 0);
    assert_string_equal(plan.notes[0], "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),         cmocka_unit_test(test_registers),
        cmocka_unit_test(test_memory_told),     cmocka_unit_test(test_no_cmdline),
        cmocka_unit_test(test_joined_ramdisks), cmocka_unit_test(test_auto),
        cmocka_unit_test(test_not_offered),     cmocka_unit_test(test_stub),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The zero page against the offset tables of Linux Documentation/arch/x86/zero-page.rst and boot.rst, typed here as
 * numbers: no structure of Linux's headers or of ours takes part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "startinfo/zero_page.h"

struct row {
    const char *name;
    uint32_t off, width;
    uint64_t value;
};

static uint64_t read_le(const uint8_t *p, uint32_t width)
{
    uint64_t v = 0;

    for (uint32_t i = width; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static void write_le(uint8_t *p, uint32_t width, uint64_t v)
{
    for (uint32_t i = 0; i < width; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

/* A kernel file's first sectors: what it says about itself, and rubbish where a loader has to write. */
static const struct row in_file[] = {
    { "before the header", 0x1ef, 1, 0xff }, /* header.S sets the sentinel so */
    { "setup_sects", 0x1f1, 1, 0x27 },
    { "root_flags", 0x1f2, 2, 1 },
    { "syssize", 0x1f4, 4, 0x7d820 },
    { "vid_mode", 0x1fa, 2, 0x0f01 },
    { "boot_flag", 0x1fe, 2, 0xaa55 },
    { "jump", 0x200, 2, 0x6aeb }, /* header ends at 0x202 + 0x6a */
    { "header", 0x202, 4, 0x53726448 },
    { "version", 0x206, 2, 0x20f },
    { "type_of_loader", 0x210, 1, 0x55 },
    { "loadflags", 0x211, 1, 0x83 }, /* CAN_USE_HEAP, KASLR, LOADED_HIGH */
    { "code32_start", 0x214, 4, 0x100000 },
    { "ramdisk_image", 0x218, 4, 0xdead0001 },
    { "ramdisk_size", 0x21c, 4, 0xdead0002 },
    { "heap_end_ptr", 0x224, 2, 0xde00 },
    { "ext_loader_ver", 0x226, 1, 0x11 },
    { "ext_loader_type", 0x227, 1, 0x12 },
    { "cmd_line_ptr", 0x228, 4, 0xdead0003 },
    { "initrd_addr_max", 0x22c, 4, 0x7fffffff },
    { "kernel_alignment", 0x230, 4, 0x200000 },
    { "relocatable_kernel", 0x234, 1, 1 },
    { "xloadflags", 0x236, 2, 0x7f },
    { "cmdline_size", 0x238, 4, 2047 },
    { "hardware_subarch", 0x23c, 4, 0xdead0004 },
    { "hardware_subarch_data", 0x240, 8, 0xdead0005 },
    { "setup_data", 0x250, 8, 0xdead0006 },
    { "pref_address", 0x258, 8, 0x1000000 },
    { "init_size", 0x260, 4, 0x3f98000 },
    { "kernel_info_offset", 0x268, 4, 0x7d579c },
    { "behind the header", 0x26c, 8, 0xdeaddeaddeaddead },
};
#define FILE_BYTES 0x300u

static struct pvboot_bytes kernel_file(uint8_t file[FILE_BYTES], uint16_t version, uint8_t jump)
{
    uint32_t end = 0x202u + jump;

    memset(file, 0, FILE_BYTES);
    for (size_t i = 0; i < sizeof(in_file) / sizeof(in_file[0]); i++)
        write_le(file + in_file[i].off, in_file[i].width, in_file[i].value);
    write_le(file + 0x206, 2, version);
    file[0x201] = jump;
    return (struct pvboot_bytes){ file + 0x1f1, end - 0x1f1 };
}

static const struct pvboot_range map[] = {
    { 0, 0xa0000, PVBOOT_RAM },
    { 0xa0000, 0x100000, PVBOOT_RESERVED },
    { 0x100000, 0x280000000, PVBOOT_RAM },
};

static const struct pvb_zero_page input = {
    .filler = PVBOOT_FILLER_TOOLSTACK,
    .kernel_gpa = 0x1000000,
    .ramdisk_gpa = 0x123456000,
    .ramdisk_bytes = 0x2fedcba98,
    .cmdline_gpa = 0x3aabbc000,
    .rsdp_gpa = 0xfc008000,
    .setup_data_gpa = 0x102000,
    .subarch = 2,
    .subarch_data = 0x102010,
    .e820 = map,
    .n_e820 = 3,
};

static const struct row in_page[] = {
    { "acpi_rsdp_addr", 0x070, 8, 0xfc008000 },
    { "ext_ramdisk_image", 0x0c0, 4, 1 },
    { "ext_ramdisk_size", 0x0c4, 4, 2 },
    { "ext_cmd_line_ptr", 0x0c8, 4, 3 },
    { "e820_entries", 0x1e8, 1, 3 },
    { "sentinel", 0x1ef, 1, 0 },
    { "setup_sects", 0x1f1, 1, 0x27 },
    { "root_flags", 0x1f2, 2, 1 },
    { "syssize", 0x1f4, 4, 0x7d820 },
    { "vid_mode: normal", 0x1fa, 2, 0xffff },
    { "boot_flag", 0x1fe, 2, 0xaa55 },
    { "jump", 0x200, 2, 0x6aeb },
    { "header", 0x202, 4, 0x53726448 },
    { "version", 0x206, 2, 0x20f },
    { "type_of_loader: Xen's, 1", 0x210, 1, 0x91 },
    { "loadflags: LOADED_HIGH alone", 0x211, 1, 0x01 },
    { "code32_start", 0x214, 4, 0x1000000 },
    { "ramdisk_image", 0x218, 4, 0x23456000 },
    { "ramdisk_size", 0x21c, 4, 0xfedcba98 },
    { "heap_end_ptr", 0x224, 2, 0 },
    { "ext_loader_ver", 0x226, 1, 0 },
    { "ext_loader_type", 0x227, 1, 0 },
    { "cmd_line_ptr", 0x228, 4, 0xaabbc000 },
    { "initrd_addr_max", 0x22c, 4, 0x7fffffff },
    { "kernel_alignment", 0x230, 4, 0x200000 },
    { "relocatable_kernel", 0x234, 1, 1 },
    { "xloadflags", 0x236, 2, 0x7f },
    { "cmdline_size", 0x238, 4, 2047 },
    { "hardware_subarch", 0x23c, 4, 2 },
    { "hardware_subarch_data", 0x240, 8, 0x102010 },
    { "setup_data", 0x250, 8, 0x102000 },
    { "pref_address", 0x258, 8, 0x1000000 },
    { "init_size", 0x260, 4, 0x3f98000 },
    { "kernel_info_offset", 0x268, 4, 0x7d579c },
    { "e820[0].addr", 0x2d0, 8, 0 },
    { "e820[0].size", 0x2d8, 8, 0xa0000 },
    { "e820[0].type", 0x2e0, 4, 1 },
    { "e820[1].addr", 0x2e4, 8, 0xa0000 },
    { "e820[1].size", 0x2ec, 8, 0x60000 },
    { "e820[1].type", 0x2f4, 4, 2 },
    { "e820[2].addr", 0x2f8, 8, 0x100000 },
    { "e820[2].size", 0x300, 8, 0x27ff00000 },
    { "e820[2].type", 0x308, 4, 1 },
};

static void fill(uint8_t page[4096], const struct pvb_zero_page *in)
{
    struct boot_params bp;

    memset(&bp, 0xa5, sizeof(bp)); /* whatever was there must go */
    pvb_fill_zero_page(&bp, in);
    memcpy(page, &bp, sizeof(bp));
}

static void check_rows(const uint8_t *page, const struct row *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (read_le(page + row[i].off, row[i].width) != row[i].value)
            fail_msg("%s at %#x: %#llx, not %#llx", row[i].name, row[i].off,
                     (unsigned long long)read_le(page + row[i].off, row[i].width), (unsigned long long)row[i].value);
}

static void every_field(void **state)
{
    uint8_t file[FILE_BYTES], page[4096];
    struct pvb_zero_page in = input;

    (void)state;
    in.header = kernel_file(file, 0x20f, 0x6a);
    fill(page, &in);
    check_rows(page, in_page, sizeof(in_page) / sizeof(in_page[0]));
}

static void everything_else_is_zero(void **state)
{
    uint8_t file[FILE_BYTES], page[4096];
    struct pvb_zero_page in = input;

    (void)state;
    in.header = kernel_file(file, 0x20f, 0x6a);
    fill(page, &in);
    for (size_t i = 0; i < sizeof(in_page) / sizeof(in_page[0]); i++)
        memset(page + in_page[i].off, 0, in_page[i].width);
    for (size_t i = 0; i < sizeof(page); i++)
        if (page[i])
            fail_msg("byte %#zx is %#x", i, page[i]);
}

/* The header is copied as far as it says it goes: a longer one with its unknown fields, a shorter one no further. */
static void header_length(void **state)
{
    static const struct {
        uint8_t jump;
        uint64_t kernel_info, behind;
    } row[] = {
        { 0x66, 0, 0 },                         /* ends at 0x268: 2.14 */
        { 0x6a, 0x7d579c, 0 },                  /* ends at 0x26c: 2.15 */
        { 0x72, 0x7d579c, 0xdeaddeaddeaddead }, /* ends at 0x274: from the future */
        { 0xff, 0x7d579c, 0xdeaddeaddeaddead }, /* ends behind 0x290, where other fields are */
    };
    uint8_t file[FILE_BYTES], page[4096];

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvb_zero_page in = input;

        in.header = kernel_file(file, 0x20f, row[i].jump);
        memset(file + 0x290, 0xee, 0x40);
        fill(page, &in);
        assert_int_equal(read_le(page + 0x268, 4), row[i].kernel_info);
        assert_int_equal(read_le(page + 0x26c, 8), row[i].behind);
        for (size_t off = 0x290; off < 0x2d0; off++) /* edd_mbr_sig_buffer */
            assert_int_equal(page[off], 0);
    }
}

/* boot.rst: the field table's "Protocol" column. */
static void protocol_versions(void **state)
{
    static const struct {
        uint16_t version;
        uint64_t subarch, subarch_data, setup_data;
    } row[] = {
        { 0x206, 0, 0, 0 },
        { 0x207, 2, 0x102010, 0 },
        { 0x208, 2, 0x102010, 0 },
        { 0x209, 2, 0x102010, 0x102000 },
        { 0x20f, 2, 0x102010, 0x102000 },
    };
    uint8_t file[FILE_BYTES], page[4096];

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvb_zero_page in = input;

        in.header = kernel_file(file, row[i].version, 0x6a);
        fill(page, &in);
        assert_int_equal(read_le(page + 0x23c, 4), row[i].subarch);
        assert_int_equal(read_le(page + 0x240, 8), row[i].subarch_data);
        assert_int_equal(read_le(page + 0x250, 8), row[i].setup_data);
    }
    { /* 2.06: the header ends with cmdline_size, at 0x23c */
        struct pvb_zero_page in = input;

        in.header = kernel_file(file, 0x206, 0x3a);
        fill(page, &in);
        assert_int_equal(read_le(page + 0x238, 4), 2047);
        assert_int_equal(read_le(page + 0x23c, 4), 0);
        assert_int_equal(read_le(page + 0x250, 8), 0);
    }
}

static void bare_elf(void **state)
{
    static const struct row row[] = {
        { "boot_flag", 0x1fe, 2, 0xaa55 },
        { "header", 0x202, 4, 0x53726448 },
        { "version", 0x206, 2, 0x20f },
        { "type_of_loader", 0x210, 1, 0x92 },
        { "loadflags", 0x211, 1, 1 },
        { "ramdisk_image", 0x218, 4, 0x23456000 },
        { "hardware_subarch", 0x23c, 4, 2 },
        { "setup_data", 0x250, 8, 0x102000 },
        { "kernel_alignment", 0x230, 4, 0x200000 },
        { "xloadflags: KERNEL_64", 0x236, 2, 1 },
    };
    uint8_t page[4096];
    struct pvb_zero_page in = input;

    (void)state;
    in.filler = PVBOOT_FILLER_STUB;
    fill(page, &in);
    check_rows(page, row, sizeof(row) / sizeof(row[0]));
}

static void e820_limit(void **state)
{
    static const struct {
        size_t n;
        uint64_t entries;
    } row[] = { { 0, 0 }, { 127, 127 }, { 128, 128 }, { 129, 128 }, { 1024, 128 } };
    static struct pvboot_range many[1024];
    uint8_t page[4096];

    (void)state;
    for (size_t i = 0; i < 1024; i++)
        many[i] = (struct pvboot_range){ i << 12, (i + 1) << 12, 1 + (uint32_t)i % 5 };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvb_zero_page in = input;

        in.e820 = many;
        in.n_e820 = row[i].n;
        fill(page, &in);
        assert_int_equal(read_le(page + 0x1e8, 1), row[i].entries);
        for (uint32_t k = 0; k < 128; k++)
            assert_int_equal(read_le(page + 0x2d0 + 20 * k + 8, 8), k < row[i].entries ? 0x1000 : 0);
        for (uint32_t off = 0xcd0; off < 4096; off++) /* behind the table */
            assert_int_equal(page[off], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field),   cmocka_unit_test(everything_else_is_zero),
        cmocka_unit_test(header_length), cmocka_unit_test(protocol_versions),
        cmocka_unit_test(bare_elf),      cmocka_unit_test(e820_limit),
    };

    return cmocka_run_group_tests_name("zero_page", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* hvm_start_info against the byte tables in Xen's public arch-x86/hvm/start_info.h, typed here as numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "startinfo/start_info.h"

#define GPA 0x101000u

static const struct pvboot_range map[] = {
    { 0, 0x40000000, PVBOOT_RAM },
    { 0xfc000000, 0xfc008040, PVBOOT_ACPI },
    { 0x100000000, 0x1080000000, PVBOOT_RAM },
};

static const struct pvb_start_info input = {
    .cmdline_gpa = 0x100000,
    .rsdp_gpa = 0xfc008000,
    .ramdisk_gpa = 0x3e247000,
    .ramdisk_bytes = 0x1db81f1,
    .map = map,
    .n_map = 3,
};

struct row {
    const char *name;
    uint32_t off, width;
    uint64_t value;
};

static const struct row full[] = {
    { "magic", 0, 4, 0x336ec578 },
    { "version", 4, 4, 1 },
    { "flags", 8, 4, 0 },
    { "nr_modules", 12, 4, 1 },
    { "modlist_paddr", 16, 8, GPA + 56 },
    { "cmdline_paddr", 24, 8, 0x100000 },
    { "rsdp_paddr", 32, 8, 0xfc008000 },
    { "memmap_paddr", 40, 8, GPA + 56 + 32 },
    { "memmap_entries", 48, 4, 3 },
    { "reserved", 52, 4, 0 },
    { "module: paddr", 56, 8, 0x3e247000 },
    { "module: size", 64, 8, 0x1db81f1 },
    { "module: cmdline_paddr", 72, 8, 0 },
    { "module: reserved", 80, 8, 0 },
    { "map[0]: addr", 88, 8, 0 },
    { "map[0]: size", 96, 8, 0x40000000 },
    { "map[0]: type", 104, 4, 1 },
    { "map[0]: reserved", 108, 4, 0 },
    { "map[1]: addr", 112, 8, 0xfc000000 },
    { "map[1]: size", 120, 8, 0x8040 },
    { "map[1]: type", 128, 4, 3 },
    { "map[1]: reserved", 132, 4, 0 },
    { "map[2]: addr", 136, 8, 0x100000000 },
    { "map[2]: size", 144, 8, 0xf80000000 },
    { "map[2]: type", 152, 4, 1 },
    { "map[2]: reserved", 156, 4, 0 },
};
#define FULL_BYTES 160u

static const struct row empty[] = {
    { "magic", 0, 4, 0x336ec578 }, { "version", 4, 4, 1 },         { "nr_modules", 12, 4, 0 },
    { "modlist_paddr", 16, 8, 0 }, { "cmdline_paddr", 24, 8, 0 },  { "rsdp_paddr", 32, 8, 0 },
    { "memmap_paddr", 40, 8, 0 },  { "memmap_entries", 48, 4, 0 },
};

static uint64_t read_le(const uint8_t *p, uint32_t width)
{
    uint64_t v = 0;

    for (uint32_t i = width; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static void check_rows(const uint8_t *p, const struct row *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (read_le(p + row[i].off, row[i].width) != row[i].value)
            fail_msg("%s at %u: %#llx, not %#llx", row[i].name, row[i].off,
                     (unsigned long long)read_le(p + row[i].off, row[i].width), (unsigned long long)row[i].value);
}

static void need_xen(void)
{
    if (!pvb_start_info_built_in()) {
        print_message("skipped: built without Xen's headers\n");
        skip();
    }
}

static void byte_table(void **state)
{
    uint8_t buf[4096];
    struct pvb_blob b = { .gpa = GPA, .buf = buf, .cap = sizeof(buf) };

    (void)state;
    need_xen();
    memset(buf, 0xa5, sizeof(buf));
    assert_int_equal(pvb_put_start_info(&b, &input), GPA);
    assert_int_equal(b.used, FULL_BYTES);
    check_rows(buf, full, sizeof(full) / sizeof(full[0]));
    assert_int_equal(buf[FULL_BYTES], 0xa5); /* and nothing behind it */
}

static void nothing_to_point_to(void **state)
{
    uint8_t buf[4096];
    struct pvb_blob b = { .gpa = GPA, .buf = buf, .cap = sizeof(buf) };

    (void)state;
    need_xen();
    assert_int_equal(pvb_put_start_info(&b, &(struct pvb_start_info){ 0 }), GPA);
    assert_int_equal(b.used, 56);
    check_rows(buf, empty, sizeof(empty) / sizeof(empty[0]));
}

/* Linux's PVH entry copies the map into a table of 128 and adds an entry: with more, the guest has to ask Xen. */
static void map_limit(void **state)
{
    static const struct {
        size_t n, entries, bytes;
    } row[] = { { 1, 1, 56 + 24 }, { 127, 127, 56 + 127 * 24 }, { 128, 0, 56 }, { 1024, 0, 56 } };
    static struct pvboot_range many[1024];
    static uint8_t buf[65536];

    (void)state;
    need_xen();
    for (size_t i = 0; i < 1024; i++)
        many[i] = (struct pvboot_range){ i << 20, (i << 20) + 0x1000, PVBOOT_RAM };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvb_blob b = { .gpa = GPA, .buf = buf, .cap = sizeof(buf) };

        pvb_put_start_info(&b, &(struct pvb_start_info){ .map = many, .n_map = row[i].n });
        assert_int_equal(read_le(buf + 48, 4), row[i].entries);
        assert_int_equal(read_le(buf + 40, 8), row[i].entries ? GPA + 56 : 0);
        assert_int_equal(b.used, row[i].bytes);
    }
}

/* Measuring is the same code; room is exact, one short, none. */
static void room(void **state)
{
    static const struct {
        size_t cap;
        bool ok;
    } row[] = {
        { FULL_BYTES, true }, { FULL_BYTES + 1, true }, { FULL_BYTES - 1, false }, { 55, false }, { 0, false }
    };
    struct pvb_blob measure = pvb_blob_measure();
    uint8_t buf[4096];

    (void)state;
    need_xen();
    pvb_put_start_info(&measure, &input);
    assert_int_equal(measure.used, FULL_BYTES);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvb_blob b = { .gpa = GPA, .buf = buf, .cap = row[i].cap };

        memset(buf, 0xa5, sizeof(buf));
        assert_int_equal(pvb_put_start_info(&b, &input), row[i].ok ? GPA : 0);
        assert_int_equal(pvb_blob_ok(&b), row[i].ok);
        for (size_t k = row[i].cap; k < sizeof(buf); k++)
            assert_int_equal(buf[k], 0xa5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_table),
        cmocka_unit_test(nothing_to_point_to),
        cmocka_unit_test(map_limit),
        cmocka_unit_test(room),
    };

    return cmocka_run_group_tests_name("start_info", tests, NULL, NULL);
}

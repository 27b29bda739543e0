/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The stock machine, in the numbers that Xen's own sources give for it: 0xfc000000 and 0xfeff8000..0xff000000 from
 * libxl_x86.c and xg_dom_x86.c, page counts from running acpi_build_tables() of Debian's libxenlight 4.17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pvboot/plan.h>
#include <string.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define TIB (1ull << 40)

static const struct {
    uint64_t memory;
    uint32_t vcpus;
    int rc;
    uint64_t low_end, high_end; /* of RAM; 0: none above 4 GiB */
    uint64_t rsdp;
} row[] = {
    { 64 * MIB, 1, 0, 0x4000000, 0, 0xfc008000 },
    { 4096, 1, 0, 0x1000, 0, 0xfc008000 },
    { 64 * MIB, 9, 0, 0x4000000, 0, 0xfc008000 },
    { 64 * MIB, 10, 0, 0x4000000, 0, 0xfc009000 },
    { 64 * MIB, 128, 0, 0x4000000, 0, 0xfc009000 },
    { 0xfc000000, 1, 0, 0xfc000000, 0, 0xfc008000 },
    { 0xfc001000, 1, 0, 0xfc000000, 0x100001000, 0xfc008000 },
    { 4 * GIB, 2, 0, 0xfc000000, 0x104000000, 0xfc008000 },
    { 16 * GIB, 2, 0, 0xfc000000, 0x404000000, 0xfc008000 },
    { 8 * TIB, 2, 0, 0xfc000000, 0x80004000000, 0xfc008000 },
    { 8 * TIB + 4096, 2, -PVBOOT_E_LIMIT, 0, 0, 0 },
    { UINT64_MAX & ~4095ull, 2, -PVBOOT_E_LIMIT, 0, 0, 0 },
    { 0, 1, -PVBOOT_E_USAGE, 0, 0, 0 },
    { 4097, 1, -PVBOOT_E_USAGE, 0, 0, 0 },
    { 4095, 1, -PVBOOT_E_USAGE, 0, 0, 0 },
    { UINT64_MAX, 1, -PVBOOT_E_USAGE, 0, 0, 0 },
    { 64 * MIB, 0, -PVBOOT_E_USAGE, 0, 0, 0 },
    { 64 * MIB, 129, -PVBOOT_E_LIMIT, 0, 0, 0 },
    { 64 * MIB, UINT32_MAX, -PVBOOT_E_LIMIT, 0, 0, 0 },
};

static void test_rows(void **state)
{
    static struct pvboot_machine m;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_error e = { 0 };

        assert_int_equal(pvboot_machine_default(&m, row[i].memory, row[i].vcpus, &e), row[i].rc);
        assert_int_equal(e.code, -row[i].rc);
        if (row[i].rc)
            continue;
        assert_true(pvboot_memmap_valid(&m.map));
        assert_int_equal(m.vcpus, row[i].vcpus);
        assert_int_equal(m.map.n, row[i].high_end ? 4 : 3);
        assert_int_equal(pvboot_memmap_bytes(&m.map, PVBOOT_RAM), row[i].memory);
        assert_true(pvboot_memmap_inside(&m.map, 0, row[i].low_end, PVBOOT_RAM));
        assert_int_equal(m.rsdp_gpa, row[i].rsdp);
        assert_true(pvboot_memmap_inside(&m.map, 0xfc000000, row[i].rsdp + 64, PVBOOT_ACPI));
        assert_int_equal(pvboot_memmap_bytes(&m.map, PVBOOT_ACPI), row[i].rsdp + 64 - 0xfc000000);
        if (row[i].high_end)
            assert_true(pvboot_memmap_inside(&m.map, 0x100000000, row[i].high_end, PVBOOT_RAM));
    }
}

static void test_special_pages(void **state)
{
    static struct pvboot_machine m;
    struct pvboot_error e = { 0 };

    (void)state;
    assert_int_equal(pvboot_machine_default(&m, GIB, 1, &e), 0);
    assert_int_equal(m.special_start, 0xfeff8000);
    assert_int_equal(m.special_end, 0xff000000);
    assert_int_equal(m.xenstore_gpa, 0xfeffc000);
    assert_int_equal(m.console_gpa, 0xfefff000);
    assert_true(pvboot_memmap_inside(&m.map, 0xfeff8000, 0xff000000, PVBOOT_RESERVED));
    assert_int_equal(pvboot_memmap_bytes(&m.map, PVBOOT_RESERVED), 0x8000);
}

/* Our tables: RAM and special pages as ever, ACPI in whole pages from where libxl has it, the RSDP inside. */
static void test_own(void **state)
{
    static struct pvboot_machine m, stock;
    static const struct {
        uint32_t vcpus;
        enum pvboot_tables tables;
        uint64_t acpi_end;
    } own[] = {
        { 1, PVBOOT_TABLES_PVH, 0xfc001000 },
        { 128, PVBOOT_TABLES_PVH, 0xfc001000 },
        { 128, PVBOOT_TABLES_TIMERS, 0xfc001000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        struct pvboot_error e = { 0 };

        assert_int_equal(pvboot_machine_own(&m, 5 * GIB, own[i].vcpus, own[i].tables, &e), 0);
        assert_int_equal(pvboot_machine_default(&stock, 5 * GIB, own[i].vcpus, &e), 0);
        assert_true(pvboot_memmap_valid(&m.map));
        assert_int_equal(m.map.n, 4);
        assert_int_equal(m.map.r[1].start, 0xfc000000);
        assert_int_equal(m.map.r[1].end, own[i].acpi_end);
        assert_int_equal(m.map.r[1].type, PVBOOT_ACPI);
        for (size_t j = 0; j < m.map.n; j++) {
            assert_int_equal(m.map.r[j].start, stock.map.r[j].start);
            assert_int_equal(m.map.r[j].type, stock.map.r[j].type);
            if (m.map.r[j].type != PVBOOT_ACPI)
                assert_int_equal(m.map.r[j].end, stock.map.r[j].end);
        }
        assert_true(pvboot_memmap_inside(&m.map, m.rsdp_gpa, m.rsdp_gpa + 36, PVBOOT_ACPI));
        assert_int_equal(m.special_start, stock.special_start);
        assert_int_equal(m.console_gpa, stock.console_gpa);
    }
    assert_int_equal(pvboot_machine_own(&m, 0, 1, PVBOOT_TABLES_PVH, &(struct pvboot_error){ 0 }), -PVBOOT_E_USAGE);
    assert_int_equal(pvboot_machine_own(&m, MIB, 129, PVBOOT_TABLES_PVH, &(struct pvboot_error){ 0 }), -PVBOOT_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_special_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

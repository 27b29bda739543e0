/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The GPE block of libxl's ACPI tables.  They are laid out as libacpi of Xen 4.17 lays them out for a PVH guest (read
 * from a guest's memory in the lab): RSDP apart, FADTs of revision 1 and 5, RSDT, XSDT.  Offsets: ACPI 6.0, 5.2.
 */
#include "frontends/xl/xl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TABLES 0xfc001000u
#define RSDP 0xfc003000u
#define DSDT_OFF 0x40u
#define FADT1_OFF 0x100u
#define FADT5_OFF 0x180u
#define MADT_OFF 0x2a0u
#define RSDT_OFF 0x300u
#define XSDT_OFF 0x340u

static uint8_t tables[0x1000], rsdp[64], was[0x1000];
static struct xc_dom_image dom;

static void put(uint8_t *p, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

static uint8_t sum(const uint8_t *p, size_t n)
{
    uint8_t s = 0;

    while (n--)
        s = (uint8_t)(s + *p++);
    return s;
}

static void table(size_t off, const char *name, uint32_t bytes)
{
    memcpy(tables + off, name, 4);
    put(tables + off + 4, bytes, 4);
    tables[off + 9] = 0;
    tables[off + 9] = (uint8_t)-sum(tables + off, bytes);
}

static void fadt(size_t off, uint32_t bytes)
{
    put(tables + off + 64, 0xb004, 4); /* PM1a_CNT_BLK, which stays */
    put(tables + off + 80, 0xafe0, 4); /* GPE0_BLK */
    put(tables + off + 92, 4, 1);      /* GPE0_BLK_LEN */
    if (bytes > 232)
        put(tables + off + 220, 0xafe000000002001ull, 8); /* X_GPE0_BLK */
    table(off, "FACP", bytes);
}

static void begin(const char *handler)
{
    memset(tables, 0, sizeof(tables));
    memset(rsdp, 0, sizeof(rsdp));
    dom = (struct xc_dom_image){ 0 };
    dom.acpi_modules[0] = (struct xc_hvm_firmware_module){ rsdp, sizeof(rsdp), RSDP };
    dom.acpi_modules[2] = (struct xc_hvm_firmware_module){ tables, sizeof(tables), TABLES };
    memcpy(tables + DSDT_OFF + 0x50, handler, strlen(handler));
    table(DSDT_OFF, "DSDT", 0x80);
    fadt(FADT1_OFF, 116);
    fadt(FADT5_OFF, 268);
    table(MADT_OFF, "APIC", 52);
    put(tables + RSDT_OFF + 36, TABLES + FADT1_OFF, 4);
    put(tables + RSDT_OFF + 40, TABLES + MADT_OFF, 4);
    table(RSDT_OFF, "RSDT", 44);
    put(tables + XSDT_OFF + 36, TABLES + FADT5_OFF, 8);
    put(tables + XSDT_OFF + 44, TABLES + MADT_OFF, 8);
    table(XSDT_OFF, "XSDT", 52);
    memcpy(rsdp, "RSD PTR ", 8);
    put(rsdp + 16, TABLES + RSDT_OFF, 4);
    put(rsdp + 24, TABLES + XSDT_OFF, 8);
    memcpy(was, tables, sizeof(was));
}

static void the_block_goes_and_nothing_else(void **state)
{
    static const struct {
        size_t off, n;
    } changed[] = { { FADT1_OFF + 9, 1 },  { FADT1_OFF + 80, 4 }, { FADT1_OFF + 92, 1 },  { FADT5_OFF + 9, 1 },
                    { FADT5_OFF + 80, 4 }, { FADT5_OFF + 92, 1 }, { FADT5_OFF + 220, 12 } };

    (void)state;
    begin("_E02");
    pvb_acpi_drop_gpe(&dom);
    assert_int_equal(sum(tables + FADT1_OFF, 116), 0);
    assert_int_equal(sum(tables + FADT5_OFF, 268), 0);
    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
        const uint8_t zero[12] = { 0 };

        if (changed[i].n > 1 || changed[i].off % 0x80 == 92)
            assert_memory_equal(tables + changed[i].off, zero, changed[i].n);
        memcpy(tables + changed[i].off, was + changed[i].off, changed[i].n);
    }
    assert_memory_equal(tables, was, sizeof(was));
}

static void tables_without_the_handler_stay(void **state)
{
    (void)state;
    begin("_E03");
    pvb_acpi_drop_gpe(&dom);
    assert_memory_equal(tables, was, sizeof(was));
    begin("_E02");
    dom.acpi_modules[0].data = NULL; /* as with acpi=0 */
    pvb_acpi_drop_gpe(&dom);
    assert_memory_equal(tables, was, sizeof(was));
}

static const struct {
    const char *name;
    size_t off;
    uint64_t value;
    size_t n;
} bad[] = {
    { "the FADT ends behind the module", FADT5_OFF + 4, sizeof(tables) - FADT5_OFF + 1, 4 },
    { "the FADT ends where addresses do", FADT5_OFF + 4, UINT32_MAX, 4 },
    { "a FADT without the field", FADT5_OFF + 4, 115, 4 },
    { "the XSDT's entry is nowhere", XSDT_OFF + 36, UINT64_MAX, 8 },
    { "the XSDT's entry has no room for a header", XSDT_OFF + 36, TABLES + sizeof(tables) - 35, 8 },
    { "an XSDT smaller than its header", XSDT_OFF + 4, 35, 4 },
    { "an XSDT without an entry", XSDT_OFF + 4, 43, 4 },
};

static void nothing_outside_is_touched(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        begin("_E02");
        put(tables + bad[i].off, bad[i].value, bad[i].n);
        memcpy(was, tables, sizeof(was));
        pvb_acpi_drop_gpe(&dom);
        if (memcmp(tables + FADT5_OFF, was + FADT5_OFF, 268))
            fail_msg("%s: it has changed", bad[i].name);
        assert_int_equal(tables[FADT1_OFF + 92], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_block_goes_and_nothing_else),
        cmocka_unit_test(tables_without_the_handler_stay),
        cmocka_unit_test(nothing_outside_is_touched),
    };

    return cmocka_run_group_tests_name("xen_gpe", tests, NULL, NULL);
}

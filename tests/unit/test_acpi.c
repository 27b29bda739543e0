/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Our ACPI tables against the byte tables of the ACPI 5.0 and IA-PC HPET specifications, typed here as numbers.  What
 * iasl thinks of them is in tests/cli/test_acpi.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "startinfo/acpi.h"

#define GPA 0xfc000000u

static uint8_t buf[8192];

static uint64_t le(uint64_t gpa, unsigned int width)
{
    uint64_t v = 0;

    memcpy(&v, buf + (gpa - GPA), width);
    return v;
}

static uint64_t emit(uint32_t vcpus, bool timers, size_t *used)
{
    struct pvb_blob b = { .gpa = GPA, .buf = buf, .cap = sizeof(buf) };
    uint64_t rsdp;

    memset(buf, 0xee, sizeof(buf));
    rsdp = pvb_put_acpi(&b, &(struct pvb_acpi){ .vcpus = vcpus, .timers = timers });
    *used = b.used;
    return rsdp;
}

static void sums_to_zero(uint64_t gpa, uint64_t n)
{
    uint8_t sum = 0;

    for (uint64_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + buf[gpa - GPA + i]);
    assert_int_equal(sum, 0);
}

/* The table @signature that the XSDT lists; 0: it does not. */
static uint64_t find(uint64_t rsdp, const char *signature)
{
    uint64_t xsdt = le(rsdp + 24, 8);

    assert_memory_equal(buf + (xsdt - GPA), "XSDT", 4);
    sums_to_zero(xsdt, le(xsdt + 4, 4));
    for (uint64_t at = xsdt + 36; at < xsdt + le(xsdt + 4, 4); at += 8) {
        uint64_t table = le(at, 8);

        sums_to_zero(table, le(table + 4, 4));
        if (!memcmp(buf + (table - GPA), signature, 4))
            return table;
    }
    return 0;
}

static void the_rsdp_is_last_and_sums_up(void **state)
{
    size_t used;
    uint64_t rsdp = emit(1, false, &used);

    (void)state;
    assert_int_equal(rsdp % 16, 0);
    assert_int_equal(rsdp + 36, GPA + used);
    assert_memory_equal(buf + (rsdp - GPA), "RSD PTR ", 8);
    assert_int_equal(le(rsdp + 15, 1), 2);
    assert_int_equal(le(rsdp + 16, 4), 0); /* no RSDT */
    assert_int_equal(le(rsdp + 20, 4), 36);
    sums_to_zero(rsdp, 20);
    sums_to_zero(rsdp, 36);
}

struct row {
    const char *name;
    uint32_t off, width;
    uint64_t pvh, timers;
};

static const struct row fadt[] = {
    { "length", 4, 4, 276, 276 },
    { "revision", 8, 1, 6, 6 },
    { "SCI_INT", 46, 2, 9, 9 },
    { "SMI_CMD", 48, 4, 0, 0 },
    { "PM1a_EVT_BLK", 56, 4, 0, 0xb000 },
    { "PM1a_CNT_BLK", 64, 4, 0, 0xb004 },
    { "PM_TMR_BLK", 76, 4, 0, 0xb008 },
    { "PM1_EVT_LEN", 88, 1, 0, 4 },
    { "PM1_CNT_LEN", 89, 1, 0, 2 },
    { "PM_TMR_LEN", 91, 1, 0, 4 },
    { "IAPC_BOOT_ARCH", 109, 2, 0x24, 0x4 }, /* no VGA, no CMOS RTC */
    { "Flags", 112, 4, 0x100035, 0x175 },    /* HW_REDUCED_ACPI is bit 20, TMR_VAL_EXT bit 8, FIX_RTC bit 6 */
    { "X_PM_TMR_BLK: space, bits", 208, 2, 0, 0x2001 },
    { "X_PM_TMR_BLK: address", 212, 8, 0, 0xb008 },
};

static void the_fadt_tells_what_hardware_there_is(void **state)
{
    size_t used;

    (void)state;
    for (int timers = 0; timers < 2; timers++) {
        uint64_t t = find(emit(1, timers, &used), "FACP"), facs = le(t + 36, 4), dsdt = le(t + 40, 4);

        for (size_t i = 0; i < sizeof(fadt) / sizeof(fadt[0]); i++)
            if (le(t + fadt[i].off, fadt[i].width) != (timers ? fadt[i].timers : fadt[i].pvh))
                fail_msg("%s: %#llx", fadt[i].name, (unsigned long long)le(t + fadt[i].off, fadt[i].width));
        assert_int_equal(facs % 64, 0);
        assert_memory_equal(buf + (facs - GPA), "FACS", 4);
        assert_memory_equal(buf + (dsdt - GPA), "DSDT", 4);
        assert_int_equal(le(t + 132, 8), facs);
        assert_int_equal(le(t + 140, 8), dsdt);
        sums_to_zero(dsdt, le(dsdt + 4, 4));
    }
}

/* Xen: APIC id = 2 * vCPU (vlapic_init); the MADT of a domain without timers has nothing else. */
static void the_madt_has_a_local_apic_for_each_vcpu(void **state)
{
    static const uint32_t count[] = { 1, 2, 4, 128 };
    size_t used;

    (void)state;
    for (size_t i = 0; i < sizeof(count) / sizeof(count[0]); i++) {
        uint64_t t = find(emit(count[i], false, &used), "APIC");

        assert_int_equal(le(t + 36, 4), 0xfee00000);
        assert_int_equal(le(t + 40, 4), 0); /* no 8259 */
        assert_int_equal(le(t + 4, 4), 44 + 8 * count[i]);
        for (uint32_t cpu = 0; cpu < count[i]; cpu++)
            assert_int_equal(le(t + 44 + 8 * cpu, 8), 1ull << 32 | 2 * cpu << 24 | cpu << 16 | 0x800);
    }
}

static void with_timers_there_are_an_ioapic_and_an_hpet(void **state)
{
    static const uint8_t pc[] = {
        1, 12, 1, 0, 0, 0, 0xc0, 0xfe, 0,   0, 0, 0, /* IOAPIC 1 at 0xfec00000, GSI 0 */
        2, 10, 0, 0, 2, 0, 0,    0,    0,   0,       /* ISA 0 is GSI 2 */
        2, 10, 0, 9, 9, 0, 0,    0,    0xd, 0,       /* ISA 9 is GSI 9, level, high */
    };
    size_t used;
    uint64_t rsdp = emit(2, true, &used), t = find(rsdp, "APIC"), hpet = find(rsdp, "HPET");

    (void)state;
    assert_int_equal(le(t + 40, 4), 1);
    assert_memory_equal(buf + (t - GPA) + 44, pc, sizeof(pc));
    assert_int_equal(le(t + 4, 4), 44 + sizeof(pc) + 2 * 8);
    assert_int_equal(le(hpet + 4, 4), 56);
    assert_int_equal(le(hpet + 36, 4), 0x8086a201);
    assert_int_equal(le(hpet + 40, 1), 0); /* memory */
    assert_int_equal(le(hpet + 44, 8), 0xfed00000);
    assert_int_equal(find(emit(2, false, &used), "HPET"), 0);
}

static void measuring_is_emitting(void **state)
{
    struct pvb_blob m = pvb_blob_measure(), full = { .gpa = GPA, .buf = buf };
    const struct pvb_acpi in = { .vcpus = 128, .timers = true };
    size_t used;

    (void)state;
    emit(128, true, &used);
    assert_true(pvb_put_acpi(&m, &in) != 0);
    assert_int_equal(m.used, used);
    full.cap = used - 1;
    assert_int_equal(pvb_put_acpi(&full, &in), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rsdp_is_last_and_sums_up),
        cmocka_unit_test(the_fadt_tells_what_hardware_there_is),
        cmocka_unit_test(the_madt_has_a_local_apic_for_each_vcpu),
        cmocka_unit_test(with_timers_there_are_an_ioapic_and_an_hpet),
        cmocka_unit_test(measuring_is_emitting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

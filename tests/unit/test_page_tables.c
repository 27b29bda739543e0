/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Page tables against a walk written from the Intel SDM, volume 3, table 4-15 to 4-18, that only sees bytes; the GDT
 * against the SDM's figure 3-8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "startinfo/gdt.h"
#include "startinfo/page_tables.h"

#define ROOT 0x104000u
#define GIB (1ull << 30)
#define TIB (1ull << 40)
#define MAP_MAX 4
#define UNMAPPED UINT64_MAX

struct tables {
    uint8_t *bytes;
    size_t n;
};

static uint64_t entry_at(const struct tables *t, uint64_t gpa)
{
    uint64_t v;

    assert_true(gpa >= ROOT && gpa + 8 <= ROOT + t->n);
    memcpy(&v, t->bytes + (gpa - ROOT), 8);
    return v;
}

/* What the processor makes of linear address @la, four levels, supervisor. */
static uint64_t translate(const struct tables *t, uint64_t cr3, uint64_t la)
{
    uint64_t table = cr3;

    for (unsigned int shift = 39; shift >= 12; shift -= 9) {
        uint64_t e = entry_at(t, table + 8 * (la >> shift & 511));

        if (!(e & 1))
            return UNMAPPED;
        assert_true(e & 2);            /* writable */
        assert_int_equal(e >> 52, 0);  /* executable, nothing reserved */
        assert_int_equal(e & 0x18, 0); /* write-back */
        if (e & 0x80) {
            assert_int_equal(shift, 21); /* 1 GiB pages are not everywhere */
            assert_int_equal(e & 0x1fe000, 0);
            return (e & 0xfffffffe00000) | (la & 0x1fffff);
        }
        table = e & 0xffffffffff000;
    }
    return table | (la & 0xfff);
}

static const struct {
    const char *name;
    struct pvb_span map[MAP_MAX];
    size_t bytes;                    /* a root, a PDPT per 512 GiB, a page directory per GiB that something lies in */
    uint64_t mapped[6], unmapped[4]; /* 0-terminated but for a leading 0 */
} row[] = {
    { "4 GiB", { { 0, 4 * GIB } }, 6 * 4096, { 0, 0x1000000, 4 * GIB - 1 }, { 4 * GIB, 512 * GIB, 1ull << 47 } },
    { "4 GiB and a bit above",
      { { 0, 4 * GIB }, { 5 * GIB + 0x1000, 5 * GIB + 0x2000 } },
      7 * 4096,
      { 0, 4 * GIB - 1, 5 * GIB, 5 * GIB + 0x1fffff },
      { 4 * GIB, 5 * GIB - 1, 5 * GIB + 0x200000 } },
    { "over a GiB boundary",
      { { 0, 4 * GIB }, { 6 * GIB - 1, 6 * GIB + 1 } },
      8 * 4096,
      { 0, 6 * GIB - 1, 6 * GIB },
      { 6 * GIB - 0x200001, 6 * GIB + 0x200000 } },
    { "over a 512 GiB boundary",
      { { 512 * GIB - 0x1000, 512 * GIB + 0x1000 } },
      5 * 4096,
      { 512 * GIB - 1, 512 * GIB },
      { 1, 512 * GIB + 0x200000 } },
    { "overlapping", { { 0, GIB }, { 0x1000, 0x2000 }, { GIB / 2, GIB } }, 3 * 4096, { 0, GIB - 1 }, { GIB } },
    { "empty ranges", { { 0, 0x200000 }, { GIB, GIB }, { 3 * GIB, 2 * GIB } }, 3 * 4096, { 0, 0x1fffff }, { GIB } },
    { "top", { { 8 * TIB - 1, 8 * TIB } }, 3 * 4096, { 8 * TIB - 1 }, { 8 * TIB - 0x200001, 8 * TIB } },
};

static void identity(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct tables t = { malloc(64 * 4096), row[i].bytes };
        struct pvb_blob b = { .gpa = ROOT, .buf = t.bytes, .cap = 64 * 4096 }, measure = pvb_blob_measure();

        print_message("%s\n", row[i].name);
        memset(t.bytes, 0xa5, 64 * 4096);
        assert_int_equal(pvb_put_page_tables(&b, row[i].map, MAP_MAX), ROOT);
        assert_int_equal(b.used, row[i].bytes);
        pvb_put_page_tables(&measure, row[i].map, MAP_MAX);
        assert_int_equal(measure.used, row[i].bytes);
        for (size_t k = 0; k < 6 && (!k || row[i].mapped[k]); k++)
            assert_int_equal(translate(&t, ROOT, row[i].mapped[k]), row[i].mapped[k]);
        for (size_t k = 0; k < 4 && row[i].unmapped[k]; k++)
            assert_int_equal(translate(&t, ROOT, row[i].unmapped[k]), UNMAPPED);
        free(t.bytes);
    }
}

static void every_page_below_4_gib(void **state)
{
    struct tables t = { malloc(6 * 4096), 6 * 4096 };
    struct pvb_blob b = { .gpa = ROOT, .buf = t.bytes, .cap = t.n };

    (void)state;
    assert_int_equal(pvb_put_page_tables(&b, &(struct pvb_span){ 0, 4 * GIB }, 1), ROOT);
    for (uint64_t la = 0; la < 4 * GIB; la += 0x100000)
        if (translate(&t, ROOT, la) != la)
            fail_msg("%#llx is mapped to %#llx", (unsigned long long)la, (unsigned long long)translate(&t, ROOT, la));
    free(t.bytes);
}

static void no_room(void **state)
{
    uint8_t *buf = malloc(8 * 4096);

    (void)state;
    for (size_t cap = 0; cap < 6 * 4096; cap += 4095) {
        struct pvb_blob b = { .gpa = ROOT, .buf = buf, .cap = cap };

        memset(buf, 0xa5, 8 * 4096);
        pvb_put_page_tables(&b, &(struct pvb_span){ 0, 4 * GIB }, 1);
        assert_false(pvb_blob_ok(&b));
        for (size_t k = cap; k < 8 * 4096; k++)
            assert_int_equal(buf[k], 0xa5);
    }
    free(buf);
}

/* boot.rst: __BOOT_CS (0x10) execute/read, __BOOT_DS (0x18) read/write, both 4 GiB flat; L=1 for 64-bit code. */
static void gdt(void **state)
{
    static const struct {
        uint32_t mode;
        uint8_t bytes[32];
    } want[] = {
        { 32, { 0,    0,    0, 0, 0, 0,    0,    0, 0,    0,    0, 0, 0, 0,    0,    0,
                0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0, 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0 } },
        { 64, { 0,    0,    0, 0, 0, 0,    0,    0, 0,    0,    0, 0, 0, 0,    0,    0,
                0xff, 0xff, 0, 0, 0, 0x9b, 0xaf, 0, 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0 } },
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t buf[33] = { [32] = 0xa5 };
        struct pvb_blob b = { .gpa = 0x103000, .buf = buf, .cap = 32 };

        assert_int_equal(pvb_put_gdt(&b, want[i].mode), 0x103000);
        assert_int_equal(b.used, 32);
        assert_memory_equal(buf, want[i].bytes, 32);
        assert_int_equal(buf[32], 0xa5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity),
        cmocka_unit_test(every_page_below_4_gib),
        cmocka_unit_test(no_room),
        cmocka_unit_test(gdt),
    };

    return cmocka_run_group_tests_name("page_tables", tests, NULL, NULL);
}

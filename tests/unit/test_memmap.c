/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The memory map against a picture of it: an array with one type per unit of memory, in which "put a range" is a loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pvboot/memmap.h>
#include <stdlib.h>
#include <string.h>

#define RAM PVBOOT_RAM
#define RES PVBOOT_RESERVED
#define ACPI PVBOOT_ACPI
#define TOP UINT64_MAX

static const struct {
    const char *name;
    struct pvboot_range before[4];
    struct pvboot_range set;
    int rc;
    struct pvboot_range after[5];
} set_row[] = {
    { "into nothing", { { 0 } }, { 5, 9, RAM }, 0, { { 5, 9, RAM } } },
    { "hole in RAM", { { 0, 100, RAM } }, { 40, 60, RES }, 0, { { 0, 40, RAM }, { 40, 60, RES }, { 60, 100, RAM } } },
    { "exact", { { 0, 100, RAM } }, { 0, 100, RES }, 0, { { 0, 100, RES } } },
    { "first byte", { { 0, 100, RAM } }, { 0, 1, RES }, 0, { { 0, 1, RES }, { 1, 100, RAM } } },
    { "last byte", { { 0, 100, RAM } }, { 99, 100, RES }, 0, { { 0, 99, RAM }, { 99, 100, RES } } },
    { "joins left", { { 0, 100, RAM } }, { 100, 150, RAM }, 0, { { 0, 150, RAM } } },
    { "joins right", { { 50, 100, RAM } }, { 20, 50, RAM }, 0, { { 20, 100, RAM } } },
    { "joins both", { { 0, 40, RAM }, { 60, 100, RAM } }, { 40, 60, RAM }, 0, { { 0, 100, RAM } } },
    { "other type beside", { { 0, 40, RAM } }, { 40, 60, ACPI }, 0, { { 0, 40, RAM }, { 40, 60, ACPI } } },
    { "same type inside", { { 0, 100, RAM } }, { 40, 60, RAM }, 0, { { 0, 100, RAM } } },
    { "over three",
      { { 0, 10, RAM }, { 10, 20, RES }, { 30, 40, RAM } },
      { 5, 35, ACPI },
      0,
      { { 0, 5, RAM }, { 5, 35, ACPI }, { 35, 40, RAM } } },
    { "into a gap",
      { { 0, 10, RAM }, { 90, 100, RAM } },
      { 40, 60, RES },
      0,
      { { 0, 10, RAM }, { 40, 60, RES }, { 90, 100, RAM } } },
    { "before all", { { 50, 60, RAM } }, { 0, 10, RES }, 0, { { 0, 10, RES }, { 50, 60, RAM } } },
    { "up to the top", { { 0, 10, RAM } }, { TOP - 1, TOP, RES }, 0, { { 0, 10, RAM }, { TOP - 1, TOP, RES } } },
    { "all there is", { { 3, 10, RAM }, { 20, 30, ACPI } }, { 0, TOP, RES }, 0, { { 0, TOP, RES } } },
    { "empty", { { 0, 10, RAM } }, { 5, 5, RES }, -PVBOOT_E_MALFORMED, { { 0, 10, RAM } } },
    { "backwards", { { 0, 10, RAM } }, { 6, 5, RES }, -PVBOOT_E_MALFORMED, { { 0, 10, RAM } } },
};

static size_t fill(struct pvboot_memmap *m, const struct pvboot_range *r, size_t max)
{
    m->n = 0;
    while (m->n < max && r[m->n].end) {
        m->r[m->n] = r[m->n];
        m->n++;
    }
    return m->n;
}

static void assert_map(const char *name, const struct pvboot_memmap *m, const struct pvboot_range *r, size_t n)
{
    bool ok = m->n == n;

    for (size_t i = 0; ok && i < n; i++)
        ok = m->r[i].start == r[i].start && m->r[i].end == r[i].end && m->r[i].type == r[i].type;
    if (!ok)
        fail_msg("%s: %zu ranges, or other ones", name, m->n);
}

static void test_set(void **state)
{
    static struct pvboot_memmap m, want;

    (void)state;
    for (size_t i = 0; i < sizeof(set_row) / sizeof(set_row[0]); i++) {
        struct pvboot_error e = { 0 };

        fill(&m, set_row[i].before, 4);
        fill(&want, set_row[i].after, 5);
        assert_int_equal(pvboot_memmap_set(&m, set_row[i].set.start, set_row[i].set.end, set_row[i].set.type, &e),
                         set_row[i].rc);
        assert_int_equal(e.code, -set_row[i].rc);
        assert_map(set_row[i].name, &m, want.r, want.n);
        assert_true(pvboot_memmap_valid(&m));
    }
}

/* 1024 ranges, each of 10 bytes with a gap of 10 after it. */
static void fill_up(struct pvboot_memmap *m)
{
    m->n = PVBOOT_MEMMAP_MAX;
    for (size_t i = 0; i < PVBOOT_MEMMAP_MAX; i++)
        m->r[i] = (struct pvboot_range){ i * 20, i * 20 + 10, RAM };
}

static void test_full(void **state)
{
    static const struct {
        const char *name;
        struct pvboot_range set;
        int rc;
        size_t n;
    } row[] = {
        { "replaces one", { 20, 30, RES }, 0, 1024 },
        { "one more behind", { 30000, 30001, RES }, -PVBOOT_E_LIMIT, 1024 },
        { "splits one", { 24, 26, RES }, -PVBOOT_E_LIMIT, 1024 },
        { "fills a gap", { 10, 20, RAM }, 0, 1023 },
        { "half a range", { 25, 30, RES }, -PVBOOT_E_LIMIT, 1024 },
        { "swallows two, splits none", { 20, 50, RES }, 0, 1023 },
    };
    static struct pvboot_memmap m, before;

    (void)state;
    fill_up(&before);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_error e = { 0 };

        fill_up(&m);
        assert_int_equal(pvboot_memmap_set(&m, row[i].set.start, row[i].set.end, row[i].set.type, &e), row[i].rc);
        assert_int_equal(m.n, row[i].n);
        assert_true(pvboot_memmap_valid(&m));
        if (row[i].rc)
            assert_map(row[i].name, &m, before.r, before.n);
    }
}

static void test_valid(void **state)
{
    static const struct {
        struct pvboot_range r[3];
        size_t n;
        bool ok;
    } row[] = {
        { { { 0 } }, 0, true },
        { { { 0, 1, RAM } }, 1, true },
        { { { 0, 10, RAM }, { 10, 20, RAM } }, 2, true }, /* adjacent of one type: legal in a map from outside */
        { { { 0, 10, RAM }, { 9, 20, RAM } }, 2, false },
        { { { 10, 20, RAM }, { 0, 10, RAM } }, 2, false },
        { { { 5, 5, RAM } }, 1, false },
        { { { 6, 5, RAM } }, 1, false },
        { { { 0, 10, RAM }, { 20, 30, RAM }, { 25, 26, RES } }, 3, false },
    };
    static struct pvboot_memmap m;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        memcpy(m.r, row[i].r, sizeof(row[i].r));
        m.n = row[i].n;
        assert_int_equal(pvboot_memmap_valid(&m), row[i].ok);
    }
    m.n = PVBOOT_MEMMAP_MAX + 1;
    assert_false(pvboot_memmap_valid(&m));
}

static void test_inside(void **state)
{
    static const struct pvboot_range r[] = { { 10, 20, RAM }, { 20, 30, RAM }, { 40, TOP, RES } };
    static const struct {
        uint64_t start, end;
        uint32_t type;
        bool in;
    } row[] = {
        { 10, 20, RAM, true },  { 10, 11, RAM, true },  { 19, 20, RAM, true },       { 9, 20, RAM, false },
        { 10, 21, RAM, false }, { 20, 30, RAM, true },  { 10, 30, RAM, false },      { 12, 15, RES, false },
        { 30, 40, RAM, false }, { 0, 5, RAM, false },   { TOP - 1, TOP, RES, true }, { 12, 12, RAM, false },
        { 15, 12, RAM, false }, { 35, 45, RES, false },
    };
    static struct pvboot_memmap m;

    (void)state;
    memcpy(m.r, r, sizeof(r));
    m.n = 3;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        if (pvboot_memmap_inside(&m, row[i].start, row[i].end, row[i].type) != row[i].in)
            fail_msg("row %zu", i);
    assert_int_equal(pvboot_memmap_bytes(&m, RAM), 20);
    assert_int_equal(pvboot_memmap_bytes(&m, RES), TOP - 40);
    assert_int_equal(pvboot_memmap_bytes(&m, ACPI), 0);
}

#define UNITS 96

static void assert_picture(const struct pvboot_memmap *m, const uint32_t *picture)
{
    uint32_t seen[UNITS] = { 0 };

    assert_true(pvboot_memmap_valid(m));
    for (size_t i = 0; i < m->n; i++) {
        assert_true(m->r[i].end <= UNITS);
        assert_false(i && m->r[i - 1].end == m->r[i].start && m->r[i - 1].type == m->r[i].type);
        for (uint64_t u = m->r[i].start; u < m->r[i].end; u++)
            seen[u] = m->r[i].type;
    }
    assert_memory_equal(seen, picture, sizeof(seen));
}

static void test_picture(void **state)
{
    static struct pvboot_memmap m;
    unsigned int seed = 1;

    (void)state;
    for (unsigned int round = 0; round < 2000; round++) {
        uint32_t picture[UNITS] = { 0 };

        m.n = 0;
        for (unsigned int step = 0; step < 12; step++) {
            uint64_t a = (uint64_t)rand_r(&seed) % UNITS, b = (uint64_t)rand_r(&seed) % UNITS;
            uint64_t start = a < b ? a : b, end = (a < b ? b : a) + 1;
            uint32_t type = 1 + (uint32_t)rand_r(&seed) % 3;
            struct pvboot_error e = { 0 };

            assert_int_equal(pvboot_memmap_set(&m, start, end, type, &e), 0);
            for (uint64_t u = start; u < end; u++)
                picture[u] = type;
            assert_picture(&m, picture);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),    cmocka_unit_test(test_full),    cmocka_unit_test(test_valid),
        cmocka_unit_test(test_inside), cmocka_unit_test(test_picture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

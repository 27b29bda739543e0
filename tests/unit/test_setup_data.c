/* SPDX-License-Identifier: LGPL-2.1-only */
/* The setup_data chain against boot.rst's layout { u64 next; u32 type; u32 len; u8 data[len] }, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "startinfo/setup_data.h"

#define GPA 0x102000u

static uint64_t read_le(const uint8_t *p, uint32_t width)
{
    uint64_t v = 0;

    for (uint32_t i = width; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static void check_node(const uint8_t *p, uint64_t next, uint32_t type, uint32_t len)
{
    assert_int_equal(read_le(p, 8), next);
    assert_int_equal(read_le(p + 8, 4), type);
    assert_int_equal(read_le(p + 12, 4), len);
}

static void order_and_alignment(void **state)
{
    uint8_t buf[4096];
    struct pvb_blob b = { .gpa = GPA, .buf = buf, .cap = sizeof(buf) };
    struct pvb_chain c = { .blob = &b };

    (void)state;
    memset(buf, 0xa5, sizeof(buf));
    assert_int_equal(pvb_chain_put(&c, 9, "abc", 3), GPA); /* 16 + 3, up to 24 */
    assert_int_equal(pvb_chain_put(&c, 0x40585600, "", 0), GPA + 24);
    assert_int_equal(pvb_chain_put(&c, 2, "12345678", 8), GPA + 40);
    assert_int_equal(c.head_gpa, GPA);
    check_node(buf, GPA + 24, 9, 3);
    assert_memory_equal(buf + 16, "abc\0\0\0\0\0", 8);
    check_node(buf + 24, GPA + 40, 0x40585600, 0);
    check_node(buf + 40, 0, 2, 8);
    assert_memory_equal(buf + 56, "12345678", 8);
    assert_int_equal(b.used, 64);
    assert_int_equal(buf[64], 0xa5);
}

/* zero-page.rst: 128 entries of { u64 addr, u64 size, u32 type } in the page, SETUP_E820_EXT (1) has the rest. */
static void e820_ext(void **state)
{
    static const struct {
        size_t n;
        uint32_t len;
    } row[] = { { 0, 0 }, { 1, 0 }, { 128, 0 }, { 129, 20 }, { 131, 60 }, { 1024, 896 * 20 } };
    static struct pvboot_range many[1024];
    static uint8_t buf[65536];

    (void)state;
    for (uint32_t i = 0; i < 1024; i++)
        many[i] = (struct pvboot_range){ (uint64_t)i << 32, ((uint64_t)i << 32) + 0x1000 + i, 1 + i % 3 };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvb_blob b = { .gpa = GPA, .buf = buf, .cap = sizeof(buf) };
        struct pvb_chain c = { .blob = &b };

        pvb_chain_put_e820(&c, many, row[i].n);
        assert_int_equal(c.head_gpa, row[i].len ? GPA : 0);
        assert_int_equal(b.used, row[i].len ? 16 + row[i].len : 0);
        if (row[i].len)
            check_node(buf, 0, 1, row[i].len);
        for (uint32_t k = 0; k < row[i].len / 20; k++) {
            const uint8_t *p = buf + 16 + 20 * k;
            uint32_t from = 128 + k;

            assert_int_equal(read_le(p, 8), (uint64_t)from << 32);
            assert_int_equal(read_le(p + 8, 8), 0x1000 + from);
            assert_int_equal(read_le(p + 16, 4), 1 + from % 3);
        }
    }
}

static void no_room(void **state)
{
    uint8_t buf[256];

    (void)state;
    for (size_t cap = 0; cap <= 64; cap++) {
        struct pvb_blob b = { .gpa = GPA, .buf = buf, .cap = cap };
        struct pvb_chain c = { .blob = &b };

        memset(buf, 0xa5, sizeof(buf));
        assert_int_equal(pvb_chain_put(&c, 9, "0123456789abcdef", 16), cap >= 32 ? GPA : 0);
        assert_int_equal(pvb_chain_put(&c, 9, "0123456789abcdef", 16), cap >= 64 ? GPA + 32 : 0);
        assert_int_equal(pvb_blob_ok(&b), cap >= 64);
        for (size_t k = cap; k < sizeof(buf); k++)
            assert_int_equal(buf[k], 0xa5);
        if (cap >= 32 && cap < 64) /* a node that does not fit must not be hooked in */
            check_node(buf, 0, 9, 16);
    }
}

static void measuring(void **state)
{
    struct pvb_blob b = pvb_blob_measure();
    struct pvb_chain c = { .blob = &b };

    (void)state;
    pvb_chain_put(&c, 9, "12345", 5);
    pvb_chain_put(&c, 9, "12345", 5);
    assert_int_equal(b.used, 24 + 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_alignment),
        cmocka_unit_test(e820_ext),
        cmocka_unit_test(no_room),
        cmocka_unit_test(measuring),
    };

    return cmocka_run_group_tests_name("setup_data", tests, NULL, NULL);
}

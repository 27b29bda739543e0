/* SPDX-License-Identifier: LGPL-2.1-only */
/* The stub's few functions of libc, held against the real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The stub's sources under other names. */
#undef vsnprintf
#undef snprintf
#define vsnprintf stub_vsnprintf
#define snprintf stub_snprintf
int stub_vsnprintf(char *buf, size_t n, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
int stub_snprintf(char *buf, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#include "stub/libc/stdio.c"
#undef vsnprintf
#undef snprintf

#define memcpy stub_memcpy
#define memmove stub_memmove
#define memset stub_memset
#define memcmp stub_memcmp
#define memchr stub_memchr
#define strlen stub_strlen
#define strnlen stub_strnlen
#define strcmp stub_strcmp
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
#include "stub/libc/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp

#define __udivmoddi4 stub_udivmoddi4
#define __udivdi3 stub_udivdi3
#define __umoddi3 stub_umoddi3
#include "stub/libc/div.c"

/* Both for each buffer size from 0 to more than enough: the text, what is cut off, and the return value. */
#define SAME(...)                                                                            \
    do {                                                                                     \
        for (size_t n = 0; n < 64; n++) {                                                    \
            char a[64], b[64];                                                               \
                                                                                             \
            memset(a, 0x55, sizeof(a));                                                      \
            memset(b, 0x55, sizeof(b));                                                      \
            assert_int_equal(stub_snprintf(a, n, __VA_ARGS__), snprintf(b, n, __VA_ARGS__)); \
            assert_memory_equal(a, b, sizeof(a));                                            \
        }                                                                                    \
    } while (0)

static void test_printf(void **state)
{
    (void)state;
    SAME("plain");
    SAME("%s|%.3s|%.0s|%s", "abc", "abcdef", "x", "");
    SAME("%u %u %u", 0u, 1u, UINT32_MAX);
    SAME("%d %d %d", 0, -1, INT32_MIN);
    SAME("%x %#x %#x %02x %04x", 255u, 255u, 0u, 7u, 0xabcdeu);
    SAME("%llu %llx %#llx", ~0ull, ~0ull, 1ull << 63);
    SAME("%lld %lld", -1ll, -9223372036854775807ll - 1);
    SAME("%zu %zu", (size_t)0, SIZE_MAX);
    SAME("%c%c 100%%", 'a', '\n');
    SAME("%u.%02u", 2u, 15u);
}

static void test_numbers(void **state)
{
    char a[32], b[32];

    (void)state;
    for (unsigned int i = 0; i < 64; i++)
        for (int off = -1; off < 2; off++) {
            unsigned long long v = (1ull << i) + (unsigned long long)off;

            stub_snprintf(a, sizeof(a), "%llu", v);
            snprintf(b, sizeof(b), "%llu", v);
            assert_string_equal(a, b);
        }
}

static void test_division(void **state)
{
    static const uint64_t v[] = { 0,
                                  1,
                                  2,
                                  3,
                                  9,
                                  10,
                                  0xffff,
                                  UINT32_MAX,
                                  1ull << 32,
                                  (1ull << 32) + 1,
                                  INT64_MAX,
                                  1ull << 63,
                                  UINT64_MAX - 1,
                                  UINT64_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        for (size_t j = 1; j < sizeof(v) / sizeof(v[0]); j++) {
            uint64_t rest;

            assert_int_equal(stub_udivmoddi4(v[i], v[j], &rest), v[i] / v[j]);
            assert_int_equal(rest, v[i] % v[j]);
            assert_int_equal(stub_udivdi3(v[i], v[j]), v[i] / v[j]);
            assert_int_equal(stub_umoddi3(v[i], v[j]), v[i] % v[j]);
        }
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void test_memory(void **state)
{
    static const char text[] = "0123456789abcdef";
    char a[32], b[32];

    (void)state;
    for (size_t dst = 0; dst < 8; dst++)
        for (size_t src = 0; src < 8; src++)
            for (size_t n = 0; n <= 16; n++) {
                memcpy(a, "0123456789abcdefghijklmnopqrstu", 32);
                memcpy(b, a, 32);
                assert_ptr_equal(stub_memmove(a + dst, a + src, n), a + dst);
                memmove(b + dst, b + src, n);
                assert_memory_equal(a, b, 32);
            }
    assert_ptr_equal(stub_memset(a, 0x181, 5), a);
    assert_ptr_equal(stub_memcpy(a + 5, text, 7), a + 5);
    assert_memory_equal(a,
                        "\x81\x81\x81\x81\x81"
                        "0123456",
                        12);
    assert_int_equal(sign(stub_memcmp("a\x80", "a\x7f", 2)), 1);
    assert_int_equal(sign(stub_memcmp("a\x80", "a\x7f", 1)), 0);
    assert_ptr_equal(stub_memchr(text, 'f', sizeof(text)), text + 15);
    assert_null(stub_memchr(text, 'f', 15));
}

static void test_text(void **state)
{
    (void)state;
    assert_int_equal(stub_strlen(""), 0);
    assert_int_equal(stub_strlen("abc"), 3);
    assert_int_equal(stub_strnlen("abc", 2), 2);
    assert_int_equal(stub_strnlen("abc", 4), 3);
    assert_int_equal(sign(stub_strcmp("abc", "abc")), 0);
    assert_int_equal(sign(stub_strcmp("abc", "ab")), 1);
    assert_int_equal(sign(stub_strcmp("ab", "abc")), -1);
    assert_int_equal(sign(stub_strcmp("a\x80", "a\x7f")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printf), cmocka_unit_test(test_numbers), cmocka_unit_test(test_division),
        cmocka_unit_test(test_memory), cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

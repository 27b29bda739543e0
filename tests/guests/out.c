/* SPDX-License-Identifier: LGPL-2.1-only */
#include "probe.h"

#define PER_LINE 32u /* Xen ends a line of its log by itself after some 200 characters */

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    void *d = dst;

    __asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n) : : "memory");
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    void *d = dst;

    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;

    for (; n; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

void put(const char *s)
{
    while (*s)
        outb(0xe9, (uint8_t)*s++);
}

static void put_digits(uint64_t v, int digits)
{
    static const char digit[] = "0123456789abcdef";

    while (digits--)
        outb(0xe9, (uint8_t)digit[v >> (4 * digits) & 15]);
}

void put_hex(uint64_t v)
{
    int digits = 16;

    while (digits > 1 && !(v >> (4 * (digits - 1))))
        digits--;
    put("0x");
    put_digits(v, digits);
}

void fact_begin(const char *key)
{
    put("@probe ");
    put(key);
    put("=");
}

void fact(const char *key, uint64_t v)
{
    fact_begin(key);
    put_hex(v);
    put("\n");
}

void fact_text(const char *key, const char *v)
{
    fact_begin(key);
    put(v);
    put("\n");
}

const uint8_t *at(uint64_t gpa, uint64_t bytes)
{
    if (!gpa || gpa >= UINT32_MAX || bytes > UINT32_MAX - gpa)
        return NULL;
    return (const uint8_t *)(uintptr_t)gpa;
}

void dump(const char *name, uint64_t gpa, uint64_t bytes)
{
    const uint8_t *p = at(gpa, bytes);

    if (!p) {
        fact_text("unreadable", name);
        return;
    }
    for (uint64_t off = 0; off < bytes; off += PER_LINE) {
        uint64_t n = bytes - off < PER_LINE ? bytes - off : PER_LINE;

        put("@probe-hex ");
        put(name);
        put(" ");
        put_digits(off, 4);
        put(" ");
        for (uint64_t i = 0; i < n; i++)
            put_digits(p[off + i], 2);
        put("\n");
    }
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct out {
    char *buf;
    size_t room, used;
};

struct spec {
    bool alternate, zeroes, wide; /* #, 0, 64 bits */
    unsigned int width, precision;
};

static void put(struct out *o, char c)
{
    if (o->used + 1 < o->room)
        o->buf[o->used] = c;
    o->used++;
}

static void put_text(struct out *o, const char *s, size_t n, const struct spec *spec)
{
    for (size_t i = n; i < spec->width; i++)
        put(o, spec->zeroes ? '0' : ' ');
    while (n--)
        put(o, *s++);
}

static void put_number(struct out *o, uint64_t v, unsigned int base, bool negative, const struct spec *spec)
{
    char digits[24];
    size_t at = sizeof(digits);
    bool prefix = spec->alternate && v;

    do {
        digits[--at] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    if (prefix) {
        digits[--at] = 'x';
        digits[--at] = '0';
    }
    if (negative)
        digits[--at] = '-';
    put_text(o, digits + at, sizeof(digits) - at, spec);
}

static unsigned int number(const char **fmt)
{
    unsigned int n = 0;

    for (; **fmt >= '0' && **fmt <= '9'; ++*fmt)
        n = n * 10 + (unsigned int)(**fmt - '0');
    return n;
}

static struct spec parse(const char **fmt)
{
    struct spec s = { .precision = UINT32_MAX };

    for (; **fmt == '#' || **fmt == '0'; ++*fmt) {
        s.alternate |= **fmt == '#';
        s.zeroes |= **fmt == '0';
    }
    s.width = number(fmt);
    if (**fmt == '.') {
        ++*fmt;
        s.precision = number(fmt);
    }
    for (; **fmt == 'l' || **fmt == 'z'; ++*fmt)
        s.wide |= **fmt == 'z' ? sizeof(size_t) == sizeof(uint64_t) : (*fmt)[1] == 'l';
    return s;
}

int vsnprintf(char *buf, size_t n, const char *fmt, va_list ap)
{
    struct out o = { buf, n, 0 };

    for (; *fmt; fmt++) {
        struct spec spec;
        const char *s;
        int64_t v;
        char c;

        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        fmt++;
        spec = parse(&fmt);
        switch (*fmt) {
        case 's':
            s = va_arg(ap, const char *);
            put_text(&o, s, strnlen(s, spec.precision), &spec);
            break;
        case 'c':
            c = (char)va_arg(ap, int);
            put_text(&o, &c, 1, &spec);
            break;
        case 'd':
            v = spec.wide ? va_arg(ap, long long) : va_arg(ap, int);
            put_number(&o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0, &spec);
            break;
        case 'u':
        case 'x':
            put_number(&o, spec.wide ? va_arg(ap, unsigned long long) : va_arg(ap, unsigned int), *fmt == 'x' ? 16 : 10,
                       false, &spec);
            break;
        default:
            put(&o, *fmt);
        }
    }
    if (n)
        buf[o.used < n ? o.used : n - 1] = '\0';
    return (int)o.used;
}

int snprintf(char *buf, size_t n, const char *fmt, ...)
{
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = vsnprintf(buf, n, fmt, ap);
    va_end(ap);
    return r;
}

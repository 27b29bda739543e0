/* SPDX-License-Identifier: LGPL-2.1-only */
/* One error object: a class, a file, one printable sentence. */
#include "base.h"

#include <stdio.h>

static const struct {
    enum pvboot_class code;
    const char *name;
} classes[] = {
    { PVBOOT_E_USAGE, "usage" },
    { PVBOOT_E_MALFORMED, "malformed" },
    { PVBOOT_E_UNREADABLE, "unreadable" },
    { PVBOOT_E_UNSUPPORTED, "unsupported" },
    { PVBOOT_E_LIMIT, "limit" },
    { PVBOOT_E_NOFIT, "nofit" },
    { PVBOOT_E_INTERNAL, "internal" },
    { PVBOOT_E_HOST, "host" },
    { PVBOOT_E_XEN, "xen" },
    { PVBOOT_E_SANDBOX, "sandbox" },
};

const char *pvboot_class_name(int code)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (code == (int)classes[i].code)
            return classes[i].name;
    return "unknown";
}

/* How @c is shown: as itself, a backslash doubled, so that no text looks like another one's escapes, or as \xNN. */
static size_t width(uint8_t c)
{
    return c < 0x20 || c >= 0x7f ? 4 : c == '\\' ? 2 : 1;
}

static void show(char *dst, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    const char quad[4] = { '\\', width(c) == 4 ? 'x' : '\\', hex[c >> 4], hex[c & 15] };

    if (width(c) == 1)
        *dst = (char)c;
    else
        memcpy(dst, quad, width(c));
}

void pvb_escape(char *dst, size_t n, const void *src, size_t src_bytes)
{
    const uint8_t *s = src;
    size_t used = 0;

    if (!n)
        return;
    for (size_t i = 0; i < src_bytes && width(s[i]) < n - used; i++) { /* never half an escape */
        show(dst + used, s[i]);
        used += width(s[i]);
    }
    dst[used] = 0;
}

/* The same for text that has been escaped before, whose backslashes are its escapes: whoever made it may have lied. */
static void escape_again(char *dst, size_t n, const char *s)
{
    size_t used = 0;

    while (*s) {
        size_t whole = s[0] != '\\' ? 1 : s[1] == 'x' ? strnlen(s, 4) : strnlen(s, 2);
        char part[4 * 4 + 1];
        size_t m = 0;

        for (; whole; whole--, s++) {
            if (*s == '\\')
                part[m++] = '\\';
            else {
                show(part + m, (uint8_t)*s);
                m += width((uint8_t)*s);
            }
        }
        if (m >= n - used)
            break;
        memcpy(dst + used, part, m);
        used += m;
    }
    dst[used] = 0;
}

#define ROOM (2 * sizeof(((struct pvboot_error *)0)->text))

/* False: there is an error already, or nobody wants one. */
static bool take(struct pvboot_error *e, enum pvboot_class code, char text[ROOM], const char *fmt, va_list ap)
{
    if (!e || e->code)
        return false;
    e->code = (int)code;
    vsnprintf(text, ROOM, fmt, ap);
    return true;
}

int pvb_fail(struct pvboot_error *e, enum pvboot_class code, const char *fmt, ...)
{
    char text[ROOM];
    va_list ap;

    va_start(ap, fmt);
    if (take(e, code, text, fmt, ap))
        pvb_escape(e->text, sizeof(e->text), text, strlen(text));
    va_end(ap);
    return e ? -e->code : -(int)code;
}

int pvb_fail_escaped(struct pvboot_error *e, enum pvboot_class code, const char *fmt, ...)
{
    char text[ROOM];
    va_list ap;

    va_start(ap, fmt);
    if (take(e, code, text, fmt, ap))
        escape_again(e->text, sizeof(e->text), text);
    va_end(ap);
    return e ? -e->code : -(int)code;
}

/* A path that is too long loses its head, but no half of an escape. */
int pvb_in_file(struct pvboot_error *e, const char *path, int rc)
{
    static const char cut[] = "...";
    size_t len, first, need = 0;

    if (!rc || !e || !e->code || e->file[0] || !path)
        return rc;
    len = first = strlen(path);
    while (first && need + width((uint8_t)path[first - 1]) < sizeof(e->file))
        need += width((uint8_t)path[--first]);
    if (first) {
        while (need >= sizeof(e->file) - strlen(cut))
            need -= width((uint8_t)path[first++]);
        memcpy(e->file, cut, sizeof(cut));
    }
    pvb_escape(e->file + strlen(e->file), sizeof(e->file) - strlen(e->file), path + first, len - first);
    return rc;
}

const char *pvboot_error_line(const struct pvboot_error *e, char *buf, size_t n)
{
    snprintf(buf, n, "pvboot: %s: %s%s%s", pvboot_class_name(e->code), e->file, e->file[0] ? ": " : "", e->text);
    return buf;
}

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

void pvb_escape(char *dst, size_t n, const void *src, size_t src_bytes)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *s = src;
    size_t used = 0;

    if (!n)
        return;
    for (size_t i = 0; i < src_bytes; i++) {
        bool plain = s[i] >= 0x20 && s[i] < 0x7f;
        size_t need = plain ? 1 : 4;

        if (need >= n - used) /* never half an escape */
            break;
        if (plain) {
            dst[used] = (char)s[i];
        } else {
            const char quad[4] = { '\\', 'x', hex[s[i] >> 4], hex[s[i] & 15] };

            memcpy(dst + used, quad, sizeof(quad));
        }
        used += need;
    }
    dst[used] = 0;
}

int pvb_fail(struct pvboot_error *e, enum pvboot_class code, const char *fmt, ...)
{
    char text[2 * sizeof(e->text)];
    va_list ap;

    if (!e)
        return -(int)code;
    if (e->code)
        return -e->code;
    e->code = (int)code;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    pvb_escape(e->text, sizeof(e->text), text, strnlen(text, sizeof(text)));
    return -e->code;
}

int pvb_in_file(struct pvboot_error *e, const char *path, int rc)
{
    static const char cut[] = "...";
    char tail[4 * sizeof(e->file)]; /* the path's last bytes, each escaped at worst */
    size_t len, room = sizeof(e->file) - sizeof(cut);

    if (!rc || !e || !e->code || e->file[0] || !path)
        return rc;
    len = strlen(path);
    pvb_escape(tail, sizeof(tail), len < sizeof(e->file) ? path : path + len - room,
               len < sizeof(e->file) ? len : room);
    if (len < sizeof(e->file) && strlen(tail) < sizeof(e->file))
        snprintf(e->file, sizeof(e->file), "%s", tail);
    else
        snprintf(e->file, sizeof(e->file), "%s%s", cut, tail + (strlen(tail) > room ? strlen(tail) - room : 0));
    return rc;
}

const char *pvboot_error_line(const struct pvboot_error *e, char *buf, size_t n)
{
    snprintf(buf, n, "pvboot: %s: %s%s%s", pvboot_class_name(e->code), e->file, e->file[0] ? ": " : "", e->text);
    return buf;
}

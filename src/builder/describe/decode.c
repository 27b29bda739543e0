/* SPDX-License-Identifier: LGPL-2.1-only */
#include "decode.h"

#include <inttypes.h>
#include <stdio.h>

json_t *pvb_decode_begin(const char *kind, struct pvboot_bytes b, uint64_t base_gpa)
{
    return json_pack("{s:s, s:o, s:o, s:{}, s:[]}", "kind", kind, "base_gpa", pvb_json_u64(base_gpa), "bytes",
                     pvb_json_u64(b.len), "fields", "lint");
}

void pvb_lint(json_t *o, const char *fmt, ...)
{
    char text[240];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_array_append_new(json_object_get(o, "lint"), json_string(text));
}

uint64_t pvb_decode_u64(struct pvboot_bytes b, uint64_t off, uint32_t bytes)
{
    uint64_t v = 0;

    pvboot_get(b, off, &v, bytes < sizeof(v) ? bytes : sizeof(v));
    return v;
}

json_t *pvb_decode_hex(struct pvboot_bytes b)
{
    while (b.len && !b.p[b.len - 1])
        b.len--;
    return pvb_json_hex(b);
}

static void decode_pad(json_t *fields, struct pvboot_bytes b, uint32_t start, uint32_t end)
{
    char key[16];

    if (start >= end)
        return;
    snprintf(key, sizeof(key), "pad_0x%03x", start);
    json_object_set_new(fields, key, pvb_decode_hex(pvboot_sub(b, start, end - start)));
}

static bool is_number(uint32_t bytes)
{
    return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

void pvb_decode_fields(json_t *o, struct pvboot_bytes b, const struct pvb_field *field, size_t n, uint32_t end)
{
    json_t *fields = json_object_get(o, "fields");
    uint32_t at = 0;

    for (size_t i = 0; i < n; i++) {
        const struct pvb_field *f = &field[i];

        decode_pad(fields, b, at, f->off);
        if (is_number(f->bytes))
            json_object_set_new(fields, f->key, pvb_json_u64(pvb_decode_u64(b, f->off, f->bytes)));
        else
            json_object_set_new(fields, f->key, pvb_decode_hex(pvboot_sub(b, f->off, f->bytes)));
        at = f->off + f->bytes;
    }
    decode_pad(fields, b, at, end);
}

void pvb_lint_ranges(json_t *o, const struct pvboot_range *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (r[i].start >= r[i].end)
            pvb_lint(o, "memory map: entry %zu at %#" PRIx64 " is empty or wraps", i, r[i].start);
        else if (i && r[i].start < r[i - 1].end)
            pvb_lint(o, "memory map: entry %zu at %#" PRIx64 " begins before entry %zu ends at %#" PRIx64, i,
                     r[i].start, i - 1, r[i - 1].end);
    }
}

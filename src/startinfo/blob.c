/* SPDX-License-Identifier: LGPL-2.1-only */
#include "blob.h"

#include <string.h>

uint64_t pvb_reserve(struct pvb_blob *b, size_t n, size_t align)
{
    size_t at = (b->used + align - 1) & ~(align - 1);

    if (!pvb_blob_ok(b) || at > b->cap || n > b->cap - at) {
        b->used = b->cap + 1;
        return 0;
    }
    if (b->buf)
        memset(b->buf + b->used, 0, at + n - b->used);
    b->used = at + n;
    return b->gpa + at;
}

uint64_t pvb_put(struct pvb_blob *b, const void *obj, size_t n, size_t align)
{
    uint64_t gpa = pvb_reserve(b, n, align);

    pvb_poke(b, gpa, obj, n);
    return gpa;
}

void pvb_poke(struct pvb_blob *b, uint64_t gpa, const void *obj, size_t n)
{
    size_t at = (size_t)(gpa - b->gpa);

    if (b->buf && gpa >= b->gpa && at <= b->used && n <= b->used - at && pvb_blob_ok(b))
        memcpy(b->buf + at, obj, n);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A view of untrusted bytes and the only check that turns an offset found in them into an access.
 */
#ifndef PVBOOT_BYTES_H
#define PVBOOT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed, never owned; @p may be NULL when @len is 0. */
struct pvboot_bytes {
    const uint8_t *p;
    size_t len;
};

/* A view as an expression. */
#ifdef __cplusplus
#define PVBOOT_BYTES(p, len) (pvboot_bytes{ (p), (len) })
#else
#define PVBOOT_BYTES(p, len) ((struct pvboot_bytes){ (p), (len) })
#endif

/* Do bytes [@off, @off + @n) exist?  Cannot wrap. */
static inline bool pvboot_has(struct pvboot_bytes b, uint64_t off, uint64_t n)
{
    return off <= b.len && n <= b.len - off;
}

/* Copy @n bytes at @off to @dst, whatever the alignment; false, and nothing written, when they do not exist. */
static inline bool pvboot_get(struct pvboot_bytes b, uint64_t off, void *dst, size_t n)
{
    if (!pvboot_has(b, off, n))
        return false;
    if (n)
        memcpy(dst, b.p + off, n);
    return true;
}

/* The view [@off, @off + @n) of @b, or an empty one when it does not exist: check with pvboot_has() first. */
static inline struct pvboot_bytes pvboot_sub(struct pvboot_bytes b, uint64_t off, uint64_t n)
{
    if (!pvboot_has(b, off, n))
        return PVBOOT_BYTES(NULL, 0);
    return PVBOOT_BYTES(b.p + off, (size_t)n);
}

#ifdef __cplusplus
}
#endif

#endif

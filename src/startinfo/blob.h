/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A cursor that writes structures for a guest and knows their guest addresses.  Without a buffer the same calls
 * measure: no second size formula can drift from the first.
 */
#ifndef PVB_BLOB_H
#define PVB_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @gpa: page aligned, not 0.  @buf NULL: measure.  @used over @cap: something did not fit. */
struct pvb_blob {
    uint64_t gpa;
    uint8_t *buf;
    size_t cap, used;
};

/* The most a blob can be asked to hold; far above any real one, so sums stay in 32 bits of size_t. */
#define PVB_BLOB_MAX (256u << 20)

/* A blob that only counts. */
static inline struct pvb_blob pvb_blob_measure(void)
{
    return (struct pvb_blob){ .gpa = 0x1000, .cap = PVB_BLOB_MAX };
}

/* Did everything fit? */
static inline bool pvb_blob_ok(const struct pvb_blob *b)
{
    return b->used <= b->cap;
}

/* Room for @n bytes, zeroed, at a multiple of @align (a power of two, at most a page).  Its gpa; 0: full, for good. */
uint64_t pvb_reserve(struct pvb_blob *b, size_t n, size_t align);

/* The same, with a copy of @obj in it. */
uint64_t pvb_put(struct pvb_blob *b, const void *obj, size_t n, size_t align);

/* Write into room that was reserved at @gpa; does nothing when measuring or when @gpa is 0. */
void pvb_poke(struct pvb_blob *b, uint64_t gpa, const void *obj, size_t n);

#endif

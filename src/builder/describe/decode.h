/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the decoders of single structures share. */
#ifndef PVB_DECODE_H
#define PVB_DECODE_H

#include "describe.h"

/* One field of a structure; @bytes 1, 2, 4 or 8 make a number, anything else hex text. */
struct pvb_field {
    const char *key;
    uint32_t off, bytes;
};

/* What all of them begin with. */
json_t *pvb_decode_begin(const char *kind, struct pvboot_bytes b, uint64_t base_gpa);
/* Add a sentence to @o's "lint". */
void pvb_lint(json_t *o, const char *fmt, ...) PVB_PRINTF(2, 3);
/* @n fields, ascending, into @o; bytes of @b between them, up to @end, as "pad_0x..." */
void pvb_decode_fields(json_t *o, struct pvboot_bytes b, const struct pvb_field *field, size_t n, uint32_t end);
/* Value of a field that exists; up to 8 bytes, little endian. */
uint64_t pvb_decode_u64(struct pvboot_bytes b, uint64_t off, uint32_t bytes);
/* Hex text without trailing zeroes. */
json_t *pvb_decode_hex(struct pvboot_bytes b);
/* Is @m what Linux expects of a memory map?  Ascending, disjoint, no empty ranges; into @o's lint. */
void pvb_lint_ranges(json_t *o, const struct pvboot_range *r, size_t n);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * `pvboot decode`: what a guest was handed, or what it read back, field by field, with what is wrong with it.
 *
 * Each result has "kind", "base_gpa", "bytes", "fields" and "lint", an array of sentences.  Every byte of the input
 * shows in some field, under the same key each time: two objects are equal exactly when the inputs were.  Areas of
 * more than 8 bytes are hex text without their trailing zeroes, payloads over a page their SHA-256.  NULL: no memory.
 */
#ifndef PVB_DECODE_H
#define PVB_DECODE_H

#include "describe.h"

/* One field of a structure; @bytes 1, 2, 4 or 8 make a number, anything else hex text. */
struct pvb_field {
    const char *key;
    uint32_t off, bytes;
};

/* @base_gpa: where the bytes lay in the guest; 0: not known, then addresses are not followed. */
json_t *pvb_decode_zero_page(struct pvboot_bytes page, uint64_t base_gpa);
json_t *pvb_decode_start_info(struct pvboot_bytes b, uint64_t base_gpa);
/* The chain whose first node is at @base_gpa, the start of @b. */
json_t *pvb_decode_setup_data(struct pvboot_bytes b, uint64_t base_gpa);
/* One node's payload, as /sys/kernel/boot_params/setup_data/N/data has it. */
json_t *pvb_decode_setup_payload(struct pvboot_bytes b, uint32_t type, uint64_t base_gpa);

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

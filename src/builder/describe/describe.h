/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What pvboot knows, as JSON objects with stable keys, for `--json`, manifests and the lab.
 * Every function returns a new reference, or NULL when there is no memory.
 */
#ifndef PVB_DESCRIBE_H
#define PVB_DESCRIBE_H

#include "outdir.h"
#include <jansson.h>

/* A number; what jansson's signed integers cannot hold becomes the text "0x...". */
json_t *pvb_json_u64(uint64_t v);
/* Lower-case hex text of @b. */
json_t *pvb_json_hex(struct pvboot_bytes b);
/* Untrusted bytes as text, escaped like everything pvboot shows. */
json_t *pvb_json_text(struct pvboot_bytes b);

/* `pvboot inspect`.  @elf_why: why the ELF inside could not be looked at; "" when it was, or when there is none. */
json_t *pvb_describe_image(const struct pvboot_kernel *k, const char *elf_why);
/* `pvboot plan`. */
json_t *pvb_describe_plan(const struct pvboot_plan *plan);
/* [{start, end, type}] */
json_t *pvb_describe_memmap(const struct pvboot_memmap *m);

/*
 * `pvboot decode`: what a guest was handed, or what it read back, field by field, with what is wrong with it.
 *
 * Each result has "kind", "base_gpa", "bytes", "fields" and "lint", an array of sentences.  Every byte of the input
 * shows in some field, under the same key each time: two objects are equal exactly when the inputs were.  Areas of
 * more than 8 bytes are hex text without their trailing zeroes, payloads over a page their SHA-256.  NULL: no memory.
 */
/* @base_gpa: where the bytes lay in the guest; 0: not known, then addresses are not followed. */
json_t *pvb_decode_zero_page(struct pvboot_bytes page, uint64_t base_gpa);
json_t *pvb_decode_start_info(struct pvboot_bytes b, uint64_t base_gpa);
/* The chain whose first node is at @base_gpa, the start of @b. */
json_t *pvb_decode_setup_data(struct pvboot_bytes b, uint64_t base_gpa);
/* One node's payload, as /sys/kernel/boot_params/setup_data/N/data has it. */
json_t *pvb_decode_setup_payload(struct pvboot_bytes b, uint32_t type, uint64_t base_gpa);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What pvboot knows, as JSON objects with stable keys, for `--json`, manifests and the lab.
 * Every function returns a new reference, or NULL when there is no memory.
 */
#ifndef PVB_DESCRIBE_H
#define PVB_DESCRIBE_H

#include "internal.h"
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

/* sha256 as 64 hex digits. */
void pvb_sha256_hex(struct pvboot_bytes b, char hex[65]);

#endif

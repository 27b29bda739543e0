/* SPDX-License-Identifier: LGPL-2.1-only */
/* The image stage's inner seams: one function per format, one row per codec. */
#ifndef PVB_PARSE_H
#define PVB_PARSE_H

#include "bzimage.h"

#include <gelf.h>
#include <pvboot/limits.h>

/* Does @b carry the format's magic?  Looks no further. */
bool pvb_is_elf(struct pvboot_bytes b);

#define PVB_SHORTEST_KERNEL 0x206u /* the end of HdrS: anything shorter cannot be told from a cut bzImage */

/* Fills its zeroed struct.  -MALFORMED, -UNSUPPORTED, -LIMIT. */
int pvb_elf_parse(struct pvboot_elf *elf, struct pvboot_bytes b, struct pvboot_error *e);

/* Add the notes of the PT_NOTE segment @ph of @elf to @n; @seen counts over all segments. */
int pvb_notes_parse(struct pvboot_notes *n, uint32_t *seen, struct pvboot_bytes elf, const GElf_Phdr *ph,
                    struct pvboot_error *e);

/*
 * Where a payload is unpacked to: @len bytes at @p.  Where storing to them is dear, as it is in shared memory, page by
 * page, there is a @put: called in order, it copies @n bytes, @window at most, to @at; -HOST.  It is for decoders that
 * never look back at what they wrote; the others store all the same.
 */
struct pvb_output {
    uint8_t *p;
    size_t len;
    size_t window;
    int (*put)(uint64_t at, const void *bytes, size_t n, struct pvboot_error *e); /* or NULL */
};

/*
 * Unpack the payload @bz describes to @out, which has room for @max bytes; where it has no memory, to new memory of
 * exactly the size the payload's trailer declares, which the caller frees.  All limits are checked before memory is
 * taken.  Then @out->len is that size.  -MALFORMED, -UNSUPPORTED, -LIMIT, -HOST.
 */
int pvb_unpack(const struct pvboot_bzimage *bz, struct pvboot_bytes payload, uint64_t max, struct pvb_output *out,
               struct pvboot_error *e);

/* pvboot_kernel_unpack() of a kernel that has no ELF yet, to @out as above. */
int pvb_kernel_unpack(struct pvboot_kernel *k, struct pvb_output out, struct pvboot_error *e);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Parsing and unpacking, beside <pvboot/image.h>.  Without libelf and decoders, because the in-guest stub parses with it,
 * too.
 */
#ifndef PVB_IMAGE_H
#define PVB_IMAGE_H

#include "../base/base.h"

#define PVB_ALIGN_MAX (1ull << 30) /* no kernel asks for more: CONFIG_PHYSICAL_ALIGN ends at 16 MiB */

/* Does @file carry the format's magic?  Looks no further. */
bool pvb_is_bzimage(struct pvboot_bytes file);

/* Fills its zeroed struct.  -MALFORMED, -UNSUPPORTED, -LIMIT. */
int pvb_bzimage_parse(struct pvboot_bzimage *bz, struct pvboot_bytes file, struct pvboot_error *e);

/* The payload's codec by its magic. */
enum pvboot_codec pvb_codec_find(struct pvboot_bytes payload);

#define PVB_SHORTEST_KERNEL 0x206u /* the end of HdrS: anything shorter cannot be told from a cut bzImage */

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

/* pvboot_kernel_unpack() of a kernel that has no ELF yet, to @out as above. */
int pvb_kernel_unpack(struct pvboot_kernel *k, struct pvb_output out, struct pvboot_error *e);

#endif

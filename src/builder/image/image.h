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

/* Our note in a packed image, as it is in the file; its owner is "pvboot". */
#define PVB_NOTE_PACKED 2u
#define PVB_PACKED_VERSION 1u
struct pvb_packed_note {
    uint32_t version, reserved;
    struct {
        uint64_t off, bytes;
    } part[PVBOOT_PACKED_PARTS];
};

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
    uint64_t base;                                                                /* to be added to what @put is told */
    size_t *actual; /* NULL: exactly @len bytes are wanted; else at most, and how many there were */
    bool ready;     /* @p has its pages, all that it can have */
};

/*
 * pvboot_kernel_parse_within(), with a wrapper unpacked to @out; where that has no memory, to new memory.  A payload's
 * ELF comes behind it, at pvb_unwrapped_bytes().
 */
int pvb_kernel_read(struct pvboot_kernel *k, struct pvboot_bytes file, uint64_t unpacked_max,
                    const struct pvb_output *out, struct pvboot_error *e);

/* wrapper.c: find a wrapper around @k->file and look or unpack into it. -MALFORMED, -UNSUPPORTED, -LIMIT, -HOST. */
int pvb_unwrap(struct pvboot_kernel *k, const struct pvb_output *out, struct pvboot_error *e);

/* uki.c: is it a PE file?  Fill its zeroed struct from one that is a unified kernel image. */
bool pvb_is_pe(struct pvboot_bytes file);
int pvb_uki_parse(struct pvboot_wrapper *w, struct pvboot_bytes file, struct pvboot_error *e);

/* formats.c: what a file is that is no kernel, as a clause; NULL: not known. */
const char *pvb_format_name(struct pvboot_bytes b);

/* pvboot_kernel_unpack() of a kernel that has no ELF yet, to @out as above. */
int pvb_kernel_unpack(struct pvboot_kernel *k, struct pvb_output out, struct pvboot_error *e);

/*
 * The PT_LOADs of what a bzImage packs, from the first PVBOOT_FILE_HEAD bytes of its file: into @elf, which has nothing
 * else then.  False: they cannot be told from so little, or something is wrong, which unpacking will name.
 */
bool pvb_kernel_look(const struct pvboot_kernel *k, struct pvboot_elf *elf);

#endif

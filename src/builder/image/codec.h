/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the payload codecs share.  One file each; codec.c has the table. */
#ifndef PVB_CODEC_H
#define PVB_CODEC_H

#include "image.h"

#include <pvboot/limits.h>

/*
 * Unpack the one stream that is all of @in into exactly the bytes of @out.  -MALFORMED: it is damaged, ends early or
 * late, or does not fill @out to the byte; -LIMIT: it wants more decoder memory than PVBOOT_DECODER_MEMORY_MAX;
 * -UNSUPPORTED: not built in, or a feature kernels do not use; -HOST: no memory.
 */
typedef int pvb_inflate(struct pvboot_bytes in, struct pvb_output out, struct pvboot_error *e);

pvb_inflate pvb_gunzip, pvb_bunzip2, pvb_unlzma, pvb_unxz, pvb_unlzo, pvb_unlz4, pvb_unzstd;

/*
 * Does the stream itself, where it can be asked without unpacking it, say the size @declared?  -MALFORMED: another one.
 * What cannot be read is no answer, but 0: the decoder will say what is wrong with it.
 */
typedef int pvb_claim(struct pvboot_bytes in, uint64_t declared, struct pvboot_error *e);

pvb_claim pvb_xz_claim;

/*
 * Unpack what of @in, the beginning of a stream, gives the beginning of what it holds: up to the bytes of @out, whose
 * number is returned; 0: none can be had from as much.
 */
typedef size_t pvb_peek(struct pvboot_bytes in, struct pvb_output out);

pvb_peek pvb_gzip_peek, pvb_bzip2_peek, pvb_lzma_peek, pvb_xz_peek, pvb_lz4_peek, pvb_zstd_peek;

/* All of @p is about to be written: have its pages at once. */
void pvb_populate(void *p, size_t bytes);

/* How far a decoder came. */
struct pvb_progress {
    const char *codec;
    uint64_t in, in_bytes;
    uint64_t out, out_bytes;
    size_t *actual; /* as in pvb_output */
};

/* The sentences all codecs share; each returns -MALFORMED, too_long() of a stream without a size -LIMIT. */
int pvb_ends_early(const struct pvb_progress *at, struct pvboot_error *e);
int pvb_too_long(const struct pvb_progress *at, struct pvboot_error *e);
int pvb_corrupt(const struct pvb_progress *at, const char *what, struct pvboot_error *e);
/* The stream ended well: 0 if it took all of its input and filled its room. */
int pvb_at_end(const struct pvb_progress *at, struct pvboot_error *e);

/*
 * Unpack the payload @bz describes to @out, which has room for @max bytes; where it has no memory, to new memory of
 * exactly the size the payload's trailer declares, which the caller frees.  All limits are checked before memory is
 * taken.  Then @out->len is that size.  -MALFORMED, -UNSUPPORTED, -LIMIT, -HOST.
 */
int pvb_unpack(const struct pvboot_bzimage *bz, struct pvboot_bytes payload, uint64_t max, struct pvb_output *out,
               struct pvboot_error *e);

/* The same of a stream that says no size: @max bytes at most, and no more than the ratio allows.  No trailer. */
int pvb_unpack_stream(struct pvboot_bytes stream, uint64_t max, struct pvb_output *out, struct pvboot_error *e);

/*
 * The first bytes, up to @out->len, of what the payload @bz describes unpacks to, from @begin, which is its beginning.
 * Returns how many there are; 0: none, or over a limit.
 */
size_t pvb_unpack_beginning(const struct pvboot_bzimage *bz, struct pvboot_bytes begin, uint64_t max,
                            struct pvb_output out);

#endif

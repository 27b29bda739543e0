/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * lz4's legacy frame, by liblz4: the magic, then chunks of a 32-bit size and a block, each of 8 MiB but the last.
 * Spec: lz4 doc/lz4_Frame_format.md, "Legacy frame".  It has no checksum.
 */
#include "codec.h"

#include <lz4.h>

#define CHUNK_MAX (8u << 20) /* unpacked */

static const uint8_t magic[4] = { 0x02, 0x21, 0x4c, 0x18 };

/* The chunk at at->in, which has at least its size field. */
static int chunk(struct pvb_progress *at, struct pvboot_bytes in, struct pvb_output out, struct pvboot_error *e)
{
    struct pvboot_bytes block;
    uint64_t room = out.len - at->out;
    uint32_t bytes;
    int r;

    (void)pvboot_get(in, at->in, &bytes, sizeof(bytes));
    if (!bytes)
        return pvb_corrupt(at, "a chunk of 0 bytes", e);
    if (!pvboot_has(in, at->in + sizeof(bytes), bytes))
        return pvb_ends_early(at, e);
    if (!room)
        return pvb_too_long(at, e);
    block = pvboot_sub(in, at->in + sizeof(bytes), bytes);
    r = LZ4_decompress_safe((const char *)block.p, (char *)out.p + at->out, (int)bytes,
                            (int)(room < CHUNK_MAX ? room : CHUNK_MAX));
    if (r <= 0)
        return pvb_corrupt(at, "the chunk is bad, or unpacks to more than the declared size leaves", e);
    at->in += sizeof(bytes) + bytes;
    at->out += (uint64_t)r;
    if ((uint64_t)r < CHUNK_MAX && at->in != at->in_bytes)
        return pvb_corrupt(at, "a chunk shorter than 8 MiB is not the last", e);
    return 0;
}

/* lz4.h: of a chunk that is cut, up to as many bytes as are in what is there. */
size_t pvb_lz4_peek(struct pvboot_bytes in, struct pvb_output out)
{
    const uint64_t off = sizeof(magic) + sizeof(uint32_t);
    uint32_t bytes = 0;
    int room = (int)out.len, r;

    if (in.len <= off || memcmp(in.p, magic, sizeof(magic)) || !pvboot_get(in, sizeof(magic), &bytes, sizeof(bytes)))
        return 0;
    if (bytes > in.len - off)
        bytes = (uint32_t)(in.len - off);
    r = LZ4_decompress_safe_partial((const char *)in.p + off, (char *)out.p, (int)bytes, room, room);
    return r > 0 ? (size_t)r : 0;
}

int pvb_unlz4(struct pvboot_bytes in, struct pvb_output out, struct pvboot_error *e)
{
    struct pvb_progress at = { .codec = "lz4", .in_bytes = in.len, .out_bytes = out.len, .actual = out.actual };
    uint8_t start[sizeof(magic)];
    int rc;

    if (!pvboot_get(in, 0, start, sizeof(start)) || memcmp(start, magic, sizeof(magic)))
        return pvb_corrupt(&at, "not the legacy frame's magic", e);
    for (at.in = sizeof(magic); at.in < in.len;) { /* each chunk takes 5 bytes at least */
        if (!pvboot_has(in, at.in, sizeof(uint32_t)))
            return pvb_ends_early(&at, e);
        rc = chunk(&at, in, out, e);
        if (rc)
            return rc;
    }
    return at.out < at.out_bytes && !at.actual ? pvb_ends_early(&at, e) : pvb_at_end(&at, e);
}

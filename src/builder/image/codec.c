/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A bzImage's payload: which codec, how large, and the limits on both.
 * Spec: Linux Documentation/arch/x86/boot.rst, payload_offset, for the magic numbers.
 */
#include "codec.h"

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE (2ul << 20)
#define TRAILER 4u /* the build appends the unpacked size; in gzip its own ISIZE stands at the same place */

static const struct codec {
    enum pvboot_codec id;
    uint8_t magic[4];
    uint8_t magic_bytes;
    uint8_t trailer; /* bytes behind the stream */
    pvb_inflate *inflate;
    pvb_claim *claim; /* or NULL */
    pvb_peek *peek;   /* or NULL */
    bool puts;        /* uses pvb_output's ->put, and does not want its memory populated then */
} codecs[] = {
    { PVBOOT_CODEC_NONE, { 0x7f, 'E', 'L', 'F' }, 4, 0, NULL, NULL, NULL, false },
    { PVBOOT_CODEC_GZIP, { 0x1f, 0x8b }, 2, 0, pvb_gunzip, NULL, pvb_gzip_peek, false },
    { PVBOOT_CODEC_BZIP2, { 'B', 'Z' }, 2, TRAILER, pvb_bunzip2, NULL, pvb_bzip2_peek, false },
    { PVBOOT_CODEC_LZMA, { 0x5d, 0x00 }, 2, TRAILER, pvb_unlzma, NULL, pvb_lzma_peek, true },
    { PVBOOT_CODEC_XZ, { 0xfd, '7' }, 2, TRAILER, pvb_unxz, pvb_xz_claim, pvb_xz_peek, true },
    { PVBOOT_CODEC_LZO, { 0x89, 'L' }, 2, TRAILER, pvb_unlzo, NULL, NULL, false },
    { PVBOOT_CODEC_LZ4, { 0x02, 0x21 }, 2, TRAILER, pvb_unlz4, NULL, pvb_lz4_peek, false },
    { PVBOOT_CODEC_ZSTD, { 0x28, 0xb5 }, 2, TRAILER, pvb_unzstd, NULL, pvb_zstd_peek, false },
};

static const struct codec *find(struct pvboot_bytes payload)
{
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
        if (payload.len >= codecs[i].magic_bytes && !memcmp(payload.p, codecs[i].magic, codecs[i].magic_bytes))
            return &codecs[i];
    return NULL;
}

enum pvboot_codec pvb_codec_find(struct pvboot_bytes payload)
{
    const struct codec *c = find(payload);

    return c ? c->id : PVBOOT_CODEC_UNKNOWN;
}

/* What so many packed bytes may become at most. */
static uint64_t most_of(uint64_t packed, uint64_t max)
{
    uint64_t most = packed * PVBOOT_UNPACKED_RATIO;

    if (most < PVBOOT_UNPACKED_FLOOR)
        most = PVBOOT_UNPACKED_FLOOR;
    return most < max ? most : max;
}

/* What the payload claims to become, before a byte of memory is taken for it. */
static int check_claim(const struct pvboot_bzimage *bz, uint64_t max, struct pvboot_error *e)
{
    uint64_t most = most_of(bz->payload_bytes, max);

    if (bz->unpacked_bytes > most)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%s payload of %llu bytes says that it unpacks to %llu, limit %llu",
                        pvboot_codec_name(bz->codec), (unsigned long long)bz->payload_bytes,
                        (unsigned long long)bz->unpacked_bytes, (unsigned long long)most);
    if (!bz->unpacked_bytes)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "%s payload says that it unpacks to nothing",
                        pvboot_codec_name(bz->codec));
    return 0;
}

/* In huge pages where the host has them; NULL when there is no memory. */
static void *alloc(size_t bytes)
{
    void *p;

    if (bytes < HUGE_PAGE)
        return malloc(bytes ? bytes : 1);
    if (bytes > SIZE_MAX - HUGE_PAGE)
        return NULL;
    bytes = (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    p = aligned_alloc(HUGE_PAGE, bytes);
    if (p)
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* only faster: 4 KiB pages do as well */
    return p;
}

/* A fault for each page costs a PV guest dear, and dom0 is one. */
void pvb_populate(void *p, size_t bytes)
{
    size_t skip = -(uintptr_t)p & (PVB_PAGE - 1);

    if (bytes > skip) /* only faster: whoever cannot takes a fault per page */
        (void)madvise((uint8_t *)p + skip, (bytes - skip) & ~(size_t)(PVB_PAGE - 1), MADV_POPULATE_WRITE);
}

/* @room gets memory if it has none, and @stream is unpacked to it. */
static int inflate_to(const struct codec *c, struct pvboot_bytes stream, struct pvb_output room, struct pvb_output *out,
                      struct pvboot_error *e)
{
    int rc;

    if (!room.p)
        room.p = alloc(room.len);
    if (!room.p)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for %zu unpacked bytes", room.len);
    if (c->puts)
        room.put = out->put;
    if (!room.put && !room.actual && !out->ready)
        pvb_populate(room.p, room.len);
    rc = c->inflate(stream, room, e);
    if (rc && room.p != out->p)
        free(room.p);
    if (rc)
        return rc;
    if (room.actual)
        room.len = *room.actual;
    *out = room;
    return 0;
}

int pvb_unpack(const struct pvboot_bzimage *bz, struct pvboot_bytes payload, uint64_t max, struct pvb_output *out,
               struct pvboot_error *e)
{
    const struct codec *c = find(payload);
    struct pvb_output room = {
        .p = out->p, .len = (size_t)bz->unpacked_bytes, .window = out->window, .base = out->base
    };
    struct pvboot_bytes stream;
    int rc;

    if (!c || !c->inflate)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                        "payload at 0x%llx is of no known codec: it starts with %02x %02x %02x %02x",
                        (unsigned long long)bz->payload_off, payload.p[0], payload.p[1], payload.p[2], payload.p[3]);
    stream = pvboot_sub(payload, 0, payload.len - c->trailer);
    rc = check_claim(bz, max, e);
    if (!rc && c->claim)
        rc = c->claim(stream, room.len, e);
    return rc ? rc : inflate_to(c, stream, room, out, e);
}

int pvb_unpack_stream(struct pvboot_bytes stream, uint64_t max, struct pvb_output *out, struct pvboot_error *e)
{
    const struct codec *c = find(stream);
    size_t actual = 0;
    struct pvb_output room = { .p = out->p,
                               .len = (size_t)most_of(stream.len, max),
                               .window = out->window,
                               .base = out->base,
                               .actual = &actual };
    int rc;

    if (!c || !c->inflate)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "a stream of no known codec was to be unpacked");
    rc = inflate_to(c, stream, room, out, e);
    out->actual = NULL;
    return rc;
}

size_t pvb_unpack_beginning(const struct pvboot_bzimage *bz, struct pvboot_bytes begin, uint64_t max,
                            struct pvb_output out)
{
    const struct codec *c = find(begin);

    return c && c->peek && !check_claim(bz, max, NULL) ? c->peek(begin, out) : 0;
}

int pvb_ends_early(const struct pvb_progress *at, struct pvboot_error *e)
{
    if (at->actual)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "%s stream ends early: %llu packed bytes gave %llu", at->codec,
                        (unsigned long long)at->in_bytes, (unsigned long long)at->out);
    return pvb_fail(e, PVBOOT_E_MALFORMED, "%s payload ends early: %llu packed bytes gave %llu of %llu", at->codec,
                    (unsigned long long)at->in_bytes, (unsigned long long)at->out, (unsigned long long)at->out_bytes);
}

int pvb_too_long(const struct pvb_progress *at, struct pvboot_error *e)
{
    if (at->actual)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%s stream of %llu bytes unpacks to more than %llu, the limit", at->codec,
                        (unsigned long long)at->in_bytes, (unsigned long long)at->out_bytes);
    return pvb_fail(e, PVBOOT_E_MALFORMED, "%s payload unpacks to more than %llu bytes, the size it declares",
                    at->codec, (unsigned long long)at->out_bytes);
}

int pvb_corrupt(const struct pvb_progress *at, const char *what, struct pvboot_error *e)
{
    return pvb_fail(e, PVBOOT_E_MALFORMED,
                    "%s payload is damaged near packed byte 0x%llx, with %llu of %llu bytes unpacked: %s", at->codec,
                    (unsigned long long)at->in, (unsigned long long)at->out, (unsigned long long)at->out_bytes, what);
}

int pvb_at_end(const struct pvb_progress *at, struct pvboot_error *e)
{
    if (at->actual)
        *at->actual = (size_t)at->out;
    else if (at->out != at->out_bytes)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "%s payload unpacks to %llu bytes, but declares %llu", at->codec,
                        (unsigned long long)at->out, (unsigned long long)at->out_bytes);
    if (at->in != at->in_bytes)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "%s payload: stream ends at 0x%llx, %llu bytes before its end",
                        at->codec, (unsigned long long)at->in, (unsigned long long)(at->in_bytes - at->in));
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * lzop's file format around lzo1x, by liblzo2, which is a build option (LZO=y).
 * Spec: Linux lib/decompress_unlzo.c names the layout; all numbers are big endian.
 */
#include "codec.h"

#ifdef HAVE_LZO

#include <lzo/lzo1x.h>

#define MAGIC_BYTES 9u
#define VERSION_LEVEL 0x0940u /* from here on the header has level, filter, 64-bit time */
#define METHOD_LZO1X 1u       /* to 3: lzo1x-1, -15, -999 */
#define METHOD_LZO1X_LAST 3u
#define BLOCK_MAX (64u << 20) /* lzop's own */
#define F_ADLER32_D 0x0001u
#define F_ADLER32_C 0x0002u
#define F_EXTRA_FIELD 0x0040u
#define F_CRC32_D 0x0100u
#define F_CRC32_C 0x0200u
#define F_MULTIPART 0x0400u
#define F_FILTER 0x0800u
#define F_CRC32_H 0x1000u

static const uint8_t magic[MAGIC_BYTES] = { 0x89, 'L', 'Z', 'O', 0x00, 0x0d, 0x0a, 0x1a, 0x0a };

struct lzop {
    struct pvb_progress at;
    struct pvboot_bytes in;
    uint32_t flags;
    bool cut; /* a read met the end */
};

/* The next @n bytes as a number; 0, and ->cut, when there are not as many. */
static uint32_t take(struct lzop *z, size_t n)
{
    uint8_t b[4] = { 0 };
    uint32_t v = 0;

    z->cut |= !pvboot_get(z->in, z->at.in, b, n);
    if (z->cut)
        return 0;
    z->at.in += n;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | b[i];
    return v;
}

static int read_header(struct lzop *z, struct pvboot_error *e)
{
    uint8_t start[MAGIC_BYTES];
    uint64_t head = MAGIC_BYTES;
    uint32_t version, method, name, sum, want;

    if (!pvboot_get(z->in, 0, start, sizeof(start)))
        return pvb_ends_early(&z->at, e);
    if (memcmp(start, magic, sizeof(magic)))
        return pvb_corrupt(&z->at, "not lzop's magic", e);
    z->at.in = MAGIC_BYTES;
    version = take(z, 2);
    take(z, 2); /* of the library */
    if (version >= VERSION_LEVEL)
        take(z, 2); /* version needed */
    method = take(z, 1);
    if (version >= VERSION_LEVEL)
        take(z, 1); /* level */
    z->flags = take(z, 4);
    if (z->flags & (F_FILTER | F_MULTIPART | F_EXTRA_FIELD))
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "lzo payload has flags 0x%x: filter, parts or extra field", z->flags);
    take(z, 4); /* mode */
    take(z, 4); /* time */
    if (version >= VERSION_LEVEL)
        take(z, 4);
    name = take(z, 1);
    z->cut |= !pvboot_has(z->in, z->at.in, name);
    z->at.in += z->cut ? 0 : name;
    sum = z->flags & F_CRC32_H ? lzo_crc32(lzo_crc32(0, NULL, 0), z->in.p + head, (lzo_uint)(z->at.in - head))
                               : lzo_adler32(lzo_adler32(0, NULL, 0), z->in.p + head, (lzo_uint)(z->at.in - head));
    want = take(z, 4);
    if (z->cut)
        return pvb_ends_early(&z->at, e);
    if (sum != want)
        return pvb_corrupt(&z->at, "bad header checksum", e);
    if (method < METHOD_LZO1X || method > METHOD_LZO1X_LAST)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "lzo payload uses method %u, not lzo1x", method);
    return 0;
}

static bool sum_ok(uint32_t flags, uint32_t adler_flag, uint32_t adler, uint32_t crc, const uint8_t *p, size_t n)
{
    if (flags & adler_flag && lzo_adler32(lzo_adler32(0, NULL, 0), p, n) != adler)
        return false;
    /* the CRC32 flags stand eight bits above */
    return !(flags & adler_flag << 8) || lzo_crc32(lzo_crc32(0, NULL, 0), p, n) == crc;
}

struct block {
    uint32_t dst, src;
    uint32_t adler_d, crc_d, adler_c, crc_c;
};

static int unpack_block(struct lzop *z, const struct block *b, struct pvb_output out, struct pvboot_error *e)
{
    struct pvboot_bytes src = pvboot_sub(z->in, z->at.in, b->src);
    uint8_t *dst = out.p + z->at.out;
    lzo_uint got = b->dst;

    if (b->src < b->dst && !sum_ok(z->flags, F_ADLER32_C, b->adler_c, b->crc_c, src.p, src.len))
        return pvb_corrupt(&z->at, "bad checksum of a packed block", e);
    if (b->src == b->dst)
        memcpy(dst, src.p, src.len);
    else if (lzo1x_decompress_safe(src.p, src.len, dst, &got, NULL) != LZO_E_OK || got != b->dst)
        return pvb_corrupt(&z->at, "bad block", e);
    if (!sum_ok(z->flags, F_ADLER32_D, b->adler_d, b->crc_d, dst, b->dst))
        return pvb_corrupt(&z->at, "bad checksum of an unpacked block", e);
    z->at.in += b->src;
    z->at.out += b->dst;
    return 0;
}

/* The block at at->in, whose unpacked size @dst has been read. */
static int next_block(struct lzop *z, uint32_t dst, struct pvb_output out, struct pvboot_error *e)
{
    struct block b = { .dst = dst };

    b.src = take(z, 4);
    b.adler_d = z->flags & F_ADLER32_D ? take(z, 4) : 0;
    b.crc_d = z->flags & F_CRC32_D ? take(z, 4) : 0;
    if (b.src < b.dst) {
        b.adler_c = z->flags & F_ADLER32_C ? take(z, 4) : 0;
        b.crc_c = z->flags & F_CRC32_C ? take(z, 4) : 0;
    }
    if (b.dst > BLOCK_MAX || !b.src || b.src > b.dst)
        return z->cut ? pvb_ends_early(&z->at, e) : pvb_corrupt(&z->at, "impossible block sizes", e);
    if (z->cut || !pvboot_has(z->in, z->at.in, b.src))
        return pvb_ends_early(&z->at, e);
    if (b.dst > out.len - z->at.out)
        return pvb_too_long(&z->at, e);
    return unpack_block(z, &b, out, e);
}

int pvb_unlzo(struct pvboot_bytes in, struct pvb_output out, struct pvboot_error *e)
{
    struct lzop z = { .at = { .codec = "lzo", .in_bytes = in.len, .out_bytes = out.len, .actual = out.actual },
                      .in = in };
    int rc;

    rc = read_header(&z, e);
    while (!rc) { /* each block takes 9 bytes at least */
        uint32_t dst = take(&z, 4);

        if (z.cut)
            return pvb_ends_early(&z.at, e);
        if (!dst)
            return pvb_at_end(&z.at, e);
        rc = next_block(&z, dst, out, e);
    }
    return rc;
}

#else

int pvb_unlzo(struct pvboot_bytes in, struct pvb_output out, struct pvboot_error *e)
{
    (void)in;
    (void)out;
    return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "lzo payload: lzo is not built in (make LZO=y)");
}

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* bzip2, by libbz2.  One stream. */
#include "codec.h"

#include <assert.h>
#include <bzlib.h>
#include <limits.h>

static_assert(PVBOOT_KERNEL_HARD_MAX <= UINT_MAX && PVBOOT_UNPACKED_HARD_MAX <= UINT_MAX,
              "bz_stream counts in unsigned int");

/* Until the end, an error, or a step that moves neither side. */
static int run(bz_stream *s)
{
    unsigned in, out;
    int r;

    do {
        in = s->avail_in;
        out = s->avail_out;
        r = BZ2_bzDecompress(s);
    } while (r == BZ_OK && (in != s->avail_in || out != s->avail_out));
    return r;
}

/* A block is unpacked whole or not at all. */
size_t pvb_bzip2_peek(struct pvboot_bytes in, struct pvb_output out)
{
    bz_stream s = { .next_in = (char *)(uintptr_t)in.p, .avail_in = (unsigned)in.len, .next_out = (char *)out.p };

    s.avail_out = (unsigned)out.len;
    if (BZ2_bzDecompressInit(&s, 0, 0) != BZ_OK)
        return 0;
    (void)run(&s);
    BZ2_bzDecompressEnd(&s);
    return out.len - s.avail_out;
}

int pvb_bunzip2(struct pvboot_bytes in, struct pvb_output out, struct pvboot_error *e)
{
    struct pvb_progress at = { .codec = "bzip2", .in_bytes = in.len, .out_bytes = out.len, .actual = out.actual };
    bz_stream s = { .next_in = (char *)(uintptr_t)in.p, .avail_in = (unsigned)in.len, .next_out = (char *)out.p };
    int r;

    s.avail_out = (unsigned)out.len;
    if (BZ2_bzDecompressInit(&s, 0, 0) != BZ_OK)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for libbz2");
    r = run(&s);
    at.in = in.len - s.avail_in;
    at.out = out.len - s.avail_out;
    BZ2_bzDecompressEnd(&s);
    switch (r) {
    case BZ_STREAM_END:
        return pvb_at_end(&at, e);
    case BZ_OK:
        return at.in == at.in_bytes ? pvb_ends_early(&at, e) : pvb_too_long(&at, e);
    case BZ_MEM_ERROR:
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for libbz2");
    case BZ_DATA_ERROR_MAGIC:
        return pvb_corrupt(&at, "not a bzip2 header", e);
    default:
        return pvb_corrupt(&at, "bad data or checksum", e);
    }
}

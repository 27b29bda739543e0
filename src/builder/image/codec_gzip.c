/* SPDX-License-Identifier: LGPL-2.1-only */
/* gzip, by zlib.  Spec: RFC 1952; one member. */
#include "codec.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>

#define GZIP_ONLY 16 /* zlib.h, inflateInit2: no zlib or raw streams */

static_assert(PVBOOT_KERNEL_HARD_MAX <= UINT_MAX && PVBOOT_UNPACKED_HARD_MAX <= UINT_MAX,
              "z_stream counts in unsigned int");

size_t pvb_gzip_peek(struct pvboot_bytes in, struct pvb_output out)
{
    z_stream s = { .next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.len, .next_out = out.p };

    s.avail_out = (uInt)out.len;
    if (inflateInit2(&s, MAX_WBITS + GZIP_ONLY) != Z_OK)
        return 0;
    (void)inflate(&s, Z_SYNC_FLUSH);
    inflateEnd(&s);
    return out.len - s.avail_out;
}

int pvb_gunzip(struct pvboot_bytes in, struct pvb_output out, struct pvboot_error *e)
{
    struct pvb_progress at = { .codec = "gzip", .in_bytes = in.len, .out_bytes = out.len, .actual = out.actual };
    z_stream s = { .next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.len, .next_out = out.p };
    const char *what;
    int r;

    s.avail_out = (uInt)out.len;
    if (inflateInit2(&s, MAX_WBITS + GZIP_ONLY) != Z_OK)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for zlib");
    r = inflate(&s, Z_FINISH); /* all input and all room at once: it comes back only when it can do no more */
    what = s.msg ? s.msg : "bad data";
    at.in = in.len - s.avail_in;
    at.out = out.len - s.avail_out;
    inflateEnd(&s);
    if (r == Z_STREAM_END)
        return pvb_at_end(&at, e);
    if (r == Z_MEM_ERROR)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for zlib");
    if (r != Z_BUF_ERROR && r != Z_OK)
        return pvb_corrupt(&at, what, e);
    return at.in == at.in_bytes ? pvb_ends_early(&at, e) : pvb_too_long(&at, e);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * zstd, by libzstd in one call: straight into the output, which then is the window too.  One frame.
 * Spec: RFC 8878, section 3.1.1.
 */
#include "codec.h"

#include <zstd.h>
#include <zstd_errors.h>

#define FRAME_MAGIC 0xfd2fb528u
#define SINGLE_SEGMENT 0x20u /* Frame_Header_Descriptor: no Window_Descriptor follows */
#define HEADER_MIN 6u        /* magic, descriptor, and one byte of window or content size */

/*
 * The window a frame asks for costs nothing here, but it does in the guest's own decompressor and in any other
 * tool: refuse one that is absurd.
 */
static int check_window(struct pvboot_bytes in, struct pvboot_error *e)
{
    uint64_t window;

    if (in.p[4] & SINGLE_SEGMENT)
        return 0;
    window = 1ull << (10 + (in.p[5] >> 3)); /* Exponent; Mantissa adds eighths */
    window += window / 8 * (in.p[5] & 7);
    if (window > PVBOOT_DECODER_MEMORY_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "zstd payload needs a window of %llu MiB, limit %llu",
                        (unsigned long long)(window >> 20), PVBOOT_DECODER_MEMORY_MAX >> 20);
    return 0;
}

static int check_frame(struct pvb_progress *at, struct pvboot_bytes in, struct pvboot_error *e)
{
    uint32_t magic;
    size_t r;
    int rc;

    if (in.len < HEADER_MIN)
        return pvb_ends_early(at, e);
    (void)pvboot_get(in, 0, &magic, sizeof(magic));
    if (magic != FRAME_MAGIC)
        return pvb_corrupt(at, "not a zstd frame's magic", e);
    rc = check_window(in, e);
    if (rc)
        return rc;
    if (ZSTD_getDictID_fromFrame(in.p, in.len))
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "zstd payload needs dictionary 0x%x",
                        ZSTD_getDictID_fromFrame(in.p, in.len));
    r = ZSTD_findFrameCompressedSize(in.p, in.len);
    if (ZSTD_getErrorCode(r) == ZSTD_error_srcSize_wrong)
        return pvb_ends_early(at, e);
    if (ZSTD_isError(r))
        return pvb_corrupt(at, ZSTD_getErrorName(r), e);
    at->in = r;
    return 0;
}

size_t pvb_zstd_peek(struct pvboot_bytes in, struct pvb_output out)
{
    ZSTD_inBuffer from = { in.p, in.len, 0 };
    ZSTD_outBuffer to = { out.p, out.len, 0 };
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    size_t moved, r = 1;

    for (moved = 1; ctx && moved && r && !ZSTD_isError(r) && to.pos < to.size;) {
        moved = from.pos + to.pos;
        r = ZSTD_decompressStream(ctx, &to, &from);
        moved = from.pos + to.pos - moved;
    }
    ZSTD_freeDCtx(ctx);
    return to.pos;
}

int pvb_unzstd(struct pvboot_bytes in, struct pvb_output out, struct pvboot_error *e)
{
    struct pvb_progress at = { .codec = "zstd", .in_bytes = in.len, .out_bytes = out.len, .actual = out.actual };
    ZSTD_DCtx *ctx;
    size_t r;
    int rc;

    rc = check_frame(&at, in, e);
    if (rc)
        return rc;
    ctx = ZSTD_createDCtx();
    if (!ctx)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for libzstd");
    r = ZSTD_decompressDCtx(ctx, out.p, out.len, in.p, (size_t)at.in);
    ZSTD_freeDCtx(ctx);
    if (ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for libzstd");
    if (ZSTD_getErrorCode(r) == ZSTD_error_dstSize_tooSmall)
        return pvb_too_long(&at, e);
    if (ZSTD_isError(r))
        return pvb_corrupt(&at, ZSTD_getErrorName(r), e);
    at.out = r;
    return pvb_at_end(&at, e);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xz and the older .lzma, by liblzma's single-threaded decoder.
 * Spec: the .xz file format 1.1; the kernel's own xz has CRC32 and, on x86, a BCJ filter.
 */
#include "codec.h"

#include <endian.h>
#include <libdeflate.h>
#include <lzma.h>
#include <stdlib.h>

#define DICTIONARY_MIN (1u << 20)     /* of what liblzma takes, nothing else is as large */
#define INDEX_MEMORY_MAX (1ull << 20) /* a kernel is one block or a few; this holds tens of thousands */

/* The dictionary, of which no more is written than comes out. */
static void *allocate(void *out_bytes, size_t n, size_t size)
{
    uint64_t bytes = (uint64_t)n * size, most = *(const size_t *)out_bytes;
    void *p = size && n > SIZE_MAX / size ? NULL : malloc(bytes);

    if (p && bytes >= DICTIONARY_MIN && most >= DICTIONARY_MIN)
        pvb_populate(p, bytes < most ? bytes : most);
    return p;
}

static void release(void *out_bytes, void *p)
{
    (void)out_bytes;
    free(p);
}

/* lzma_code() itself calls two steps without progress LZMA_BUF_ERROR, so this ends. */
static lzma_ret run(lzma_stream *s)
{
    lzma_ret r;

    do
        r = lzma_code(s, LZMA_FINISH);
    while (r == LZMA_OK);
    return r;
}

/* Zeros behind the stream, in fours, are the format's own padding. */
static void skip_padding(struct pvb_progress *at, struct pvboot_bytes in)
{
    uint64_t end = at->in;

    while (end < in.len && !in.p[end])
        end++;
    if (end == in.len && !((end - at->in) % 4))
        at->in = end;
}

static int finish(lzma_ret r, uint64_t wanted, const struct pvb_progress *at, struct pvboot_error *e)
{
    switch (r) {
    case LZMA_STREAM_END:
        return pvb_at_end(at, e);
    case LZMA_BUF_ERROR:
        return at->in == at->in_bytes ? pvb_ends_early(at, e) : pvb_too_long(at, e);
    case LZMA_MEMLIMIT_ERROR:
        return pvb_fail(e, PVBOOT_E_LIMIT, "%s payload needs %llu MiB of decoder memory, limit %llu", at->codec,
                        (unsigned long long)((wanted + (1 << 20) - 1) >> 20), PVBOOT_DECODER_MEMORY_MAX >> 20);
    case LZMA_MEM_ERROR:
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for liblzma");
    case LZMA_OPTIONS_ERROR:
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "%s payload uses a filter or option liblzma does not know", at->codec);
    case LZMA_FORMAT_ERROR:
        return pvb_corrupt(at, "not a header of this format", e);
    default:
        return pvb_corrupt(at, "bad data or checksum", e);
    }
}

/* What a stream's index says of it; zeroes: it cannot be read, and the decoder will say what is wrong. */
struct indexed {
    uint64_t bytes; /* unpacked */
    bool has_sum; /* one block with a CRC32, as in every kernel: up to a third of liblzma 5.4's time is its CRC32 ... */
    uint32_t sum; /* ... so libdeflate's, which uses the processor's multiplier, is compared to this */
};

/* .xz, 3.1: a block ends with its check, behind its padding. */
static void find_sum(struct indexed *x, struct pvboot_bytes in, const lzma_index *index)
{
    lzma_index_iter i;

    lzma_index_iter_init(&i, index);
    if (lzma_index_block_count(index) != 1 || lzma_index_iter_next(&i, LZMA_INDEX_ITER_BLOCK))
        return;
    x->has_sum =
        i.block.total_size >= sizeof(x->sum) &&
        pvboot_get(in, i.block.compressed_stream_offset + i.block.total_size - sizeof(x->sum), &x->sum, sizeof(x->sum));
    x->sum = le32toh(x->sum);
}

static struct indexed read_index(struct pvboot_bytes in)
{
    static const uint8_t padding[4];
    uint64_t memory = INDEX_MEMORY_MAX;
    struct indexed x = { 0 };
    size_t at, end = in.len;
    lzma_index *index = NULL;
    lzma_stream_flags foot;

    while (end >= sizeof(padding) && !memcmp(in.p + end - sizeof(padding), padding, sizeof(padding)))
        end -= sizeof(padding);
    if (end < LZMA_STREAM_HEADER_SIZE)
        return x;
    end -= LZMA_STREAM_HEADER_SIZE;
    if (lzma_stream_footer_decode(&foot, in.p + end) != LZMA_OK || foot.backward_size > end)
        return x;
    at = end - (size_t)foot.backward_size;
    if (lzma_index_buffer_decode(&index, &memory, NULL, in.p, &at, end) != LZMA_OK)
        return x;
    x.bytes = lzma_index_uncompressed_size(index);
    if (foot.check == LZMA_CHECK_CRC32)
        find_sum(&x, in, index);
    lzma_index_end(index, NULL);
    return x;
}

/* A full window is LZMA_BUF_ERROR, after which lzma_code() goes on; the last may be empty. */
static int run_windows(lzma_stream *s, struct pvb_output out, uint32_t *sum, lzma_ret *r, struct pvboot_error *e)
{
    uint8_t *window = malloc(out.window);
    int rc;

    if (!window)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a window on what is unpacked");
    do {
        uint64_t at = s->total_out;

        s->next_out = window;
        s->avail_out = out.len - at < out.window ? (size_t)(out.len - at) : out.window;
        *r = run(s);
        if (sum)
            *sum = libdeflate_crc32(*sum, window, (size_t)(s->total_out - at));
        rc = out.put(out.base + at, window, (size_t)(s->total_out - at), e);
    } while (!rc && *r == LZMA_BUF_ERROR && !s->avail_out && s->total_out < out.len);
    free(window);
    return rc;
}

static lzma_ret run_stored(lzma_stream *s, struct pvb_output out, uint32_t *sum)
{
    lzma_ret r;

    s->next_out = out.p;
    s->avail_out = out.len;
    r = run(s);
    if (sum)
        *sum = libdeflate_crc32(*sum, out.p, (size_t)s->total_out);
    return r;
}

/* @wanted_sum: the CRC32 that is not left to liblzma; NULL: there is none. */
static int decode(lzma_stream *s, const char *codec, struct pvboot_bytes in, const uint32_t *wanted_sum,
                  struct pvb_output out, struct pvboot_error *e)
{
    const lzma_allocator populates = { allocate, release, &out.len };
    struct pvb_progress at = { .codec = codec, .in_bytes = in.len, .out_bytes = out.len, .actual = out.actual };
    uint32_t summed = 0, *sum = wanted_sum ? &summed : NULL;
    lzma_ret r = LZMA_OK;
    uint64_t wanted;
    int rc = 0;

    s->allocator = &populates;
    s->next_in = in.p;
    s->avail_in = in.len;
    if (out.put)
        rc = run_windows(s, out, sum, &r, e);
    else
        r = run_stored(s, out, sum);
    at.in = s->total_in;
    at.out = s->total_out;
    wanted = lzma_memusage(s);
    lzma_end(s);
    if (rc)
        return rc;
    if (r == LZMA_STREAM_END)
        skip_padding(&at, in);
    if (r == LZMA_STREAM_END && at.in == at.in_bytes && sum && *sum != *wanted_sum)
        r = LZMA_DATA_ERROR;
    return finish(r, wanted, &at, e);
}

int pvb_xz_claim(struct pvboot_bytes in, uint64_t declared, struct pvboot_error *e)
{
    uint64_t indexed = read_index(in).bytes;

    if (indexed && indexed != declared)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "xz payload unpacks to %llu bytes by its index, but declares %llu",
                        (unsigned long long)indexed, (unsigned long long)declared);
    return 0;
}

static size_t peek(lzma_stream *s, struct pvboot_bytes in, struct pvb_output out)
{
    s->next_in = in.p;
    s->avail_in = in.len;
    (void)run_stored(s, out, NULL);
    lzma_end(s);
    return (size_t)s->total_out;
}

size_t pvb_xz_peek(struct pvboot_bytes in, struct pvb_output out)
{
    lzma_stream s = LZMA_STREAM_INIT;

    return lzma_stream_decoder(&s, PVBOOT_DECODER_MEMORY_MAX, 0) == LZMA_OK ? peek(&s, in, out) : 0;
}

size_t pvb_lzma_peek(struct pvboot_bytes in, struct pvb_output out)
{
    lzma_stream s = LZMA_STREAM_INIT;

    return lzma_alone_decoder(&s, PVBOOT_DECODER_MEMORY_MAX) == LZMA_OK ? peek(&s, in, out) : 0;
}

int pvb_unxz(struct pvboot_bytes in, struct pvb_output out, struct pvboot_error *e)
{
    const struct indexed x = read_index(in);
    lzma_stream s = LZMA_STREAM_INIT;

    if (lzma_stream_decoder(&s, PVBOOT_DECODER_MEMORY_MAX, x.has_sum ? LZMA_IGNORE_CHECK : 0) != LZMA_OK)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for liblzma");
    return decode(&s, "xz", in, x.has_sum ? &x.sum : NULL, out, e);
}

int pvb_unlzma(struct pvboot_bytes in, struct pvb_output out, struct pvboot_error *e)
{
    lzma_stream s = LZMA_STREAM_INIT;

    if (lzma_alone_decoder(&s, PVBOOT_DECODER_MEMORY_MAX) != LZMA_OK)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for liblzma");
    return decode(&s, "lzma", in, NULL, out, e);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What pvboot itself does around each decoder: frames, chunks, checksums, sizes.  The decoders are replaced by ones
 * that do all their contract allows: they read all of what they are given, write to all the room they are told of,
 * and say whatever the input says.  So no checksum has to be guessed, and one byte too much is seen at once.
 */
#include "builder/image/codec.h"
#include "fuzz.h"

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define ROOM_MAX 0x10000u

static struct pvboot_bytes script;  /* what the decoders say */
static uint64_t unpacked, consumed; /* what they really did */

/* 0 to @most. */
static size_t some(size_t most)
{
    uint32_t v;

    fuzz_take(&script, &v, 3);
    v &= 0xffffff;
    return v & 1 ? most : (v >> 1) % (most + 1);
}

static void read_all(const void *p, size_t n)
{
    volatile uint8_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)p)[i]);
}

static void write_all(void *p, size_t n)
{
    if (n)
        memset(p, 0x5a, n);
    read_all(p, n); /* memset() of a sanitizer checks, one of the compiler may not */
}

/* A step of a stream decoder: how far it moves either side. */
struct step {
    size_t in, out;
};
static struct step stream_step(const void *in, size_t in_bytes, void *out, size_t out_bytes)
{
    struct step s;

    read_all(in, in_bytes);
    write_all(out, out_bytes);
    s = (struct step){ some(in_bytes), some(out_bytes) };
    consumed += s.in;
    unpacked += s.out;
    return s;
}

int inflateInit2_(z_streamp s, int bits, const char *version, int size)
{
    (void)s, (void)bits, (void)version, (void)size;
    return fuzz_byte(&script) ? Z_OK : Z_MEM_ERROR;
}
int inflate(z_streamp s, int flush)
{
    static const int says[] = { Z_STREAM_END, Z_BUF_ERROR, Z_DATA_ERROR, Z_MEM_ERROR, Z_OK, Z_NEED_DICT };
    static char words[] = "in its own\nwords";
    struct step step = stream_step(s->next_in, s->avail_in, s->next_out, s->avail_out);

    FUZZ_MUST(flush == Z_FINISH);
    s->avail_in -= (uInt)step.in;
    s->avail_out -= (uInt)step.out;
    s->msg = fuzz_byte(&script) & 1 ? words : NULL;
    return says[fuzz_byte(&script) % 6];
}
int inflateEnd(z_streamp s)
{
    (void)s;
    return Z_OK;
}

int BZ2_bzDecompressInit(bz_stream *s, int verbosity, int small)
{
    (void)s, (void)verbosity, (void)small;
    return fuzz_byte(&script) ? BZ_OK : BZ_MEM_ERROR;
}
int BZ2_bzDecompress(bz_stream *s)
{
    static const int says[] = {
        BZ_OK, BZ_STREAM_END, BZ_DATA_ERROR, BZ_MEM_ERROR, BZ_DATA_ERROR_MAGIC, BZ_PARAM_ERROR
    };
    struct step step = stream_step(s->next_in, s->avail_in, s->next_out, s->avail_out);

    s->next_in += step.in;
    s->next_out += step.out;
    s->avail_in -= (unsigned)step.in;
    s->avail_out -= (unsigned)step.out;
    return says[fuzz_byte(&script) % 6];
}
int BZ2_bzDecompressEnd(bz_stream *s)
{
    (void)s;
    return BZ_OK;
}

static lzma_ret lzma_init(uint64_t memory)
{
    FUZZ_MUST(memory == PVBOOT_DECODER_MEMORY_MAX);
    return fuzz_byte(&script) ? LZMA_OK : LZMA_MEM_ERROR;
}
lzma_ret lzma_stream_decoder(lzma_stream *s, uint64_t memory, uint32_t flags)
{
    (void)s, (void)flags;
    return lzma_init(memory);
}
lzma_ret lzma_alone_decoder(lzma_stream *s, uint64_t memory)
{
    (void)s;
    return lzma_init(memory);
}
lzma_ret lzma_code(lzma_stream *s, lzma_action action)
{
    static const lzma_ret says[] = { LZMA_STREAM_END, LZMA_BUF_ERROR,    LZMA_MEMLIMIT_ERROR, LZMA_MEM_ERROR,
                                     LZMA_DATA_ERROR, LZMA_FORMAT_ERROR, LZMA_OPTIONS_ERROR,  LZMA_OK };
    struct step step = stream_step(s->next_in, s->avail_in, s->next_out, s->avail_out);
    lzma_ret r = says[fuzz_byte(&script) % 8];

    FUZZ_MUST(action == LZMA_FINISH);
    s->next_in += step.in;
    s->next_out += step.out;
    s->avail_in -= step.in;
    s->avail_out -= step.out;
    s->total_in += step.in;
    s->total_out += step.out;
    return r == LZMA_OK && !step.in && !step.out ? LZMA_BUF_ERROR : r;
}
uint64_t lzma_memusage(const lzma_stream *s)
{
    (void)s;
    return (uint64_t)some(0xffffff) << 24;
}
void lzma_end(lzma_stream *s)
{
    (void)s;
}

int LZ4_decompress_safe(const char *in, char *out, int in_bytes, int out_bytes)
{
    int r = 0;

    FUZZ_MUST(in_bytes > 0 && out_bytes > 0);
    read_all(in, (size_t)in_bytes);
    write_all(out, (size_t)out_bytes);
    if (fuzz_byte(&script) & 1)
        r = (int)some((size_t)out_bytes);
    else
        r = -1;
    unpacked += r > 0 ? (uint64_t)r : 0;
    consumed += (uint64_t)in_bytes;
    return r;
}

int lzo1x_decompress_safe(const lzo_bytep in, lzo_uint in_bytes, lzo_bytep out, lzo_uintp out_bytes, lzo_voidp work)
{
    (void)work;
    read_all(in, in_bytes);
    write_all(out, *out_bytes);
    *out_bytes = some(*out_bytes);
    return fuzz_byte(&script) & 3 ? LZO_E_OK : LZO_E_INPUT_OVERRUN;
}
lzo_uint32_t lzo_adler32(lzo_uint32_t sum, const lzo_bytep p, lzo_uint n)
{
    (void)sum;
    read_all(p, p ? n : 0);
    return 0;
}
lzo_uint32_t lzo_crc32(lzo_uint32_t sum, const lzo_bytep p, lzo_uint n)
{
    return lzo_adler32(sum, p, n);
}

unsigned int ZSTD_getDictID_fromFrame(const void *in, size_t n)
{
    read_all(in, n);
    return fuzz_byte(&script) & 8 ? 7 : 0;
}
size_t ZSTD_findFrameCompressedSize(const void *in, size_t n)
{
    uint8_t b = fuzz_byte(&script);

    read_all(in, n);
    consumed = n;
    if (b & 1)
        return 0 - (size_t)(b % 64u + 1); /* an error */
    return consumed = some(n);
}
size_t ZSTD_decompressDCtx(ZSTD_DCtx *ctx, void *out, size_t out_bytes, const void *in, size_t in_bytes)
{
    uint8_t b = fuzz_byte(&script);

    (void)ctx;
    FUZZ_MUST(in_bytes == consumed);
    read_all(in, in_bytes);
    write_all(out, out_bytes);
    if (b & 1)
        return 0 - (size_t)(b % 128u + 1);
    return unpacked = some(out_bytes);
}

static struct pvb_output room;
static uint64_t put_up_to;

static int put(uint64_t at, const void *bytes, size_t n, struct pvboot_error *e)
{
    FUZZ_MUST(at == put_up_to && n <= room.len - at && n <= room.window);
    read_all(bytes, n);
    put_up_to += n;
    return fuzz_byte(&script) == 1 ? pvb_fail(e, PVBOOT_E_HOST, "no memory") : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static pvb_inflate *const codec[] = { pvb_gunzip, pvb_bunzip2, pvb_unlzma, pvb_unxz,
                                          pvb_unlzo,  pvb_unlz4,   pvb_unzstd };
    struct pvboot_bytes in = { data, size };
    struct pvboot_error e = { 0 };
    struct {
        uint8_t codec, declared[3], script[24];
    } head;
    int rc;

    fuzz_take(&in, &head, sizeof(head));
    if (in.len < 4)
        return 0;
    room.len = 1u + (head.declared[0] | (unsigned)head.declared[1] << 8 | (unsigned)head.declared[2] << 16) % ROOM_MAX;
    room.p = malloc(room.len);
    room.window = 1 + room.len / 3;
    room.put = head.codec & 0x80 ? put : NULL;
    put_up_to = 0;
    script = (struct pvboot_bytes){ head.script, sizeof(head.script) };
    unpacked = consumed = 0;
    rc = codec[head.codec % 7](in, room, &e);
    fuzz_judge(rc, &e);
    if (!rc && codec[head.codec % 7] != pvb_unlzo) /* which has stored blocks, that no decoder sees */
        FUZZ_MUST(unpacked == room.len);
    if (!rc && room.put && (codec[head.codec % 7] == pvb_unxz || codec[head.codec % 7] == pvb_unlzma))
        FUZZ_MUST(put_up_to == room.len);
    if (!rc) /* gzip and bzip2 take all; xz leaves padding; lz4 and lzo have frames around what their decoders see */
        FUZZ_MUST(consumed <= in.len);
    free(room.p);
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Streams bent by hand, each at the offset its format's specification gives. */
#include "../../src/builder/image/codec.h"
#include "mkimage.h"

#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define M PVBOOT_E_MALFORMED
#define U PVBOOT_E_UNSUPPORTED
#define L PVBOOT_E_LIMIT

static struct mk elf, packed[PVBOOT_CODEC_UNKNOWN];
static struct pvboot_error err;

static int setup(void **state)
{
    (void)state;
    elf = mk_elf(64, 0x8000);
    for (unsigned c = PVBOOT_CODEC_NONE; c < PVBOOT_CODEC_UNKNOWN; c++)
        packed[c] = mk_pack((enum pvboot_codec)c, &elf);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned c = PVBOOT_CODEC_NONE; c < PVBOOT_CODEC_UNKNOWN; c++)
        mk_free(&packed[c]);
    mk_free(&elf);
    return 0;
}

/* Takes the payload with its trailer, and frees it. */
static void expect(const char *name, struct mk payload, int code, const char *says)
{
    struct mk m = mk_bzimage(&payload);
    struct pvboot_kernel k;
    int rc;

    err = (struct pvboot_error){ 0 };
    rc = pvboot_kernel_parse(&k, mk_bytes(&m), &err);
    if (!rc)
        rc = pvboot_kernel_unpack(&k, &err);
    if (rc != -code || !strstr(err.text, says))
        fail_msg("%s: %d, not %d: %s", name, rc, -code, err.text);
    pvboot_kernel_dispose(&k);
    mk_free(&payload);
    mk_free(&m);
}

static struct mk bent(enum pvboot_codec c, size_t off, unsigned width, uint64_t value)
{
    struct mk m = mk_copy(&packed[c]);

    mk_le(&m, off, width, value);
    return m;
}

/* RFC 1952: flags at 3; FEXTRA 4 has a 16-bit length at 10, FNAME 8 a string there. */
static void gzip(void **state)
{
    struct mk m = { 0 };

    (void)state;
    expect("as packed", bent(PVBOOT_CODEC_GZIP, 3, 1, 0), 0, "");
    expect("method 7", bent(PVBOOT_CODEC_GZIP, 2, 1, 7), M, "gzip payload is damaged");
    expect("reserved flags", bent(PVBOOT_CODEC_GZIP, 3, 1, 0xe0), M, "damaged");
    mk_put(&m, 0, "\x1f\x8b\x08\x04\0\0\0\0\2\3\xff\xff", 12);
    mk_le(&m, 80, 4, 40);
    expect("FEXTRA past the end", m, M, "gzip payload ends early");
    m = (struct mk){ 0 };
    mk_put(&m, 0, "\x1f\x8b\x08\x08\0\0\0\0\2\3", 10);
    mk_cut(&m, 80);
    memset(m.p + 10, 'n', 70);
    mk_le(&m, 77, 3, 0x018001); /* a size that is within the limit and has no NUL in its low bytes */
    expect("FNAME without end", m, M, "gzip payload ends early");
}

static void put_bit(struct mk *m, size_t bit, bool on)
{
    uint8_t mask = (uint8_t)(0x80 >> bit % 8);

    m->p[bit / 8] = (uint8_t)(on ? m->p[bit / 8] | mask : m->p[bit / 8] & ~mask);
}

/* bzip2: stream magic 32 bits, block magic 48, CRC 32, randomised 1, origin 24; the used bytes; 3 groups, 15 selectors. */
static void bzip2(void **state)
{
    struct mk m = mk_copy(&packed[PVBOOT_CODEC_BZIP2]);
    size_t bit = 137 + 16;

    (void)state;
    for (size_t i = 137; i < 137 + 16; i++)
        if (m.p[i / 8] & 0x80 >> i % 8)
            bit += 16;
    for (size_t i = 0; i < 15; i++)
        put_bit(&m, bit + 3 + i, true);
    expect("32,767 selectors", m, M, "bzip2 payload is damaged");
    expect("level 0", bent(PVBOOT_CODEC_BZIP2, 3, 1, '0'), M, "not a bzip2 header");
    expect("no block magic", bent(PVBOOT_CODEC_BZIP2, 4, 1, 0), M, "damaged");
}

/* .lzma: properties at 0, dictionary size at 1, unpacked size at 5. */
static void lzma(void **state)
{
    (void)state;
    expect("dictionary 128 MiB", bent(PVBOOT_CODEC_LZMA, 1, 4, 128u << 20), 0, "");
    expect("dictionary 1.5 GiB", bent(PVBOOT_CODEC_LZMA, 1, 4, 3u << 29), L, "lzma payload needs 1537 MiB");
    expect("size one less", bent(PVBOOT_CODEC_LZMA, 5, 8, elf.len - 1), M, "lzma payload");
    expect("size one more", bent(PVBOOT_CODEC_LZMA, 5, 8, elf.len + 1), M, "lzma payload");
}

/* xz 1.1: block header at 12, its size in words - 1 first; filters x86 (4), lzma2 (0x21, 1 byte of dictionary size). */
static struct mk xz_dictionary(uint8_t bits)
{
    struct mk m = mk_copy(&packed[PVBOOT_CODEC_XZ]);
    size_t head = (m.p[12] + 1u) * 4;
    uint8_t *lzma2 = memmem(m.p + 12, head, "\x21\x01", 2);

    assert_non_null(lzma2);
    lzma2[2] = bits;
    mk_le(&m, 12 + head - 4, 4, lzma_crc32(m.p + 12, head - 4, 0));
    return m;
}

static size_t varint_bytes(const uint8_t *p)
{
    size_t n = 1;

    while (*p++ & 0x80)
        n++;
    return n;
}

/* xz 1.1, 4: the index has the unpacked size of its one block behind the number of blocks and the packed size. */
static struct mk xz_index_says(size_t bytes)
{
    struct mk m = mk_copy(&packed[PVBOOT_CODEC_XZ]);
    uint8_t *foot = m.p + m.len - 4 - 12, *size;
    size_t index = (foot[4] + 1u) * 4; /* backward size */

    size = foot - index + 2;
    size += varint_bytes(size);
    assert_int_equal(varint_bytes(size), 3);
    for (unsigned i = 0; i < 3; i++)
        size[i] = (uint8_t)((bytes >> 7 * i & 0x7f) | (i < 2 ? 0x80 : 0));
    mk_le(&m, (size_t)(foot - 4 - m.p), 4, lzma_crc32(foot - index, index - 4, 0));
    mk_le(&m, m.len - 4, 4, bytes);
    return m;
}

/* xz 1.1, 2.1.2: the footer's checksum covers the backward size and the flags. */
static struct mk xz_backward_size(uint32_t words)
{
    struct mk m = mk_copy(&packed[PVBOOT_CODEC_XZ]);
    size_t foot = m.len - 4 - 12;

    mk_le(&m, foot + 4, 4, words - 1);
    mk_le(&m, foot, 4, lzma_crc32(m.p + foot + 4, 6, 0));
    return m;
}

static void xz(void **state)
{
    struct mk m;

    (void)state;
    expect("dictionary 128 MiB", xz_dictionary(30), 0, "");
    expect("dictionary 1.5 GiB", xz_dictionary(37), L, "xz payload needs 1537 MiB of decoder memory, limit 256");
    expect("dictionary code 41", xz_dictionary(41), U, "filter or option");
    expect("header checksum", bent(PVBOOT_CODEC_XZ, 8, 1, 0), M, "xz payload is damaged");
    expect("footer", bent(PVBOOT_CODEC_XZ, 2, 2, 0), M, "not a header of this format");
    expect("index over the start", xz_backward_size((uint32_t)packed[PVBOOT_CODEC_XZ].len / 4), M, "damaged");
    expect("index of 16 GiB", xz_backward_size(0), M, "damaged");
    expect("index that begins in the data", xz_backward_size(0x100), M, "damaged");
    expect("index as packed", xz_index_says(elf.len), 0, "");
    expect("index and trailer say one more", xz_index_says(elf.len + 1), M, "xz payload is damaged");
    expect("index and trailer say one less", xz_index_says(elf.len - 1), M, "unpacks to more than");
    m = xz_index_says(elf.len + 1);
    mk_le(&m, m.len - 4, 4, elf.len);
    expect("index alone says one more", m, M, "by its index");
    m = mk_copy(&packed[PVBOOT_CODEC_XZ]);
    mk_le(&m, m.len - 4, 8, 0); /* stream padding comes in fours */
    mk_le(&m, m.len - 4, 4, 0);
    mk_le(&m, m.len, 4, elf.len);
    expect("padding of 8", m, 0, "");
    m = mk_copy(&packed[PVBOOT_CODEC_XZ]);
    mk_le(&m, m.len - 4, 8, 0);
    mk_le(&m, m.len - 4, 4, 0);
    mk_le(&m, m.len, 4, elf.len + 1);
    expect("padding of 8, one too large", m, M, "by its index");
    m = mk_copy(&packed[PVBOOT_CODEC_XZ]);
    mk_le(&m, m.len - 4, 3, 0);
    mk_cut(&m, m.len - 1);
    mk_le(&m, m.len, 4, elf.len);
    expect("padding of 3", m, M, "xz payload: stream ends");
}

/* @bytes of the ELF as @blocks blocks by liblzma's own encoder, without the trailer. */
static struct mk xz_of(size_t bytes, unsigned blocks, lzma_check check)
{
    lzma_stream s = LZMA_STREAM_INIT;
    struct mk m = { 0 };

    mk_le(&m, lzma_stream_buffer_bound(bytes) + 4096, 1, 0);
    assert_int_equal(lzma_easy_encoder(&s, 0, check), LZMA_OK);
    s.next_out = m.p;
    s.avail_out = m.len;
    for (unsigned i = 0; i < blocks; i++) {
        bool last = i + 1 == blocks;

        s.next_in = elf.p + bytes / blocks * i;
        s.avail_in = last ? bytes - bytes / blocks * i : bytes / blocks;
        assert_int_equal(lzma_code(&s, last ? LZMA_FINISH : LZMA_FULL_FLUSH), LZMA_STREAM_END);
    }
    mk_cut(&m, s.total_out);
    lzma_end(&s);
    return m;
}

static uint8_t came[0x10000];

static int put(uint64_t at, const void *bytes, size_t n, struct pvboot_error *e)
{
    (void)e;
    memcpy(came + at, bytes, n);
    return 0;
}

/* @window: bytes; 0: all at once. */
static void unxz(const struct mk *m, size_t bytes, size_t window, int code, const char *says)
{
    const struct pvb_output out = {
        .p = window ? NULL : came, .len = bytes, .window = window, .put = window ? put : NULL
    };

    memset(came, 0, sizeof(came));
    err = (struct pvboot_error){ 0 };
    assert_int_equal(pvb_unxz(mk_bytes(m), out, &err), -code);
    assert_non_null(strstr(err.text, says));
    assert_memory_equal(came, elf.p, bytes);
}

/* xz 1.1, 3.3, 3.4: zeroes to a multiple of four before the check, which is the last before the index, if there is one. */
static void xz_checks(void **state)
{
    static const lzma_check check[] = { LZMA_CHECK_NONE, LZMA_CHECK_CRC32, LZMA_CHECK_CRC64, LZMA_CHECK_SHA256 };
    unsigned padded = 0;

    (void)state;
    for (size_t i = 0; i < 4 * 2 * 16 * 2; i++) {
        size_t bytes = 0x8000 + i / 16 % 16, window = i % 2 * 0x1000;
        unsigned blocks = 1 + i / 2 % 2;
        struct mk m = xz_of(bytes, blocks, check[i / 4 % 4]);
        size_t index = m.len - 12 - (m.p[m.len - 8] + 1u) * 4;

        unxz(&m, bytes, window, 0, "");
        padded += !m.p[index - lzma_check_size(check[i / 4 % 4]) - 1];
        m.p[index - 1] ^= 1;
        if (check[i / 4 % 4] != LZMA_CHECK_NONE)
            unxz(&m, bytes, window, M, "xz payload is damaged near packed byte");
        mk_free(&m);
    }
    assert_true(padded);
}

/* Legacy frame: magic, then chunks: a 32-bit size, a block. */
static void lz4(void **state)
{
    struct mk m = { 0 };

    (void)state;
    expect("chunk of 0", bent(PVBOOT_CODEC_LZ4, 4, 4, 0), M, "a chunk of 0 bytes");
    expect("chunk over the rest", bent(PVBOOT_CODEC_LZ4, 4, 4, 0x7fffffff), M, "lz4 payload ends early");
    expect("modern frame", bent(PVBOOT_CODEC_LZ4, 2, 2, 0x1111), M, "legacy frame's magic");
    mk_cut(&m, 4 * 1000000);
    for (size_t i = 0; i < m.len; i += 4)
        mk_put(&m, i, "\x02\x21\x4c\x18", 4);
    mk_le(&m, m.len - 4, 4, elf.len);
    expect("a million magics", m, M, "lz4 payload");
    m = mk_copy(&packed[PVBOOT_CODEC_LZ4]);
    mk_put(&m, m.len - 4, "\1\0\0\0\0", 5);
    mk_le(&m, m.len, 4, elf.len);
    expect("a chunk behind a short one", m, M, "is not the last");
}

/* RFC 8878: descriptor at 4 (bits 0-1 dictionary, 5 single segment), window at 5: exponent - 10 in the upper 5 bits. */
static void zstd(void **state)
{
    struct mk m, more;

    (void)state;
    expect("window 128 MiB", bent(PVBOOT_CODEC_ZSTD, 5, 1, (27 - 10) << 3), 0, "");
    expect("window 256 MiB", bent(PVBOOT_CODEC_ZSTD, 5, 1, (28 - 10) << 3), 0, "");
    expect("an eighth more", bent(PVBOOT_CODEC_ZSTD, 5, 1, (28 - 10) << 3 | 1), L, "a window of 288 MiB, limit 256");
    expect("window 2 GiB", bent(PVBOOT_CODEC_ZSTD, 5, 1, (31 - 10) << 3), L, "a window of 2048 MiB");
    expect("reserved bit", bent(PVBOOT_CODEC_ZSTD, 4, 1, 0x0c), M, "zstd payload is damaged");
    expect("magic", bent(PVBOOT_CODEC_ZSTD, 2, 2, 0x1111), M, "not a zstd frame's magic");
    m = mk_copy(&packed[PVBOOT_CODEC_ZSTD]);
    more = mk_copy(&m);
    mk_le(&m, 4, 1, m.p[4] | 1); /* a dictionary id of one byte behind the window */
    mk_le(&m, 6, 1, 7);
    mk_put(&m, 7, more.p + 6, more.len - 6);
    expect("dictionary 7", m, U, "dictionary 0x7");
    mk_put(&more, more.len - 4, "\x50\x2a\x4d\x18\4\0\0\0abcd", 12);
    mk_le(&more, more.len, 4, elf.len);
    expect("skippable frame behind", more, M, "zstd payload: stream ends");
}

#ifdef HAVE_LZO
static void be32(struct mk *m, size_t off, uint32_t v)
{
    mk_le(m, off, 4, __builtin_bswap32(v));
}

/* Put the header's Adler-32 right again: over bytes 9 to @end. */
static void lzo_header_sum(struct mk *m, size_t end)
{
    uint32_t a = 1, b = 0;

    for (size_t i = 9; i < end; i++) {
        a = (a + m->p[i]) % 65521;
        b = (b + a) % 65521;
    }
    be32(m, end, b << 16 | a);
}

/* lzop: method at 15, flags at 17, name length at 33; its checksum at 34 when there is no name; then dst and src size. */
static void lzo(void **state)
{
    static const struct {
        const char *name;
        size_t off;
        uint32_t value; /* big endian */
        int code;
        const char *says;
    } row[] = {
        { "block of 2 GiB", 38, 0x7fffffff, M, "impossible block sizes" },
        { "block of 64 MiB", 38, 64u << 20, M, "more than" },
        { "one block too large", 38, 0x20000, M, "more than" },
        { "src over dst", 42, 0x7fffffff, M, "impossible block sizes" },
        { "src 0", 42, 0, M, "impossible block sizes" },
        { "end at once", 38, 0, M, "lzo payload unpacks to 0 bytes" },
        { "filter", 17, 0x0800, U, "flags 0x800" },
        { "parts", 17, 0x0400, U, "flags 0x400" },
        { "extra field", 17, 0x0040, U, "flags 0x40" },
    };

    struct mk m;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        m = mk_copy(&packed[PVBOOT_CODEC_LZO]);

        assert_int_equal(m.p[33], 0); /* packed from a pipe: no name */
        be32(&m, row[i].off, row[i].value);
        lzo_header_sum(&m, 34);
        expect(row[i].name, m, row[i].code, row[i].says);
    }
    m = bent(PVBOOT_CODEC_LZO, 15, 1, 0x80);
    lzo_header_sum(&m, 34);
    expect("method 128", m, U, "method 128");
    m = mk_copy(&packed[PVBOOT_CODEC_LZO]);
    be32(&m, 38, (uint32_t)elf.len + 1);
    mk_le(&m, m.len - 4, 4, elf.len + 1);
    expect("a block shorter than it says", m, M, "bad block");
    expect("name over the blocks", bent(PVBOOT_CODEC_LZO, 33, 1, 255), M, "bad header checksum");
    m = bent(PVBOOT_CODEC_LZO, 33, 1, 255);
    mk_cut(&m, 60);
    mk_le(&m, 60, 4, elf.len);
    expect("name past the end", m, M, "lzo payload ends early");
    expect("header checksum", bent(PVBOOT_CODEC_LZO, 34, 1, 0), M, "bad header checksum");
    expect("magic", bent(PVBOOT_CODEC_LZO, 4, 1, 1), M, "not lzop's magic");
}
#else
static void lzo(void **state)
{
    (void)state;
    expect("not built in", mk_copy(&packed[PVBOOT_CODEC_LZO]), U, "lzo is not built in");
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip),      cmocka_unit_test(bzip2), cmocka_unit_test(lzma), cmocka_unit_test(xz),
        cmocka_unit_test(xz_checks), cmocka_unit_test(lz4),   cmocka_unit_test(zstd), cmocka_unit_test(lzo),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Payloads packed by the tools of a kernel build: unpacked to the same bytes, or refused with the right class. */
#include "mkimage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define M PVBOOT_E_MALFORMED
#define CODECS PVBOOT_CODEC_UNKNOWN

/* Without lzo2 every lzo payload that keeps within the limits has one answer. */
#ifdef HAVE_LZO
#define ANSWER(codec, code) (code)
#else
#define ANSWER(codec, code) ((codec) == PVBOOT_CODEC_LZO && (code) != PVBOOT_E_LIMIT ? PVBOOT_E_UNSUPPORTED : (code))
#endif

static struct mk elf, packed[CODECS]; /* with trailer */
static struct pvboot_error err;

static int setup(void **state)
{
    (void)state;
    elf = mk_elf(64, 0x8000);
    for (unsigned c = PVBOOT_CODEC_NONE; c < CODECS; c++)
        packed[c] = mk_pack((enum pvboot_codec)c, &elf);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned c = PVBOOT_CODEC_NONE; c < CODECS; c++)
        mk_free(&packed[c]);
    mk_free(&elf);
    return 0;
}

/* Unpack @payload inside a bzImage; compare with @want when it succeeds. */
static int unpack(const struct mk *payload, const struct mk *want)
{
    struct mk m = mk_bzimage(payload);
    struct pvboot_kernel k;
    int rc;

    err = (struct pvboot_error){ 0 };
    rc = pvboot_kernel_parse(&k, mk_bytes(&m), &err);
    if (!rc)
        rc = pvboot_kernel_unpack(&k, &err);
    if (!rc) {
        assert_true(k.image.has_elf && k.image.has_bzimage);
        assert_int_equal(k.elf.len, want->len);
        assert_memory_equal(k.elf.p, want->p, want->len);
        assert_int_equal(k.image.elf.notes.phys32_entry, 0x1000850);
        assert_int_equal(pvboot_kernel_unpack(&k, &err), 0); /* twice is nothing */
    } else {
        assert_false(k.image.has_elf);
        assert_null(k.elf.p);
    }
    pvboot_kernel_dispose(&k);
    pvboot_kernel_dispose(&k);
    mk_free(&m);
    return rc;
}

static void expect(const char *name, enum pvboot_codec c, const struct mk *payload, int code, const char *says)
{
    int rc = unpack(payload, &elf);

    code = ANSWER(c, code);
    if (rc != -code || (code == M && !strstr(err.text, says)))
        fail_msg("%s, %s: %d, not %d: %s", pvboot_codec_name(c), name, rc, -code, err.text);
}

static void round_trip(void **state)
{
    (void)state;
    for (unsigned c = PVBOOT_CODEC_NONE; c < CODECS; c++)
        expect("as packed", (enum pvboot_codec)c, &packed[c], 0, "");
}

/* Several of each codec's blocks: bzip2's have 900 kB, lz4's 8 MiB, the others' less. */
static void several_blocks(void **state)
{
    struct mk big = mk_elf(64, 1u << 20), bigger = mk_elf(64, 9u << 20);

    (void)state;
    for (unsigned c = PVBOOT_CODEC_GZIP; c < CODECS; c++) {
        const struct mk *from = c == PVBOOT_CODEC_LZ4 ? &bigger : &big;
        struct mk m = mk_pack((enum pvboot_codec)c, from);
        int rc = unpack(&m, from);

        if (rc != -ANSWER(c, 0))
            fail_msg("%s: %d: %s", pvboot_codec_name((enum pvboot_codec)c), rc, err.text);
        mk_free(&m);
    }
    mk_free(&big);
    mk_free(&bigger);
}

static void codec_is_named(void **state)
{
    (void)state;
    for (unsigned c = PVBOOT_CODEC_NONE; c < CODECS; c++) {
        struct mk m = mk_bzimage(&packed[c]);
        struct pvboot_kernel k;

        assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &err), 0);
        assert_int_equal(k.image.bz.codec, c);
        assert_int_equal(k.image.bz.unpacked_bytes, elf.len);
        mk_free(&m);
    }
}

/* The stream without its trailer, cut to @len, and the trailer again. */
static struct mk cut_stream(enum pvboot_codec c, size_t len)
{
    struct mk m = mk_copy(&packed[c]);

    mk_cut(&m, len);
    mk_le(&m, m.len, 4, elf.len);
    return m;
}

/* What is shorter than any payload is refused before it has a codec; gzip takes what follows the cut for data. */
static void cut_at(enum pvboot_codec c, size_t len)
{
    struct mk m = cut_stream(c, len);

    if (m.len < 8)
        expect("cut", PVBOOT_CODEC_NONE, &m, M, "payload_length");
    else
        expect("cut", c, &m, M, c == PVBOOT_CODEC_GZIP ? "payload" : "ends early");
    mk_free(&m);
}

/* Every length of every header, and beyond it. */
static void ends_early(void **state)
{
    (void)state;
    for (unsigned c = PVBOOT_CODEC_GZIP; c < CODECS; c++) {
        size_t stream = packed[c].len - (c == PVBOOT_CODEC_GZIP ? 0 : 4);
        const size_t len[] = { stream / 100, stream / 2, stream * 99 / 100, stream - 1 };

        for (size_t n = 1; n <= 40; n++)
            cut_at((enum pvboot_codec)c, n);
        for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++)
            cut_at((enum pvboot_codec)c, len[i]);
    }
}

/* Declared sizes that are wrong by little, by much, and beyond each limit. */
static void declared_size(void **state)
{
    static const struct {
        const char *name;
        uint32_t size; /* 0: one less than true */
        int code;
    } row[] = {
        { "one too small", 0, M },
        { "one too large", 1, M },
        { "at the floor of the ratio's limit", 64u << 20, M },
        { "one over it", (64u << 20) + 1, PVBOOT_E_LIMIT },
        { "2 GiB", 1u << 31, PVBOOT_E_LIMIT },
        { "4 GiB - 1", UINT32_MAX, PVBOOT_E_LIMIT },
    };

    (void)state;
    for (unsigned c = PVBOOT_CODEC_GZIP; c < CODECS; c++)
        for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
            size_t size = row[i].size == 0 ? elf.len - 1 : row[i].size == 1 ? elf.len + 1 : row[i].size;
            struct mk m = mk_copy(&packed[c]);

            mk_le(&m, m.len - 4, 4, size);
            expect(row[i].name, (enum pvboot_codec)c, &m, row[i].code, "payload");
            mk_free(&m);
        }
}

/* Payloads so long that 100 times their length counts, and so long that not even that does: 512 MiB are the most. */
static void declared_size_of_long_payloads(void **state)
{
    static const struct {
        const char *name;
        size_t payload;
        uint64_t limit;
    } row[] = {
        { "100 times 1 MiB", 1u << 20, 100u << 20 },
        { "512 MiB, not 100 times 6", 6u << 20, 512u << 20 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct mk m = { 0 };

        mk_cut(&m, row[i].payload);
        memset(m.p, 0xaa, m.len);
        mk_put(&m, 0,
               "\xfd"
               "7zXZ",
               6);
        mk_le(&m, m.len - 4, 4, row[i].limit);
        expect(row[i].name, PVBOOT_CODEC_XZ, &m, M, "xz payload"); /* from the decoder: it does not look like xz */
        mk_le(&m, m.len - 4, 4, row[i].limit + 1);
        expect(row[i].name, PVBOOT_CODEC_XZ, &m, PVBOOT_E_LIMIT, "");
        mk_free(&m);
    }
}

/* Does the last message name @n bytes? */
static bool named(size_t n)
{
    char text[32];

    snprintf(text, sizeof(text), " %zu", n);
    return strstr(err.text, text) != NULL;
}

/* Both numbers stand in the message; of a stream that goes on where its room ends only xz knows how long it is. */
static void declared_size_is_printed(void **state)
{
    (void)state;
    for (unsigned c = PVBOOT_CODEC_GZIP; c < CODECS; c++) {
        bool xz = c == PVBOOT_CODEC_XZ;
        struct mk m;

        if (ANSWER(c, M) != M)
            continue;
        m = mk_copy(&packed[c]);
        mk_le(&m, m.len - 4, 4, elf.len + 1);
        expect("one too large", (enum pvboot_codec)c, &m, M, xz ? "by its index" : "payload");
        assert_true(named(elf.len) && named(elf.len + 1));
        mk_le(&m, m.len - 4, 4, elf.len - 1);
        expect("one too small", (enum pvboot_codec)c, &m, M, xz ? "by its index" : "payload");
        assert_true(named(elf.len - 1) && named(elf.len) == xz);
        mk_le(&m, m.len - 4, 4, 0);
        expect("nothing", (enum pvboot_codec)c, &m, M, "unpacks to nothing");
        mk_free(&m);
    }
}

/* One bit in the data, and one in the checksum, of every codec that has one: lzma and lz4's legacy frame do not. */
static void damaged(void **state)
{
    static const struct {
        enum pvboot_codec c;
        unsigned from_end; /* of the payload */
    } sum[] = {
        { PVBOOT_CODEC_GZIP, 8 }, { PVBOOT_CODEC_BZIP2, 6 }, { PVBOOT_CODEC_XZ, 8 },
        { PVBOOT_CODEC_LZO, 9 },  { PVBOOT_CODEC_ZSTD, 5 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(sum) / sizeof(sum[0]); i++) {
        struct mk m = mk_copy(&packed[sum[i].c]);

        m.p[m.len / 2] ^= 0x10;
        expect("data", sum[i].c, &m, M, "payload is damaged");
        m.p[m.len / 2] ^= 0x10;
        m.p[m.len - sum[i].from_end] ^= 0x01;
        expect("checksum", sum[i].c, &m, M, "payload");
        mk_free(&m);
    }
}

/*
 * What has no checksum may come out changed, but never longer or shorter.  Only the second half is bent, behind what
 * makes an ELF of it.
 */
static void damaged_unseen(void **state)
{
    static const enum pvboot_codec c[] = { PVBOOT_CODEC_LZMA, PVBOOT_CODEC_LZ4 };

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t at = packed[c[i]].len / 2, bit = 0; at < packed[c[i]].len - 4; at += 101, bit++) {
            struct mk payload = mk_copy(&packed[c[i]]), m;
            struct pvboot_kernel k;
            int rc;

            payload.p[at] ^= (uint8_t)(1u << bit % 8);
            m = mk_bzimage(&payload);
            err = (struct pvboot_error){ 0 };
            assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &err), 0);
            rc = pvboot_kernel_unpack(&k, &err);
            if (rc ? rc != -M || !strstr(err.text, "payload") : k.elf.len != elf.len || memcmp(k.elf.p, elf.p, 4) != 0)
                fail_msg("%s, bent at 0x%zx: %d: %s", pvboot_codec_name(c[i]), at, rc, err.text);
            pvboot_kernel_dispose(&k);
            mk_free(&payload);
            mk_free(&m);
        }
}

/* Two streams; a byte behind the only one. */
static void trailing(void **state)
{
    (void)state;
    for (unsigned c = PVBOOT_CODEC_GZIP; c < CODECS; c++) {
        size_t stream = packed[c].len - (c == PVBOOT_CODEC_GZIP ? 0 : 4);
        struct mk m = cut_stream((enum pvboot_codec)c, stream), twice = cut_stream((enum pvboot_codec)c, stream);

        mk_put(&m, stream, "\xaa", 1);
        mk_le(&m, stream + 1, 4, elf.len);
        expect("one byte more", (enum pvboot_codec)c, &m, M, "payload");
        mk_put(&twice, stream, packed[c].p, packed[c].len);
        mk_le(&twice, twice.len - 4, 4, elf.len);
        expect("twice", (enum pvboot_codec)c, &twice, M, "payload");
        mk_free(&twice);
        mk_free(&m);
    }
}

/* A bomb that says so meets the limit in declared_size(); one that lies is stopped where its room ends. */
static void more_than_declared(void **state)
{
    struct mk none = { 0 }, zeros = mk_run("head -c 8388609 /dev/zero", &none);

    (void)state;
    for (unsigned c = PVBOOT_CODEC_GZIP; c < CODECS; c++) {
        struct mk m = mk_pack((enum pvboot_codec)c, &zeros);

        mk_le(&m, m.len - 4, 4, 4u << 20);
        expect("bomb", (enum pvboot_codec)c, &m, M, "payload");
        mk_le(&m, m.len - 4, 4, 8u << 20);
        expect("one byte too many", (enum pvboot_codec)c, &m, M,
               c == PVBOOT_CODEC_XZ ? "8388609 bytes by its index" : "more than 8388608 bytes");
        mk_free(&m);
    }
    mk_free(&zeros);
}

/* What comes out is looked at once: no recursion. */
static void not_an_elf(void **state)
{
    struct mk inner[3] = { mk_bzimage(&packed[PVBOOT_CODEC_GZIP]), mk_copy(&packed[PVBOOT_CODEC_GZIP]), { 0 } };

    (void)state;
    mk_put(&inner[2], 0, "MZ this program cannot be run", 30);
    for (size_t i = 0; i < 3; i++) {
        for (unsigned c = PVBOOT_CODEC_GZIP; c < CODECS; c++) {
            struct mk m = mk_pack((enum pvboot_codec)c, &inner[i]);

            expect("wrapped twice", (enum pvboot_codec)c, &m, M, "is not ELF");
            mk_free(&m);
        }
        mk_free(&inner[i]);
    }
}

static void unknown_magic(void **state)
{
    struct mk m = mk_copy(&packed[PVBOOT_CODEC_ZSTD]);

    (void)state;
    mk_put(&m, 0, "\x50\x2a\x4d\x18", 4); /* zstd's skippable frame is no kernel's payload either */
    assert_int_equal(unpack(&m, &elf), -PVBOOT_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "starts with 50 2a 4d 18"));
    mk_free(&m);
}

static void no_payload(void **state)
{
    struct mk m = mk_bzimage(&packed[PVBOOT_CODEC_GZIP]);
    struct pvboot_kernel k;

    (void)state;
    mk_le(&m, BZ_VERSION, 2, 0x0207);
    err = (struct pvboot_error){ 0 };
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &err), 0);
    assert_int_equal(pvboot_kernel_unpack(&k, &err), -PVBOOT_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "2.07) names no payload"));
    mk_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(several_blocks),
        cmocka_unit_test(codec_is_named),
        cmocka_unit_test(ends_early),
        cmocka_unit_test(declared_size),
        cmocka_unit_test(declared_size_is_printed),
        cmocka_unit_test(declared_size_of_long_payloads),
        cmocka_unit_test(damaged),
        cmocka_unit_test(damaged_unseen),
        cmocka_unit_test(trailing),
        cmocka_unit_test(more_than_declared),
        cmocka_unit_test(not_an_elf),
        cmocka_unit_test(unknown_magic),
        cmocka_unit_test(no_payload),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

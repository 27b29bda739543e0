/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Payloads that are put where they belong a window at a time: the same bytes as when stored, or a refusal for the same
 * reason.  How far a decoder says it was then may differ by a window, but not with the streams here.
 */
#include "builder/image/codec.h"
#include "mkimage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define WINDOW (1u << 16)

static struct {
    uint8_t *p;
    uint64_t bytes;       /* in order so far */
    unsigned n, fails_at; /* calls; 0: none fails */
} got;

static int put(uint64_t at, const void *bytes, size_t n, struct pvboot_error *e)
{
    assert_true(!got.fails_at || got.n < got.fails_at);
    if (++got.n == got.fails_at)
        return pvb_fail(e, PVBOOT_E_HOST, "put %u", got.n);
    assert_int_equal(at, got.bytes);
    assert_true(n <= WINDOW);
    memcpy(got.p + at, bytes, n);
    got.bytes += n;
    return 0;
}

/* The payload @m, which says that it unpacks to @declared bytes, to memory at @p; by put() if @puts. */
static int unpack(const struct mk *m, uint64_t declared, uint8_t *p, bool puts, struct pvboot_error *e)
{
    struct pvboot_bytes payload = { m->p, m->len };
    struct pvboot_bzimage bz = { .payload_bytes = m->len, .unpacked_bytes = declared };
    struct pvb_output out = { .p = p, .len = PVBOOT_UNPACKED_MAX, .window = WINDOW, .put = puts ? put : NULL };
    int rc;

    got.p = p;
    got.bytes = got.n = 0;
    *e = (struct pvboot_error){ 0 };
    bz.codec = pvb_codec_find(payload);
    rc = pvb_unpack(&bz, payload, PVBOOT_UNPACKED_MAX, &out, e);
    assert_ptr_equal(out.p, p);
    assert_int_equal(out.len, rc ? PVBOOT_UNPACKED_MAX : declared);
    return rc;
}

/* @n bytes of which a part repeats and another does not. */
static struct mk sample(size_t n)
{
    struct mk m = { .p = malloc(n), .len = n };
    uint32_t x = 1;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        m.p[i] = i & 0x10000 ? (uint8_t)(x >> 24) : (uint8_t)(i >> 8);
    }
    return m;
}

static void windows(void **state)
{
    static const enum pvboot_codec codec[] = { PVBOOT_CODEC_XZ, PVBOOT_CODEC_LZMA };
    static const size_t size[] = { 1, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 3 * WINDOW + 4097 };
    struct pvboot_error e;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < sizeof(size) / sizeof(size[0]); j++) {
            struct mk from = sample(size[j]), packed = mk_pack(codec[i], &from);
            uint8_t *p = calloc(1, size[j]);

            if (unpack(&packed, size[j], p, true, &e))
                fail_msg("%s of %zu: %s", pvboot_codec_name(codec[i]), size[j], e.text);
            assert_int_equal(got.bytes, size[j]);
            assert_int_equal(got.n, (size[j] + WINDOW - 1) / WINDOW);
            assert_memory_equal(p, from.p, size[j]);
            free(p);
            mk_free(&packed);
            mk_free(&from);
        }
}

/* Who looks back at what it wrote stores it. */
static void others_store(void **state)
{
    static const enum pvboot_codec codec[] = { PVBOOT_CODEC_GZIP, PVBOOT_CODEC_BZIP2, PVBOOT_CODEC_LZ4,
                                               PVBOOT_CODEC_ZSTD };
    struct mk from = sample(WINDOW + 1);
    uint8_t *p = malloc(from.len);
    struct pvboot_error e;

    (void)state;
    for (size_t i = 0; i < sizeof(codec) / sizeof(codec[0]); i++) {
        struct mk packed = mk_pack(codec[i], &from);

        memset(p, 0, from.len);
        assert_int_equal(unpack(&packed, from.len, p, true, &e), 0);
        assert_int_equal(got.n, 0);
        assert_memory_equal(p, from.p, from.len);
        mk_free(&packed);
    }
    free(p);
    mk_free(&from);
}

static void same_refusal(const struct mk *m, uint64_t declared, uint8_t *p)
{
    struct pvboot_error stored, put_there;
    int rc = unpack(m, declared, p, false, &stored);

    assert_int_not_equal(rc, 0);
    assert_int_equal(unpack(m, declared, p, true, &put_there), rc);
    assert_true(got.n > 0); /* it came that far */
    assert_string_equal(put_there.text, stored.text);
}

static void refusals(void **state)
{
    static const enum pvboot_codec codec[] = { PVBOOT_CODEC_XZ, PVBOOT_CODEC_LZMA };
    struct mk from = sample(2 * WINDOW);
    uint8_t *p = malloc(from.len + 1);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct mk packed = mk_pack(codec[i], &from);

        if (codec[i] == PVBOOT_CODEC_XZ)
            packed.p[packed.len - 4 - 12] ^= 1; /* the footer's checksum: no index that tells its size beforehand */
        same_refusal(&packed, from.len - 1, p);
        same_refusal(&packed, from.len + 1, p);
        same_refusal(&packed, WINDOW, p); /* whole windows, and more to come */
        for (size_t cut = 1; cut <= 4; cut++) {
            struct mk shorter = { .p = packed.p, .len = packed.len * cut / 5 };

            same_refusal(&shorter, from.len, p);
        }
        memset(packed.p + packed.len / 2, 0xff, 64);
        same_refusal(&packed, from.len, p);
        mk_free(&packed);
    }
    free(p);
    mk_free(&from);
}

static void no_room(void **state)
{
    struct mk from = sample(2 * WINDOW), packed = mk_pack(PVBOOT_CODEC_XZ, &from);
    uint8_t *p = malloc(from.len);
    struct pvboot_error e;

    (void)state;
    for (got.fails_at = 1; got.fails_at <= 2; got.fails_at++) {
        assert_int_equal(unpack(&packed, from.len, p, true, &e), -PVBOOT_E_HOST);
        assert_string_equal(e.text, got.fails_at == 1 ? "put 1" : "put 2");
    }
    got.fails_at = 0;
    free(p);
    mk_free(&packed);
    mk_free(&from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows),
        cmocka_unit_test(others_store),
        cmocka_unit_test(refusals),
        cmocka_unit_test(no_room),
    };

    return cmocka_run_group_tests_name("windows", tests, NULL, NULL);
}

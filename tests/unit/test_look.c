/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the beginning of a payload tells of its ELF: the PT_LOADs that unpacking finds, or nothing. */
#include "builder/image/image.h"
#include "mkimage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct row {
    const char *name;
    enum pvboot_codec codec;
    size_t text;          /* bytes of the ELF's */
    struct mk_poke poke;  /* in the bzImage */
    struct mk_poke inner; /* in the ELF */
    bool told;
} rows[] = {
    { "gzip", PVBOOT_CODEC_GZIP, 0x8000, { 0 }, { 0 }, true },
    { "bzip2", PVBOOT_CODEC_BZIP2, 0x8000, { 0 }, { 0 }, true },
    { "lzma", PVBOOT_CODEC_LZMA, 0x8000, { 0 }, { 0 }, true },
    { "xz", PVBOOT_CODEC_XZ, 0x8000, { 0 }, { 0 }, true },
    { "lz4", PVBOOT_CODEC_LZ4, 0x8000, { 0 }, { 0 }, true },
    { "zstd", PVBOOT_CODEC_ZSTD, 0x8000, { 0 }, { 0 }, true },
    { "gzip, 2 MiB", PVBOOT_CODEC_GZIP, 2u << 20, { 0 }, { 0 }, true },
    { "xz, 2 MiB", PVBOOT_CODEC_XZ, 2u << 20, { 0 }, { 0 }, true },
    { "lz4, 2 MiB", PVBOOT_CODEC_LZ4, 2u << 20, { 0 }, { 0 }, true },
    { "zstd, 2 MiB", PVBOOT_CODEC_ZSTD, 2u << 20, { 0 }, { 0 }, true },
    { "lzo, whose blocks are too large", PVBOOT_CODEC_LZO, 0x8000, { 0 }, { 0 }, false },
    { "not packed", PVBOOT_CODEC_NONE, 0x8000, { 0 }, { 0 }, false },
    { "no payload", PVBOOT_CODEC_GZIP, 0x8000, { BZ_PAYLOAD_OFFSET, 8, 0 }, { 0 }, false },
    { "spoilt at once", PVBOOT_CODEC_XZ, 0x8000, { BZ_KERNEL + BZ_PAYLOAD + 6, 4, 0 }, { 0 }, false },
    { "no ELF", PVBOOT_CODEC_GZIP, 0x8000, { 0 }, { 0, 4, 0 }, false },
    { "too many headers", PVBOOT_CODEC_GZIP, 0x8000, { 0 }, { E64_PHNUM, 2, PVBOOT_LOADS_MAX + 1 }, false },
    { "headers far behind", PVBOOT_CODEC_GZIP, 0x8000, { 0 }, { E64_PHOFF, 8, 0x4000 }, false },
    { "a segment behind the end", PVBOOT_CODEC_GZIP, 0x8000, { 0 }, { PH64(0, P64_FILESZ), 8, 1u << 30 }, false },
    { "notes behind the end, which nobody looks for",
      PVBOOT_CODEC_GZIP,
      0x8000,
      { 0 },
      { PH64(2, P64_OFFSET), 8, 1u << 30 },
      true },
};

static struct mk make(const struct row *r)
{
    struct mk elf = mk_elf(64, r->text), payload, image;

    if (r->inner.width)
        mk_pokes(&elf, &r->inner, 1);
    payload = mk_pack(r->codec, &elf);
    image = mk_bzimage(&payload);
    if (r->poke.width)
        mk_pokes(&image, &r->poke, 1);
    mk_free(&payload);
    mk_free(&elf);
    return image;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mk image = make(&rows[i]);
        struct pvboot_error e = { 0 };
        struct pvboot_kernel k;
        struct pvboot_elf seen;

        assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&image), &e), 0);
        if (pvb_kernel_look(&k, &seen) != rows[i].told)
            fail_msg("%s", rows[i].name);
        if (rows[i].told && !pvboot_kernel_unpack(&k, &e)) {
            assert_int_equal(seen.n_loads, k.image.elf.n_loads);
            assert_memory_equal(seen.load, k.image.elf.load, sizeof(seen.load));
        }
        assert_true(!rows[i].told || !seen.notes.has_phys32_entry);
        pvboot_kernel_dispose(&k);
        mk_free(&image);
    }
}

/* The answer rests on the part that a held file shows: what is behind it may be anything. */
static void test_no_further_than_the_head(void **state)
{
    const struct row far = { "", PVBOOT_CODEC_GZIP, 4u << 20, { 0 }, { 0 }, true };
    struct mk image = make(&far);
    struct pvboot_error e = { 0 };
    struct pvboot_elf seen, again;
    struct pvboot_kernel k;

    (void)state;
    assert_true(image.len > 2 * PVBOOT_FILE_HEAD);
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&image), &e), 0);
    assert_true(pvb_kernel_look(&k, &seen));
    memset(image.p + PVBOOT_FILE_HEAD, 0, image.len - PVBOOT_FILE_HEAD);
    assert_true(pvb_kernel_look(&k, &again));
    assert_memory_equal(&seen, &again, sizeof(seen));
    pvboot_kernel_dispose(&k);
    mk_free(&image);
}

/* A payload of which the head has the first bytes only: so few that the ELF's headers are not all there, or they are and
 * what would prove it is not. */
static void test_headers_across_the_end(void **state)
{
    static const uint32_t left[] = { 0, 1, 32, 200 };
    const struct row far = { "", PVBOOT_CODEC_GZIP, 1u << 20, { 0 }, { 0 }, true };
    struct mk image = make(&far);
    struct pvboot_error e = { 0 };
    struct pvboot_bytes payload;
    struct pvboot_elf seen;
    struct pvboot_kernel k;
    uint8_t *moved;

    (void)state;
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&image), &e), 0);
    payload = pvboot_sub(k.file, k.image.bz.payload_off, k.image.bz.payload_bytes);
    moved = calloc(1, PVBOOT_FILE_HEAD + payload.len);
    assert_non_null(moved);
    k.file = (struct pvboot_bytes){ moved, PVBOOT_FILE_HEAD + payload.len };
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        k.image.bz.payload_off = PVBOOT_FILE_HEAD - left[i];
        memcpy(moved + k.image.bz.payload_off, payload.p, payload.len);
        if (pvb_kernel_look(&k, &seen))
            fail_msg("told from %u bytes", left[i]);
    }
    k.image.bz.payload_off = 0x400;
    memcpy(moved + k.image.bz.payload_off, payload.p, payload.len);
    assert_true(pvb_kernel_look(&k, &seen));
    free(moved);
    pvboot_kernel_dispose(&k);
    mk_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_no_further_than_the_head),
                                        cmocka_unit_test(test_headers_across_the_end) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

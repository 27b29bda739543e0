/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Heads of the cache's entries, and keys, that somebody else has written: what they claim is judged as the helper's answer
 * is, and as what this very build wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/cache/entry.h"

#include <pvboot/limits.h>
#include <stdlib.h>

#define FILE_BYTES 0x10000u
#define ELF_BYTES 0x20000u

static const uint8_t sha256[32] = { 1, 2, 3 };

static const struct pvboot_image bz = {
    .format = PVBOOT_FORMAT_BZIMAGE,
    .file_bytes = FILE_BYTES,
    .has_bzimage = true,
    .has_elf = true,
    .bz = { .protocol = 0x20f,
            .setup_sects = 4,
            .loadflags = 1,
            .header_bytes = 0x7b,
            .kernel_off = 0xa00,
            .kernel_bytes = 0xf000,
            .window = { .pref_gpa = 0x1000000, .bytes = 0x800000, .align = 0x200000, .max_gpa = UINT64_MAX },
            .cmdline_max = 2047,
            .initrd_addr_max = 0x7fffffff,
            .payload_off = 0xe00,
            .payload_bytes = 0x8000,
            .unpacked_bytes = ELF_BYTES,
            .codec = PVBOOT_CODEC_XZ,
            .kernel_version = "6.1.0" },
    .elf = { .is64 = true,
             .machine = 62,
             .entry_gpa = 0x1000200,
             .window = { .pref_gpa = 0x1000000, .bytes = 0x3000, .align = 0x200000, .max_gpa = UINT64_MAX },
             .n_loads = 1,
             .load = { { .gpa = 0x1000000, .mem_bytes = 0x3000, .off = 0x1000, .file_bytes = 0x2800 } } },
};

static const struct pvb_cache_want wanted = { sha256, FILE_BYTES, PVB_CACHE_BODY_OFF + ELF_BYTES, PVBOOT_UNPACKED_MAX };

static struct pvb_cache_head good(void)
{
    struct pvb_cache_head head;

    pvb_cache_head_make(&head, &bz, sha256, sha256);
    return head;
}

static void test_good(void **state)
{
    struct pvb_cache_head head = good();
    struct pvboot_error e = { 0 };
    struct pvboot_image img;

    (void)state;
    assert_int_equal(pvb_cache_head_check(&img, &head, &wanted, &e), 0);
    assert_memory_equal(&img, &bz, sizeof(img));
}

#define AT(field) offsetof(struct pvb_cache_head, field), sizeof(((struct pvb_cache_head *)0)->field)
#define IMAGE(field) AT(answer.image.field)

static void test_spoilt(void **state)
{
    static const char *const other = "made by pvboot", *const odd = "contradicts itself: ";
    static const struct {
        size_t off, bytes;
        uint64_t value;
        int code;
        const char *text;
    } row[] = {
        { AT(magic), 0, PVBOOT_E_MALFORMED, "not an entry" },
        { AT(bytes), sizeof(struct pvb_cache_head) - 1, PVBOOT_E_UNSUPPORTED, other },
        { AT(file_sha256[31]), 1, PVBOOT_E_MALFORMED, "the entry of another kernel" },
        { AT(answer.magic), 0, PVBOOT_E_UNSUPPORTED, other },
        { AT(answer.bytes), sizeof(struct pvb_answer) + 8, PVBOOT_E_UNSUPPORTED, other },
        { AT(answer.version[0]), '9', PVBOOT_E_UNSUPPORTED, other },
        { AT(answer.version[5]), '1', PVBOOT_E_UNSUPPORTED, other },
        { AT(answer.missing), 1u << PVB_LAYER_SECCOMP, PVBOOT_E_SANDBOX, "strict, but without a layer" },
        { AT(answer.step), PVB_STEP_UNPACK, PVBOOT_E_SANDBOX, odd },
        { AT(answer.step), UINT32_MAX, PVBOOT_E_SANDBOX, odd },
        { AT(answer.code), PVBOOT_E_MALFORMED, PVBOOT_E_SANDBOX, odd },
        { IMAGE(file_bytes), FILE_BYTES + 1, PVBOOT_E_SANDBOX, "file size" },
        { IMAGE(has_elf), 0, PVBOOT_E_MALFORMED, "without an unpacked ELF" },
        { IMAGE(has_elf), 2, PVBOOT_E_SANDBOX, "flags" },
        { IMAGE(bz.payload_off), FILE_BYTES, PVBOOT_E_SANDBOX, "payload" },
        { IMAGE(bz.unpacked_bytes), ELF_BYTES + 1, PVBOOT_E_MALFORMED, "bytes, with an ELF of 131073" },
        { IMAGE(bz.unpacked_bytes), PVBOOT_UNPACKED_MAX + 1, PVBOOT_E_SANDBOX, "ELF: size" },
        { IMAGE(elf.load[0].off), ELF_BYTES, PVBOOT_E_SANDBOX, "segment: behind the ELF" },
        { IMAGE(elf.load[0].gpa), UINT64_MAX, PVBOOT_E_SANDBOX, odd },
        { IMAGE(elf.n_loads), PVBOOT_LOADS_MAX + 1, PVBOOT_E_SANDBOX, "segments: number" },
        { IMAGE(elf.entry_gpa), 0, 0, NULL }, /* it needs none */
        { IMAGE(elf.entry_gpa), 1, PVBOOT_E_SANDBOX, "ELF: entry" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvb_cache_head head = good();
        struct pvboot_error e = { 0 };
        struct pvboot_image img;

        memcpy((uint8_t *)&head + row[i].off, &row[i].value, row[i].bytes);
        if (pvb_cache_head_check(&img, &head, &wanted, &e) != -row[i].code ||
            (row[i].text && !strstr(e.text, row[i].text)))
            fail_msg("row %zu: %d '%s', not '%s'", i, e.code, e.text, row[i].text);
    }
}

/* Answers of kernels that have nothing to unpack, or something around them. */
static void test_not_worthy(void **state)
{
    struct pvb_cache_head plain = good(), zboot = good();
    struct pvb_cache_want want = wanted;
    struct pvboot_error e[2] = { 0 };
    struct pvboot_image img;

    (void)state;
    plain.answer.image.bz.codec = PVBOOT_CODEC_NONE;
    plain.answer.image.bz.unpacked_bytes = plain.answer.image.bz.payload_bytes;
    want.entry_bytes = PVB_CACHE_BODY_OFF + plain.answer.image.bz.unpacked_bytes;
    assert_int_equal(pvb_cache_head_check(&img, &plain, &want, &e[0]), -PVBOOT_E_MALFORMED);
    zboot.answer.image.wrapper = (struct pvboot_wrapper){
        .kind = PVBOOT_WRAPPER_ZBOOT, .codec = PVBOOT_CODEC_ZSTD, .bytes = FILE_BYTES, .kernel_bytes = FILE_BYTES
    };
    assert_int_equal(pvb_cache_head_check(&img, &zboot, &wanted, &e[1]), -PVBOOT_E_MALFORMED);
    assert_non_null(strstr(e[1].text, "without an unpacked ELF"));
}

/* The size of an entry is its head's and its ELF's. */
static void test_size(void **state)
{
    static const uint64_t bytes[] = { 0, PVB_CACHE_BODY_OFF, PVB_CACHE_BODY_OFF + ELF_BYTES - 1,
                                      PVB_CACHE_BODY_OFF + ELF_BYTES + 1, UINT64_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        struct pvb_cache_want want = wanted;
        struct pvb_cache_head head = good();
        struct pvboot_error e = { 0 };
        struct pvboot_image img;

        want.entry_bytes = bytes[i];
        assert_int_equal(pvb_cache_head_check(&img, &head, &want, &e), -PVBOOT_E_MALFORMED);
    }
}

static void test_keys(void **state)
{
    static const struct pvb_cache_id id = { .device = 0xfe00, .inode = 0xabc, .bytes = FILE_BYTES };
    struct pvb_cache_key key, other;
    struct pvboot_error e[5] = { 0 };
    char name[PVB_CACHE_NAME_BYTES], longest[sizeof(key.path) + 1];

    (void)state;
    pvb_cache_key_name(name, &id);
    assert_string_equal(name, "fe00-abc.key");
    pvb_cache_key_name(name, &(struct pvb_cache_id){ .device = UINT64_MAX, .inode = UINT64_MAX });
    assert_string_equal(name, "ffffffffffffffff-ffffffffffffffff.key");
    pvb_cache_entry_name(name, sha256);
    assert_string_equal(name, "0102030000000000000000000000000000000000000000000000000000000000.elf");
    assert_int_equal(pvb_cache_key_make(&key, &id, sha256, "/boot/vmlinuz", &e[0]), 0);
    assert_int_equal(pvb_cache_key_check(&key, &e[0]), 0);
    assert_string_equal(key.path, "/boot/vmlinuz");
    other = key;
    other.magic++;
    assert_int_equal(pvb_cache_key_check(&other, &e[1]), -PVBOOT_E_MALFORMED);
    other = key;
    other.bytes--;
    assert_int_equal(pvb_cache_key_check(&other, &e[2]), -PVBOOT_E_MALFORMED);
    memset(longest, '/', sizeof(longest));
    longest[sizeof(key.path)] = 0;
    assert_int_equal(pvb_cache_key_make(&key, &id, sha256, longest, &e[3]), -PVBOOT_E_LIMIT);
    longest[sizeof(key.path) - 1] = 0;
    assert_int_equal(pvb_cache_key_make(&key, &id, sha256, longest, &e[4]), 0);
    assert_int_equal(pvb_cache_key_check(&key, &e[4]), 0);
    memset(key.path, '/', sizeof(key.path));
    assert_int_equal(pvb_cache_key_check(&key, &e[4]), -PVBOOT_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good), cmocka_unit_test(test_spoilt), cmocka_unit_test(test_not_worthy),
        cmocka_unit_test(test_size), cmocka_unit_test(test_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The bzImage's setup header: what each field means, since when, and what is refused. */
#include "mkimage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct mk good;

static int setup(void **state)
{
    struct mk elf = mk_elf(64, 0x2000), payload = mk_pack(PVBOOT_CODEC_GZIP, &elf);

    (void)state;
    good = mk_bzimage(&payload);
    mk_free(&payload);
    mk_free(&elf);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mk_free(&good);
    return 0;
}

static void fields_of_2_15(void **state)
{
    struct pvboot_kernel k;
    struct pvboot_error e = { 0 };
    const struct pvboot_bzimage *bz = &k.image.bz;

    (void)state;
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&good), &e), 0);
    assert_int_equal(k.image.format, PVBOOT_FORMAT_BZIMAGE);
    assert_true(k.image.has_bzimage && !k.image.has_elf);
    assert_int_equal(k.image.file_bytes, good.len);
    assert_int_equal(bz->protocol, 0x020f);
    assert_int_equal(bz->setup_sects, 4);
    assert_int_equal(bz->header_bytes, 0x26c - 0x1f1);
    assert_int_equal(bz->loadflags, 1);
    assert_int_equal(bz->xloadflags, 0x7f);
    assert_int_equal(bz->kernel_off, 5 * 512);
    assert_int_equal(bz->kernel_bytes, good.len - 5 * 512);
    assert_int_equal(bz->window.pref_gpa, 0x1000000);
    assert_int_equal(bz->window.bytes, 0x3f98000);
    assert_int_equal(bz->window.align, 0x200000);
    assert_int_equal(bz->window.min_gpa, 0);
    assert_true(bz->window.max_gpa == UINT64_MAX && bz->window.relocatable);
    assert_int_equal(bz->cmdline_max, 2047);
    assert_int_equal(bz->initrd_addr_max, 0x7fffffff);
    assert_int_equal(bz->setup_type_max, 0x80000009);
    assert_int_equal(bz->payload_off, 0xa00 + 0x400);
    assert_int_equal(bz->unpacked_bytes, 0x4000);
    assert_int_equal(bz->codec, PVBOOT_CODEC_GZIP);
    assert_string_equal(bz->kernel_version, "6.1.0-test (someone) #1");
    pvboot_kernel_dispose(&k);
}

/* Every field of boot.rst's table, under a protocol one older than its own: not there, whatever bytes stand there. */
static void fields_appear_with_their_protocol(void **state)
{
    static const uint16_t version[] = { 0x0204, 0x0205, 0x0206, 0x0207, 0x0208, 0x0209,
                                        0x020a, 0x020b, 0x020c, 0x020d, 0x020e, 0x020f };

    (void)state;
    for (size_t i = 0; i < sizeof(version) / sizeof(version[0]); i++) {
        uint16_t v = version[i];
        struct pvboot_kernel k;
        struct pvboot_error e = { 0 };
        const struct pvboot_bzimage *bz = &k.image.bz;
        struct mk m = mk_copy(&good);

        mk_le(&m, BZ_VERSION, 2, v);
        assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &e), 0);
        assert_int_equal(bz->protocol, v);
        assert_int_equal(bz->window.relocatable, v >= 0x0205);
        assert_int_equal(bz->window.align, v >= 0x0205 ? 0x200000 : 0x1000);
        assert_int_equal(bz->cmdline_max, v >= 0x0206 ? 2047 : 255);
        assert_int_equal(bz->payload_bytes != 0, v >= 0x0208);
        assert_int_equal(bz->window.pref_gpa, v >= 0x020a ? 0x1000000 : 0x100000);
        assert_int_equal(bz->window.bytes, v >= 0x020a ? 0x3f98000 : (16u << 20) + 8 * (good.len - 0xa00));
        assert_int_equal(bz->xloadflags, v >= 0x020c ? 0x7f : 0);
        assert_true(bz->window.max_gpa == (v >= 0x020c ? UINT64_MAX : UINT32_MAX));
        assert_int_equal(bz->setup_type_max, v >= 0x020f ? 0x80000009 : 0);
        pvboot_kernel_dispose(&k);
        mk_free(&m);
    }
}

static const struct {
    const char *name;
    struct mk_poke poke[2];
    int code;
    const char *says;
} row[] = {
    { "newer 2.16 is read like the newest known", { { BZ_VERSION, 2, 0x0210 } }, 0, "" },
    { "another magic", { { BZ_HEADER, 4, 0x53726449 } }, PVBOOT_E_UNSUPPORTED, "not a bzImage or ELF" },
    { "boot_flag", { { BZ_BOOT_FLAG, 2, 0xaa54 } }, PVBOOT_E_MALFORMED, "0xaa54, not 0xaa55" },
    { "protocol 2.03", { { BZ_VERSION, 2, 0x0203 } }, PVBOOT_E_UNSUPPORTED, "2.03; pvboot needs 2.04" },
    { "protocol 2.04", { { BZ_VERSION, 2, 0x0204 } }, 0, "" },
    { "protocol 3.00", { { BZ_VERSION, 2, 0x0300 } }, PVBOOT_E_UNSUPPORTED, "3.00" },
    { "setup_sects 0 counts as 4", { { BZ_SETUP_SECTS, 1, 0 } }, 0, "" },
    { "setup_sects 255", { { BZ_SETUP_SECTS, 1, 255 } }, PVBOOT_E_MALFORMED, "255 sectors ends at 0x20000" },
    { "zImage", { { BZ_LOADFLAGS, 1, 0x80 } }, PVBOOT_E_UNSUPPORTED, "LOADED_HIGH" },
    { "jump backwards", { { BZ_JUMP + 1, 1, 0x80 } }, PVBOOT_E_MALFORMED, "0xeb 0x80" },
    { "jump to the last byte there may be", { { BZ_JUMP + 1, 1, 0x7f } }, 0, "" },
    { "jump of another kind", { { BZ_JUMP, 1, 0xe9 } }, PVBOOT_E_MALFORMED, "no short jump" },
    { "jump one short of protocol 2.04", { { BZ_JUMP + 1, 1, 0x2d } }, PVBOOT_E_MALFORMED, "ends at 0x22f" },
    { "jump just over protocol 2.04", { { BZ_JUMP + 1, 1, 0x2e }, { BZ_VERSION, 2, 0x0204 } }, 0, "" },
    { "jump cuts init_size", { { BZ_JUMP + 1, 1, 0x5e } }, PVBOOT_E_MALFORMED, "init_size is 0" },
    { "alignment 0", { { BZ_KERNEL_ALIGNMENT, 4, 0 } }, PVBOOT_E_MALFORMED, "kernel_alignment 0x0" },
    { "alignment 3", { { BZ_KERNEL_ALIGNMENT, 4, 3 } }, PVBOOT_E_MALFORMED, "kernel_alignment 0x3" },
    { "alignment 1 GiB", { { BZ_KERNEL_ALIGNMENT, 4, 1u << 30 } }, 0, "" },
    { "alignment 2 GiB", { { BZ_KERNEL_ALIGNMENT, 4, 1u << 31 } }, PVBOOT_E_MALFORMED, "kernel_alignment 0x80000000" },
    { "alignment 3, relocatable, 2.05",
      { { BZ_KERNEL_ALIGNMENT, 4, 3 }, { BZ_VERSION, 2, 0x0205 } },
      PVBOOT_E_MALFORMED,
      "kernel_alignment 0x3" },
    { "alignment 3 under 2.04 is no field", { { BZ_KERNEL_ALIGNMENT, 4, 3 }, { BZ_VERSION, 2, 0x0204 } }, 0, "" },
    { "init_size 0", { { BZ_INIT_SIZE, 4, 0 } }, PVBOOT_E_MALFORMED, "init_size is 0" },
    { "init_size 4 GiB - 1 is the planner's affair", { { BZ_INIT_SIZE, 4, UINT32_MAX } }, 0, "" },
    { "window up to the last byte",
      { { BZ_PREF_ADDRESS, 8, UINT64_MAX - 0x1fffff }, { BZ_INIT_SIZE, 4, 0x1fffff } },
      0,
      "" },
    { "window one too far",
      { { BZ_PREF_ADDRESS, 8, UINT64_MAX - 0x1fffff }, { BZ_INIT_SIZE, 4, 0x200000 } },
      PVBOOT_E_MALFORMED,
      "wraps" },
    { "only its alignment wraps",
      { { BZ_PREF_ADDRESS, 8, UINT64_MAX - 0x1ffffe }, { BZ_INIT_SIZE, 4, 1 } },
      PVBOOT_E_MALFORMED,
      "wraps" },
    { "pref_address wraps when aligned", { { BZ_PREF_ADDRESS, 8, UINT64_MAX } }, PVBOOT_E_MALFORMED, "wraps" },
    { "syssize 16 bytes past the file", { { BZ_SYSSIZE, 4, 0x1000 } }, PVBOOT_E_MALFORMED, "syssize says 65536" },
    { "syssize whose bytes pass 2^32",
      { { BZ_SYSSIZE, 4, UINT32_MAX } },
      PVBOOT_E_MALFORMED,
      "syssize says 68719476720" },
    { "syssize 0 means the rest", { { BZ_SYSSIZE, 4, 0 } }, 0, "" },
    { "kernel_version past the setup", { { BZ_KERNEL_VERSION, 2, 0x0800 } }, 0, "" },
    { "kernel_version far out", { { BZ_KERNEL_VERSION, 2, 0xffff } }, 0, "" },
    { "kernel_info past the file", { { BZ_KERNEL_INFO, 4, UINT32_MAX } }, 0, "" },
    { "wild pointers for us to fill in",
      { { BZ_SETUP_DATA, 8, UINT64_MAX }, { BZ_RAMDISK_IMAGE, 8, UINT64_MAX } },
      0,
      "" },
    { "wild command line", { { BZ_CMD_LINE_PTR, 4, UINT32_MAX } }, 0, "" },
    { "payload at the end of the kernel part",
      { { BZ_PAYLOAD_OFFSET, 4, 0x7fffffff } },
      PVBOOT_E_MALFORMED,
      "payload 0x7fffffff" },
    { "payload ends past it", { { BZ_PAYLOAD_LENGTH, 4, 0x10000 } }, PVBOOT_E_MALFORMED, "payload 0x400+0x10000" },
    { "payload wraps 2^32", { { BZ_PAYLOAD_LENGTH, 4, UINT32_MAX } }, PVBOOT_E_MALFORMED, "payload 0x400+0xffffffff" },
    { "payload of 0 bytes", { { BZ_PAYLOAD_LENGTH, 4, 0 } }, PVBOOT_E_MALFORMED, "payload_length 0" },
    { "payload of 1 byte", { { BZ_PAYLOAD_LENGTH, 4, 1 } }, PVBOOT_E_MALFORMED, "payload_length 1" },
    { "payload of 4 bytes", { { BZ_PAYLOAD_LENGTH, 4, 4 } }, PVBOOT_E_MALFORMED, "payload_length 4" },
    { "no payload at all", { { BZ_PAYLOAD_LENGTH, 4, 0 }, { BZ_PAYLOAD_OFFSET, 4, 0 } }, 0, "" },
};

static void rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_kernel k;
        struct pvboot_error e = { 0 };
        struct mk m = mk_copy(&good);
        int rc;

        mk_pokes(&m, row[i].poke, 2);
        rc = pvboot_kernel_parse(&k, mk_bytes(&m), &e);
        if (rc != -row[i].code || e.code != row[i].code || !strstr(e.text, row[i].says))
            fail_msg("%s: %d, not %d: %s", row[i].name, rc, -row[i].code, e.text);
        if (!rc && k.image.bz.setup_sects != 4)
            fail_msg("%s: setup_sects %u", row[i].name, k.image.bz.setup_sects);
        pvboot_kernel_dispose(&k);
        mk_free(&m);
    }
}

/* Where the kernel part ends, to the byte. */
static void payload_at_the_end(void **state)
{
    const uint32_t end = (uint32_t)(good.len - BZ_KERNEL);
    const struct {
        uint32_t off, bytes;
        int code;
    } at[] = {
        { end - 8, 8, 0 },
        { end - 8, 9, PVBOOT_E_MALFORMED },
        { end - 7, 8, PVBOOT_E_MALFORMED },
        { end, 8, PVBOOT_E_MALFORMED },
        { end, 1, PVBOOT_E_MALFORMED },
        { end, 0, PVBOOT_E_MALFORMED },
        { end + 1, 8, PVBOOT_E_MALFORMED },
        { end - 8, 0u - (end - 8), PVBOOT_E_MALFORMED }, /* the sum is 2^32 */
        { end - 8, 0u - (end - 8) + 8, PVBOOT_E_MALFORMED },
        { UINT32_MAX - 7, 8, PVBOOT_E_MALFORMED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        struct pvboot_kernel k;
        struct pvboot_error e = { 0 };
        struct mk m = mk_copy(&good);
        int rc;

        mk_le(&m, BZ_PAYLOAD_OFFSET, 4, at[i].off);
        mk_le(&m, BZ_PAYLOAD_LENGTH, 4, at[i].bytes);
        rc = pvboot_kernel_parse(&k, mk_bytes(&m), &e);
        if (rc != -at[i].code || (rc && !strstr(e.text, "payload")))
            fail_msg("0x%x+0x%x of 0x%x: %d, not %d: %s", at[i].off, at[i].bytes, end, rc, -at[i].code, e.text);
        pvboot_kernel_dispose(&k);
        mk_free(&m);
    }
}

/* Text and kernel_info that are not there, or only in part, are left out without a word: nothing depends on them. */
static void extras_that_are_not_there(void **state)
{
    const uint32_t end = (uint32_t)(good.len - BZ_KERNEL);
    const struct {
        struct mk_poke poke[1];
        const char *version;
        uint32_t setup_type_max;
    } at[] = {
        { { { BZ_KERNEL_VERSION, 2, 0 } }, "", 0x80000009 },
        { { { BZ_KERNEL_VERSION, 2, 0x07fe } }, "x", 0x80000009 }, /* the last two bytes of 4 sectors and the first */
        { { { BZ_KERNEL_VERSION, 2, 0x0800 } }, "", 0x80000009 },
        { { { BZ_KERNEL_VERSION, 2, 0xffff } }, "", 0x80000009 },
        { { { BZ_KERNEL_INFO, 4, end - 16 } }, "6.1.0-test (someone) #1", 7 },
        { { { BZ_KERNEL_INFO, 4, end - 15 } }, "6.1.0-test (someone) #1", 0 },
        { { { BZ_KERNEL_INFO, 4, end } }, "6.1.0-test (someone) #1", 0 },
        { { { BZ_KERNEL_INFO, 4, UINT32_MAX } }, "6.1.0-test (someone) #1", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        struct pvboot_kernel k;
        struct pvboot_error e = { 0 };
        struct mk m = mk_copy(&good);

        mk_put(&m, BZ_KERNEL - 2, "x\0code", 7);
        mk_put(&m, m.len - 16, "LToP\x10\0\0\0\x10\0\0\0\7\0\0\0", 16);
        mk_pokes(&m, at[i].poke, 1);
        assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &e), 0);
        assert_string_equal(k.image.bz.kernel_version, at[i].version);
        assert_int_equal(k.image.bz.setup_type_max, at[i].setup_type_max);
        assert_string_equal(e.text, "");
        pvboot_kernel_dispose(&k);
        mk_free(&m);
    }
}

/* Every length up to the whole file: never accepted before it is whole, never read past. */
static void cut_short(void **state)
{
    (void)state;
    for (size_t len = 0; len < good.len; len += len < 0x300 ? 1 : 61) {
        struct pvboot_kernel k;
        struct pvboot_error e = { 0 };
        struct mk m = mk_copy(&good);
        int rc, want = len ? -PVBOOT_E_MALFORMED : -PVBOOT_E_UNREADABLE;

        mk_cut(&m, len);
        if (len + 16 > good.len) /* the last paragraph's padding may be absent */
            want = 0;
        rc = pvboot_kernel_parse(&k, mk_bytes(&m), &e);
        if (rc != want)
            fail_msg("%zu bytes: %d, not %d: %s", len, rc, want, e.text);
        if (len && len < 0x26c && !strstr(e.text, "too short for a setup header"))
            fail_msg("%zu bytes: %s", len, e.text);
        pvboot_kernel_dispose(&k);
        mk_free(&m);
    }
}

static void signature_is_not_kernel(void **state)
{
    struct pvboot_kernel k;
    struct pvboot_error e = { 0 };
    struct mk m = mk_copy(&good);

    (void)state;
    mk_put(&m, m.len, "a signature", 11);
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &e), 0);
    assert_int_equal(k.image.bz.kernel_bytes, good.len - 0xa00);
    pvboot_kernel_dispose(&k);
    mk_free(&m);
}

static void version_text_is_bounded(void **state)
{
    struct pvboot_kernel k;
    struct pvboot_error e = { 0 };
    struct mk m = mk_copy(&good);

    (void)state;
    mk_put(&m, BZ_VERSION_TEXT, "6.1\x1b[31m\n", 10);
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &e), 0);
    assert_string_equal(k.image.bz.kernel_version, "6.1\\x1b[31m\\x0a");
    memset(m.p + BZ_VERSION_TEXT, 'v', BZ_KERNEL - BZ_VERSION_TEXT); /* no NUL in the whole setup */
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &e), 0);
    assert_int_equal(strlen(k.image.bz.kernel_version), 127);
    mk_le(&m, BZ_KERNEL_VERSION, 2, 0x0800); /* first byte past 4 sectors */
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &e), 0);
    assert_string_equal(k.image.bz.kernel_version, "");
    mk_free(&m);
}

static void header_limits_are_ours_too(void **state)
{
    struct pvboot_kernel k;
    struct pvboot_error e = { 0 };
    struct mk m = mk_copy(&good);

    (void)state;
    mk_le(&m, BZ_CMDLINE_SIZE, 4, UINT32_MAX);
    mk_le(&m, BZ_INITRD_ADDR_MAX, 4, 0);
    mk_le(&m, BZ_XLOADFLAGS, 2, 0x01);
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &e), 0);
    assert_int_equal(k.image.bz.cmdline_max, 4096);
    assert_int_equal(k.image.bz.initrd_addr_max, 0x37ffffff);
    assert_int_equal(k.image.bz.window.max_gpa, UINT32_MAX);
    mk_le(&m, BZ_KERNEL + BZ_INFO, 1, 'X');
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &e), 0);
    assert_int_equal(k.image.bz.setup_type_max, 0);
    mk_free(&m);
}

static void opens_a_file(void **state)
{
    char path[] = "/tmp/pvboot-unit.XXXXXX";
    int fd = mkstemp(path);
    struct pvboot_kernel k;
    struct pvboot_error e = { 0 };

    (void)state;
    assert_int_equal(write(fd, good.p, good.len), good.len);
    assert_int_equal(pvboot_kernel_open(&k, path, &e), 0);
    assert_true(k.image.has_bzimage && k.file.p != good.p);
    assert_memory_equal(k.file.p, good.p, good.len);
    assert_int_equal(pvboot_kernel_unpack(&k, &e), 0);
    pvboot_kernel_dispose(&k);
    pvboot_kernel_dispose(&k);
    assert_int_equal(ftruncate(fd, 700), 0);
    assert_int_equal(pvboot_kernel_open(&k, path, &e), -PVBOOT_E_MALFORMED);
    assert_string_equal(e.file, path);
    assert_null(k.file.p);
    unlink(path);
    e = (struct pvboot_error){ 0 };
    assert_int_equal(pvboot_kernel_open(&k, path, &e), -PVBOOT_E_UNREADABLE);
    assert_string_equal(e.file, path);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_2_15),
        cmocka_unit_test(fields_appear_with_their_protocol),
        cmocka_unit_test(rows),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(payload_at_the_end),
        cmocka_unit_test(extras_that_are_not_there),
        cmocka_unit_test(signature_is_not_kernel),
        cmocka_unit_test(version_text_is_bounded),
        cmocka_unit_test(header_limits_are_ours_too),
        cmocka_unit_test(opens_a_file),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

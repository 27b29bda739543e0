/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What people have around a kernel, written by the offsets of Microsoft's PE format ("COFF File Header", "Section Table") and
 * of Linux's zboot-header.S; streams by the tools themselves.
 */
#include "mkimage.h"

#include <pvboot/plan.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define M PVBOOT_E_MALFORMED
#define U PVBOOT_E_UNSUPPORTED
#define L PVBOOT_E_LIMIT

enum { PE = 0x80, MACHINE = PE + 4, SECTIONS = PE + 6, OPTIONAL_BYTES = PE + 20, TABLE = PE + 24, DATA = 0x1000 };
#define SECTION(i, field) (TABLE + 40u * (unsigned)(i) + (field))
enum { S_BYTES = 8, S_FILE_BYTES = 16, S_FILE_OFF = 20 };

static struct mk elf, bzimage;
static struct pvboot_kernel k;
static struct pvboot_error err;

static int setup(void **state)
{
    struct mk payload;

    (void)state;
    elf = mk_elf(64, 0x2000);
    payload = mk_pack(PVBOOT_CODEC_GZIP, &elf);
    bzimage = mk_bzimage(&payload);
    mk_free(&payload);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mk_free(&elf);
    mk_free(&bzimage);
    return 0;
}

static int parse(const struct mk *m, uint64_t max)
{
    pvboot_kernel_dispose(&k);
    err = (struct pvboot_error){ 0 };
    return pvboot_kernel_parse_within(&k, mk_bytes(m), max, &err);
}

static struct mk pe_file(void)
{
    struct mk m = { 0 };

    mk_put(&m, 0, "MZ", 2);
    mk_le(&m, 0x3c, 4, PE);
    mk_put(&m, PE, "PE\0\0", 4);
    mk_le(&m, MACHINE, 2, 0x8664);
    mk_put(&m, DATA, NULL, 0);
    return m;
}

static void add_section(struct mk *m, const char *name, const void *p, size_t n)
{
    unsigned i = m->p[SECTIONS];
    size_t off = (m->len + 511) / 512 * 512;

    m->p[SECTIONS]++;
    mk_put(m, SECTION(i, 0), name, strlen(name));
    mk_le(m, SECTION(i, S_BYTES), 4, n);
    mk_le(m, SECTION(i, S_FILE_BYTES), 4, (n + 511) / 512 * 512);
    mk_le(m, SECTION(i, S_FILE_OFF), 4, off);
    mk_put(m, off, p, n);
    mk_cut(m, off + (n + 511) / 512 * 512);
}

/* As ukify makes them. */
static struct mk uki(void)
{
    struct mk m = pe_file();

    add_section(&m, ".osrel", "ID=debian\n", 10);
    add_section(&m, ".cmdline", " console=hvc0\nquiet \n", 21);
    add_section(&m, ".ucode", "070701u", 7);
    add_section(&m, ".initrd", "070701initrd", 12);
    add_section(&m, ".linux", bzimage.p, bzimage.len);
    return m;
}

static void assert_bytes(uint64_t off, uint64_t n, const char *want)
{
    assert_int_equal(n, strlen(want));
    assert_memory_equal(k.whole.p + off, want, n);
}

static void unified(void **state)
{
    struct mk m = uki();
    const struct pvboot_wrapper *w = &k.image.wrapper;

    (void)state;
    assert_int_equal(parse(&m, 0), 0);
    assert_int_equal(w->kind, PVBOOT_WRAPPER_UKI);
    assert_int_equal(k.image.format, PVBOOT_FORMAT_BZIMAGE);
    assert_int_equal(k.image.file_bytes, m.len);
    assert_int_equal(k.file.len, bzimage.len);
    assert_memory_equal(k.file.p, bzimage.p, bzimage.len);
    assert_int_equal(k.image.bz.protocol, 0x20f);
    assert_string_equal(w->cmdline, "console=hvc0 quiet");
    assert_bytes(w->part[PVBOOT_PART_UCODE].off, w->part[PVBOOT_PART_UCODE].bytes, "070701u");
    assert_bytes(w->part[PVBOOT_PART_INITRD].off, w->part[PVBOOT_PART_INITRD].bytes, "070701initrd");
    assert_bytes(w->part[PVBOOT_PART_OSREL].off, w->part[PVBOOT_PART_OSREL].bytes, "ID=debian\n");
    assert_int_equal(w->part[PVBOOT_PART_UNAME].bytes, 0);
    assert_int_equal(w->profiles, 0);
    assert_int_equal(pvboot_kernel_unpack(&k, &err), 0);
    assert_int_equal(k.image.elf.notes.phys32_entry, 0x1000850);
    mk_free(&m);
}

/* Sections before any .profile are everybody's, unless the profile has its own; of two of one name the first counts. */
static void profiles(void **state)
{
    struct mk m = uki();

    (void)state;
    add_section(&m, ".cmdline", "second of a name", 16);
    add_section(&m, ".profile", "ID=main", 7);
    add_section(&m, ".cmdline", "first", 5);
    add_section(&m, ".profile", "ID=factory", 10);
    add_section(&m, ".cmdline", "second", 6);
    add_section(&m, ".initrd", "other", 5);
    assert_int_equal(parse(&m, 0), 0);
    assert_int_equal(k.image.wrapper.profiles, 2);
    assert_string_equal(k.image.wrapper.cmdline, "first");
    assert_int_equal(k.image.wrapper.part[PVBOOT_PART_INITRD].bytes, 12);
    mk_free(&m);
}

static void bad_pe(void **state)
{
    static const struct {
        const char *name;
        struct mk_poke poke;
        int code;
        const char *says;
    } row[] = {
        { "as it is", { 0 }, 0, "" },
        { "machine arm64", { MACHINE, 2, 0xaa64 }, U, "machine 0xaa64" },
        { "97 sections", { SECTIONS, 2, 97 }, L, "97 sections, limit 96" },
        { "96 sections, no more in the file", { OPTIONAL_BYTES, 2, 0xffff }, M, "PE section table 0x10097" },
        { "no section", { SECTIONS, 2, 0 }, U, "without a section .linux" },
        { "no .linux", { SECTION(4, 1), 1, 'L' }, U, "without a section .linux" },
        { ".linux of no bytes", { SECTION(4, S_FILE_BYTES), 4, 0 }, U, "without a section .linux" },
        { ".linux behind the file", { SECTION(4, S_FILE_OFF), 4, 0xfffffff0 }, M, "section .linux at 0xfffffff0" },
        { ".initrd behind the file", { SECTION(3, S_FILE_OFF), 4, 0x7fffffff }, M, "section .initrd at 0x7fffffff" },
        { "header behind the file", { 0x3c, 4, 0xfffffff0 }, U, "a DOS program" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct mk m = uki();
        int rc;

        mk_pokes(&m, &row[i].poke, 1);
        rc = parse(&m, 0);
        if (rc != -row[i].code || !strstr(err.text, row[i].says))
            fail_msg("%s: %d, not %d: %s", row[i].name, rc, -row[i].code, err.text);
        mk_free(&m);
    }
}

/* A header is cut everywhere; what is cut behind it is one of the sections. */
static void cut_pe(void **state)
{
    (void)state;
    for (size_t len = 0x206; len < DATA + 512; len += 13) {
        struct mk m = uki();
        int rc;

        mk_cut(&m, len);
        rc = parse(&m, 0);
        if (rc != -M && rc != -U)
            fail_msg("%zu bytes: %d: %s", len, rc, err.text);
        mk_free(&m);
    }
}

static void long_cmdline(void **state)
{
    char text[PVBOOT_CMDLINE_MAX + 1];

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t over = 0; over < 2; over++) {
        struct mk m = pe_file();

        add_section(&m, ".linux", elf.p, elf.len);
        add_section(&m, ".cmdline", text, PVBOOT_CMDLINE_MAX + over);
        assert_int_equal(parse(&m, 0), over ? -L : 0);
        if (!over)
            assert_int_equal(strlen(k.image.wrapper.cmdline), PVBOOT_CMDLINE_MAX);
        mk_free(&m);
    }
}

static const char *const tool[] = {
    [PVBOOT_CODEC_GZIP] = "gzip -n", [PVBOOT_CODEC_BZIP2] = "bzip2", [PVBOOT_CODEC_LZMA] = "xz --format=lzma",
    [PVBOOT_CODEC_XZ] = "xz",        [PVBOOT_CODEC_LZO] = "lzop -c", [PVBOOT_CODEC_LZ4] = "lz4 -q -l - -",
    [PVBOOT_CODEC_ZSTD] = "zstd -q",
};

static bool built_in(enum pvboot_codec codec)
{
#ifdef HAVE_LZO
    (void)codec;
    return true;
#else
    return codec != PVBOOT_CODEC_LZO;
#endif
}

/* As each tool packs a file, from a pipe, so that hardly any says a size. */
static void packed(void **state)
{
    const struct mk *const inside[] = { &elf, &bzimage };

    (void)state;
    for (enum pvboot_codec c = PVBOOT_CODEC_GZIP; c < PVBOOT_CODEC_UNKNOWN; c++)
        for (size_t i = 0; built_in(c) && i < 2; i++) {
            struct mk m = mk_run(tool[c], inside[i]);

            if (parse(&m, 0) || pvboot_kernel_unpack(&k, &err))
                fail_msg("%s: %s", tool[c], err.text);
            assert_int_equal(k.image.wrapper.kind, PVBOOT_WRAPPER_PACKED);
            assert_int_equal(k.image.wrapper.codec, c);
            assert_int_equal(k.image.wrapper.kernel_bytes, inside[i]->len);
            assert_int_equal(k.file.len, inside[i]->len);
            assert_memory_equal(k.file.p, inside[i]->p, k.file.len);
            assert_memory_equal(k.elf.p, elf.p, elf.len);
            mk_cut(&m, m.len - m.len / 3);
            assert_int_equal(parse(&m, 0), -M);
            mk_free(&m);
        }
}

static void zboot(void **state)
{
    (void)state;
    for (enum pvboot_codec c = PVBOOT_CODEC_GZIP; c < PVBOOT_CODEC_UNKNOWN; c++) {
        struct mk payload, m = pe_file();

        if (!built_in(c))
            continue;
        payload = mk_pack(c, &elf);
        mk_put(&m, 4, "zimg", 4);
        mk_le(&m, 8, 4, DATA);
        mk_le(&m, 12, 4, payload.len - (c == PVBOOT_CODEC_GZIP ? 0 : 4));
        mk_put(&m, 24, pvboot_codec_name(c), strlen(pvboot_codec_name(c)));
        mk_put(&m, DATA, payload.p, payload.len);
        if (parse(&m, 0))
            fail_msg("%s: %s", pvboot_codec_name(c), err.text);
        assert_int_equal(k.image.wrapper.kind, PVBOOT_WRAPPER_ZBOOT);
        assert_int_equal(k.image.wrapper.off, DATA);
        assert_memory_equal(k.elf.p, elf.p, elf.len);
        mk_le(&m, 12, 4, m.len);
        assert_int_equal(parse(&m, 0), -M);
        mk_le(&m, 12, 4, 0);
        assert_int_equal(parse(&m, 0), -M);
        mk_free(&m);
        mk_free(&payload);
    }
}

/* One wrapper, and the payload of what is in it. */
static void nesting(void **state)
{
    struct mk once = mk_run("gzip -n", &elf), twice = mk_run("gzip -n", &once), m = uki(), in_gzip, of_gzip = pe_file();

    (void)state;
    assert_int_equal(parse(&twice, 0), -L);
    assert_non_null(strstr(err.text, "gzip in another wrapper: gzip; limit 1"));
    in_gzip = mk_run("gzip -n", &m);
    assert_int_equal(parse(&in_gzip, 0), -L);
    assert_non_null(strstr(err.text, "PE file in another wrapper"));
    add_section(&of_gzip, ".linux", once.p, once.len);
    assert_int_equal(parse(&of_gzip, 0), -L);
    mk_free(&once);
    mk_free(&twice);
    mk_free(&m);
    mk_free(&in_gzip);
    mk_free(&of_gzip);
}

/* What is around the kernel counts as the payload does, and both together. */
static void unpacked_limits(void **state)
{
    struct mk m = mk_run("gzip -n", &bzimage), plain = mk_run("zstd -q", &elf), bomb = { 0 }, packed_bomb;
    size_t page = (bzimage.len + 4095) / 4096 * 4096;

    (void)state;
    assert_int_equal(parse(&plain, elf.len), 0);
    assert_int_equal(parse(&plain, elf.len - 1), -L);
    assert_int_equal(parse(&m, bzimage.len), 0);
    assert_int_equal(pvboot_kernel_unpack(&k, &err), -L);
    assert_int_equal(parse(&m, page + elf.len), 0);
    assert_int_equal(pvboot_kernel_unpack(&k, &err), 0);
    assert_int_equal(parse(&m, page + elf.len - 1), 0);
    assert_int_equal(pvboot_kernel_unpack(&k, &err), -L);
    mk_put(&bomb, 65 << 20, NULL, 0); /* one over the floor, of 65 kB: over a hundred times as much */
    packed_bomb = mk_run("gzip -n -9", &bomb);
    assert_int_equal(parse(&packed_bomb, 0), -L);
    assert_non_null(strstr(err.text, "more than 67108864"));
    mk_free(&m);
    mk_free(&plain);
    mk_free(&bomb);
    mk_free(&packed_bomb);
}

static void known_by_name(void **state)
{
    static const struct {
        size_t off;
        const char *magic, *says;
    } row[] = {
        { 56, "ARM\x64", "an arm64 Image" },
        { 0, "\x27\x05\x19\x56", "a uImage" },
        { 0, "QFI\xfb", "a qcow2" },
        { 0x8001, "CD001", "an ISO 9660" },
        { 257, "ustar", "a tar archive" },
        { 0, "070701", "a cpio archive" },
        { 0, "#!/bin/sh", "a script" },
        { 0, "hsqs", "a squashfs" },
        { 0x1fe, "\x55\xaa", "a disk image or boot sector" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct mk m = { 0 }, packed_up;

        mk_put(&m, 0x9000, NULL, 0);
        mk_put(&m, row[i].off, row[i].magic, strlen(row[i].magic));
        if (parse(&m, 0) != -U || !strstr(err.text, row[i].says) || !strstr(err.text, "not a bzImage or ELF kernel: "))
            fail_msg("%s: %s", row[i].says, err.text);
        packed_up = mk_run("gzip", &m);
        if (parse(&packed_up, 0) != -U || !strstr(err.text, row[i].says) || !strstr(err.text, "gzip with no bzImage"))
            fail_msg("packed %s: %s", row[i].says, err.text);
        mk_free(&m);
        mk_free(&packed_up);
    }
}

/* What it brings along goes before, its command line only where there is none. */
static void embedded(void **state)
{
    struct pvboot_request req = { .n_ramdisks = 1, .ramdisk = { { (const uint8_t *)"070701x", 7 } } };
    struct pvboot_plan plan = { 0 };
    struct mk m = uki();

    (void)state;
    assert_int_equal(parse(&m, 0), 0);
    assert_int_equal(pvboot_request_embedded(&req, &k, &err), 0);
    assert_int_equal(req.n_ramdisks, 3);
    assert_memory_equal(req.ramdisk[0].p, "070701u", 7);
    assert_memory_equal(req.ramdisk[1].p, "070701initrd", 12);
    assert_memory_equal(req.ramdisk[2].p, "070701x", 7);
    assert_string_equal(req.cmdline, "console=hvc0 quiet");
    pvboot_plan_remark_inputs(&plan, &k, &req);
    assert_non_null(strstr(plan.notes[0], ".ucode (7 bytes) and .initrd (12)"));
    assert_string_equal(plan.notes[1], "");
    req.cmdline = "given";
    req.n_ramdisks = PVBOOT_RAMDISKS_MAX - 1;
    assert_int_equal(pvboot_request_embedded(&req, &k, &err), -L);
    req.n_ramdisks = 1;
    req.ramdisk[0] = (struct pvboot_bytes){ (const uint8_t *)"text", 4 };
    assert_int_equal(pvboot_request_embedded(&req, &k, &err), 0);
    assert_string_equal(req.cmdline, "given");
    memset(&plan, 0, sizeof(plan));
    pvboot_plan_remark_inputs(&plan, &k, &req);
    assert_non_null(strstr(plan.notes[0], "replaces"));
    assert_non_null(strstr(plan.notes[2], "ramdisk 3 of 3 is no cpio archive"));
    assert_non_null(strstr(plan.notes[2], "74 65 78 74"));
    mk_free(&m);
}

static int done(void **state)
{
    pvboot_kernel_dispose(&k);
    return teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unified),       cmocka_unit_test(profiles),     cmocka_unit_test(bad_pe),
        cmocka_unit_test(cut_pe),        cmocka_unit_test(long_cmdline), cmocka_unit_test(packed),
        cmocka_unit_test(zboot),         cmocka_unit_test(nesting),      cmocka_unit_test(unpacked_limits),
        cmocka_unit_test(known_by_name), cmocka_unit_test(embedded),
    };

    return cmocka_run_group_tests(tests, setup, done);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* A kernel that is held: the parser is shown pieces, if these are all it speaks of; else, or if it objects, all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../unit/mkimage.h"
#include "surroundings.h"

#include <pvboot/confine.h>
#include <stdio.h>
#include <unistd.h>

#define PAYLOAD (2u << 20)
#define MIDDLE (1u << 20)

static char helper[4096], path[] = "/tmp/pvboot-held.XXXXXX";

/* What may be wrong with a bzImage of which the middle is not shown. */
static const struct row {
    const char *name;
    struct mk_poke poke;
    size_t signature;      /* bytes behind the kernel */
    enum pvboot_path path; /* to be parsed for */
    int code;
    bool by_pieces;
} rows[] = {
    { "plain", { 0 }, 0, PVBOOT_PATH_LINUX64, 0, true },
    { "plain, 32", { 0 }, 4096, PVBOOT_PATH_LINUX32, 0, true },
    { "auto", { 0 }, 0, PVBOOT_PATH_AUTO, 0, true },
    { "auto, with no 64-bit entry", { BZ_XLOADFLAGS, 2, 0 }, 0, PVBOOT_PATH_AUTO, 0, true },
    { "auto, with its ELF alone", { BZ_VERSION, 2, 0x0205 }, 0, PVBOOT_PATH_AUTO, -PVBOOT_E_UNSUPPORTED, false },
    { "the stub's, which it is not", { 0 }, 0, PVBOOT_PATH_STUB, 0, true },
    { "kernel_info in the middle", { BZ_KERNEL_INFO, 4, MIDDLE }, 0, PVBOOT_PATH_LINUX64, 0, true },
    { "payload from the middle", { BZ_PAYLOAD_OFFSET, 4, MIDDLE }, 0, PVBOOT_PATH_LINUX64, -PVBOOT_E_MALFORMED, false },
    { "payload in the middle", { BZ_PAYLOAD_OFFSET, 8, MIDDLE | 4096ull << 32 }, 0, PVBOOT_PATH_LINUX64, 0, false },
    { "trailer in the middle", { BZ_PAYLOAD_LENGTH, 4, MIDDLE }, 0, PVBOOT_PATH_LINUX64, 0, true },
    { "trailer before a long signature", { 0 }, 1u << 20, PVBOOT_PATH_LINUX64, 0, true },
    { "no header", { BZ_HEADER, 4, 0 }, 0, PVBOOT_PATH_LINUX64, -PVBOOT_E_UNSUPPORTED, false },
    { "for its ELF", { 0 }, 0, PVBOOT_PATH_VMLINUX64, -PVBOOT_E_LIMIT, false },
};

static struct mk make(const struct row *r)
{
    struct mk payload = { 0 }, image;

    mk_le(&payload, 0, 4, 0x8b1f); /* gzip's magic, and nothing of gzip */
    for (size_t i = 4; i < PAYLOAD; i++)
        mk_le(&payload, i, 1, i % 251 + 1);
    image = mk_bzimage(&payload);
    mk_free(&payload);
    if (r->poke.width)
        mk_pokes(&image, &r->poke, 1);
    if (r->signature)
        mk_le(&image, image.len + r->signature - 1, 1, 1);
    return image;
}

static void write_file(const struct mk *image)
{
    FILE *f = fopen(path, "w");

    assert_int_equal(fwrite(image->p, 1, image->len, f), image->len);
    fclose(f);
}

static void judge(const struct row *r, enum pvboot_show show, enum pvboot_sandbox sandbox)
{
    struct pvboot_confine c = { .helper = helper, .path = r->path, .sandbox = sandbox };
    struct pvboot_error e = { 0 }, said = { 0 };
    struct pvboot_kernel k, whole;
    struct mk image = make(r);
    struct pvboot_file f;
    int rc;

    write_file(&image);
    assert_int_equal(pvboot_file_hold(&f, path, PVBOOT_KERNEL_MAX, show, &e), 0);
    if (!f.held)
        skip();
    rc = pvboot_kernel_confine(&k, &f, &c, &e);
    if (rc != r->code || (!rc && !!k.file_from.get != r->by_pieces) || f.held != r->by_pieces)
        fail_msg("%s: %d, %s, %s", r->name, rc, f.held ? "held" : "copied", e.text);
    rc = pvboot_kernel_parse(&whole, mk_bytes(&image), &said);
    if (!rc && pvboot_image_needs_elf(&whole.image, r->path))
        rc = pvboot_kernel_unpack(&whole, &said);
    assert_int_equal(rc, r->code);
    assert_string_equal(e.text, said.text);
    if (!rc)
        assert_memory_equal(&k.image, &whole.image, sizeof(k.image));
    pvboot_kernel_dispose(&whole);
    pvboot_kernel_dispose(&k);
    pvboot_file_dispose(&f);
    mk_free(&image);
}

static void test_rows(void **state)
{
    struct surroundings before;

    (void)state;
    judge(&rows[0], PVBOOT_SHOW_HEADERS, PVBOOT_SANDBOX_BEST); /* the helper's program stays open */
    surroundings_take(&before);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        judge(&rows[i], PVBOOT_SHOW_HEADERS, PVBOOT_SANDBOX_BEST);
        judge(&rows[i], PVBOOT_SHOW_BEGINNING, PVBOOT_SANDBOX_BEST);
        judge(&rows[i], PVBOOT_SHOW_HEADERS, PVBOOT_SANDBOX_OFF);
    }
    surroundings_assert(&before, "held");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    int failed, fd;

    if (argc != 2)
        return 64;
    fd = mkstemp(path);
    close(fd);
    pvboot_confine_helper(argv[1], helper, sizeof(helper));
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}

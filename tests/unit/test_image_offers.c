/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which boot paths a kernel offers, why not the others, and where the vCPU would start. */
#include "mkimage.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct pvboot_image bz, vmlinux, vmlinux32;

static struct pvboot_image image_of(const struct mk *m)
{
    struct pvboot_kernel k;
    struct pvboot_error e = { 0 };
    struct pvboot_image img;

    if (pvboot_kernel_parse(&k, mk_bytes(m), &e) || pvboot_kernel_unpack(&k, &e))
        fail_msg("%s", e.text);
    img = k.image;
    pvboot_kernel_dispose(&k);
    return img;
}

static int setup(void **state)
{
    struct mk elf = mk_elf(64, 0x2000), elf32 = mk_elf(32, 0x2000), payload = mk_pack(PVBOOT_CODEC_GZIP, &elf);
    struct mk file = mk_bzimage(&payload);

    (void)state;
    bz = image_of(&file);
    vmlinux = image_of(&elf);
    vmlinux32 = image_of(&elf32);
    mk_free(&file);
    mk_free(&payload);
    mk_free(&elf32);
    mk_free(&elf);
    return 0;
}

static void refuses(const struct pvboot_image *img, enum pvboot_path path, const char *says)
{
    char why[160] = "?";

    if (pvboot_image_offers(img, path, why, sizeof(why)) || !strstr(why, says))
        fail_msg("%s: \"%s\", not \"%s\"", pvboot_path_name(path), why, says);
}

static void offers(const struct pvboot_image *img, enum pvboot_path path)
{
    char why[160] = "?";

    if (!pvboot_image_offers(img, path, why, sizeof(why)) || why[0])
        fail_msg("%s: %s", pvboot_path_name(path), why);
}

static void a_stock_bzimage(void **state)
{
    (void)state;
    offers(&bz, PVBOOT_PATH_LINUX32);
    offers(&bz, PVBOOT_PATH_LINUX64);
    offers(&bz, PVBOOT_PATH_VMLINUX64);
    offers(&bz, PVBOOT_PATH_PVH);
    offers(&bz, PVBOOT_PATH_AUTO);
    refuses(&bz, PVBOOT_PATH_STUB, "no pvboot note");
    refuses(&bz, PVBOOT_PATHS, "no such path");
}

static void bare_elfs(void **state)
{
    (void)state;
    offers(&vmlinux, PVBOOT_PATH_PVH);
    offers(&vmlinux, PVBOOT_PATH_VMLINUX64);
    offers(&vmlinux, PVBOOT_PATH_AUTO);
    refuses(&vmlinux, PVBOOT_PATH_LINUX32, "an ELF file, not a bzImage");
    refuses(&vmlinux, PVBOOT_PATH_LINUX64, "an ELF file, not a bzImage");
    offers(&vmlinux32, PVBOOT_PATH_PVH);
    refuses(&vmlinux32, PVBOOT_PATH_VMLINUX64, "32-bit ELF");
}

static void by_protocol(void **state)
{
    static const struct {
        uint16_t protocol, xloadflags;
        const char *linux32, *linux64; /* NULL: offered */
    } row[] = {
        { 0x0205, 0, "boot protocol 2.05, needs 2.06", "boot protocol 2.05, needs 2.12" },
        { 0x0206, 0, NULL, "boot protocol 2.06, needs 2.12" },
        { 0x020b, 0x7f, NULL, "boot protocol 2.11, needs 2.12" },
        { 0x020c, 0x04, NULL, "xloadflags 0x4 has no XLF_KERNEL_64" },
        { 0x020c, 0x01, NULL, NULL },
        { 0x020f, 0x7e, NULL, "xloadflags 0x7e has no XLF_KERNEL_64" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = bz;

        img.bz.protocol = row[i].protocol;
        img.bz.xloadflags = row[i].xloadflags;
        if (row[i].linux32)
            refuses(&img, PVBOOT_PATH_LINUX32, row[i].linux32);
        else
            offers(&img, PVBOOT_PATH_LINUX32);
        if (row[i].linux64)
            refuses(&img, PVBOOT_PATH_LINUX64, row[i].linux64);
        else
            offers(&img, PVBOOT_PATH_LINUX64);
    }
}

/* iPXE's .lkrn: a setup header for boot loaders that start the 16-bit code, and no other way in. */
static void sixteen_bits_alone(void **state)
{
    struct pvboot_image img = bz;

    (void)state;
    img.bz.code32_start = 0;
    refuses(&img, PVBOOT_PATH_LINUX32, "code32_start is 0: it has 16-bit code alone");
    offers(&img, PVBOOT_PATH_LINUX64);
    img.bz.protocol = 0x0207;
    img.has_elf = false;
    img.bz.payload_bytes = 0;
    refuses(&img, PVBOOT_PATH_AUTO, "none of linux64, linux32 and pvh");
}

/* startup_64 is 0x200 bytes into the protected-mode part: there has to be a byte of it. */
static void without_startup_64(void **state)
{
    struct pvboot_image img = bz;

    (void)state;
    img.bz.kernel_bytes = 0x201;
    offers(&img, PVBOOT_PATH_LINUX64);
    img.bz.kernel_bytes = 0x200;
    refuses(&img, PVBOOT_PATH_LINUX64, "the protected-mode part of 512 bytes ends before startup_64 at 0x200");
    offers(&img, PVBOOT_PATH_LINUX32);
    offers(&img, PVBOOT_PATH_AUTO);
}

static void payloads_and_notes(void **state)
{
    struct pvboot_image img = bz;

    (void)state;
    img.elf.notes.has_phys32_entry = false;
    refuses(&img, PVBOOT_PATH_PVH, "no PHYS32_ENTRY note");
    offers(&img, PVBOOT_PATH_VMLINUX64);
    img.has_elf = false;
    refuses(&img, PVBOOT_PATH_PVH, "gzip payload has not been unpacked");
    img.bz.payload_bytes = 0;
    img.bz.protocol = 0x0207;
    refuses(&img, PVBOOT_PATH_VMLINUX64, "boot protocol 2.07) names no payload, which needs 2.08");
    img = vmlinux32;
    img.elf.notes.has_phys32_entry = false;
    refuses(&img, PVBOOT_PATH_AUTO, "none of linux64, linux32 and pvh");
}

/* A bare 64-bit ELF gets a zero page only if a note says that it is Linux; a bzImage's payload always is. */
static void which_elf_is_linux(void **state)
{
    struct pvboot_image img = vmlinux;

    (void)state;
    strcpy(img.elf.notes.guest_os, "Mini-OS");
    refuses(&img, PVBOOT_PATH_VMLINUX64, "GUEST_OS is \"Mini-OS\"");
    offers(&img, PVBOOT_PATH_PVH);
    img.elf.notes.linux_note = true; /* built without Xen support */
    offers(&img, PVBOOT_PATH_VMLINUX64);
    img.elf.entry_gpa = 0;
    refuses(&img, PVBOOT_PATH_VMLINUX64, "no entry point");
    img = bz;
    img.elf.notes.guest_os[0] = 0;
    offers(&img, PVBOOT_PATH_VMLINUX64);
}

static void our_stub(void **state)
{
    struct pvboot_image img = vmlinux32;

    (void)state;
    refuses(&img, PVBOOT_PATH_STUB, "no pvboot note");
    img.elf.notes.pvboot_stub = true;
    offers(&img, PVBOOT_PATH_STUB);
    img.elf.notes.has_phys32_entry = false;
    refuses(&img, PVBOOT_PATH_STUB, "no PHYS32_ENTRY");
    img = bz;
    img.elf.notes.pvboot_stub = true;
    refuses(&img, PVBOOT_PATH_STUB, "no pvboot note");
}

static void entries(void **state)
{
    (void)state;
    assert_int_equal(pvboot_image_entry(&bz, PVBOOT_PATH_LINUX32, 0x2000000), 0x2000000);
    assert_int_equal(pvboot_image_entry(&bz, PVBOOT_PATH_LINUX64, 0x2000000), 0x2000200);
    assert_int_equal(pvboot_image_entry(&bz, PVBOOT_PATH_VMLINUX64, 0x1000000), 0x1000000);
    assert_int_equal(pvboot_image_entry(&bz, PVBOOT_PATH_VMLINUX64, 0x2000000), 0x2000000);
    assert_int_equal(pvboot_image_entry(&bz, PVBOOT_PATH_PVH, 0x1000000), 0x1000850);
    assert_int_equal(pvboot_image_entry(&bz, PVBOOT_PATH_PVH, 0x800000), 0x800850); /* downwards too */
    assert_int_equal(pvboot_image_entry(&vmlinux, PVBOOT_PATH_STUB, 0x1200000), 0x1200850);
    assert_int_equal(pvboot_image_entry(&bz, PVBOOT_PATH_AUTO, 0x1000000), 0);
}

static void what_needs_the_elf(void **state)
{
    struct pvboot_image img = bz;

    (void)state;
    assert_true(pvboot_image_needs_elf(&bz, PVBOOT_PATH_PVH));
    assert_true(pvboot_image_needs_elf(&bz, PVBOOT_PATH_VMLINUX64));
    assert_false(pvboot_image_needs_elf(&bz, PVBOOT_PATH_LINUX32));
    assert_false(pvboot_image_needs_elf(&bz, PVBOOT_PATH_LINUX64));
    assert_false(pvboot_image_needs_elf(&bz, PVBOOT_PATH_AUTO));
    assert_false(pvboot_image_needs_elf(&bz, PVBOOT_PATH_STUB));
    assert_true(pvboot_image_needs_elf(&vmlinux, PVBOOT_PATH_STUB));
    assert_true(pvboot_image_needs_elf(&vmlinux, PVBOOT_PATH_AUTO));
    img.bz.protocol = 0x0205; /* only PVH is left to decide about */
    assert_true(pvboot_image_needs_elf(&img, PVBOOT_PATH_AUTO));
}

static void names(void **state)
{
    static const char *const name[] = { "auto", "pvh", "linux32", "linux64", "vmlinux64", "stub", "pv" };

    (void)state;
    for (unsigned i = 0; i < PVBOOT_PATHS; i++) {
        assert_string_equal(pvboot_path_name((enum pvboot_path)i), name[i]);
        assert_int_equal(pvboot_path_find(name[i]), i);
    }
    assert_null(pvboot_path_name(PVBOOT_PATHS));
    assert_int_equal(pvboot_path_find("linux"), PVBOOT_PATHS);
    assert_string_equal(pvboot_codec_name(PVBOOT_CODEC_ZSTD), "zstd");
    assert_string_equal(pvboot_codec_name(PVBOOT_CODEC_UNKNOWN), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stock_bzimage),    cmocka_unit_test(bare_elfs),
        cmocka_unit_test(by_protocol),        cmocka_unit_test(without_startup_64),
        cmocka_unit_test(payloads_and_notes), cmocka_unit_test(which_elf_is_linux),
        cmocka_unit_test(our_stub),           cmocka_unit_test(entries),
        cmocka_unit_test(what_needs_the_elf), cmocka_unit_test(names),
        cmocka_unit_test(sixteen_bits_alone),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Answers a parser that has been taken over might give: one good value of each kind, and every way to spoil it, each
 * with what must be said about it.  The offsets are those of image.h, the limits those of boot.rst and the gABI.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/sandbox/sandbox.h"

#include <pvboot/limits.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES 0x10000u

static const struct pvboot_elf good_elf = {
    .is64 = true,
    .machine = 62,
    .entry_gpa = 0x1000200,
    .window = { .pref_gpa = 0x1000000, .bytes = 0x6000, .align = 0x200000, .max_gpa = UINT64_MAX },
    .notes = { .has_phys32_entry = true, .phys32_entry = 0x1000850, .linux_note = true, .guest_os = "linux" },
    .n_loads = 2,
    .load = { { .gpa = 0x1000000, .mem_bytes = 0x3000, .off = 0x1000, .file_bytes = 0x2800 },
              { .gpa = 0x1004000, .mem_bytes = 0x1800, .off = 0x4000, .file_bytes = 0x1000 } },
};

/* A bzImage with an xz payload that has been unpacked. */
static struct pvboot_image bz = {
    .format = PVBOOT_FORMAT_BZIMAGE,
    .file_bytes = FILE_BYTES,
    .has_bzimage = true,
    .has_elf = true,
    .bz = { .protocol = 0x20f,
            .setup_sects = 4,
            .loadflags = 1,
            .xloadflags = 1,
            .header_bytes = 0x7b,
            .kernel_off = 0xa00,
            .kernel_bytes = 0xf000,
            .window = { .pref_gpa = 0x1000000,
                        .bytes = 0x800000,
                        .align = 0x200000,
                        .max_gpa = UINT64_MAX,
                        .relocatable = true },
            .cmdline_max = 2047,
            .initrd_addr_max = 0x7fffffff,
            .payload_off = 0xe00,
            .payload_bytes = 0x8000,
            .unpacked_bytes = 0x20000,
            .codec = PVBOOT_CODEC_XZ,
            .kernel_version = "6.1.0" },
};

/* The same before unpacking, with a payload that is the ELF itself, and an ELF without anything around it. */
static struct pvboot_image packed, plain, plain_packed, bare, elf, moving, high;
/* The first in a unified kernel image, and packed as a file; an ELF in a zboot image. */
static struct pvboot_image uki, gzipped, zboot;

static int make_variants(void **state)
{
    (void)state;
    bz.elf = good_elf;
    packed = plain = elf = bz;
    packed.has_elf = false;
    plain.bz.codec = PVBOOT_CODEC_NONE;
    plain.bz.unpacked_bytes = plain.bz.payload_bytes;
    elf.format = PVBOOT_FORMAT_ELF;
    elf.has_bzimage = false;
    moving = elf;
    moving.elf.notes.has_phys32_reloc = moving.elf.window.relocatable = true;
    moving.elf.notes.reloc_align = 0x200000;
    moving.elf.notes.reloc_max = UINT32_MAX;
    moving.elf.window.max_gpa = UINT32_MAX;
    bare = packed;
    bare.bz.payload_off = bare.bz.payload_bytes = bare.bz.unpacked_bytes = 0;
    bare.bz.codec = PVBOOT_CODEC_NONE;
    high = elf; /* all of it above 4 GiB, where nothing 32-bit can start */
    high.elf.load[0].gpa += 1ull << 32;
    high.elf.load[1].gpa += 1ull << 32;
    high.elf.window.pref_gpa += 1ull << 32;
    high.elf.entry_gpa += 1ull << 32;
    high.elf.notes.has_phys32_entry = false;
    high.elf.notes.phys32_entry = 0;
    uki = bz;
    uki.file_bytes = FILE_BYTES;
    uki.wrapper = (struct pvboot_wrapper){ .kind = PVBOOT_WRAPPER_UKI,
                                           .off = 0x100,
                                           .bytes = 0xfe00,
                                           .kernel_bytes = 0xfe00,
                                           .part = { { 0xff00, 0x100 }, { 0, 0x100 } },
                                           .profiles = 2,
                                           .cmdline = "quiet gr\xc3\xbc" };
    gzipped = bz;
    gzipped.wrapper = (struct pvboot_wrapper){
        .kind = PVBOOT_WRAPPER_PACKED, .codec = PVBOOT_CODEC_GZIP, .bytes = FILE_BYTES, .kernel_bytes = 0x20000
    };
    zboot = elf;
    zboot.wrapper = (struct pvboot_wrapper){
        .kind = PVBOOT_WRAPPER_ZBOOT, .codec = PVBOOT_CODEC_ZSTD, .off = 0x1000, .bytes = 0xf000, .kernel_bytes = 0x5000
    };
    uki.bz.kernel_bytes = 0xf400;
    return 0;
}

static int verify(const struct pvboot_image *claim, uint64_t file_bytes, struct pvboot_error *e)
{
    struct pvboot_image img;

    return pvb_image_verify(&img, claim, file_bytes, PVBOOT_UNPACKED_MAX, e);
}

/* What is not there is not looked at, and is not handed on either. */
static void test_absent_halves(void **state)
{
    static const uint8_t nothing[sizeof(struct pvboot_image)];
    struct pvboot_image wild_elf = packed, wild_bz = elf, img;
    struct pvboot_error e = { 0 };

    (void)state;
    memset(&wild_elf.elf, 0xa5, sizeof(wild_elf.elf));
    memset(&wild_bz.bz, 0xa5, sizeof(wild_bz.bz));
    assert_int_equal(pvb_image_verify(&img, &wild_elf, FILE_BYTES, PVBOOT_UNPACKED_MAX, &e), 0);
    assert_memory_equal(&img.elf, nothing, sizeof(img.elf));
    assert_memory_equal(&img.bz, &packed.bz, sizeof(img.bz));
    assert_int_equal(pvb_image_verify(&img, &wild_bz, FILE_BYTES, PVBOOT_UNPACKED_MAX, &e), 0);
    assert_memory_equal(&img.bz, nothing, sizeof(img.bz));
    assert_memory_equal(&img.elf, &elf.elf, sizeof(img.elf));
}

static void test_good(void **state)
{
    const struct pvboot_image *const good[] = { &bz,     &packed, &plain, &bare,    &elf,
                                                &moving, &high,   &uki,   &gzipped, &zboot };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct pvboot_error e = { 0 };

        if (verify(good[i], FILE_BYTES, &e))
            fail_msg("%zu: %s", i, e.text);
        assert_int_equal(verify(good[i], FILE_BYTES - 1, &e), -PVBOOT_E_SANDBOX);
    }
}

#define AT(field) offsetof(struct pvboot_image, field), sizeof(((struct pvboot_image *)0)->field)

struct spoil {
    const struct pvboot_image *of;
    size_t off, bytes;
    uint64_t value;
    const char *text;
};

static void spoil_all(const struct spoil *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct pvboot_error e = { 0 };
        struct pvboot_image img = *row[i].of;
        char want[160];

        memcpy((uint8_t *)&img + row[i].off, &row[i].value, row[i].bytes < 8 ? row[i].bytes : 8);
        snprintf(want, sizeof(want), "the confined parser's answer contradicts itself: %s", row[i].text);
        if (verify(&img, FILE_BYTES, &e) != -PVBOOT_E_SANDBOX || strcmp(e.text, want))
            fail_msg("row %zu: '%s', not '%s'", i, e.text, want);
    }
}
#define SPOIL_ALL(row) spoil_all(row, sizeof(row) / sizeof(row[0]))

static void test_frame(void **state)
{
    const struct spoil row[] = {
        { &bz, AT(file_bytes), FILE_BYTES + 1, "file size" },
        { &bz, AT(has_bzimage), 2, "flags" },
        { &bz, AT(has_elf), 0xff, "flags" },
        { &bz, AT(format), 0, "format" },
        { &bz, AT(format), 3, "format" },
        { &bz, AT(format), 0xffffffff, "format" },
        { &bz, AT(format), PVBOOT_FORMAT_ELF, "format" },
        { &bz, AT(has_bzimage), 0, "format" },
        { &elf, AT(format), 3, "format" },
        { &elf, AT(has_bzimage), 1, "format" },
        { &elf, AT(has_elf), 0, "format" },
    };

    (void)state;
    SPOIL_ALL(row);
}

static void test_bzimage(void **state)
{
    const struct spoil row[] = {
        { &bz, AT(bz.protocol), 0x203, "boot protocol" },
        { &bz, AT(bz.protocol), 0x300, "boot protocol" },
        { &bz, AT(bz.header_bytes), 0x3e, "setup header: size" },
        { &bz, AT(bz.header_bytes), 145, "setup header: size" },
        { &bz, AT(bz.header_bytes), 0xffffffff, "setup header: size" },
        { &bz, AT(bz.setup_sects), 0, "setup_sects" },
        { &bz, AT(bz.setup_sects), 5, "setup_sects" },
        { &bz, AT(bz.kernel_off), 0, "setup_sects" },
        { &bz, AT(bz.kernel_bytes), 0, "kernel: empty" },
        { &bz, AT(bz.kernel_bytes), FILE_BYTES - 0xa00 + 1, "kernel: behind the file" },
        { &bz, AT(bz.kernel_bytes), UINT64_MAX - 0xa00 + 1, "kernel: behind the file" },
        { &bz, AT(bz.info_off), 0x9ff, "kernel_info: outside the kernel" },
        { &bz, AT(bz.info_off), 0xa00 + 0xf000 - 15, "kernel_info: outside the kernel" },
        { &bz, AT(bz.info_off), UINT64_MAX, "kernel_info: outside the kernel" },
        { &bz, AT(bz.cmdline_max), 0, "cmdline_size" },
        { &bz, AT(bz.cmdline_max), PVBOOT_CMDLINE_MAX + 1, "cmdline_size" },
        { &bz, AT(bz.initrd_addr_max), 0, "initrd_addr_max" },
        { &bz, AT(bz.initrd_addr_max), 1ull << 32, "initrd_addr_max" },
        { &bz, AT(bz.kernel_version[0]), 0x1b, "kernel_version" },
        { &bz, AT(bz.kernel_version[2]), 0x7f, "kernel_version" },
        { &bz, AT(bz.kernel_version[2]), 0x80, "kernel_version" },
        { &bz, AT(bz.kernel_version[2]), '\\', "kernel_version" }, /* begins no escape, stands for no backslash */
        { &bz, AT(bz.codec), PVBOOT_CODEC_UNKNOWN + 1, "payload: codec" },
        { &bz, AT(bz.codec), 0xffffffff, "payload: codec" },
        { &bz, AT(bz.codec), PVBOOT_CODEC_UNKNOWN, "ELF: of no known payload" },
        { &bz, AT(bz.codec), PVBOOT_CODEC_NONE, "payload: plain, but of two sizes" },
        { &bz, AT(bz.payload_bytes), 0, "payload: none, but described" },
        { &bare, AT(bz.payload_off), 0xe00, "payload: none, but described" },
        { &bare, AT(bz.unpacked_bytes), 1, "payload: none, but described" },
        { &bare, AT(bz.codec), PVBOOT_CODEC_GZIP, "payload: none, but described" },
        { &bz, AT(bz.payload_off), 0x9ff, "payload: before the kernel" },
        { &bz, AT(bz.payload_off), 0xa00 + 0x7001, "payload: behind the kernel" },
        { &bz, AT(bz.payload_bytes), 0xec01, "payload: behind the kernel" },
        { &bz, AT(bz.payload_bytes), UINT64_MAX - 0x3ff, "payload: behind the kernel" },
        { &packed, AT(bz.unpacked_bytes), 1ull << 32, "payload: unpacked size" },
        { &bz, AT(bz.unpacked_bytes), PVBOOT_UNPACKED_MAX + 1, "ELF: size" },
        { &bz, AT(bz.unpacked_bytes), 0, "ELF: of no known payload" },
        { &bz, AT(bz.unpacked_bytes), 0x4fff, "segment: behind the ELF" },
    };

    (void)state;
    SPOIL_ALL(row);
}

static void test_window(void **state)
{
    const struct spoil row[] = {
        { &bz, AT(bz.window.relocatable), 2, "window: relocatable" },
        { &bz, AT(bz.window.align), 0, "window: alignment" },
        { &bz, AT(bz.window.align), 0x300000, "window: alignment" },
        { &bz, AT(bz.window.align), 1ull << 31, "window: alignment" },
        { &bz, AT(bz.window.bytes), 0, "window: size" },
        { &bz, AT(bz.window.bytes), 1ull << 32, "window: over 4 GiB" },
        { &bz, AT(bz.window.pref_gpa), UINT64_MAX - 0x800000 + 1, "window: wraps" },
        { &bz, AT(bz.window.pref_gpa), UINT64_MAX, "window: wraps" },
        { &bz, AT(bz.window.min_gpa), 1, "window: bounds" },
        { &bz, AT(bz.window.max_gpa), 0xfffffffe, "window: bounds" },
        { &elf, AT(elf.window.relocatable), 1, "window: relocatable" },
        { &elf, AT(elf.window.relocatable), 0x80, "window: relocatable" },
        { &elf, AT(elf.window.align), 0x800, "window: alignment" },
        { &elf, AT(elf.window.align), 0x2000000, "window: alignment" }, /* 16 MiB is no multiple of 32 */
        { &elf, AT(elf.window.bytes), 0x7000, "window: not that of the segments" },
        { &elf, AT(elf.window.pref_gpa), 0x1001000, "window: not that of the segments" },
        { &elf, AT(elf.window.min_gpa), 1, "window: bounds" },
        { &elf, AT(elf.window.max_gpa), UINT32_MAX, "window: bounds" },
        { &moving, AT(elf.window.align), 0x100000, "PHYS32_RELOC" },
        { &moving, AT(elf.window.max_gpa), 0x3fffffff, "PHYS32_RELOC" },
        { &moving, AT(elf.notes.reloc_min), 1, "PHYS32_RELOC" },
        { &moving, AT(elf.window.min_gpa), 1ull << 32, "window: bounds" },
        { &moving, AT(elf.notes.has_phys32_reloc), 0, "window: relocatable" },
    };

    (void)state;
    SPOIL_ALL(row);
}

/* What pvboot pack makes: parts that lie in the ELF. */
static void test_packed(void **state)
{
    struct pvboot_image boxed = elf;
    struct pvboot_packed *p = &boxed.elf.notes.packed;
    const struct spoil row[] = {
        { &boxed, AT(elf.notes.packed.there), 2, "packed: flag" },
        { &boxed, AT(elf.notes.packed.there), 0, "packed: not, but described" },
        { &elf, AT(elf.notes.packed.there), 1, "packed: no kernel" },
        { &elf, AT(elf.notes.packed.kernel_version[0]), '6', "packed: not, but described" },
        { &boxed, AT(elf.notes.packed.part[0].off), FILE_BYTES - 0xfff, "packed: behind the ELF" },
        { &boxed, AT(elf.notes.packed.part[0].bytes), UINT64_MAX, "packed: behind the ELF" },
        { &boxed, AT(elf.notes.packed.part[0].bytes), 0, "packed: no bytes, but a place" },
        { &boxed, AT(elf.notes.packed.part[2].off), 1, "packed: no bytes, but a place" },
        { &boxed, AT(elf.notes.packed.part[3].bytes), FILE_BYTES + 1, "packed: behind the ELF" },
        { &boxed, AT(elf.notes.packed.kernel_version[1]), 0x1b, "packed: kernel_version" },
    };

    (void)state;
    p->there = true;
    p->part[PVBOOT_PACKED_KERNEL].off = FILE_BYTES - 0x1000;
    p->part[PVBOOT_PACKED_KERNEL].bytes = 0x1000;
    strcpy(p->kernel_version, "6.1");
    SPOIL_ALL(row);
}

static void test_elf(void **state)
{
    const struct spoil row[] = {
        { &elf, AT(elf.is64), 2, "ELF: class" },
        { &elf, AT(elf.is64), 0, "ELF: machine" },
        { &elf, AT(elf.machine), 183, "ELF: machine" },
        { &elf, AT(elf.n_loads), 0, "segments: number" },
        { &elf, AT(elf.n_loads), PVBOOT_LOADS_MAX + 1, "segments: number" },
        { &elf, AT(elf.n_loads), UINT32_MAX, "segments: number" },
        { &elf, AT(elf.n_loads), 3, "segment: size" },
        { &elf, AT(elf.load[0].mem_bytes), 0x27ff, "segment: size" },
        { &elf, AT(elf.load[1].mem_bytes), 0, "segment: size" },
        { &elf, AT(elf.load[0].off), FILE_BYTES - 0x27ff, "segment: behind the ELF" },
        { &elf, AT(elf.load[0].off), UINT64_MAX - 0x1000, "segment: behind the ELF" },
        { &elf, AT(elf.load[0].mem_bytes), 0x4001, "segment: overlaps, or out of order" },
        { &elf, AT(elf.load[1].gpa), 0xfff000, "segment: overlaps, or out of order" },
        { &elf, AT(elf.load[1].gpa), UINT64_MAX - 0x17ff, "segment: wraps" },
        { &elf, AT(elf.load[1].gpa), UINT64_MAX - 0x1800 - 0xffe, "segment: wraps" },
        { &elf, AT(elf.load[1].mem_bytes), UINT64_MAX, "segment: wraps" },
        { &elf, AT(elf.entry_gpa), 0xffffff, "ELF: entry" },
        { &elf, AT(elf.entry_gpa), 0x1002800, "ELF: entry" }, /* in memory, but not in the file */
        { &elf, AT(elf.notes.phys32_entry), 0x1003fff, "PHYS32_ENTRY" },
        { &elf, AT(elf.notes.phys32_entry), 1ull << 32, "PHYS32_ENTRY" },
        { &elf, AT(elf.notes.has_phys32_entry), 0, "PHYS32_ENTRY" },
        { &elf, AT(elf.notes.has_phys32_entry), 3, "notes: flags" },
        { &elf, AT(elf.notes.has_phys32_reloc), 4, "notes: flags" },
        { &elf, AT(elf.notes.pvboot_stub), 5, "notes: flags" },
        { &elf, AT(elf.notes.linux_note), 6, "notes: flags" },
        { &elf, AT(elf.notes.guest_os[1]), '\n', "notes: text" },
        { &elf, AT(elf.notes.loader[0]), 0x9b, "notes: text" },
    };

    (void)state;
    SPOIL_ALL(row);
}

static void test_wrapper(void **state)
{
    const struct spoil row[] = {
        { &bz, AT(wrapper.kind), 4, "wrapper: kind" },
        { &bz, AT(wrapper.kind), UINT32_MAX, "wrapper: kind" },
        { &bz, AT(wrapper.codec), PVBOOT_CODEC_GZIP, "wrapper: codec" },
        { &bz, AT(wrapper.kind), PVBOOT_WRAPPER_PACKED, "wrapper: codec" },
        { &uki, AT(wrapper.codec), PVBOOT_CODEC_XZ, "wrapper: codec" },
        { &gzipped, AT(wrapper.codec), PVBOOT_CODEC_UNKNOWN, "wrapper: codec" },
        { &gzipped, AT(wrapper.codec), PVBOOT_CODEC_NONE, "wrapper: codec" },
        { &bz, AT(wrapper.off), 1, "wrapper: none, but described" },
        { &bz, AT(wrapper.bytes), 1, "wrapper: none, but described" },
        { &bz, AT(wrapper.kernel_bytes), 1, "wrapper: none, but described" },
        { &bz, AT(wrapper.part[1].bytes), 1, "wrapper: sections" },
        { &gzipped, AT(wrapper.part[0].off), 1, "wrapper: sections" },
        { &gzipped, AT(wrapper.profiles), 1, "wrapper: sections" },
        { &gzipped, AT(wrapper.cmdline[0]), 'a', "wrapper: sections" },
        { &uki, AT(wrapper.off), 0x201, "wrapper: behind the file" },
        { &uki, AT(wrapper.bytes), UINT64_MAX - 0xff, "wrapper: behind the file" },
        { &uki, AT(wrapper.kernel_bytes), 0, "wrapper: kernel's size" },
        { &uki, AT(wrapper.kernel_bytes), 0xfe01, "wrapper: kernel's size" },
        { &uki, AT(wrapper.kernel_bytes), 0xfdff, "wrapper: kernel of two sizes" },
        { &gzipped, AT(wrapper.kernel_bytes), PVBOOT_UNPACKED_MAX + 1, "wrapper: kernel's size" },
        { &gzipped, AT(wrapper.kernel_bytes), UINT64_MAX, "wrapper: kernel's size" },
        { &gzipped, AT(wrapper.kernel_bytes), 0xf9ff, "kernel: behind the file" },
        { &gzipped, AT(wrapper.kernel_bytes), PVBOOT_UNPACKED_MAX, "ELF: size" }, /* the two together */
        { &zboot, AT(wrapper.kernel_bytes), 0x4fff, "segment: behind the ELF" },
        { &uki, AT(wrapper.part[0].off), 0xff01, "wrapper: section behind the file" },
        { &uki, AT(wrapper.part[3].bytes), FILE_BYTES + 1, "wrapper: section behind the file" },
        { &uki, AT(wrapper.cmdline[2]), '\n', "wrapper: command line" },
        { &uki, AT(wrapper.cmdline[0]), 0x7f, "wrapper: command line" },
        { &uki, AT(bz.kernel_bytes), 0xf401, "kernel: behind the file" },
    };
    struct pvboot_image endless = uki;
    struct pvboot_error e = { 0 };

    (void)state;
    SPOIL_ALL(row);
    memset(endless.wrapper.cmdline, 'a', sizeof(endless.wrapper.cmdline));
    assert_int_equal(verify(&endless, FILE_BYTES, &e), -PVBOOT_E_SANDBOX);
    endless.wrapper.cmdline[PVBOOT_CMDLINE_MAX] = 0;
    assert_int_equal(verify(&endless, FILE_BYTES, &e), 0);
}

/* Two lies that agree with each other. */
static void test_consistent_lies(void **state)
{
    struct pvboot_image no_sects = bz, wide = elf, high_entry = high;
    struct pvboot_error e[3] = { 0 };

    (void)state;
    no_sects.bz.setup_sects = 0;
    no_sects.bz.kernel_off = 0x200;
    assert_int_equal(verify(&no_sects, FILE_BYTES, &e[0]), -PVBOOT_E_SANDBOX);
    wide.elf.window.align = 0x1000;
    wide.elf.window.pref_gpa -= 0x1000;
    wide.elf.window.bytes += 0x1000;
    assert_int_equal(verify(&wide, FILE_BYTES, &e[1]), -PVBOOT_E_SANDBOX);
    high_entry.elf.notes.has_phys32_entry = true;
    high_entry.elf.notes.phys32_entry = high_entry.elf.entry_gpa;
    assert_int_equal(verify(&high_entry, FILE_BYTES, &e[2]), -PVBOOT_E_SANDBOX);
    assert_non_null(strstr(e[2].text, "PHYS32_ENTRY"));
}

/* Text that fills its field and does not end there. */
static void test_endless_text(void **state)
{
    const struct {
        size_t off, bytes;
        const char *text;
    } row[] = {
        { AT(bz.kernel_version), "kernel_version" },    { AT(elf.notes.guest_os), "notes: text" },
        { AT(elf.notes.guest_version), "notes: text" }, { AT(elf.notes.xen_version), "notes: text" },
        { AT(elf.notes.loader), "notes: text" },        { AT(elf.notes.features), "notes: text" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        for (size_t short_by = 0; short_by < 2; short_by++) {
            struct pvboot_error e = { 0 };
            struct pvboot_image img = bz;

            memset((uint8_t *)&img + row[i].off, 'A', row[i].bytes);
            ((uint8_t *)&img)[row[i].off + row[i].bytes - 1] = short_by ? 0 : 'A';
            assert_int_equal(verify(&img, FILE_BYTES, &e), short_by ? 0 : -PVBOOT_E_SANDBOX);
            assert_true(short_by || strstr(e.text, row[i].text));
        }
}

/* Around the image: layers that were missing, how far it came, with which class. */
static void test_answer(void **state)
{
    enum { LANDLOCK = 1 << PVB_LAYER_LANDLOCK, ALL = PVB_LAYERS_ALL, BEST = 0, STRICT = 1 };
    static const char *const class_and_step = "class and step", *const layers = "layers";
    static const struct {
        uint32_t step;
        int32_t code;
        uint32_t missing;
        bool strict;
        uint8_t has_elf;
        const char *text; /* NULL: good */
    } row[] = {
        { PVB_STEP_DONE, 0, 0, STRICT, 1, NULL },
        { PVB_STEP_DONE, 0, ALL, BEST, 0, NULL },
        { PVB_STEP_CONFINE, PVBOOT_E_SANDBOX, 0, STRICT, 0, NULL },
        { PVB_STEP_PARSE, PVBOOT_E_MALFORMED, 0, STRICT, 0, NULL },
        { PVB_STEP_UNPACK, PVBOOT_E_HOST, LANDLOCK, BEST, 0, NULL },
        { PVB_STEP_DONE, 0, LANDLOCK, STRICT, 1, "strict, but without a layer" },
        { PVB_STEP_PARSE, PVBOOT_E_MALFORMED, 1, STRICT, 0, "strict, but without a layer" },
        { PVB_STEP_DONE, 0, ALL + 1, BEST, 0, layers },
        { PVB_STEP_DONE, 0, 1u << 31, BEST, 0, layers },
        { PVB_STEP_MAP, PVBOOT_E_XEN, 0, STRICT, 0, NULL },
        { PVB_STEP_MAP, PVBOOT_E_MALFORMED, 0, STRICT, 0, class_and_step },
        { PVB_STEP_PARSE, PVBOOT_E_XEN, 0, STRICT, 0, class_and_step },
        { PVB_STEP_MAP + 1, PVBOOT_E_MALFORMED, 0, STRICT, 0, "step" },
        { UINT32_MAX, 0, 0, STRICT, 0, "step" },
        { PVB_STEP_DONE, PVBOOT_E_MALFORMED, 0, STRICT, 0, class_and_step },
        { PVB_STEP_DONE, -1, 0, STRICT, 0, class_and_step },
        { PVB_STEP_UNPACK, 0, 0, STRICT, 0, class_and_step },
        { PVB_STEP_PARSE, 0, 0, STRICT, 1, class_and_step },
        { PVB_STEP_CONFINE, PVBOOT_E_MALFORMED, 0, STRICT, 0, class_and_step },
        { PVB_STEP_PARSE, PVBOOT_E_SANDBOX, 0, STRICT, 0, class_and_step },
        { PVB_STEP_UNPACK, PVBOOT_E_MALFORMED, 0, STRICT, 2, "flags" },
        { PVB_STEP_UNPACK, PVBOOT_E_MALFORMED, 0, STRICT, 1, "ELF: could not be unpacked" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvb_answer a = { .step = row[i].step, .code = row[i].code, .missing = row[i].missing };
        struct pvboot_error e = { 0 };
        char want[160] = "";

        memcpy(&a.image.has_elf, &row[i].has_elf, 1);
        if (row[i].text)
            snprintf(want, sizeof(want), "the confined parser's answer contradicts itself: %s", row[i].text);
        if (pvb_answer_verify(&a, row[i].strict, &e) != (row[i].text ? -PVBOOT_E_SANDBOX : 0) || strcmp(e.text, want))
            fail_msg("row %zu: '%s', not '%s'", i, e.text, want);
    }
}

/* A look's answer: an image without an ELF, and the PT_LOADs of what it packs. */
static void test_look(void **state)
{
    const struct {
        const struct pvboot_image *of;
        uint32_t looked, step;
        int32_t code;
        uint32_t n_loads;
        uint64_t off;     /* of the second */
        const char *text; /* NULL: good */
    } row[] = {
        { &packed, 1, PVB_STEP_DONE, 0, 2, 0x4000, NULL },
        { &packed, 1, PVB_STEP_DONE, 0, 2, 0x1f000, NULL },
        { &packed, 1, PVB_STEP_DONE, 0, 2, 0x1f001, "segment: behind the ELF" },
        { &packed, 1, PVB_STEP_DONE, 0, 0, 0x4000, "segments: number" },
        { &packed, 1, PVB_STEP_DONE, 0, PVBOOT_LOADS_MAX + 1, 0x4000, "segments: number" },
        { &packed, 2, PVB_STEP_DONE, 0, 2, 0x4000, "look: at nothing" },
        { &packed, 1, PVB_STEP_PARSE, PVBOOT_E_MALFORMED, 2, 0x4000, "look: at nothing" },
        { &bz, 1, PVB_STEP_DONE, 0, 2, 0x4000, "look: at nothing" },
        { &bare, 1, PVB_STEP_DONE, 0, 2, 0x4000, "a look at what is not packed" },
        { &plain_packed, 1, PVB_STEP_DONE, 0, 2, 0x4000, "a look at what is not packed" },
    };

    (void)state;
    plain_packed = plain;
    plain_packed.has_elf = false;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvb_answer a = {
            .step = row[i].step, .code = row[i].code, .looked = row[i].looked, .image = *row[i].of
        };
        struct pvboot_kernel k = { .image = *row[i].of };
        struct pvboot_error e = { 0 };

        a.image.elf = good_elf;
        a.image.elf.n_loads = row[i].n_loads;
        a.image.elf.load[1].off = row[i].off;
        if (!pvb_answer_verify(&a, true, &e) && !pvb_look_verify(&k, &a, &e))
            assert_memory_equal(k.seen, a.image.elf.load, sizeof(k.seen));
        if (!!e.code != !!row[i].text || (row[i].text && !strstr(e.text, row[i].text)))
            fail_msg("row %zu: '%s', not '%s'", i, e.text, row[i].text ? row[i].text : "");
    }
}

/* The good values as files: where a fuzzer of the verifier starts from. */
static int write_seeds(const char *dir)
{
    const struct pvboot_image *const seed[] = { &bz,     &packed, &plain, &bare,    &elf,
                                                &moving, &high,   &uki,   &gzipped, &zboot };
    int bad = make_variants(NULL);

    for (size_t i = 0; i < sizeof(seed) / sizeof(seed[0]); i++) {
        char path[4096];
        FILE *f;

        snprintf(path, sizeof(path), "%s/%zu", dir, i);
        f = fopen(path, "w");
        bad |= !f || fwrite(seed[i], sizeof(*seed[i]), 1, f) != 1 || fclose(f);
    }
    return bad;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_bzimage),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_elf),
        cmocka_unit_test(test_wrapper),
        cmocka_unit_test(test_endless_text),
        cmocka_unit_test(test_consistent_lies),
        cmocka_unit_test(test_absent_halves),
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_packed),
    };

    if (argc == 3 && !strcmp(argv[1], "--seeds"))
        return write_seeds(argv[2]);
    return cmocka_run_group_tests(tests, make_variants, NULL);
}

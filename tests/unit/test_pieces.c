/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Of a kernel that is held a parser sees pieces.  Made-up headers, whose offsets lie near what they may be confused with:
 * what is accepted from the pieces is, to the byte, what all of the file says.  Fields: boot.rst.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/builder/file/hold.h"
#include "../../src/sandbox/sandbox.h"
#include "mkimage.h"

#include <asm/bootparam.h>

#define CASES 40000
#define BYTES_MAX 200000u
#define HEADER 0x1f1u

static uint64_t state = 88172645463325252u;
static uint8_t noise[BYTES_MAX], file[BYTES_MAX], pieces[BYTES_MAX];

/* xorshift64 */
static uint32_t below(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state % n);
}

static uint32_t some_offset(uint64_t bytes)
{
    switch (below(10)) {
    case 0:
        return 0;
    case 1:
        return UINT32_MAX - below(700);
    case 2:
        return (uint32_t)bytes - below(700);
    case 3:
        return below(64);
    case 4:
        return PVBOOT_FILE_HEAD - below(3000);
    default:
        return below(bytes + 1);
    }
}

static void put(uint64_t off, uint64_t bytes, const void *what, size_t n)
{
    if (off < bytes && n <= bytes - off)
        memcpy(file + off, what, n);
}

static void make(size_t bytes)
{
    static const char magic[][6] = { "\x1f\x8b\x08",
                                     "\xfd"
                                     "7zXZ",
                                     "\x02\x21\x4c\x18",
                                     "\x28\xb5\x2f\xfd",
                                     "\x7f"
                                     "ELF",
                                     "BZh9" };
    static const uint8_t sectors[] = { 0, 1, 4, 27, 39, 64, 126, 127, 128, 255 };
    static const uint16_t version[] = { 0x20f, 0x20f, 0x20f, 0x20e, 0x20c, 0x208, 0x207, 0x204 };
    struct setup_header h = { .boot_flag = 0xaa55, .jump = 0x6aeb, .header = 0x53726448, .loadflags = 1 };
    uint64_t kernel, rest;

    memcpy(file, noise, bytes);
    h.setup_sects = sectors[below(sizeof(sectors))];
    h.version = version[below(8)];
    h.kernel_alignment = 0x200000;
    h.init_size = 0x2000000;
    h.pref_address = 0x1000000;
    h.relocatable_kernel = 1;
    h.xloadflags = (uint16_t)below(0x40);
    kernel = (h.setup_sects + 1ull) * 512;
    rest = bytes > kernel ? bytes - kernel : 1;
    h.syssize = below(3) ? 0 : (uint32_t)(rest / 16);
    h.payload_offset = some_offset(rest);
    h.payload_length = below(3) ? (uint32_t)rest - h.payload_offset - below(16) : some_offset(rest);
    h.kernel_info_offset = below(4) ? some_offset(rest) : 0;
    h.kernel_version = (uint16_t)below(4096);
    put(HEADER, bytes, &h, sizeof(h));
    put(kernel + h.payload_offset, bytes, magic[below(6)], 5);
    put(kernel + h.kernel_info_offset, bytes, "LToP\x10\0\0\0\x10\0\0\0\x09\0\0\x80", 16);
}

/* Was it accepted? */
static bool agree(size_t bytes, enum pvboot_show show, const struct pvboot_kernel *whole, int rc)
{
    struct pvboot_file f = { .bytes = { pieces, bytes }, .held = true };
    struct pvboot_bytes all = { file, bytes };
    struct pvboot_kernel k;
    bool accepted;

    memset(pieces, 0, bytes);
    f.n_shown = pvb_shown(f.shown, show, pvboot_sub(all, 0, bytes < PVB_SHOWN_BY ? bytes : PVB_SHOWN_BY), bytes);
    for (uint32_t i = 0; i < f.n_shown; i++)
        memcpy(pieces + f.shown[i].off, file + f.shown[i].off, f.shown[i].n);
    if (pvboot_kernel_parse(&k, f.bytes, NULL))
        return false;
    accepted = pvb_all_shown(&k.image, &f);
    if (accepted) {
        assert_int_equal(rc, 0);
        assert_memory_equal(&k.image, &whole->image, sizeof(k.image));
    }
    pvboot_kernel_dispose(&k);
    return accepted;
}

static void pieces_say_what_all_of_it_says(void **unused)
{
    unsigned accepted[3] = { 0 };

    (void)unused;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)below(256);
    for (int i = 0; i < CASES; i++) {
        size_t bytes = below(4) ? 0x300 + below(BYTES_MAX - 0x300) : PVBOOT_FILE_HEAD - 300 + below(600);
        struct pvboot_kernel whole;
        int rc;

        make(bytes);
        rc = pvboot_kernel_parse(&whole, (struct pvboot_bytes){ file, bytes }, NULL);
        for (enum pvboot_show show = PVBOOT_SHOW_HEADERS; show <= PVBOOT_SHOW_BEGINNING; show++)
            accepted[show] += agree(bytes, show, &whole, rc);
        if (!rc)
            pvboot_kernel_dispose(&whole);
    }
    assert_true(accepted[PVBOOT_SHOW_HEADERS] > CASES / 10 && accepted[PVBOOT_SHOW_BEGINNING] > CASES / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(pieces_say_what_all_of_it_says) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

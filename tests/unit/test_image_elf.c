/* SPDX-License-Identifier: LGPL-2.1-only */
/* The ELF header, program headers, entry and window. */
#include "mkimage.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TEXT 0x2000u
#define SIZE (ELF_TEXT + TEXT + ELF_DATA_BYTES)
#define M PVBOOT_E_MALFORMED
#define U PVBOOT_E_UNSUPPORTED

static struct mk good, good32;

static int setup(void **state)
{
    (void)state;
    good = mk_elf(64, TEXT);
    good32 = mk_elf(32, TEXT);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mk_free(&good);
    mk_free(&good32);
    return 0;
}

static void fields_of(const struct mk *m, bool is64)
{
    struct pvboot_kernel k;
    struct pvboot_error e = { 0 };
    const struct pvboot_elf *elf = &k.image.elf;

    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(m), &e), 0);
    assert_int_equal(k.image.format, PVBOOT_FORMAT_ELF);
    assert_true(k.image.has_elf && !k.image.has_bzimage);
    assert_true(k.elf.p == m->p && k.elf.len == m->len);
    assert_int_equal(elf->is64, is64);
    assert_int_equal(elf->machine, is64 ? 62 : 3);
    assert_int_equal(elf->entry_gpa, 0x1000000);
    assert_int_equal(elf->n_loads, 2);
    assert_int_equal(elf->load[0].gpa, 0x1000000);
    assert_int_equal(elf->load[0].off, 0x1000);
    assert_int_equal(elf->load[0].mem_bytes, TEXT);
    assert_int_equal(elf->load[0].file_bytes, TEXT);
    assert_int_equal(elf->load[1].gpa, 0x1200000);
    assert_int_equal(elf->load[1].off, 0x1000 + TEXT);
    assert_int_equal(elf->load[1].mem_bytes, 0x3000);
    assert_int_equal(elf->load[1].file_bytes, 0x1000);
    assert_int_equal(elf->window.pref_gpa, 0x1000000);
    assert_int_equal(elf->window.bytes, 0x203000);
    assert_int_equal(elf->window.align, 0x200000);
    assert_false(elf->window.relocatable);
    assert_true(elf->notes.has_phys32_entry && elf->notes.phys32_entry == 0x1000850);
    assert_string_equal(elf->notes.guest_os, "linux");
    assert_int_equal(pvboot_kernel_unpack(&k, &e), 0); /* nothing to do */
    assert_true(k.elf.p == m->p);
    pvboot_kernel_dispose(&k);
}

static void fields(void **state)
{
    (void)state;
    fields_of(&good, true);
    fields_of(&good32, false);
}

static const struct {
    const char *name;
    struct mk_poke poke[3];
    int code;
    const char *says;
} row[] = {
    { "as it is", { { 0 } }, 0, "" },
    { "aarch64", { { E_MACHINE, 2, 183 } }, U, "machine 183 in a 64-bit" },
    { "i386 in a 64-bit file", { { E_MACHINE, 2, 3 } }, U, "machine 3 in a 64-bit" },
    { "class 0", { { EI_CLASS_OFF, 1, 0 } }, M, "class 0" },
    { "class 3", { { EI_CLASS_OFF, 1, 3 } }, M, "class 3" },
    { "class 1, the rest is 64-bit", { { EI_CLASS_OFF, 1, 1 } }, M, "" },
    { "big endian", { { EI_DATA_OFF, 1, 2 } }, U, "big-endian" },
    { "byte order 0", { { EI_DATA_OFF, 1, 0 } }, M, "byte order 0" },
    { "version 0", { { 6, 1, 0 } }, M, "version 0" },
    { "ET_REL", { { E_TYPE, 2, 1 } }, U, "type 1" },
    { "ET_DYN", { { E_TYPE, 2, 3 } }, 0, "" },
    { "ET_CORE", { { E_TYPE, 2, 4 } }, U, "type 4" },
    { "e_phentsize 8", { { E64_PHENTSIZE, 2, 8 } }, M, "e_phentsize is 8, not 56" },
    { "e_phentsize 65535", { { E64_PHENTSIZE, 2, 65535 } }, M, "e_phentsize is 65535" },
    { "e_phnum 0", { { E64_PHNUM, 2, 0 } }, M, "e_phnum is 0x0" },
    { "e_phnum 0xffff", { { E64_PHNUM, 2, 0xffff } }, M, "e_phnum is 0xffff" },
    { "65,534 program headers", { { E64_PHNUM, 2, 65534 } }, PVBOOT_E_LIMIT, "65534 program headers, limit 73" },
    { "74 program headers", { { E64_PHNUM, 2, 74 } }, PVBOOT_E_LIMIT, "74 program headers, limit 73" },
    { "e_phoff near 2^64", { { E64_PHOFF, 8, UINT64_MAX - 8 } }, M, "program headers at 0xfffffffffffffff7" },
    { "table ends at the end", { { E64_PHOFF, 8, SIZE - 3 * 56 } }, M, "no PT_LOAD" },
    { "table ends one past it", { { E64_PHOFF, 8, SIZE - 3 * 56 + 1 } }, M, "end past byte 0x4000" },
    { "segment past the end", { { PH64(1, P64_OFFSET), 8, SIZE - ELF_DATA_BYTES + 1 } }, M, "ends past byte 0x4000" },
    { "segment wraps", { { PH64(1, P64_OFFSET), 8, UINT64_MAX } }, M, "segment 0xffffffffffffffff+0x1000" },
    { "p_filesz over p_memsz", { { PH64(1, P64_MEMSZ), 8, 0xfff } }, M, "p_filesz 0x1000 over p_memsz 0xfff" },
    { "p_filesz is p_memsz", { { PH64(1, P64_MEMSZ), 8, 0x1000 } }, 0, "" },
    { "address wraps", { { PH64(1, P64_PADDR), 8, UINT64_MAX - 0xfff } }, M, "wraps" },
    { "address wraps when rounded to pages", { { PH64(1, P64_PADDR), 8, UINT64_MAX - 0x3000 } }, M, "wraps" },
    { "1 TiB of bss is the planner's affair", { { PH64(1, P64_MEMSZ), 8, 1ull << 40 } }, 0, "" },
    { "segments touch", { { PH64(1, P64_PADDR), 8, 0x1000000 + TEXT } }, 0, "" },
    { "segments share a byte", { { PH64(1, P64_PADDR), 8, 0x1000000 + TEXT - 1 } }, M, "0x1000000+0x2000 overlaps" },
    { "second below the first, touching", { { PH64(1, P64_PADDR), 8, 0x1000000 - 0x3000 } }, 0, "" },
    { "second below the first, one byte in", { { PH64(1, P64_PADDR), 8, 0x1000001 - 0x3000 } }, M, "overlaps" },
    { "no PT_LOAD", { { PH64(0, 0), 4, 0 }, { PH64(1, 0), 4, 0 } }, M, "no PT_LOAD" },
    { "PT_LOADs without memory",
      { { PH64(0, P64_FILESZ), 16, 0 }, { PH64(1, P64_FILESZ), 16, 0 }, { PH64(0, P64_MEMSZ), 8, 0 } },
      M,
      "no PT_LOAD" },
    { "entry 0 is none", { { E64_ENTRY, 8, 0 } }, 0, "" },
    { "entry past the segments",
      { { E64_ENTRY, 8, 0x1000000 + TEXT }, { PH64(2, 0), 4, 0 } },
      M,
      "entry 0x1002000 lies in no" },
    { "entry past the segments, and Xen's", { { E64_ENTRY, 8, 0x1000000 + TEXT } }, 0, "" },
    { "entry at the last byte", { { E64_ENTRY, 8, 0x1000000 + TEXT - 1 } }, 0, "" },
    { "entry in the zero-fill", { { E64_ENTRY, 8, 0x1201000 }, { PH64(2, 0), 4, 0 } }, M, "entry 0x1201000" },
    { "virtual entry in the zero-fill",
      { { E64_ENTRY, 8, 0xffffffff81201000 }, { PH64(2, 0), 4, 0 } },
      M,
      "entry 0xffffffff81201000" },
    { "bss whose bytes would begin behind the file",
      { { PH64(1, P64_OFFSET), 8, SIZE + 1 }, { PH64(1, P64_FILESZ), 8, 0 } },
      0,
      "" },
    { "PT_NOTE of no bytes, behind the file",
      { { PH64(2, P64_OFFSET), 8, SIZE + 1 }, { PH64(2, P64_FILESZ), 8, 0 } },
      0,
      "" },
    { "p_align 3", { { PH64(0, P64_ALIGN), 8, 3 } }, M, "p_align 0x3" },
    { "p_align 0", { { PH64(0, P64_ALIGN), 8, 0 } }, 0, "" },
    { "p_align 2^63", { { PH64(0, P64_ALIGN), 8, 1ull << 63 } }, M, "p_align 0x8000000000000000" },
    { "section table past the end", { { E64_SHOFF, 8, UINT64_MAX - 3 }, { E64_SHNUM, 2, 0xfeff } }, 0, "" },
    { "section table of 0 entries", { { E64_SHOFF, 8, 64 }, { E64_SHNUM, 2, 0 }, { E64_SHSTRNDX, 2, 0xffff } }, 0, "" },
    { "section table whose first size is 2^64 - 2^31", { { E64_SHOFF, 8, 48 }, { E64_SHNUM, 2, 0 } }, 0, "" },
    { "section table over the code", { { E64_SHOFF, 8, ELF_TEXT }, { E64_SHNUM, 2, 90 } }, 0, "" },
};

static void rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_kernel k;
        struct pvboot_error e = { 0 };
        struct mk m = mk_copy(&good);
        int rc;

        mk_pokes(&m, row[i].poke, 3);
        rc = pvboot_kernel_parse(&k, mk_bytes(&m), &e);
        if (rc != -row[i].code || e.code != row[i].code || !strstr(e.text, row[i].says))
            fail_msg("%s: %d, not %d: %s", row[i].name, rc, -row[i].code, e.text);
        pvboot_kernel_dispose(&k);
        mk_free(&m);
    }
}

static void cut_short(void **state)
{
    (void)state;
    for (int bits = 32; bits <= 64; bits += 32)
        for (size_t len = 0; len < good.len; len += len < 0x500 ? 1 : 61) {
            struct pvboot_kernel k;
            struct pvboot_error e = { 0 };
            struct mk m = mk_copy(bits == 64 ? &good : &good32);
            int rc;

            mk_cut(&m, len);
            rc = pvboot_kernel_parse(&k, mk_bytes(&m), &e);
            if (rc != (len ? -M : -PVBOOT_E_UNREADABLE))
                fail_msg("%zu bytes of %d-bit: %d: %s", len, bits, rc, e.text);
            mk_free(&m);
        }
}

static struct pvboot_elf parse_good(const struct mk_poke *p, size_t n)
{
    struct pvboot_kernel k;
    struct pvboot_error e = { 0 };
    struct mk m = mk_copy(&good);
    struct pvboot_elf elf;

    mk_pokes(&m, p, n);
    if (pvboot_kernel_parse(&k, mk_bytes(&m), &e))
        fail_msg("%s", e.text);
    elf = k.image.elf;
    mk_free(&m);
    return elf;
}

static void virtual_entry_is_translated(void **state)
{
    struct pvboot_elf elf = parse_good((struct mk_poke[]){ { E64_ENTRY, 8, 0xffffffff81000123 } }, 1);

    (void)state;
    assert_int_equal(elf.entry_gpa, 0x1000123);
    elf = parse_good((struct mk_poke[]){ { E64_ENTRY, 8, 0 } }, 1);
    assert_int_equal(elf.entry_gpa, 0);
    /* physical wins where both readings meet code: a per-CPU segment's vaddr range starts at 0 */
    elf = parse_good((struct mk_poke[]){ { PH64(1, P64_VADDR), 8, 0x0fff800 } }, 1);
    assert_int_equal(elf.entry_gpa, 0x1000000);
}

/* Started by Xen's entry it needs no other: but a zero page has nowhere to go then. */
static void entry_that_meets_nothing(void **state)
{
    struct pvboot_elf elf = parse_good((struct mk_poke[]){ { E64_ENTRY, 8, 0x1201000 } }, 1);

    (void)state;
    assert_int_equal(elf.entry_gpa, 0);
    assert_int_equal(elf.notes.phys32_entry, 0x1000850);
    elf = parse_good((struct mk_poke[]){ { PH64(1, P64_OFFSET), 8, 1ull << 60 }, { PH64(1, P64_FILESZ), 8, 0 } }, 2);
    assert_int_equal(elf.load[1].off, 0);
    assert_int_equal(elf.load[1].mem_bytes, 0x3000);
}

static void loads_are_sorted(void **state)
{
    struct pvboot_elf elf = parse_good((struct mk_poke[]){ { PH64(1, P64_PADDR), 8, 0x200000 } }, 1);

    (void)state;
    assert_int_equal(elf.load[0].gpa, 0x200000);
    assert_int_equal(elf.load[1].gpa, 0x1000000);
    assert_int_equal(elf.window.pref_gpa, 0x200000);
    assert_int_equal(elf.window.bytes, 0xe00000 + TEXT);
}

/* An ELF that may not move keeps an alignment that its own address meets; the window is whole pages. */
static void window_without_reloc(void **state)
{
    struct pvboot_elf elf = parse_good((struct mk_poke[]){ { PH64(1, P64_PADDR), 8, 0x100000 } }, 1);

    (void)state;
    assert_int_equal(elf.window.align, 0x100000);
    elf = parse_good((struct mk_poke[]){ { PH64(1, P64_PADDR), 8, 0x100234 }, { PH64(1, P64_MEMSZ), 8, 0x1001 } }, 2);
    assert_int_equal(elf.window.pref_gpa, 0x100000);
    assert_int_equal(elf.window.align, 0x100000);
    elf = parse_good(
        (struct mk_poke[]){ { PH64(1, P64_PADDR), 8, 0x1000000 + TEXT + 5 }, { PH64(1, P64_MEMSZ), 8, 0x1000 } }, 2);
    assert_int_equal(elf.window.bytes, TEXT + 0x2000);
    elf = parse_good((struct mk_poke[]){ { PH64(0, P64_ALIGN), 8, 1 }, { PH64(1, P64_ALIGN), 8, 0 } }, 2);
    assert_int_equal(elf.window.align, 0x1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(rows),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(virtual_entry_is_translated),
        cmocka_unit_test(loads_are_sorted),
        cmocka_unit_test(window_without_reloc),
        cmocka_unit_test(entry_that_meets_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a kernel says of its PV start, and what is wrong with it.  Numbers of notes: Xen public elfnote.h. */
#include "mkimage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BASE 0xffffffff80000000
#define TEXT 0x10000
#define NOTE(type, width, value)                     \
    {                                                \
        .base = BASE, .note = { type, width, value } \
    }

static const struct {
    const char *name;
    struct mk_pv pv;
    struct mk_poke poke;
    const char *why; /* NULL: it is offered */
} row[] = {
    { "linux", { .base = BASE }, { 0 }, NULL },
    { "old linux", { .old = true, .base = BASE }, { 0 }, NULL },
    { "no hypercall page", { .no_hypercall_page = true, .base = BASE }, { 0 }, NULL },
    { "at 0", { .base = 0 }, { 0 }, NULL },
    { "numbers of 4 bytes", NOTE(16, 4, 1), { 0 }, NULL },
    { "entry of 3 bytes", NOTE(1, 3, 0x1000000), { 0 }, "its Xen note 1 is no number of 4 or 8 bytes" },
    { "entry of no bytes", NOTE(1, 0, 0), { 0 }, "its Xen note 1 is no number of 4 or 8 bytes" },
    { "list of 16 bytes", NOTE(15, 2, 0), { 0 }, "its Xen note 15 is no number of 4 or 8 bytes" },
    { "MOD_START_PFN of 1 byte", NOTE(16, 1, 1), { 0 }, "its Xen note 16 is no number of 4 or 8 bytes" },
    { "entry below the base", NOTE(1, 8, BASE - 1), { 0 }, "its entry 0xffffffff7fffffff lies in no segment's bytes" },
    { "entry before the text",
      NOTE(1, 8, BASE + 0xffffff),
      { 0 },
      "its entry 0xffffffff80ffffff lies in no segment's bytes" },
    { "entry at the text's last byte", NOTE(1, 8, BASE + 0x1000000 + TEXT - 1), { 0 }, NULL },
    { "entry behind the text",
      NOTE(1, 8, BASE + 0x1000000 + TEXT),
      { 0 },
      "its entry 0xffffffff81010000 lies in no segment's bytes" },
    { "entry in bss",
      NOTE(1, 8, BASE + 0x1200000 + ELF_DATA_BYTES),
      { 0 },
      "its entry 0xffffffff81201000 lies in no segment's bytes" },
    { "hypercall page that is none",
      NOTE(2, 8, BASE + 0x1001008),
      { 0 },
      "its HYPERCALL_PAGE 0xffffffff81001008 is no page of a segment's bytes" },
    { "hypercall page elsewhere",
      NOTE(2, 8, BASE + 0x100000),
      { 0 },
      "its HYPERCALL_PAGE 0xffffffff80100000 is no page of a segment's bytes" },
    { "base that is no page",
      NOTE(3, 8, BASE + 8),
      { 0 },
      "VIRT_BASE 0xffffffff80000008 and PADDR_OFFSET 0x0 do not go with an ELF linked at 0x1000000" },
    { "base elsewhere", NOTE(3, 8, 0x10000000), { 0 }, "its entry 0xffffffff81000000 lies in no segment's bytes" },
    { "offset that is the address",
      NOTE(4, 8, 0x1000000),
      { 0 },
      "its entry 0xffffffff81000000 lies in no segment's bytes" },
    { "offset over the address",
      NOTE(4, 8, 0x1001000),
      { 0 },
      "VIRT_BASE 0xffffffff80000000 and PADDR_OFFSET 0x1001000 do not go with an ELF linked at 0x1000000" },
    { "offset that is no page",
      NOTE(4, 8, 1),
      { 0 },
      "VIRT_BASE 0xffffffff80000000 and PADDR_OFFSET 0x1 do not go with an ELF linked at 0x1000000" },
    { "requires nothing", { .base = BASE, .features = "pae_pgdir_above_4gb|auto_translated_physmap" }, { 0 }, NULL },
    { "requires what is not",
      { .base = BASE, .features = "pae_pgdir_above_4gb|!auto_translated_physmap" },
      { 0 },
      "it requires 'auto_translated_physmap', which a PV domain does not have" },
    { "requires what nobody knows",
      { .base = BASE, .features = "!\x1bwhat|!dom0" },
      { 0 },
      "it requires '\\x1bwhat', which a PV domain does not have" },
    { "requires nothing by name",
      { .base = BASE, .features = "!" },
      { 0 },
      "it requires '?', which a PV domain does not have" },
    { "empty names", { .base = BASE, .features = "||" }, { 0 }, NULL },
    { "another XEN_VERSION",
      { .base = BASE },
      { ELF_NOTES + 24 + 16 + 6, 1, '1' },
      "no XEN_VERSION note says xen-3.0" },
};

static void offered_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct mk m = mk_pv_elf(TEXT, &row[i].pv);
        struct pvboot_error e = { 0 };
        struct pvboot_kernel k;
        char why[160];

        print_message("%s\n", row[i].name);
        mk_pokes(&m, &row[i].poke, 1);
        if (pvboot_kernel_parse(&k, mk_bytes(&m), &e))
            fail_msg("%s", e.text);
        assert_true(pvboot_image_needs_elf(&k.image, PVBOOT_PATH_PV));
        assert_int_equal(pvboot_image_offers(&k.image, PVBOOT_PATH_PV, why, sizeof(why)), row[i].why == NULL);
        assert_string_equal(why, row[i].why ? row[i].why : "");
        pvboot_kernel_dispose(&k);
        mk_free(&m);
    }
}

/* Ways in that do not make a PV kernel. */
static void other_kernels(void **state)
{
    static const struct {
        unsigned int bits;
        const char *why;
    } other[] = { { 32, "32-bit ELF: PV domains of 32 bits are not made" },
                  { 64, "no XEN_VERSION note says xen-3.0" } };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct mk m = mk_elf(other[i].bits, TEXT);
        struct pvboot_error e = { 0 };
        struct pvboot_kernel k;
        char why[160];

        assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&m), &e), 0);
        assert_false(pvboot_image_offers(&k.image, PVBOOT_PATH_PV, why, sizeof(why)));
        assert_string_equal(why, other[i].why);
        pvboot_kernel_dispose(&k);
        mk_free(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offered_or_not),
        cmocka_unit_test(other_kernels),
    };

    return cmocka_run_group_tests_name("image_pv", tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Xen's ELF notes, numbers from xen/include/public/elfnote.h written out: 6 guest OS, 18 entry, 19 relocation. */
#include "mkimage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define M PVBOOT_E_MALFORMED

static struct pvboot_notes notes;
static struct pvboot_window window;
static struct pvboot_error err;

/* An image whose notes are those that @fill writes from ELF_NOTES on. */
static int parse(size_t (*fill)(struct mk *m, size_t at, const void *arg), const void *arg)
{
    struct mk m = mk_elf(64, 0x2000);
    struct pvboot_kernel k;
    size_t end;
    int rc;

    memset(m.p + ELF_NOTES, 0, ELF_TEXT - ELF_NOTES);
    end = fill(&m, ELF_NOTES, arg);
    mk_notes_end(&m, end);
    err = (struct pvboot_error){ 0 };
    rc = pvboot_kernel_parse(&k, mk_bytes(&m), &err);
    notes = k.image.elf.notes;
    window = k.image.elf.window;
    pvboot_kernel_dispose(&k);
    mk_free(&m);
    return rc;
}

struct one {
    const char *owner;
    uint32_t type;
    const char *desc;
    uint32_t n;
};

static size_t some(struct mk *m, size_t at, const void *arg)
{
    const struct one *note = arg;

    for (size_t i = 0; i < 3 && note[i].owner; i++)
        at = mk_note(m, at, note[i].owner, note[i].type, note[i].desc, note[i].n);
    return at;
}

#define ENTRY "\x50\x08\0\x01\0\0\0\0"

static const struct {
    const char *name;
    struct one note[3];
    int code;
    const char *says;
} row[] = {
    { "none", { { 0 } }, 0, "" },
    { "entry of 4 bytes", { { "Xen", 18, ENTRY, 4 } }, 0, "" },
    { "entry of 8 bytes", { { "Xen", 18, ENTRY, 8 } }, 0, "" },
    { "entry of 0 bytes", { { "Xen", 18, ENTRY, 0 } }, M, "PHYS32_ENTRY note at 0x400 has 0 bytes" },
    { "entry of 1 byte", { { "Xen", 18, ENTRY, 1 } }, M, "has 1 bytes" },
    { "entry of 2 bytes", { { "Xen", 18, ENTRY, 2 } }, M, "has 2 bytes" },
    { "entry of 3 bytes", { { "Xen", 18, ENTRY, 3 } }, M, "has 3 bytes" },
    { "entry of 5 bytes", { { "Xen", 18, ENTRY, 5 } }, M, "has 5 bytes" },
    { "entry above 4 GiB", { { "Xen", 18, "\x50\x08\0\x01\x01\0\0\0", 8 } }, M, "0x101000850 at 0x400 is above 4 GiB" },
    { "entry outside the segments",
      { { "Xen", 18, "\0\0\0\x02", 4 } },
      M,
      "PHYS32_ENTRY 0x2000000 at 0x400 lies in no" },
    { "entry in the zero-fill", { { "Xen", 18, "\0\x10\x20\x01", 4 } }, M, "PHYS32_ENTRY 0x1201000" },
    { "same entry twice", { { "Xen", 18, ENTRY, 4 }, { "Xen", 18, ENTRY, 8 } }, 0, "" },
    { "two entries", { { "Xen", 18, ENTRY, 4 }, { "Xen", 18, "\x51\x08\0\x01", 4 } }, M, "two PHYS32_ENTRY notes" },
    { "someone else's note 18", { { "Zen", 18, ENTRY, 3 } }, 0, "" },
    { "owner longer than Xen", { { "Xen ", 18, ENTRY, 3 } }, 0, "" },
    { "relocation aligned to 0", { { "Xen", 19, "\0\0\0\0", 4 } }, M, "alignment 0x0" },
    { "relocation aligned to 3", { { "Xen", 19, "\3\0\0\0", 4 } }, M, "alignment 0x3" },
    { "relocation of 3 bytes", { { "Xen", 19, "\0\0\x20", 3 } }, M, "has 3 bytes" },
    { "relocation of 16 bytes", { { "Xen", 19, "\0\0\x20\0\0\0\0\0\0\0\0\0\0\0\0", 16 } }, M, "has 16 bytes" },
    { "minimum over maximum", { { "Xen", 19, "\0\0\x20\0\1\0\0\0\0\0\0", 12 } }, M, "minimum 0x1 over maximum 0x0" },
    { "minimum is maximum", { { "Xen", 19, "\0\0\x20\0\1\0\0\0\1\0\0", 12 } }, 0, "" },
    { "same relocation twice", { { "Xen", 19, "\0\0\x20", 4 }, { "Xen", 19, "\0\0\x20", 4 } }, 0, "" },
    { "two relocations", { { "Xen", 19, "\0\0\x20", 4 }, { "Xen", 19, "\0\0\x40", 4 } }, M, "two PHYS32_RELOC" },
};

static void rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        int rc = parse(some, row[i].note);

        if (rc != -row[i].code || !strstr(err.text, row[i].says))
            fail_msg("%s: %d, not %d: %s", row[i].name, rc, -row[i].code, err.text);
    }
}

static void entry_and_owner(void **state)
{
    (void)state;
    assert_int_equal(parse(some, row[0].note), 0);
    assert_false(notes.has_phys32_entry || notes.has_phys32_reloc || notes.linux_note || notes.pvboot_stub);
    assert_int_equal(parse(some, row[1].note), 0);
    assert_true(notes.has_phys32_entry && notes.phys32_entry == 0x1000850);
    assert_int_equal(parse(some, (struct one[3]){ { "pvboot", 1, "", 0 }, { "Linux", 0x100, "6.1", 4 } }), 0);
    assert_true(notes.pvboot_stub && notes.linux_note);
    assert_int_equal(parse(some, (struct one[3]){ { "pvboot", 3, "", 0 } }), 0);
    assert_false(notes.pvboot_stub);
}

/* As Linux 6.12 writes it; then each value left out in turn, with elfnote.h's defaults. */
static void relocation(void **state)
{
    static const char full[] = "\0\0\x40\0\0\0\0\x01\xff\xff\xff\x3f";

    (void)state;
    for (uint32_t n = 0; n <= 12; n += 4) {
        assert_int_equal(parse(some, (struct one[3]){ { "Xen", 19, full, n } }), 0);
        assert_true(notes.has_phys32_reloc && window.relocatable);
        assert_int_equal(window.align, n >= 4 ? 0x400000 : 0x200000); /* p_align of the loads */
        assert_int_equal(window.min_gpa, n >= 8 ? 0x1000000 : 0);
        assert_int_equal(window.max_gpa, n >= 12 ? 0x3fffffff : UINT32_MAX);
        assert_int_equal(notes.reloc_align, window.align);
    }
}

static void text_is_escaped_and_cut(void **state)
{
    char big[3000];

    (void)state;
    memset(big, 'a', sizeof(big));
    assert_int_equal(parse(some, (struct one[3]){ { "Xen", 6, "\x1b[2Jnet\n", 8 },
                                                  { "Xen", 7, "1.0\0hidden", 10 },
                                                  { "Xen", 10, big, 600 } }),
                     0);
    assert_string_equal(notes.guest_os, "\\x1b[2Jnet\\x0a");
    assert_string_equal(notes.guest_version, "1.0");
    assert_int_equal(strlen(notes.features), sizeof(notes.features) - 1);
    assert_int_equal(parse(some, (struct one[3]){ { "Xen", 6, big, 2900 }, { "Xen", 8, "", 0 } }), 0);
    assert_int_equal(strlen(notes.guest_os), sizeof(notes.guest_os) - 1);
    assert_string_equal(notes.loader, "");
    assert_int_equal(parse(some, (struct one[3]){ { "Xen", 5, "xen-3.0", 8 }, { "Xen", 8, "generic", 8 } }), 0);
    assert_string_equal(notes.xen_version, "xen-3.0");
    assert_string_equal(notes.loader, "generic");
}

/* GUEST_OS of 10 kB of escape sequences without a NUL, behind everything else in the file, and an entry behind it. */
static size_t ten_kilobytes(struct mk *m, size_t at, const void *arg)
{
    static char big[10240];
    size_t from = m->len, end;

    (void)arg;
    for (size_t i = 0; i < sizeof(big); i += 4)
        memcpy(big + i, "\x1b[2J", 4);
    mk_le(m, PH64(2, P64_OFFSET), 8, from);
    end = mk_note(m, from, "Xen", 6, big, sizeof(big));
    return at + mk_note(m, end, "Xen", 18, ENTRY, 4) - from;
}

static void long_text(void **state)
{
    (void)state;
    assert_int_equal(parse(ten_kilobytes, NULL), 0);
    assert_string_equal(notes.guest_os, "\\x1b[2J\\x1b[2J\\x1b[2J\\x1b[2J");
    assert_int_equal(notes.phys32_entry, 0x1000850);
}

/* Other systems' notes, as their sources have them: all OK, and told apart from Linux. */
static void other_systems(void **state)
{
    static const char *const os[] = { "XTF", "Mini-OS", "FreeBSD", "NetBSD", "Unikraft" };

    (void)state;
    for (size_t i = 0; i < sizeof(os) / sizeof(os[0]); i++) {
        struct one note[3] = { { "Xen", 6, os[i], (uint32_t)strlen(os[i]) + 1 },
                               { "Xen", 18, ENTRY, 4 },
                               { "Xen", 3, "\0\0\0\0\0\0\0", 8 } };

        assert_int_equal(parse(some, note), 0);
        assert_string_equal(notes.guest_os, os[i]);
        assert_true(notes.has_phys32_entry && !notes.linux_note);
    }
}

static size_t raw(struct mk *m, size_t at, const void *arg)
{
    const uint32_t *v = arg; /* namesz, descsz, type, bytes of the segment */

    mk_put(m, at, v, 12);
    return at + v[3];
}

static void bad_frames(void **state)
{
    static const struct {
        uint32_t v[4];
        const char *says;
    } frame[] = {
        { { 0xfffffff0, 0, 18, 64 }, "name of 4294967280 and contents of 0 bytes run past" },
        { { 4, 0xfffffff0, 18, 64 }, "contents of 4294967280 bytes run past" },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 64 }, "run past" },
        { { 4, 4, 18, 12 }, "run past" },
        { { 4, 4, 18, 16 }, "run past" },
        { { 4, 49, 18, 64 }, "run past" },
        { { 53, 0, 18, 64 }, "run past" },
        { { 4, 4, 18, 3 }, "3 bytes at 0x400 are too short" },
        { { 4, 4, 18, 11 }, "11 bytes at 0x400 are too short" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(frame) / sizeof(frame[0]); i++) {
        int rc = parse(raw, frame[i].v);

        if (rc != -M || !strstr(err.text, frame[i].says))
            fail_msg("frame %zu: %d: %s", i, rc, err.text);
    }
    assert_int_equal(parse(raw, (uint32_t[]){ 4, 48, 18, 64 }), 0); /* fits to the byte; owner is four zeros */
}

/* 12 bytes are a note without owner; 65,536 fit the limit, one more does not. */
static size_t many(struct mk *m, size_t at, const void *arg)
{
    const size_t *n = arg;

    at = m->len;
    mk_le(m, PH64(2, P64_OFFSET), 8, at);
    mk_put(m, at + 12 * *n, NULL, 0);
    for (size_t i = 0; i < *n; i++)
        m->p[at + 12 * i + 8] = 1;
    return ELF_NOTES + 12 * *n;
}

static void too_many(void **state)
{
    size_t n = 65536;

    (void)state;
    assert_int_equal(parse(many, &n), 0);
    n++;
    assert_int_equal(parse(many, &n), -PVBOOT_E_LIMIT);
    assert_non_null(strstr(err.text, "65536"));
}

static size_t segment(struct mk *m, size_t at, const void *arg)
{
    const struct mk_poke *p = arg;

    at = mk_note(m, at, "Xen", 18, ENTRY, 4);
    mk_notes_end(m, at);
    mk_pokes(m, p, 1);
    return at;
}

static void segment_bounds(void **state)
{
    (void)state;
    assert_int_equal(parse(segment, &(struct mk_poke){ PH64(2, P64_OFFSET), 8, 0x4000 - 19 }), -M);
    assert_non_null(strstr(err.text, "note segment 0x3fed+0x14 ends past byte 0x4000"));
    assert_int_equal(parse(segment, &(struct mk_poke){ PH64(2, P64_OFFSET), 8, UINT64_MAX }), -M);
    assert_int_equal(parse(segment, &(struct mk_poke){ PH64(2, P64_OFFSET), 8, 0 }), 0); /* old binutils: skipped */
    assert_false(notes.has_phys32_entry);
    assert_int_equal(parse(segment, &(struct mk_poke){ PH64(2, P64_ALIGN), 8, 3 }), 0); /* as if 4 */
    assert_true(notes.has_phys32_entry);
}

/* Segment aligned to 8, as .note.gnu.property: owner and contents both padded to 8. */
static size_t eight(struct mk *m, size_t at, const void *arg)
{
    (void)arg;
    mk_put(m, at, "\4\0\0\0\x0c\0\0\0\5\0\0\0GNU\0abcdabcdabcd\0\0\0\0", 32);
    mk_put(m, at + 32, "\4\0\0\0\4\0\0\0\x12\0\0\0Xen\0\x50\x08\0\x01", 20);
    mk_le(m, PH64(2, P64_ALIGN), 8, 8);
    return at + 52; /* the last padding is cut off */
}

static void padded_to_eight(void **state)
{
    (void)state;
    assert_int_equal(parse(eight, NULL), 0);
    assert_true(notes.has_phys32_entry && notes.phys32_entry == 0x1000850);
}

/* As GNU ld merges .note.gnu.property with others: aligned to 8, but the others are padded to 4. */
static size_t merged(struct mk *m, size_t at, const void *arg)
{
    static const char property[] = "\2\0\0\xc0\4\0\0\0\3\0\0\0\0\0\0"; /* x86 features: 16 bytes, a multiple of 8 */

    (void)arg;
    at = mk_note(m, at, "GNU", 5, property, 16);
    at = mk_note(m, at, "Xen", 6, "XTF", 4);
    at = mk_note(m, at, "Xen", 8, "generic", 8);
    at = mk_note(m, at, "Xen", 18, ENTRY, 4);
    mk_le(m, PH64(2, P64_ALIGN), 8, 8);
    return at;
}

static void padded_to_four_aligned_to_eight(void **state)
{
    (void)state;
    assert_int_equal(parse(merged, NULL), 0);
    assert_true(notes.has_phys32_entry && notes.phys32_entry == 0x1000850);
    assert_string_equal(notes.guest_os, "XTF");
}

/* A linker script's alignment leaves zeroes behind the last note, whose own last bytes are zero, too. */
static size_t with_tail(struct mk *m, size_t at, const void *arg)
{
    size_t end = m->len, n = *(const size_t *)arg;

    mk_le(m, PH64(2, P64_OFFSET), 8, end);
    mk_put(m, end + 24 + n, NULL, 0);
    mk_note(m, end, "Xen", 18, ENTRY, 8);
    return at + 24 + n;
}

static void zero_tails(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 4096; n += n < 30 ? 1 : 58) {
        if (parse(with_tail, &n))
            fail_msg("%zu zeroes: %s", n, err.text);
        assert_true(notes.has_phys32_entry && notes.phys32_entry == 0x1000850);
    }
}

struct named {
    const char *name;
    uint32_t bytes;
    bool is_xen;
};

static size_t one_named(struct mk *m, size_t at, const void *arg)
{
    const struct named *n = arg;

    mk_le(m, at, 4, n->bytes);
    mk_le(m, at + 4, 4, 4);
    mk_le(m, at + 8, 4, 18);
    mk_put(m, at + 12, n->name, (n->bytes + 3) / 4 * 4);
    mk_put(m, at + 12 + (n->bytes + 3) / 4 * 4, ENTRY, 4);
    return at + 16 + (n->bytes + 3) / 4 * 4;
}

static void names(void **state)
{
    static const struct named name[] = {
        { "Xen\0\0\0\0", 4, true },  { "Xen\0\0\0\0", 3, true },   { "Xen\0\0\0\0", 8, true },
        { "Xenx\0\0\0", 3, false },  { "Xe\0\0\0\0\0", 3, false }, { "Xenx\0\0\0", 8, false },
        { "xen\0\0\0\0", 4, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        if (parse(one_named, &name[i]) || notes.has_phys32_entry != name[i].is_xen)
            fail_msg("name %zu: %s", i, err.text);
}

/* Notes that only a section names, at the end of the file: header 0 is the null section, 1 the notes. */
static size_t in_section(struct mk *m, size_t at, const void *arg)
{
    const struct mk_poke *p = arg; /* relative to the table */
    size_t table = m->len, end = mk_note(m, table + 128, "Xen", 18, ENTRY, 4);

    mk_le(m, E64_SHOFF, 8, table);
    mk_le(m, E64_SHNUM, 2, 2);
    mk_le(m, 58, 2, 64); /* e_shentsize */
    mk_le(m, table + 64 + 4, 4, 7);
    mk_le(m, table + 64 + 24, 8, table + 128);
    mk_le(m, table + 64 + 32, 8, end - table - 128);
    mk_le(m, table + 64 + 48, 8, 4);
    mk_le(m, PH64(2, 0), 4, 0);
    if (p->width)
        mk_le(m, p->off < 64 ? p->off : table + p->off, p->width, p->value);
    return at;
}

static void only_a_section_names_them(void **state)
{
    static const struct {
        struct mk_poke poke;
        bool found;
    } table[] = {
        { { 0 }, true },
        { { E64_SHOFF, 8, 0 }, false },
        { { E64_SHOFF, 8, UINT64_MAX - 3 }, false },
        { { E64_SHNUM, 2, 0xfeff }, false },
        { { E64_SHNUM, 2, 1 }, false }, /* the null section alone */
        { { 58, 2, 63 }, false },
        { { 64 + 4, 4, 1 }, false },               /* no SHT_NOTE */
        { { 64 + 24, 8, UINT64_MAX - 3 }, false }, /* wraps */
        { { 64 + 32, 8, 0x10000 }, false },        /* past the file */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (parse(in_section, &table[i].poke) || notes.has_phys32_entry != table[i].found)
            fail_msg("row %zu: %s", i, err.text);
    assert_int_equal(parse(in_section, &(struct mk_poke){ 128 + 4, 4, 3 }), -M);
    assert_non_null(strstr(err.text, "has 3 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(entry_and_owner),
        cmocka_unit_test(relocation),
        cmocka_unit_test(other_systems),
        cmocka_unit_test(bad_frames),
        cmocka_unit_test(text_is_escaped_and_cut),
        cmocka_unit_test(too_many),
        cmocka_unit_test(segment_bounds),
        cmocka_unit_test(padded_to_eight),
        cmocka_unit_test(long_text),
        cmocka_unit_test(padded_to_four_aligned_to_eight),
        cmocka_unit_test(zero_tails),
        cmocka_unit_test(names),
        cmocka_unit_test(only_a_section_names_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* `pvboot decode`: a good structure, typed as bytes, has no lint; each change to it has the one that belongs to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/describe/decode.h"

struct row {
    const char *name;
    uint32_t off, width;
    uint64_t value;
    const char *lint; /* part of one of the sentences; NULL: there is none */
};

static void write_le(uint8_t *p, uint32_t width, uint64_t v)
{
    for (uint32_t i = 0; i < width; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

static bool has_lint(const json_t *o, const char *part)
{
    json_t *text;
    size_t i;

    json_array_foreach(json_object_get(o, "lint"), i, text) if (strstr(json_string_value(text), part)) return true;
    return false;
}

static void check_lint(const char *name, const json_t *o, const char *lint)
{
    size_t n = json_array_size(json_object_get(o, "lint"));

    if (lint ? !has_lint(o, lint) : n)
        fail_msg("%s: %s", name, n ? json_string_value(json_array_get(json_object_get(o, "lint"), 0)) : "no lint");
}

/* ---- zero page ---- */

static const struct row good_page[] = {
    { "acpi_rsdp_addr", 0x070, 8, 0xfc008000, NULL },
    { "e820_entries", 0x1e8, 1, 2, NULL },
    { "boot_flag", 0x1fe, 2, 0xaa55, NULL },
    { "header", 0x202, 4, 0x53726448, NULL },
    { "version", 0x206, 2, 0x20f, NULL },
    { "type_of_loader", 0x210, 1, 0x91, NULL },
    { "loadflags", 0x211, 1, 1, NULL },
    { "code32_start", 0x214, 4, 0x1000000, NULL },
    { "ramdisk_image", 0x218, 4, 0x8000000, NULL },
    { "ramdisk_size", 0x21c, 4, 0x100000, NULL },
    { "cmd_line_ptr", 0x228, 4, 0x101000, NULL },
    { "initrd_addr_max", 0x22c, 4, 0x7fffffff, NULL },
    { "kernel_alignment", 0x230, 4, 0x200000, NULL },
    { "relocatable_kernel", 0x234, 1, 1, NULL },
    { "setup_data", 0x250, 8, 0x102000, NULL },
    { "pref_address", 0x258, 8, 0x1000000, NULL },
    { "init_size", 0x260, 4, 0x4000000, NULL },
    { "e820[0].addr", 0x2d0, 8, 0, NULL },
    { "e820[0].size", 0x2d8, 8, 0xa0000, NULL },
    { "e820[0].type", 0x2e0, 4, 1, NULL },
    { "e820[1].addr", 0x2e4, 8, 0x100000, NULL },
    { "e820[1].size", 0x2ec, 8, 0x2ff00000, NULL },
    { "e820[1].type", 0x2f4, 4, 1, NULL },
};

static const struct row page_row[] = {
    { "nothing", 0, 0, 0, NULL },
    { "sentinel", 0x1ef, 1, 0xff, "sentinel 0xff" },
    { "no loader", 0x210, 1, 0, "ignores the ramdisk" },
    { "KASLR", 0x211, 1, 3, "KASLR" },
    { "heap", 0x224, 2, 0xde00, "heap_end_ptr 0xde00" },
    { "no ACPI", 0x70, 8, 0, "acpi_rsdp_addr" },
    { "EFI", 0x1c0, 4, 0x34364c45, "efi_info" },
    { "cc blob", 0x13c, 4, 1, "cc_blob_address" },
    { "not HdrS", 0x202, 1, 'h', "HdrS" },
    { "boot_flag", 0x1fe, 2, 0xaa56, "boot_flag 0xaa56" },
    { "zImage", 0x211, 1, 0, "LOADED_HIGH" },
    { "subarch before 2.07", 0x206, 2, 0x206, "setup_data is set" },
    { "unknown subarch", 0x23c, 4, 5, "hardware_subarch 5" },
    { "known subarch", 0x23c, 4, 4, NULL },
    { "data without subarch", 0x240, 8, 1, "without a subarch" },
    { "setup_data unaligned", 0x250, 8, 0x102004, "setup_data 0x102004 is not 8-byte aligned" },
    { "setup_data in the window", 0x250, 8, 0x1000000, "setup_data [0x1000000, 0x1000010) overlaps kernel window" },
    { "setup_data below the window", 0x250, 8, 0xfffff0, NULL },
    { "setup_data into the window", 0x250, 8, 0xfffff8, "overlaps" },
    { "setup_data behind the window", 0x250, 8, 0x5000000, NULL },
    { "setup_data in the hole", 0x250, 8, 0xb0000, "is not RAM" },
    { "one e820 entry", 0x1e8, 1, 1, "fewer than 2" },
    { "129 e820 entries", 0x1e8, 1, 129, "room for 128" },
    { "overlapping e820", 0x2e4, 8, 0x9ffff, "begins before entry 0 ends" },
    { "empty e820 entry", 0x2d8, 8, 0, "entry 0 at 0 is empty" },
    { "wrapping e820 entry", 0x2ec, 8, UINT64_MAX, "entry 1 at 0x100000 is empty or wraps" },
    { "ramdisk in the window", 0x218, 4, 0x4fff000, "ramdisk [0x4fff000, 0x50ff000) overlaps kernel window" },
    { "ramdisk behind the window", 0x218, 4, 0x5000000, NULL },
    { "ramdisk at the end of RAM", 0x218, 4, 0x2ff00000, NULL },
    { "ramdisk over the end of RAM", 0x218, 4, 0x2ff00001, "is not RAM" },
    { "ramdisk over initrd_addr_max", 0x22c, 4, 0x80ffffe, "above initrd_addr_max" },
    { "ramdisk at initrd_addr_max", 0x22c, 4, 0x80fffff, NULL },
    { "ramdisk wraps", 0x0c0, 4, 0xffffffff, "is not RAM" },
    { "command line on the zero page", 0x228, 4, 0x100800, "zero page [0x100000, 0x101000) overlaps command line" },
    { "window over the end of RAM", 0x260, 4, 0x2f000001, "kernel window [0x1000000, 0x30000001) is not RAM" },
};

static void make_page(uint8_t page[4096])
{
    memset(page, 0, 4096);
    for (size_t i = 0; i < sizeof(good_page) / sizeof(good_page[0]); i++)
        write_le(page + good_page[i].off, good_page[i].width, good_page[i].value);
}

static void zero_page_lint(void **state)
{
    uint8_t page[4096];

    (void)state;
    for (size_t i = 0; i < sizeof(page_row) / sizeof(page_row[0]); i++) {
        json_t *o;

        make_page(page);
        write_le(page + page_row[i].off, page_row[i].width, page_row[i].value);
        o = pvb_decode_zero_page((struct pvboot_bytes){ page, 4096 }, 0x100000);
        check_lint(page_row[i].name, o, page_row[i].lint);
        json_decref(o);
    }
}

static json_int_t field(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(o, "fields"), key));
}

static void zero_page_fields(void **state)
{
    uint8_t page[4096];
    json_t *o;

    (void)state;
    make_page(page);
    o = pvb_decode_zero_page((struct pvboot_bytes){ page, 4096 }, 0);
    for (size_t i = 0; i < 17; i++) /* up to the e820 table */
        if (field(o, good_page[i].name) != (json_int_t)good_page[i].value)
            fail_msg("%s: %lld", good_page[i].name, (long long)field(o, good_page[i].name));
    assert_int_equal(json_array_size(json_object_get(o, "e820")), 2);
    json_decref(o);
}

/* What the lab relies on: same keys always, and no byte that does not show. */
static void every_bit_shows(void **state)
{
    uint8_t page[4096];
    json_t *good, *fields;

    (void)state;
    make_page(page);
    good = pvb_decode_zero_page((struct pvboot_bytes){ page, 4096 }, 0);
    fields = json_object_get(good, "fields");
    for (size_t off = 0; off < 4096; off++) {
        json_t *o;

        page[off] ^= (uint8_t)(1 << off % 8);
        o = pvb_decode_zero_page((struct pvboot_bytes){ page, 4096 }, 0);
        page[off] ^= (uint8_t)(1 << off % 8);
        if (json_equal(fields, json_object_get(o, "fields")) ||
            json_object_size(json_object_get(o, "fields")) != json_object_size(fields))
            fail_msg("byte %#zx", off);
        json_decref(o);
    }
    json_decref(good);
}

static void zero_page_size(void **state)
{
    static const size_t sizes[] = { 0, 1, 4095, 4097 };
    static uint8_t page[8192];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        json_t *o = pvb_decode_zero_page((struct pvboot_bytes){ page, sizes[i] }, 0);

        check_lint("size", o, "a zero page has 4096");
        json_decref(o);
    }
}

/* ---- start info ---- */

static const struct row good_info[] = {
    { "magic", 0, 4, 0x336ec578, NULL },        { "version", 4, 4, 1, NULL },
    { "nr_modules", 12, 4, 1, NULL },           { "modlist_paddr", 16, 8, 0x101038, NULL },
    { "cmdline_paddr", 24, 8, 0x101078, NULL }, { "rsdp_paddr", 32, 8, 0xfc008000, NULL },
    { "memmap_paddr", 40, 8, 0x101058, NULL },  { "memmap_entries", 48, 4, 1, NULL },
    { "module", 56, 8, 0x8000000, NULL },       { "module size", 64, 8, 0x1000, NULL },
    { "map size", 96, 8, 0x40000000, NULL },    { "map type", 104, 4, 1, NULL },
    { "cmdline", 120, 4, 0x20006968, NULL }, /* "hi" NUL */
};
#define INFO_BYTES 124

static const struct row info_row[] = {
    { "nothing", 0, 0, 0, NULL },
    { "magic", 0, 1, 0, "magic 0x336ec500" },
    { "version 2", 4, 4, 2, "version 2 is younger" },
    { "version 0", 4, 4, 0, NULL },
    { "no module list", 16, 8, 0, "no list of them" },
    { "two modules", 12, 4, 2, "uses the first only" },
    { "a million modules", 12, 4, 1000000, "uses the first only" },
    { "no map", 40, 8, 0, "no table of them" },
    { "127 entries", 48, 4, 127, NULL },
    { "128 entries", 48, 4, 128, "overruns its table" },
    { "reserved", 52, 4, 1, "reserved word at 52" },
    { "no ACPI", 32, 8, 0, "no ACPI" },
    { "module above 4 GiB", 60, 4, 1, "low 32 bits" },
    { "module over 4 GiB", 56, 8, 0xfffff001, "low 32 bits" },
    { "module up to 4 GiB", 56, 8, 0xfffff000, NULL },
    { "map entry's reserved", 108, 4, 1, "entry 0: reserved" },
    { "map entry empty", 96, 8, 0, "entry 0 at 0 is empty" },
    { "cmdline without end", 122, 1, 'x', "has no NUL" },
    { "list elsewhere", 16, 8, 0x101000 - 1, NULL }, /* not in the file: not followed */
    { "list wraps", 16, 8, UINT64_MAX, NULL },
};

static void start_info(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(info_row) / sizeof(info_row[0]); i++) {
        uint8_t *b = calloc(1, INFO_BYTES); /* exact, for the sanitizer */
        json_t *o;

        for (size_t k = 0; k < sizeof(good_info) / sizeof(good_info[0]); k++)
            write_le(b + good_info[k].off, good_info[k].width, good_info[k].value);
        write_le(b + info_row[i].off, info_row[i].width, info_row[i].value);
        if (info_row[i].off == 122)
            b[123] = 'x';
        o = pvb_decode_start_info((struct pvboot_bytes){ b, INFO_BYTES }, 0x101000);
        check_lint(info_row[i].name, o, info_row[i].lint);
        if (!i) {
            assert_string_equal(json_string_value(json_object_get(o, "cmdline")), "hi");
            assert_int_equal(json_array_size(json_object_get(o, "modules")), 1);
            assert_int_equal(json_array_size(json_object_get(o, "memmap")), 1);
            for (size_t k = 0; k < 8; k++)
                assert_int_equal(field(o, good_info[k].name), good_info[k].value);
        }
        json_decref(o);
        free(b);
    }
}

static void start_info_size(void **state)
{
    uint8_t b[56] = { 0x78, 0xc5, 0x6e, 0x33, 1 };
    json_t *o;

    (void)state;
    o = pvb_decode_start_info((struct pvboot_bytes){ b, 55 }, 0);
    check_lint("55 bytes", o, "too short");
    json_decref(o);
    b[4] = 0; /* version 0 ends at 40 */
    o = pvb_decode_start_info((struct pvboot_bytes){ b, 40 }, 0);
    check_lint("version 0", o, "no ACPI");
    assert_null(json_object_get(json_object_get(o, "fields"), "memmap_paddr"));
    json_decref(o);
    o = pvb_decode_start_info((struct pvboot_bytes){ b, 39 }, 0);
    check_lint("39 bytes", o, "too short");
    json_decref(o);
}

/* ---- setup_data ---- */

#define CHAIN_BYTES 96

static const struct row chain_row[] = {
    { "nothing", 0, 0, 0, NULL },
    { "loop", 40, 8, 0x102000, "loop" },
    { "itself", 0, 8, 0x102000, "loop" },
    { "next outside", 40, 8, 0x103000, "chain at 0x103000: unreadable" },
    { "next unaligned", 0, 8, 0x102001, "not 8-byte aligned" },
    { "len outside", 52, 4, 41, "are not in this file" },
    { "len to the end", 52, 4, 40, NULL },
    { "len 4 GiB", 52, 4, 0xffffffff, "are not in this file" },
    { "e820_ext cut", 12, 4, 21, "not whole entries" },
    { "hypervisor node", 48, 4, 0x50595648, "hypervisor node: too short" },
};

static void setup_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(chain_row) / sizeof(chain_row[0]); i++) {
        uint8_t *b = calloc(1, CHAIN_BYTES);
        json_t *o, *nodes;

        write_le(b, 8, 0x102028);
        write_le(b + 8, 4, 1);
        write_le(b + 12, 4, 20);
        write_le(b + 16, 8, 0x100000000);
        write_le(b + 24, 8, 0x1000);
        write_le(b + 32, 4, 1);
        write_le(b + 48, 4, 9);
        write_le(b + 52, 4, 32);
        write_le(b + chain_row[i].off, chain_row[i].width, chain_row[i].value);
        o = pvb_decode_setup_data((struct pvboot_bytes){ b, CHAIN_BYTES }, 0x102000);
        check_lint(chain_row[i].name, o, chain_row[i].lint);
        nodes = json_object_get(o, "nodes");
        if (!i) {
            assert_int_equal(json_array_size(nodes), 2);
            assert_string_equal(json_string_value(json_object_get(json_array_get(nodes, 0), "type_name")), "e820_ext");
            assert_int_equal(json_array_size(json_object_get(json_array_get(nodes, 0), "e820")), 1);
            assert_string_equal(json_string_value(json_object_get(json_array_get(nodes, 1), "type_name")), "rng_seed");
            assert_int_equal(json_integer_value(json_object_get(json_array_get(nodes, 1), "len")), 32);
        }
        json_decref(o);
        free(b);
    }
}

/* @nodes that all claim the same megabyte. */
static json_t *decode_overlapping(uint32_t nodes, uint32_t type)
{
    size_t n = 1u << 20;
    uint8_t *b = calloc(1, n);
    json_t *o;

    for (uint32_t i = 0; i < nodes; i++) {
        write_le(b + 16 * i, 8, i + 1 < nodes ? 0x100000 + 16 * (i + 1) : 0);
        write_le(b + 16 * i + 8, 4, type);
        write_le(b + 16 * i + 12, 4, n - 16 * (i + 1));
    }
    o = pvb_decode_setup_data((struct pvboot_bytes){ b, n }, 0x100000);
    free(b);
    return o;
}

/* No more output than input, roughly. */
static void overlapping_nodes(void **state)
{
    json_t *o = decode_overlapping(1000, 99);
    char *text = json_dumps(o, 0);

    (void)state;
    assert_non_null(text);
    assert_in_range(strlen(text), 1, 1u << 20);
    free(text);
    json_decref(o);
}

/* Nor more entries of memory maps: the first node has them all. */
static void overlapping_maps(void **state)
{
    json_t *o = decode_overlapping(8, 1), *nodes = json_object_get(o, "nodes"), *node;
    size_t i;

    (void)state;
    check_lint("overlapping maps", o, "node at 0x100010: its 1048544 bytes are other nodes' as well");
    assert_int_equal(json_array_size(nodes), 8);
    json_array_foreach(nodes, i, node)
        assert_int_equal(json_array_size(json_object_get(node, "e820")), i ? 0 : ((1u << 20) - 16) / 20);
    json_decref(o);
}

static void hypervisor_payload(void **state)
{
    /* handover.h's table: 64 bytes, one TLV "builder" of 3; checksum from Python's zlib.crc32 */
    static const uint8_t payload[80] = "PVBH\1\0\1\0\x50\0\0\0"
                                       "\xf1\xe7\x39\x7b"
                                       "XenVXenVMMXenVMM\1\0\0\0\0\0\0\0"
                                       "\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0"
                                       "\4\0\0\0\3\0\0\0abc\0\0\0\0";
    uint8_t copy[80];
    json_t *o;

    (void)state;
    o = pvb_decode_setup_payload((struct pvboot_bytes){ payload, 80 }, 0x50595648, 0);
    check_lint("good", o, NULL);
    assert_string_equal(json_string_value(json_object_get(o, "status")), "ok");
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "tlvs"), "builder")), "abc");
    json_decref(o);
    memcpy(copy, payload, 80);
    copy[75] ^= 1;
    o = pvb_decode_setup_payload((struct pvboot_bytes){ copy, 80 }, 0x50595648, 0);
    check_lint("flipped", o, "bad checksum");
    json_decref(o);
    o = pvb_decode_setup_payload((struct pvboot_bytes){ NULL, 0 }, 0x50595648, 0);
    check_lint("empty", o, "too short");
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_page_lint),     cmocka_unit_test(zero_page_fields),  cmocka_unit_test(every_bit_shows),
        cmocka_unit_test(zero_page_size),     cmocka_unit_test(start_info),        cmocka_unit_test(start_info_size),
        cmocka_unit_test(setup_data),         cmocka_unit_test(overlapping_nodes), cmocka_unit_test(overlapping_maps),
        cmocka_unit_test(hypervisor_payload),
    };

    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}

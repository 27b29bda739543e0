/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The hypervisor node: what the writer writes against handover.h's byte table, and what the reader makes of bytes put
 * together from that table by hand.  Checksums come from zlib.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "startinfo/setup_data.h"

#define GPA 0x102000u

static uint64_t read_le(const uint8_t *p, uint32_t width)
{
    uint64_t v = 0;

    for (uint32_t i = width; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static void write_le(uint8_t *p, uint32_t width, uint64_t v)
{
    for (uint32_t i = 0; i < width; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

static uint32_t zlib_checksum(const uint8_t *payload, size_t n)
{
    uint8_t copy[4096];

    memcpy(copy, payload, n);
    memset(copy + 12, 0, 4);
    return (uint32_t)crc32(0, copy, (uInt)n);
}

/* ---- writer ---- */

static const uint8_t sha[3][32] = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } };
static const struct pvboot_range map[] = { { 0, 0x40000000, PVBOOT_RAM } };

static size_t write_node(uint8_t *buf, size_t cap, const struct pvb_start_info *si)
{
    struct pvb_blob b = { .gpa = GPA, .buf = buf, .cap = cap };
    struct pvb_chain c = { .blob = &b };
    const struct pvb_handover in = {
        .filler = PVBOOT_FILLER_STUB,
        .signature = "XenVMMXenVM" /* and */ "M",
        .start_info = si,
        .console_gpa = 0xfefff000,
        .console_evtchn = 2,
        .xenstore_gpa = 0xfeffc000,
        .builder = "pvboot 1.2.3",
        .sha256_kernel = sha[0],
        .sha256_ramdisk = sha[1],
        .sha256_cmdline = sha[2],
    };

    pvb_chain_put_handover(&c, &in);
    assert_int_equal(c.head_gpa, pvb_blob_ok(&b) ? GPA : 0);
    return b.used;
}

struct row {
    const char *name;
    uint32_t off, width;
    uint64_t value;
};

/* Offsets from the node: its own header, the payload at 16, TLVs at 16 + 64. */
static const struct row without_start_info[] = {
    { "next", 0, 8, 0 },
    { "type", 8, 4, 0x50595648 },
    { "len", 12, 4, 64 + 24 + 24 + 24 + 3 * 40 },
    { "magic PVBH", 16, 4, 0x48425650 },
    { "version", 20, 2, 1 },
    { "compatible", 22, 2, 1 },
    { "bytes", 24, 4, 64 + 24 + 24 + 24 + 3 * 40 },
    { "hypervisor XenV", 32, 4, 0x566e6558 },
    { "signature Xe", 36, 2, 0x6558 },
    { "signature nM", 46, 2, 0x4d4d },
    { "filler", 48, 4, 2 },
    { "flags", 52, 4, 0 },
    { "data_gpa", 56, 8, 0 },
    { "data_bytes", 64, 4, 0 },
    { "tlv_off", 68, 4, 64 },
    { "reserved", 72, 8, 0 },
    { "console", 80, 4, 2 },
    { "console bytes", 84, 4, 16 },
    { "console gpa", 88, 8, 0xfefff000 },
    { "console evtchn", 96, 4, 2 },
    { "console reserved", 100, 4, 0 },
    { "xenstore", 104, 4, 3 },
    { "xenstore bytes", 108, 4, 16 },
    { "xenstore gpa", 112, 8, 0xfeffc000 },
    { "xenstore evtchn", 120, 4, 0 },
    { "builder", 128, 4, 4 },
    { "builder bytes", 132, 4, 12 },
    { "builder text", 136, 8, 0x3120746f6f627670 }, /* "pvboot 1" */
    { "builder pad", 148, 4, 0 },
    { "sha256 kernel", 152, 4, 5 },
    { "sha256 kernel bytes", 156, 4, 32 },
    { "sha256 kernel value", 160, 4, 0x030201 },
    { "sha256 ramdisk", 192, 4, 6 },
    { "sha256 ramdisk value", 200, 4, 0x060504 },
    { "sha256 cmdline", 232, 4, 7 },
    { "sha256 cmdline value", 240, 4, 0x090807 },
};

static void written_bytes(void **state)
{
    uint8_t buf[4096];
    size_t n = write_node(buf, sizeof(buf), NULL);

    (void)state;
    assert_int_equal(n, 16 + 64 + 24 + 24 + 24 + 3 * 40);
    for (size_t i = 0; i < sizeof(without_start_info) / sizeof(without_start_info[0]); i++) {
        const struct row *r = &without_start_info[i];

        if (read_le(buf + r->off, r->width) != r->value)
            fail_msg("%s at %u: %#llx, not %#llx", r->name, r->off, (unsigned long long)read_le(buf + r->off, r->width),
                     (unsigned long long)r->value);
    }
    assert_int_equal(read_le(buf + 28, 4), zlib_checksum(buf + 16, n - 16));
}

/* The start info is the first TLV: reserved with the node, aligned, and pointed at. */
static void written_start_info(void **state)
{
    const struct pvb_start_info si = { .rsdp_gpa = 0xfc008000, .map = map, .n_map = 1 };
    uint8_t buf[4096];
    size_t n = write_node(buf, sizeof(buf), &si);

    (void)state;
    if (!pvb_start_info_built_in()) {
        print_message("skipped: built without Xen's headers\n");
        skip();
    }
    assert_int_equal(read_le(buf + 80, 4), 1);
    assert_int_equal(read_le(buf + 84, 4), 56 + 24);
    assert_int_equal(read_le(buf + 56, 8), GPA + 88);
    assert_int_equal(read_le(buf + 64, 4), 56 + 24);
    assert_int_equal(read_le(buf + 88, 4), 0x336ec578);
    assert_int_equal(read_le(buf + 88 + 40, 8), GPA + 88 + 56); /* its map is beside it */
    assert_int_equal(read_le(buf + 28, 4), zlib_checksum(buf + 16, n - 16));
}

static void written_room(void **state)
{
    struct pvb_blob measure = pvb_blob_measure();
    struct pvb_chain c = { .blob = &measure };
    uint8_t buf[4096];
    size_t n = write_node(buf, sizeof(buf), NULL);

    (void)state;
    pvb_chain_put_handover(&c, &(struct pvb_handover){ .signature = "XenVMMXenVM",
                                                       .builder = "pvboot 1.2.3",
                                                       .console_gpa = 1,
                                                       .xenstore_gpa = 1,
                                                       .sha256_kernel = sha[0],
                                                       .sha256_ramdisk = sha[1],
                                                       .sha256_cmdline = sha[2] });
    assert_int_equal(measure.used, n);
    for (size_t cap = 0; cap <= n; cap++) {
        memset(buf, 0xa5, sizeof(buf));
        assert_int_equal(write_node(buf, cap, NULL) <= cap, cap == n);
        for (size_t k = cap; k < sizeof(buf); k++)
            assert_int_equal(buf[k], 0xa5);
    }
}

/* ---- reader ---- */

static void crc_is_ieee(void **state)
{
    (void)state;
    assert_int_equal(pvboot_crc32(0, "123456789", 9), 0xcbf43926); /* the check value of CRC-32/ISO-HDLC */
    for (size_t n = 0; n < 300; n++) {
        uint8_t bytes[300];

        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * i + n);
        assert_int_equal(pvboot_crc32(0, bytes, n), crc32(0, bytes, (uInt)n));
    }
}

#define PAYLOAD_BYTES (64 + 16 + 24)

/* A good payload of two TLVs: builder "abc", an unknown type of 16 bytes. */
static void good_payload(uint8_t p[PAYLOAD_BYTES])
{
    memset(p, 0, PAYLOAD_BYTES);
    memcpy(p, "PVBH", 4);
    write_le(p + 4, 2, 1);
    write_le(p + 6, 2, 1);
    write_le(p + 8, 4, PAYLOAD_BYTES);
    memcpy(p + 16, "XenVXenVMMXenVMM", 16);
    write_le(p + 32, 4, 1);
    write_le(p + 40, 8, 0x1122334455667788);
    write_le(p + 48, 4, 56);
    write_le(p + 52, 4, 64);
    write_le(p + 64, 4, 4);
    write_le(p + 68, 4, 3);
    memcpy(p + 72, "abc", 3);
    write_le(p + 80, 4, 0x7777);
    write_le(p + 84, 4, 16);
    write_le(p + 12, 4, zlib_checksum(p, PAYLOAD_BYTES));
}

#define NO_CHANGE 0, 0, 0
static const struct {
    const char *name;
    uint32_t off, width;
    uint64_t value; /* this change, */
    bool sum;       /* and then the right checksum again */
    uint64_t n;     /* bytes the reader is given */
    enum pvboot_handover_status want;
} check_row[] = {
    { "as it is", NO_CHANGE, false, PAYLOAD_BYTES, PVBOOT_HANDOVER_OK },
    { "longer entry", NO_CHANGE, false, PAYLOAD_BYTES + 8, PVBOOT_HANDOVER_OK },
    { "nothing", NO_CHANGE, false, 0, PVBOOT_HANDOVER_SHORT },
    { "63 bytes", NO_CHANGE, false, 63, PVBOOT_HANDOVER_SHORT },
    { "entry one short", NO_CHANGE, false, PAYLOAD_BYTES - 1, PVBOOT_HANDOVER_SHORT },
    { "magic", 0, 1, 'p', true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_MAGIC },
    { "younger, compatible", 4, 2, 7, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_OK },
    { "younger, incompatible", 4, 4, 0x00020002, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_VERSION },
    { "compatible > version", 4, 4, 0x00010000, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_VERSION },
    { "compatible 0", 6, 2, 0, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_VERSION },
    { "says 63 bytes", 8, 4, 63, false, PAYLOAD_BYTES, PVBOOT_HANDOVER_SHORT },
    { "says one more", 8, 4, PAYLOAD_BYTES + 1, false, PAYLOAD_BYTES, PVBOOT_HANDOVER_SHORT },
    { "says 4 GiB - 1", 8, 4, 0xffffffff, false, PAYLOAD_BYTES, PVBOOT_HANDOVER_SHORT },
    { "first bit", 16, 1, 'X' ^ 1, false, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_CHECKSUM },
    { "last byte", PAYLOAD_BYTES - 1, 1, 1, false, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_CHECKSUM },
    { "checksum", 12, 4, 0, false, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_CHECKSUM },
    { "type is KVM's", 16, 4, 0x4b4d564b, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_SIGNATURE },
    { "flags", 36, 4, 0xffffffff, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_OK },
    { "reserved", 56, 8, UINT64_MAX, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_OK },
    { "no TLVs", 52, 4, PAYLOAD_BYTES, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_OK },
    { "second TLV only", 52, 4, 80, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_OK },
    { "TLVs in the header", 52, 4, 56, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_TLV },
    { "TLVs odd", 52, 4, 68, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_TLV },
    { "TLVs behind", 52, 4, PAYLOAD_BYTES + 8, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_TLV },
    { "TLVs at 4 GiB", 52, 4, 0xfffffff8, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_TLV },
    { "TLV one too long", 84, 4, 17, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_TLV },
    { "TLV pad inside", 84, 4, 9, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_OK },
    { "TLV one too short", 84, 4, 8, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_OK }, /* the rest reads as an empty TLV */
    { "TLV of 4 GiB - 1", 68, 4, 0xffffffff, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_TLV },
    { "TLV of 4 GiB - 8", 68, 4, 0xfffffff8, true, PAYLOAD_BYTES, PVBOOT_HANDOVER_BAD_TLV },
};

static void checked(void **state)
{
    struct pvboot_handover h;

    (void)state;
    for (size_t i = 0; i < sizeof(check_row) / sizeof(check_row[0]); i++) {
        /* an allocation of exactly the bytes given, at an odd address: the sanitizer sees a step too far */
        uint8_t p[PAYLOAD_BYTES + 8] = { 0 }, *heap = malloc(check_row[i].n + 1);

        good_payload(p);
        write_le(p + check_row[i].off, check_row[i].width, check_row[i].value);
        if (check_row[i].sum)
            write_le(p + 12, 4, zlib_checksum(p, PAYLOAD_BYTES));
        memcpy(heap + 1, p, check_row[i].n);
        if (pvboot_handover_check(heap + 1, check_row[i].n, &h) != check_row[i].want)
            fail_msg("%s: %d, not %d", check_row[i].name, pvboot_handover_check(heap + 1, check_row[i].n, &h),
                     check_row[i].want);
        free(heap);
    }
}

/* The one payload that only its alignment gives away: an empty TLV at 92, where a payload of 100 bytes ends. */
static void misaligned_tlvs(void **state)
{
    uint8_t p[PAYLOAD_BYTES];
    struct pvboot_handover h;

    (void)state;
    good_payload(p);
    write_le(p + 8, 4, 100);
    write_le(p + 52, 4, 92);
    write_le(p + 12, 4, zlib_checksum(p, 100));
    assert_int_equal(pvboot_handover_check(p, PAYLOAD_BYTES, &h), PVBOOT_HANDOVER_BAD_TLV);
}

static void any_flipped_bit_is_seen(void **state)
{
    uint8_t p[PAYLOAD_BYTES];
    struct pvboot_handover h;

    (void)state;
    good_payload(p);
    for (uint32_t bit = 0; bit < 8 * PAYLOAD_BYTES; bit++) {
        p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(pvboot_handover_check(p, PAYLOAD_BYTES, &h), PVBOOT_HANDOVER_OK);
        p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void fields_and_tlvs(void **state)
{
    uint8_t p[PAYLOAD_BYTES];
    struct pvboot_handover h;
    struct pvboot_tlv t;

    (void)state;
    good_payload(p);
    assert_int_equal(pvboot_handover_check(p, PAYLOAD_BYTES, &h), PVBOOT_HANDOVER_OK);
    assert_int_equal(h.hypervisor, PVBOOT_HYPERVISOR_ID_XEN);
    assert_memory_equal(h.signature, "XenVMMXenVMM", 12);
    assert_int_equal(h.filler, PVBOOT_FILLER_TOOLSTACK);
    assert_int_equal(h.data_gpa, 0x1122334455667788);
    assert_int_equal(h.data_bytes, 56);
    assert_int_equal(pvboot_handover_tlv(p, PVBOOT_TLV_BUILDER, &t), 1);
    assert_int_equal(t.bytes, 3);
    assert_memory_equal(t.value, "abc", 3);
    assert_int_equal(pvboot_handover_tlv(p, 0x7777, &t), 1);
    assert_int_equal(t.bytes, 16);
    assert_ptr_equal(t.value, p + 88);
    assert_int_equal(pvboot_handover_tlv(p, PVBOOT_TLV_CONSOLE, &t), 0);
}

/* ---- walker: a guest memory of a few pages at GPA ---- */

static uint8_t memory[0x4000 + 16];

static const uint8_t *memory_at(const void *ctx, uint64_t gpa, uint64_t n)
{
    (void)ctx;
    return gpa >= GPA && gpa - GPA <= sizeof(memory) && n <= sizeof(memory) - (gpa - GPA) ? memory + (gpa - GPA) : NULL;
}

static const struct pvboot_view view = { memory_at, NULL };

static void put_entry(uint32_t at, uint64_t next, uint32_t type, uint32_t len)
{
    write_le(memory + at, 8, next);
    write_le(memory + at + 8, 4, type);
    write_le(memory + at + 12, 4, len);
}

static void put_indirect(uint32_t at, uint64_t next, uint32_t inner, uint64_t len, uint64_t addr)
{
    put_entry(at, next, 0x80000000, 24);
    write_le(memory + at + 16, 4, inner);
    write_le(memory + at + 20, 4, 0);
    write_le(memory + at + 24, 8, len);
    write_le(memory + at + 32, 8, addr);
}

static enum pvboot_handover_status find(uint64_t head)
{
    struct pvboot_handover h;
    const uint8_t *payload = NULL;
    enum pvboot_handover_status s = pvboot_handover_find(head, view, &h, &payload);

    if (s == PVBOOT_HANDOVER_OK) {
        assert_int_equal(h.bytes, PAYLOAD_BYTES);
        assert_memory_equal(payload, "PVBH", 4);
    }
    return s;
}

static void found(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    assert_int_equal(find(0), PVBOOT_HANDOVER_ABSENT);
    put_entry(0, GPA + 0x100, 9, 32);
    put_entry(0x100, GPA + 0x205, 1, 20);
    put_entry(0x205, 0, 0x50595648, PAYLOAD_BYTES); /* odd address: nothing may assume alignment */
    good_payload(memory + 0x215);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_OK);
    assert_int_equal(find(GPA + 0x205), PVBOOT_HANDOVER_OK);
    put_entry(0x100, 0, 1, 20);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_ABSENT);
    put_indirect(0x100, 0, 0x50595648, PAYLOAD_BYTES, GPA + 0x215);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_OK);
    put_indirect(0x100, 0, 0xd0595648, PAYLOAD_BYTES, GPA + 0x215); /* boot.rst's way to write the inner type */
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_OK);
    put_indirect(0x100, 0, 0x50595649, PAYLOAD_BYTES, GPA + 0x215);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_ABSENT);
}

static void out_of_bounds(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    put_entry(0, 0, 0x50595648, 0xffffffff);
    good_payload(memory + 16);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_UNREADABLE);
    put_entry(0, 0, 0x50595648, sizeof(memory) - 15);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_UNREADABLE);
    put_entry(0, 0, 0x50595648, sizeof(memory) - 16);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_OK);
    put_entry(0, GPA - 8, 9, 0);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_UNREADABLE);
    put_entry(0, UINT64_MAX - 7, 9, 0);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_UNREADABLE);
    assert_int_equal(find(GPA + sizeof(memory) - 15), PVBOOT_HANDOVER_UNREADABLE);
    put_indirect(0, 0, 0x50595648, UINT64_MAX, GPA + 0x100);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_UNREADABLE);
    put_indirect(0, 0, 0x50595648, PAYLOAD_BYTES, UINT64_MAX - 4);
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_UNREADABLE);
    put_entry((uint32_t)sizeof(memory) - 32, 0, 0x80000000, 24); /* its setup_indirect is cut */
    assert_int_equal(find(GPA + sizeof(memory) - 32), PVBOOT_HANDOVER_UNREADABLE);
    put_indirect(0, 0, 0x50595648, PAYLOAD_BYTES, GPA + 0x100);
    put_entry(0, 0, 0x80000000, 23); /* too short to be one: an entry like any other */
    assert_int_equal(find(GPA), PVBOOT_HANDOVER_ABSENT);
}

/* A tail of t nodes that runs into a cycle of c. */
static void loops(void **state)
{
    (void)state;
    for (uint32_t tail = 0; tail < 20; tail++) {
        for (uint32_t cycle = 1; cycle < 40; cycle++) {
            struct pvboot_setup_walk w = { .next_gpa = GPA };
            struct pvboot_setup_node node;
            enum pvboot_handover_status s;
            uint32_t n = tail + cycle, seen = 0;

            for (uint32_t i = 0; i < n; i++)
                put_entry(16 * i, GPA + 16 * (i + 1 < n ? i + 1 : tail), 9, 0);
            while ((s = pvboot_setup_next(&w, view, &node)) == PVBOOT_HANDOVER_OK)
                seen++;
            assert_int_equal(s, PVBOOT_HANDOVER_LOOP);
            assert_in_range(seen, n, 4 * n); /* all of them, and not many times over */
        }
    }
}

static void long_chains(void **state)
{
    static const struct {
        uint32_t n;
        enum pvboot_handover_status want;
    } row[] = {
        { 1, PVBOOT_HANDOVER_ABSENT },
        { 1023, PVBOOT_HANDOVER_ABSENT },
        { 1024, PVBOOT_HANDOVER_ABSENT },
        { 1025, PVBOOT_HANDOVER_LOOP }, /* over PVBOOT_SETUP_NODES_MAX */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        memset(memory, 0, sizeof(memory));
        for (uint32_t k = 0; k < row[i].n; k++)
            put_entry(16 * k, k + 1 < row[i].n ? GPA + 16 * (k + 1) : 0, 9, 0);
        assert_int_equal(find(GPA), row[i].want);
    }
}

static void identity_mapping(void **state)
{
    const struct pvboot_view identity = { pvboot_identity_at, NULL };
    static uint8_t node[16 + PAYLOAD_BYTES];
    struct pvboot_handover h;
    const uint8_t *payload;

    (void)state;
    write_le(node + 8, 4, 0x50595648);
    write_le(node + 12, 4, PAYLOAD_BYTES);
    good_payload(node + 16);
    assert_int_equal(pvboot_handover_find((uintptr_t)node, identity, &h, &payload), PVBOOT_HANDOVER_OK);
    assert_ptr_equal(payload, node + 16);
    assert_null(pvboot_identity_at(NULL, 0, 1));
    assert_null(pvboot_identity_at(NULL, UINTPTR_MAX, 1));
    assert_non_null(pvboot_identity_at(NULL, UINTPTR_MAX - 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_bytes),
        cmocka_unit_test(written_start_info),
        cmocka_unit_test(written_room),
        cmocka_unit_test(crc_is_ieee),
        cmocka_unit_test(checked),
        cmocka_unit_test(misaligned_tlvs),
        cmocka_unit_test(any_flipped_bit_is_seen),
        cmocka_unit_test(fields_and_tlvs),
        cmocka_unit_test(found),
        cmocka_unit_test(out_of_bounds),
        cmocka_unit_test(loops),
        cmocka_unit_test(long_chains),
        cmocka_unit_test(identity_mapping),
    };

    return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}

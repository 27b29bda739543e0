/* SPDX-License-Identifier: LGPL-2.1-only */
/* The recorder as a guest, as a tee, and as files with a manifest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>
#include <pvboot/limits.h>
#include <pvboot/record.h>

#define RAM_END 0x40000000ull

static const struct pvboot_machine machine = {
    .map = { .n = 2, .r = { { 0x1000, 0xa0000, PVBOOT_RAM }, { 0x100000, RAM_END, PVBOOT_RAM } } }
};

static int do_write(struct pvboot_record *r, uint64_t gpa, const void *src, size_t n)
{
    struct pvboot_error e = { 0 };

    return r->guest.ops->write(&r->guest, gpa, src, n, &e);
}

static int do_zero(struct pvboot_record *r, uint64_t gpa, uint64_t n)
{
    struct pvboot_error e = { 0 };

    return r->guest.ops->zero(&r->guest, gpa, n, &e);
}

static void only_ram(void **state)
{
    static const struct {
        const char *name;
        uint64_t gpa, n;
        int rc;
    } row[] = {
        { "first byte", 0x1000, 1, 0 },
        { "one before", 0xfff, 1, -PVBOOT_E_NOFIT },
        { "last byte", RAM_END - 1, 1, 0 },
        { "one behind", RAM_END - 1, 2, -PVBOOT_E_NOFIT },
        { "behind", RAM_END, 1, -PVBOOT_E_NOFIT },
        { "into the hole", 0x9ffff, 2, -PVBOOT_E_NOFIT },
        { "in the hole", 0xa0000, 1, -PVBOOT_E_NOFIT },
        { "wraps", UINT64_MAX, 2, -PVBOOT_E_NOFIT },
        { "wraps to the start", UINT64_MAX, 0x2000, -PVBOOT_E_NOFIT },
        { "nothing", RAM_END + 5, 0, 0 },
    };
    static const uint8_t bytes[0x2000];
    struct pvboot_record r;

    (void)state;
    pvboot_record_init(&r, &machine, NULL);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        size_t before = r.n;

        if (do_write(&r, row[i].gpa, bytes, (size_t)row[i].n) != row[i].rc ||
            do_zero(&r, row[i].gpa, row[i].n) != row[i].rc)
            fail_msg("%s", row[i].name);
        assert_int_equal(r.n - before, !row[i].rc && row[i].n);
    }
    r.guest.ops->close(&r.guest);
    r.guest.ops->close(&r.guest); /* twice is allowed */
}

static void keeps_a_copy(void **state)
{
    struct pvboot_record r;
    char text[] = "abc";

    (void)state;
    pvboot_record_init(&r, &machine, NULL);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(do_write(&r, 0x2000 + 16 * i, text, 3), 0);
    text[0] = 'X';
    assert_int_equal(r.n, 100);
    assert_int_equal(r.w[99].gpa, 0x2000 + 16 * 99);
    assert_int_equal(r.w[99].bytes.len, 3);
    assert_memory_equal(r.w[99].bytes.p, "abc", 3);
    r.guest.ops->close(&r.guest);
}

static void zero_wins_over_what_was_before(void **state)
{
    struct pvboot_record r;

    (void)state;
    pvboot_record_init(&r, &machine, NULL);
    do_write(&r, 0x2000, "abcdefgh", 8);
    do_write(&r, 0x3000, "ijk", 3);
    do_zero(&r, 0x2002, 3);
    do_write(&r, 0x2003, "X", 1);
    assert_memory_equal(r.w[0].bytes.p, "ab\0\0\0fgh", 8);
    assert_memory_equal(r.w[1].bytes.p, "ijk", 3);
    do_zero(&r, 0x2007, 0x1000);
    assert_memory_equal(r.w[0].bytes.p, "ab\0\0\0fg\0", 8);
    assert_memory_equal(r.w[1].bytes.p, "\0\0\0", 3);
    assert_int_equal(r.n, 3);
    r.guest.ops->close(&r.guest);
}

/* ---- tee ---- */

struct counter {
    struct pvboot_guest guest;
    int writes, zeroes, closes, rc;
    uint64_t gpa;
};

static int count_write(struct pvboot_guest *g, uint64_t gpa, const void *src, size_t n, struct pvboot_error *e)
{
    struct counter *c = (struct counter *)g;

    (void)src;
    (void)n;
    (void)e;
    c->writes++;
    c->gpa = gpa;
    return c->rc;
}

static int count_zero(struct pvboot_guest *g, uint64_t gpa, uint64_t n, struct pvboot_error *e)
{
    struct counter *c = (struct counter *)g;

    (void)n;
    (void)e;
    c->zeroes++;
    c->gpa = gpa;
    return c->rc;
}

static void count_close(struct pvboot_guest *g)
{
    ((struct counter *)g)->closes++;
}

static void tee(void **state)
{
    static const struct pvboot_guest_ops ops = {
        .bytes = sizeof(ops), .write = count_write, .zero = count_zero, .close = count_close
    };
    struct counter c = { .guest = { &ops } };
    struct pvboot_record r;

    (void)state;
    pvboot_record_init(&r, &machine, &c.guest);
    assert_int_equal(do_write(&r, 0x2000, "abc", 3), 0);
    assert_int_equal(c.gpa, 0x2000);
    assert_int_equal(do_zero(&r, 0x2001, 1), 0);
    assert_int_equal(c.gpa, 0x2001);
    assert_memory_equal(r.w[0].bytes.p, "a\0c", 3);
    c.rc = -PVBOOT_E_XEN; /* what did not reach the guest is not recorded */
    assert_int_equal(do_write(&r, 0x2000, "xyz", 3), -PVBOOT_E_XEN);
    assert_int_equal(do_zero(&r, 0x2000, 3), -PVBOOT_E_XEN);
    assert_int_equal(r.n, 1);
    assert_memory_equal(r.w[0].bytes.p, "a\0c", 3);
    assert_int_equal(c.writes, 2);
    assert_int_equal(c.zeroes, 2);
    r.guest.ops->close(&r.guest);
    assert_int_equal(c.closes, 1);
}

/* ---- dump ---- */

static const struct pvboot_plan plan = {
    .path = PVBOOT_PATH_LINUX32,
    .machine = { .map = { .n = 1, .r = { { 0, RAM_END, PVBOOT_RAM } } } },
    .seg = { [PVBOOT_SEG_KERNEL] = { 0x1000000, 0x2000000, 0, "somewhere" },
             [PVBOOT_SEG_ZERO_PAGE] = { 0x2000, 0x3000, 0, "anywhere" },
             [PVBOOT_SEG_ACPI] = { 0xfc000000, 0xfc001000, 0, "not ours" } },
    .vcpu = { .mode = 32, .rip = 0x1000000, .rsi = 0x2000, .cr0 = 0x11 },
};

static json_t *manifest_of(const char *dir)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/manifest.json", dir);
    return json_load_file(path, 0, NULL);
}

static void check_file(const char *dir, const char *name, const void *want, size_t n)
{
    char path[128], got[64];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(got, 1, sizeof(got), f), n);
    assert_memory_equal(got, want, n);
    fclose(f);
}

static void check_segment(const json_t *s, const char *name, json_int_t gpa, json_int_t bytes, const char *file)
{
    assert_string_equal(json_string_value(json_object_get(s, "name")), name);
    assert_string_equal(json_string_value(json_object_get(s, "file")), file);
    assert_int_equal(json_integer_value(json_object_get(s, "gpa")), gpa);
    assert_int_equal(json_integer_value(json_object_get(s, "bytes")), bytes);
}

static void dump(void **state)
{
    char dir[] = "/tmp/pvboot-test-record-XXXXXX", sub[64], command[96];
    struct pvboot_image img = { 0 };
    struct pvboot_error e = { 0 };
    struct pvboot_record r;
    json_t *m, *segments;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(sub, sizeof(sub), "%s/made", dir);
    pvboot_record_init(&r, &machine, NULL);
    do_write(&r, 0x1000000, "abc", 3);
    do_write(&r, 0x2000, "ab", 2);
    do_write(&r, 0x2004, "cd", 2);
    do_write(&r, 0x2001, "B", 1); /* the later one counts */
    assert_int_equal(pvboot_record_dump(&r, &plan, &img, sub, &e), 0);
    assert_int_equal(pvboot_record_dump(&r, &plan, &img, sub, &e), 0); /* over an earlier one */
    check_file(sub, "kernel", "abc", 3);
    check_file(sub, "zero-page", "aB\0\0cd", 6);
    m = manifest_of(sub);
    assert_non_null(m);
    segments = json_object_get(m, "segments");
    assert_int_equal(json_array_size(segments), 2); /* nothing of ours lies in the ACPI segment */
    check_segment(json_array_get(segments, 0), "kernel", 0x1000000, 3, "kernel");
    check_segment(json_array_get(segments, 1), "zero page", 0x2000, 6, "zero-page");
    /* FIPS 180-4, example of SHA-256 */
    assert_string_equal(json_string_value(json_object_get(json_array_get(segments, 0), "sha256")),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(json_string_value(json_object_get(m, "entry")), "linux32");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(m, "vcpu"), "rsi")), 0x2000);
    assert_int_equal(json_integer_value(json_object_get(m, "memory_bytes")), (json_int_t)RAM_END);
    json_decref(m);
    r.guest.ops->close(&r.guest);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static void dump_cannot_write(void **state)
{
    struct pvboot_image img = { 0 };
    struct pvboot_error e = { 0 };
    struct pvboot_record r;

    (void)state;
    pvboot_record_init(&r, &machine, NULL);
    assert_int_equal(pvboot_record_dump(&r, &plan, &img, "/proc/nowhere", &e), -PVBOOT_E_HOST);
    assert_string_equal(e.file, "/proc/nowhere");
    e = (struct pvboot_error){ 0 };
    assert_int_equal(pvboot_record_dump(&r, &plan, &img, "/dev/null", &e), -PVBOOT_E_HOST);
    assert_string_equal(e.file, "/dev/null");
    r.guest.ops->close(&r.guest);
}

/* Two writes as far apart as the memory that a guest's owner bought. */
static void dump_of_zeroes(void **state)
{
    char dir[] = "/tmp/pvboot-test-record-XXXXXX", command[96];
    struct pvboot_plan wide = plan;
    struct pvboot_image img = { 0 };
    struct pvboot_error e = { 0 };
    struct pvboot_record r;

    (void)state;
    assert_non_null(mkdtemp(dir));
    pvboot_record_init(&r, &machine, NULL);
    wide.seg[PVBOOT_SEG_KERNEL].end = RAM_END;
    do_write(&r, 0x1000000, "abc", 3);
    do_write(&r, 0x1000004 + PVBOOT_DUMP_ZEROES_MAX, "d", 1);
    assert_int_equal(pvboot_record_dump(&r, &wide, &img, dir, &e), -PVBOOT_E_LIMIT);
    assert_string_equal(e.text, "dump: 4 bytes from 0x1000000 on with 268435457 zeroes between them, limit 268435456");
    assert_null(manifest_of(dir));
    r.guest.ops->close(&r.guest);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_ram),
        cmocka_unit_test(keeps_a_copy),
        cmocka_unit_test(zero_wins_over_what_was_before),
        cmocka_unit_test(tee),
        cmocka_unit_test(dump),
        cmocka_unit_test(dump_cannot_write),
        cmocka_unit_test(dump_of_zeroes),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}

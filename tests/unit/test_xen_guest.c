/* SPDX-License-Identifier: LGPL-2.1-only */
/* Writing and zeroing guest memory through foreign mappings: exact bytes, at every edge, nothing left mapped. */
#include "../fake/table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RAM_PAGES 16384ul /* 64 MiB */
#define RAM_BYTES (RAM_PAGES * FAKE_PAGE)
#define CHUNK (4096 * FAKE_PAGE) /* one mapping covers at most this much */

static uint8_t *pattern, *nothing, *seen;
static struct pvboot_xen x;
static struct pvboot_xen_guest guest;

static int setup(void **state)
{
    (void)state;
    pattern = malloc(RAM_BYTES);
    nothing = calloc(1, RAM_BYTES);
    seen = malloc(RAM_BYTES);
    if (!pattern || !nothing || !seen)
        return -1;
    for (size_t i = 0; i < RAM_BYTES; i++)
        pattern[i] = (uint8_t)(i * 131 + i / 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(pattern);
    free(nothing);
    free(seen);
    return 0;
}

/* RAM from 0 to 64 MiB, nothing beyond. */
static void begin(void)
{
    const struct fake_setup host = { .max_pages = RAM_PAGES, .host_pages = RAM_PAGES, .max_order = 18, .vcpus = 1 };

    fake_begin(&host);
    for (uint64_t gfn = 0; gfn < RAM_PAGES; gfn += 512)
        assert_true(fake_add(gfn, 9));
    x = fake_xen();
    pvboot_xen_guest_init(&guest, &x);
}

static int put(bool zero, uint64_t gpa, size_t n)
{
    struct pvboot_error e = { 0 };
    struct pvboot_guest *g = &guest.guest;
    int rc = zero ? g->ops->zero(g, gpa, n, &e) : g->ops->write(g, gpa, pattern, n, &e);

    assert_int_equal(rc, -e.code);
    g->ops->close(g);
    return rc;
}

static void expect(uint64_t gpa, size_t n, const uint8_t *want, const char *where)
{
    assert_true(fake_read(gpa, seen, n));
    if (memcmp(seen, want, n))
        fail_msg("%zu bytes at gpa 0x%lx, %s", n, gpa, where);
}

/* [@gpa, +@n) is what was put there; the page before and the page after are as the host left them. */
static void check(bool zero, uint64_t gpa, size_t n)
{
    static uint8_t scrub[FAKE_PAGE];
    size_t before = gpa < FAKE_PAGE ? gpa : FAKE_PAGE, after = RAM_BYTES - gpa - n;

    memset(scrub, FAKE_SCRUB, sizeof(scrub));
    expect(gpa - before, before, scrub, "before what was put");
    expect(gpa, n, zero ? nothing : pattern, "what was put");
    expect(gpa + n, after < FAKE_PAGE ? after : FAKE_PAGE, scrub, "after what was put");
    for (size_t i = 0; i < fake.n_calls; i++)
        if (!strcmp(fake.call[i].name, "xenforeignmemory_map"))
            assert_true(fake.call[i].a * FAKE_PAGE <= CHUNK);
    assert_int_equal(fake.maps, 0);
    assert_true(fake.maps_max <= 1);
    if (fake.broken)
        fail_msg("%s", fake.broken);
}

static void every_edge(bool zero)
{
    static const uint64_t at[] = { 0, 1, 4095, 4096, 8191, CHUNK - 1, CHUNK, CHUNK + 4095 };
    static const size_t bytes[] = { 1, 2, 4095, 4096, 4097, CHUNK - 4096, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK };

    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        for (size_t j = 0; j < sizeof(bytes) / sizeof(bytes[0]); j++) {
            begin();
            assert_int_equal(put(zero, at[i], bytes[j]), 0);
            check(zero, at[i], bytes[j]);
        }
}

static void write_at_every_edge(void **state)
{
    (void)state;
    every_edge(false);
}

static void zero_at_every_edge(void **state)
{
    (void)state;
    every_edge(true);
}

static void no_bytes_no_calls(void **state)
{
    size_t calls;

    (void)state;
    begin();
    calls = fake.n_calls;
    assert_int_equal(put(false, 4096, 0), 0);
    assert_int_equal(put(true, 4096, 0), 0);
    assert_int_equal(fake.n_calls, calls);
}

static void last_byte_of_ram(void **state)
{
    (void)state;
    begin();
    assert_int_equal(put(false, RAM_BYTES - 1, 1), 0);
    check(false, RAM_BYTES - 1, 1);
}

/* Beyond RAM Xen has nothing to map. */
static void outside_ram(void **state)
{
    static const struct {
        uint64_t gpa;
        size_t n;
    } row[] = {
        { RAM_BYTES - 1, 2 }, { RAM_BYTES, 1 },  { RAM_BYTES - CHUNK, CHUNK + 1 },
        { 0xfeff8000, 4096 }, { UINT64_MAX, 1 }, { UINT64_MAX - 4095, 4096 },
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(row) / sizeof(row[0]); i++) {
        begin();
        assert_int_equal(put(i & 1, row[i / 2].gpa, row[i / 2].n), -PVBOOT_E_XEN);
        assert_int_equal(fake.maps, 0);
    }
}

static void failing_calls(void **state)
{
    (void)state;
    fault_enter();
    for (unsigned long n = 1; n <= 4; n++) { /* map, unmap, map, unmap */
        begin();
        fault_arm(FAULT_XEN, n, EAGAIN);
        assert_int_equal(put(false, 4095, CHUNK + 1), -PVBOOT_E_XEN);
        assert_string_equal(fault_hit(), n & 1 ? "xenforeignmemory_map" : "xenforeignmemory_unmap");
        assert_int_equal(fake.maps, n & 1 ? 0 : 1); /* what Xen did not unmap stays */
    }
    fault_leave();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_at_every_edge), cmocka_unit_test(zero_at_every_edge),
        cmocka_unit_test(no_bytes_no_calls),   cmocka_unit_test(last_byte_of_ram),
        cmocka_unit_test(outside_ram),         cmocka_unit_test(failing_calls),
    };

    return cmocka_run_group_tests_name("xen_guest", tests, setup, teardown);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Start infos with random damage in a buffer that ends where memory does: under a sanitizer, one byte read too far is
 * seen.  Whatever the stub takes in lies inside.
 */
#include "mkimage.h"
#include "plan_fixture.h"
#include "stub/guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "stub/stub.h"

#define ROUNDS 20000u

static uint32_t seed = 1;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)n * (seed >> 8)) >> 24);
}

static uint64_t value(uint64_t end)
{
    const uint64_t interesting[] = { 0, 1, end, end - 1, 4 * GIB, UINT32_MAX, UINT64_MAX, 1ull << 63, STUB_GPA };
    uint32_t i = below(2 * sizeof(interesting) / sizeof(interesting[0]));

    return i < sizeof(interesting) / sizeof(interesting[0]) ? interesting[i] : below((uint32_t)end);
}

static void assert_inside(struct pvboot_bytes b, const uint8_t *memory, uint64_t end)
{
    if (b.len)
        assert_true(b.p >= memory && b.p + b.len <= memory + end);
}

static void test_noise(void **state)
{
    static const uint8_t payload[64] = { 0x1f, 0x8b, 8 }, ramdisk[100] = { 1 };
    struct mk packed = { (uint8_t *)(uintptr_t)payload, sizeof(payload) }, kernel = mk_bzimage(&packed);
    struct pvb_stub *s = malloc(sizeof(*s));
    struct pvboot_machine m = { .vcpus = 1 };
    struct pvboot_error ignored = { 0 };
    unsigned int taken = 0;
    struct stub_guest g;
    uint64_t end;
    uint8_t *memory;

    (void)state;
    assert_int_equal(pvboot_memmap_set(&m.map, 0, 64 * MIB, PVBOOT_RAM, &ignored), 0);
    g = stub_guest(&m, "pvboot entry=linux64", mk_bytes(&kernel), "a b", (struct pvboot_bytes){ ramdisk, 100 });
    end = g.memmap_gpa + ENTRY_BYTES;
    memory = malloc(end);
    assert_non_null(s);
    assert_non_null(memory);
    for (unsigned int round = 0; round < ROUNDS; round++) {
        struct pvboot_error e = { 0 };
        int rc;

        memcpy(memory + g.kernel_gpa, g.memory + g.kernel_gpa, end - g.kernel_gpa);
        for (uint32_t n = 1 + below(3); n; n--) {
            uint64_t v = value(end), at = below(8) ? g.start_info_gpa : g.kernel_gpa + 0x1f0;
            uint32_t width = 1u << below(4);

            at += below((uint32_t)(end - g.start_info_gpa) - 8) / width * width;
            memcpy(memory + at, &v, width);
        }
        memset(s, 0, sizeof(*s));
        s->memory = memory;
        s->memory_bytes = end;
        rc = pvb_stub_read(s, g.start_info_gpa, &e);
        assert_int_equal(rc, -e.code);
        taken += !rc;
        if (!rc) {
            assert_inside(s->kernel.file, memory, end);
            assert_inside(s->req.ramdisk[0], memory, end);
        }
    }
    assert_in_range(taken, 1, ROUNDS - 1);
    free(memory);
    free(s);
    stub_guest_free(&g);
    mk_free(&kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_noise) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The toolstack and the stub hand over the same guest, byte for byte; stub/both.c says what must differ. */
#include "builder/base/base.h"
#include "plan_fixture.h"
#include "stub/both.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CMDLINE "console=hvc0 root=/dev/xvda1 ro"
/* 16 MiB + 64 MiB, as Debian's; the kernel's payload and the ramdisk decide what lies in whose way. */
#define WINDOW PVB_ROW({ BZ_INIT_SIZE, 4, 0x3f98000 }, { BZ_PREF_ADDRESS, 8, 0x1000000 })

static void test_same(void **state)
{
    static const struct given row[] = {
        { 256 * MIB, 9 * MIB, 30 * MIB, "entry=linux64", CMDLINE, WINDOW },
        { 256 * MIB, 9 * MIB, 30 * MIB, "entry=linux32", CMDLINE, WINDOW },
        { 256 * MIB, 9 * MIB, 0, "entry=auto", CMDLINE, WINDOW },
        { 256 * MIB, 9 * MIB, 30 * MIB, "entry=linux64 subarch=xen", CMDLINE, WINDOW },
        { 256 * MIB, 9 * MIB, 30 * MIB, "entry=linux64 hypervisor=none", CMDLINE, WINDOW },
        { 256 * MIB, 9 * MIB, 30 * MIB, "entry=linux64 strict=1", "", WINDOW },
        { 256 * MIB, 100, 1, "entry=linux64 rng_seed=yes", CMDLINE, WINDOW },
        /* the ramdisk's place begins inside where it lies; it ends inside */
        { 128 * MIB, 9 * MIB, 40 * MIB, "entry=linux64", CMDLINE, WINDOW },
        { 100 * MIB, 9 * MIB, 4 * MIB, "entry=linux64", CMDLINE, WINDOW },
        /* the kernel's place begins inside where it lies */
        { 256 * MIB, 40 * MIB, 10 * MIB, "entry=linux64", CMDLINE, WINDOW },
        /* a window from 1 MiB on: over the stub, and the kernel's place lies before where it is */
        { 256 * MIB,
          9 * MIB,
          30 * MIB,
          "entry=linux32",
          CMDLINE,
          { { BZ_INIT_SIZE, 4, 0x2000000 },
            { BZ_PREF_ADDRESS, 8, 0x100000 },
            { BZ_KERNEL_ALIGNMENT, 4, 0x1000 },
            { BZ_RELOCATABLE, 1, 0 } } },
        /* more RAM than 32 bits can address, as one more entry of the map */
        { 5 * GIB, 9 * MIB, 30 * MIB, "entry=linux64", CMDLINE, WINDOW },
        { 3 * GIB, 9 * MIB, 300 * MIB, "entry=linux64", CMDLINE, WINDOW },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        if (make_both(&row[i]))
            fail_msg("row %zu", i);
}

/* What the stub cannot do although the toolstack can, and what neither can. */
static void test_refused(void **state)
{
    static const struct {
        struct given in;
        int rc;
    } row[] = {
        { { 64 * MIB, 9 * MIB, 30 * MIB, "entry=linux64", CMDLINE, WINDOW }, -PVBOOT_E_NOFIT },
        { { 256 * MIB, 9 * MIB, 0, "entry=linux64 subarch=7", CMDLINE, { { BZ_XLOADFLAGS, 2, 0 } } },
          -PVBOOT_E_UNSUPPORTED },
        { { 256 * MIB, 9 * MIB, 0, "entry=linux32", CMDLINE, { { BZ_VERSION, 2, 0x0205 } } }, -PVBOOT_E_UNSUPPORTED },
        /* kernel and ramdisk where the other has to go, and nothing left to put one aside */
        { { 82 * MIB, 9 * MIB, 12 * MIB, "entry=linux64", CMDLINE, WINDOW }, -PVBOOT_E_NOFIT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(make_both(&row[i].in), row[i].rc);
}

static uint32_t seed = 4711;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)n * (seed >> 8)) >> 24);
}

/* Wherever things happen to lie: the same guest, or no room. */
static void test_random(void **state)
{
    unsigned int done = 0;

    (void)state;
    for (unsigned int i = 0; i < 60; i++) {
        uint64_t window = (1 + below(32)) * MIB;
        const struct given in = {
            (24 + below(72)) * MIB,
            100 + below((uint32_t)window - 4096),
            below(20) ? below(24 * MIB) : 0,
            below(2) ? "entry=linux64" : "entry=linux32",
            CMDLINE,
            { { BZ_INIT_SIZE, 4, window },
              { BZ_PREF_ADDRESS, 8, (1 + below(16)) * MIB },
              { BZ_KERNEL_ALIGNMENT, 4, MIB },
              { BZ_RELOCATABLE, 1, below(2) } },
        };
        int rc = -PVBOOT_E_NOFIT;

        if (2 * MIB + in.kernel_bytes + in.ramdisk_bytes < in.memory) /* else libxenguest gives up before */
            rc = make_both(&in);
        if (rc && rc != -PVBOOT_E_NOFIT)
            fail_msg("guest %u: %d", i, rc);
        done += !rc;
    }
    assert_in_range(done, 15, 59); /* both outcomes were seen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The kernel that goes from the look at the configuration to the build: the same one, once, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/frontends/xl/xl.h"
#include "surroundings.h"

#include <pvboot/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static char path[64];

static void write_file(const char *to, const char *text)
{
    FILE *f = fopen(to, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Read it as the plugin does, run @meanwhile before it is kept. */
static void keep(void (*meanwhile)(void))
{
    struct pvb_kernel_file what = { 0 };
    struct pvboot_error e = { 0 };

    assert_int_equal(pvboot_file_read(&what.file, path, PVBOOT_KERNEL_MAX, &e), 0);
    what.sandbox = PVBOOT_SANDBOX_BEST;
    if (meanwhile)
        meanwhile();
    pvb_kernel_cache_put(path, &what);
    assert_null(what.file.owned);
}

static void rewrite(void)
{
    write_file(path, "TWO!");
}

static void replace(void)
{
    char other[80];

    snprintf(other, sizeof(other), "%s.new", path);
    write_file(other, "two!");
    assert_int_equal(rename(other, path), 0);
}

static void grow(void)
{
    write_file(path, "one! and more");
}

static void delete_file(void)
{
    assert_int_equal(unlink(path), 0);
}

static void test_same_file_once(void **state)
{
    struct pvb_kernel_file got = { 0 };
    struct surroundings before;

    (void)state;
    write_file(path, "one!");
    surroundings_take(&before);
    keep(NULL);
    assert_false(pvb_kernel_cache_take("/dev/null", &got));
    assert_true(pvb_kernel_cache_take(path, &got));
    assert_memory_equal(got.file.bytes.p, "one!", 4);
    assert_int_equal(got.sandbox, PVBOOT_SANDBOX_BEST);
    pvb_kernel_file_dispose(&got);
    assert_false(pvb_kernel_cache_take(path, &got));
    surroundings_assert(&before, "kept and taken");
}

/* Whatever happens to the file, before or after: then it is read again. */
static void test_changed_file(void **state)
{
    void (*const change[])(void) = { rewrite, replace, grow, delete_file };

    (void)state;
    for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++)
        for (int early = 0; early < 2; early++) {
            struct pvb_kernel_file got = { 0 };

            write_file(path, "one!");
            usleep(20000); /* the clock of files has coarse ticks */
            keep(early ? change[i] : NULL);
            if (!early)
                change[i]();
            assert_false(pvb_kernel_cache_take(path, &got));
            assert_null(got.file.owned);
        }
}

/* Page faults of children that have ended: any child has some. */
static long faults_of_children(void)
{
    struct rusage u;

    assert_int_equal(getrusage(RUSAGE_CHILDREN, &u), 0);
    return u.ru_minflt;
}

/* Under a lease the name alone is looked at, and not by another process where the kernel has it in memory. */
static void test_file_that_is_held(void **state)
{
    void (*const change[])(void) = { NULL, replace, delete_file };

    (void)state;
    for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
        struct pvb_kernel_file what = { 0 }, got = { 0 };
        struct pvboot_error e = { 0 };
        long before;
        bool found;

        write_file(path, "one!");
        assert_int_equal(pvboot_file_hold(&what.file, path, PVBOOT_KERNEL_MAX, PVBOOT_SHOW_BEGINNING, &e), 0);
        if (!what.file.held)
            skip();
        pvb_kernel_cache_put(path, &what);
        if (change[i])
            change[i]();
        before = faults_of_children();
        found = pvb_kernel_cache_take(path, &got);
        assert_int_equal(found, !change[i]);
        assert_true(change[i] == delete_file || faults_of_children() == before);
        pvb_kernel_file_dispose(&got);
    }
}

static void test_newer_replaces_older(void **state)
{
    struct pvb_kernel_file got = { 0 };
    struct surroundings before;

    (void)state;
    write_file(path, "one!");
    keep(NULL);
    surroundings_take(&before);
    usleep(20000);
    rewrite();
    keep(NULL);
    surroundings_assert(&before, "kept twice");
    assert_true(pvb_kernel_cache_take(path, &got));
    assert_memory_equal(got.file.bytes.p, "TWO!", 4);
    pvb_kernel_file_dispose(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_file_once),
        cmocka_unit_test(test_changed_file),
        cmocka_unit_test(test_file_that_is_held),
        cmocka_unit_test(test_newer_replaces_older),
    };
    int failed;

    snprintf(path, sizeof(path), "/tmp/pvboot-kept-%d", (int)getpid());
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}

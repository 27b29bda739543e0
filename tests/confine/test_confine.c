/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Helpers that die, lie, stay or say nothing.  Each must end in one error that names the cause, and leave nothing
 * behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "surroundings.h"
#include "trial.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void test_tricks(void **state)
{
    static const struct {
        const char *trick;
        enum pvboot_class class;
        const char *text;
    } row[] = {
        { "crash", PVBOOT_E_SANDBOX, "the confined parser died of SIGSEGV: it crashed" },
        { "scribble_input", PVBOOT_E_SANDBOX, "died of SIGSEGV" },
        { "abort", PVBOOT_E_SANDBOX, "died of SIGSYS: seccomp stopped a system call" },
        { "getpid", PVBOOT_E_SANDBOX, "died of SIGSYS: seccomp stopped a system call" },
        { "outgrow_output", PVBOOT_E_SANDBOX, "died of SIGXFSZ: limits: it tried to make a file grow" },
        { "spin", PVBOOT_E_SANDBOX, "died of SIGXCPU: limits: over its processor time" },
        { "short_answer", PVBOOT_E_SANDBOX, "ended with code 0 and 100 bytes of answer" },
        { "no_answer", PVBOOT_E_SANDBOX, "ended with code 3 and 0 bytes of answer" },
        { "long_answer", PVBOOT_E_SANDBOX, "said more than one answer" },
        { "wrong_magic", PVBOOT_E_SANDBOX, "ended with code 0 and" },
        { "wrong_version", PVBOOT_E_SANDBOX, "is of version 9999999999999999, its caller of" },
        { "wrong_class", PVBOOT_E_SANDBOX, "contradicts itself: class 1000" },
        { "no_error", PVBOOT_E_SANDBOX, "contradicts itself: class and step" },
        { "answer_and_crash", PVBOOT_E_SANDBOX, "died of SIGSEGV" },
        { "answer_and_fail", PVBOOT_E_SANDBOX, "gave a whole answer and ended with code 3" },
        { "layer_missing", PVBOOT_E_SANDBOX, "contradicts itself: strict, but without a layer" },
        { "unknown_layer_missing", PVBOOT_E_SANDBOX, "contradicts itself: layers" },
        { "wrong_step", PVBOOT_E_SANDBOX, "contradicts itself: step" },
        { "done_and_failed", PVBOOT_E_SANDBOX, "contradicts itself: class and step" },
        { "confined_and_not", PVBOOT_E_SANDBOX, "contradicts itself: class and step" },
        { "empty_image", PVBOOT_E_SANDBOX, "contradicts itself: file size" },
        { "long_text", PVBOOT_E_UNSUPPORTED, "\\x1b\\x1b\\x1b" },
        /* Harmless by construction: nothing but its own time, and memory that goes with it. */
        { "nothing", PVBOOT_E_UNSUPPORTED, "" },
        { "fill_output", PVBOOT_E_UNSUPPORTED, "" },
        { "hoard", PVBOOT_E_UNSUPPORTED, "had " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct surroundings before;
        struct pvboot_error e = { 0 };
        int rc;

        trial_strict(row[i].trick, &e); /* what libc allocates once, it has by now */
        surroundings_take(&before);
        rc = trial_strict(row[i].trick, &e);
        if (rc != -(int)row[i].class || !strstr(e.text, row[i].text))
            fail_msg("%s: %d %s", row[i].trick, rc, e.text);
        surroundings_assert(&before, row[i].trick);
    }
}

/* Who wants to know of a payload whatever the path takes an answer for one that says it could not be unpacked. */
static void test_unpacked_and_not(void **state)
{
    struct pvboot_error e = { 0 };
    struct pvboot_confine c = { .helper = trial_helper, .unpack_always = true };
    struct pvboot_kernel k;
    struct pvboot_file f;

    (void)state;
    assert_int_equal(trial_order(&f, "unpacked_and_not", PVB_LAYERS_ALL, &e), 0);
    assert_int_equal(pvboot_kernel_confine(&k, &f, &c, &e), -PVBOOT_E_SANDBOX);
    assert_string_equal(e.text, "the confined parser's answer contradicts itself: ELF: could not be unpacked");
    pvboot_file_dispose(&f);
}

/* Who asks for the ELF gets it, or an error; who asks for a look, the PT_LOADs. */
static void test_only_looked(void **state)
{
    (void)state;
    for (int look = 0; look < 2; look++) {
        struct pvboot_confine c = { .helper = trial_helper, .path = PVBOOT_PATH_PVH, .look = look };
        struct order o[64] = { { .magic = ORDER_MAGIC, .layers = PVB_LAYERS_ALL, .name = "only_looked" } };
        struct pvboot_error e = { 0 };
        struct pvboot_kernel k;
        struct pvboot_file f;

        assert_int_equal(pvboot_file_seal(&f, (struct pvboot_bytes){ (uint8_t *)o, sizeof(o) }, &e), 0);
        assert_int_equal(pvboot_kernel_confine(&k, &f, &c, &e), look ? 0 : -PVBOOT_E_SANDBOX);
        assert_string_equal(e.text, look ? "" : "the confined parser's answer contradicts itself: no ELF");
        assert_int_equal(k.n_seen, look);
        pvboot_kernel_dispose(&k);
        pvboot_file_dispose(&f);
    }
}

/* Without the limit, whose signal comes first, the seal refuses. */
static void test_output_has_one_size(void **state)
{
    struct pvboot_error e = { 0 };

    (void)state;
    assert_int_equal(
        trial("outgrow_output", PVB_LAYERS_ALL & ~(1u << PVB_LAYER_LIMITS), PVBOOT_SANDBOX_STRICT, NULL, &e),
        -PVBOOT_E_UNSUPPORTED);
    assert_string_equal(e.text, "EPERM");
}

/* Looking at the clock is harmless where it needs no system call, and otherwise it is one. */
static void test_clock(void **state)
{
    struct pvboot_error e = { 0 };
    int rc = trial_strict("clock_vdso", &e);

    (void)state;
    assert_true(rc == -PVBOOT_E_UNSUPPORTED || (rc == -PVBOOT_E_SANDBOX && strstr(e.text, "SIGSYS")));
}

/* The most memory it can have for itself: decoders' 256 MiB and what programs need. */
static void test_memory(void **state)
{
    struct pvboot_error e = { 0 };
    unsigned mib = 0;

    (void)state;
    trial_strict("hoard", &e);
    assert_int_equal(sscanf(e.text, "had %u MiB", &mib), 1);
    assert_in_range(mib, 256, 320);
}

static void test_wall_clock(void **state)
{
    static const char *const trick[] = { "spin", "answer_and_stay" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pvb_run r = { .helper = trial_helper, .arg = { "strict", "pvh" }, .wall_ms = 150 };
        struct pvboot_error e = { 0 };
        struct surroundings before;
        struct timespec from, to;
        struct pvb_answer a;
        struct pvboot_file f;

        surroundings_take(&before);
        assert_int_equal(trial_order(&f, trick[i], PVB_LAYERS_ALL, &e), 0);
        r.in = f.memfd;
        r.out = output_memory();
        clock_gettime(CLOCK_MONOTONIC, &from);
        assert_int_equal(pvb_run(&r, &a, &e), -PVBOOT_E_SANDBOX);
        clock_gettime(CLOCK_MONOTONIC, &to);
        assert_string_equal(e.text, "the confined parser was killed: over its wall-clock limit of 150 ms");
        assert_in_range((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000, 149, 1000);
        close(r.out);
        pvboot_file_dispose(&f);
        surroundings_assert(&before, trick[i]);
    }
}

static void test_absent(void **state)
{
    static const char *const path[] = { "/nonexistent/pvboot-parse", "/etc/passwd", "/tmp", "" };
    const char *real = trial_helper;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct pvboot_error e = { 0 };
        struct surroundings before;

        trial_helper = path[i];
        surroundings_take(&before);
        assert_int_equal(trial("nothing", PVB_LAYERS_ALL, PVBOOT_SANDBOX_BEST, NULL, &e), -PVBOOT_E_SANDBOX);
        assert_non_null(strstr(e.text, "the confined parser "));
        surroundings_assert_but_program(&before);
    }
    trial_helper = real;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tricks),      cmocka_unit_test(test_unpacked_and_not),
        cmocka_unit_test(test_only_looked), cmocka_unit_test(test_output_has_one_size),
        cmocka_unit_test(test_clock),       cmocka_unit_test(test_memory),
        cmocka_unit_test(test_wall_clock),  cmocka_unit_test(test_absent),
    };

    if (argc != 2)
        return 64;
    trial_helper = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

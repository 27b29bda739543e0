/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The caller's side: helpers that die, lie, stay or say nothing, hosts that lack a layer, programs that are not kind
 * to children.  Each must end in one error that names the cause, and leave nothing behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/sandbox/sandbox.h"
#include "attack.h"
#include "surroundings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *helper;

/* One run of the helper with @trick. */
static int run(const char *trick, enum pvboot_sandbox sandbox, char *missing, struct pvboot_error *e)
{
    struct pvboot_confine c = { .helper = helper, .path = PVBOOT_PATH_PVH, .sandbox = sandbox };
    struct order o = { .magic = ORDER_MAGIC, .layers = PVB_LAYERS_ALL };
    struct pvboot_kernel k;
    struct pvboot_file f;
    int rc;

    snprintf(o.name, sizeof(o.name), "%s", trick);
    rc = pvboot_file_seal(&f, (struct pvboot_bytes){ (uint8_t *)&o, sizeof(o) }, e);
    if (rc)
        return rc;
    rc = pvboot_kernel_confine(&k, &f, &c, e);
    pvboot_file_dispose(&f);
    if (missing)
        snprintf(missing, sizeof(c.missing), "%s", c.missing);
    return rc;
}

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
        { "spin", PVBOOT_E_SANDBOX, "died of SIGXCPU: limits: over its processor time" },
        { "short_answer", PVBOOT_E_SANDBOX, "ended with code 0 and 100 bytes of answer" },
        { "no_answer", PVBOOT_E_SANDBOX, "ended with code 3 and 0 bytes of answer" },
        { "long_answer", PVBOOT_E_SANDBOX, "said more than one answer" },
        { "wrong_magic", PVBOOT_E_SANDBOX, "ended with code 0 and" },
        { "wrong_version", PVBOOT_E_SANDBOX, "is of version 9999999999999999, its caller of" },
        { "wrong_class", PVBOOT_E_SANDBOX, "contradicts itself: class 1000" },
        { "no_error", PVBOOT_E_SANDBOX, "contradicts itself: class 0" },
        { "empty_image", PVBOOT_E_SANDBOX, "contradicts itself: file size" },
        { "long_text", PVBOOT_E_UNSUPPORTED, "\\x1b\\x1b\\x1b" },
        /* Harmless by construction: nothing but its own time, and memory that goes with it. */
        { "clock_vdso", PVBOOT_E_UNSUPPORTED, "" },
        { "fill_output", PVBOOT_E_UNSUPPORTED, "" },
        { "hoard", PVBOOT_E_UNSUPPORTED, "had " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct surroundings before;
        struct pvboot_error e = { 0 };
        int rc;

        run(row[i].trick, PVBOOT_SANDBOX_STRICT, NULL, &e); /* what libc allocates once, it has by now */
        e = (struct pvboot_error){ 0 };
        surroundings_take(&before);
        rc = run(row[i].trick, PVBOOT_SANDBOX_STRICT, NULL, &e);
        if (rc != -(int)row[i].class || !strstr(e.text, row[i].text))
            fail_msg("%s: %d %s", row[i].trick, rc, e.text);
        surroundings_assert(&before, row[i].trick);
    }
}

/* The most memory it can have for itself: decoders' 256 MiB and what programs need. */
static void test_memory(void **state)
{
    struct pvboot_error e = { 0 };
    unsigned mib = 0;

    (void)state;
    run("hoard", PVBOOT_SANDBOX_STRICT, NULL, &e);
    assert_int_equal(sscanf(e.text, "had %u MiB", &mib), 1);
    assert_in_range(mib, 256, 320);
}

static void test_wall_clock(void **state)
{
    static const char *const trick[] = { "spin", "answer_and_stay" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct order o = { .magic = ORDER_MAGIC, .layers = PVB_LAYERS_ALL };
        struct pvb_run r = { .helper = helper, .arg = { "strict", "pvh" }, .wall_ms = 150 };
        struct pvboot_error e = { 0 };
        struct surroundings before;
        struct timespec from, to;
        struct pvb_answer a;
        struct pvboot_file f;

        surroundings_take(&before);
        snprintf(o.name, sizeof(o.name), "%s", trick[i]);
        assert_int_equal(pvboot_file_seal(&f, (struct pvboot_bytes){ (uint8_t *)&o, sizeof(o) }, &e), 0);
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
    const char *real = helper;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct pvboot_error e = { 0 };
        struct surroundings before;

        helper = path[i];
        surroundings_take(&before);
        assert_int_equal(run("clock_vdso", PVBOOT_SANDBOX_BEST, NULL, &e), -PVBOOT_E_SANDBOX);
        assert_non_null(strstr(e.text, "the confined parser "));
        surroundings_assert_but_program(&before);
    }
    helper = real;
}

/* In a child that cannot do something, or does something odd to its own children; its exit code is the judgement. */
static int in_child(void (*oddity)(void), int (*judge)(void))
{
    int status;
    pid_t pid = fork();

    if (!pid) {
        oddity();
        _exit(judge());
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int works(void)
{
    for (int i = 0; i < 20; i++) {
        struct pvboot_error e = { 0 };

        if (run("clock_vdso", PVBOOT_SANDBOX_STRICT, NULL, &e) != -PVBOOT_E_UNSUPPORTED) {
            fprintf(stderr, "# %s\n", e.text);
            return 1;
        }
    }
    return 0;
}

/* A crash is told from an answer even when nobody knows the exit status any more. */
static int works_and_tells_crashes(void)
{
    struct pvboot_error e = { 0 };

    return works() || run("crash", PVBOOT_SANDBOX_STRICT, NULL, &e) != -PVBOOT_E_SANDBOX;
}

static int fails_by_file_size(void)
{
    struct pvboot_error e = { 0 };

    return run("clock_vdso", PVBOOT_SANDBOX_STRICT, NULL, &e) != -PVBOOT_E_HOST || !strstr(e.text, "ulimit -f");
}

/* At each descriptor it needs: it works or says what is short, and leaves none open. */
static int copes_with_few_descriptors(void)
{
    int failed = 0, worked = 0;

    for (int n = 0; n < 12; n++) {
        struct pvboot_error e = { 0 };
        struct surroundings before, after;
        int rc;

        surroundings_take(&before);
        odd_few_descriptors(n);
        rc = run("clock_vdso", PVBOOT_SANDBOX_STRICT, NULL, &e);
        odd_few_descriptors(1000);
        surroundings_take(&after);
        failed += strstr(e.text, strerror(EMFILE)) != NULL;
        worked += rc == -PVBOOT_E_UNSUPPORTED;
        if (before.fds != after.fds || failed + worked != n + 1) {
            fprintf(stderr, "# %d left: %zu open, then %zu: %s\n", n, before.fds, after.fds, e.text);
            return 1;
        }
    }
    return !failed || !worked;
}

static void nothing_odd(void)
{
}

static void test_odd_callers(void **state)
{
    (void)state;
    assert_int_equal(in_child(odd_no_stdio, works), 0);
    assert_int_equal(in_child(odd_ignores_children, works_and_tells_crashes), 0);
    assert_int_equal(in_child(odd_handles_children, works_and_tells_crashes), 0);
    assert_int_equal(in_child(odd_thief, works_and_tells_crashes), 0);
    assert_int_equal(in_child(odd_timer, works), 0);
    assert_int_equal(in_child(odd_blocks_all_signals, works_and_tells_crashes), 0);
    assert_int_equal(in_child(odd_small_files, fails_by_file_size), 0);
    assert_int_equal(in_child(nothing_odd, copes_with_few_descriptors), 0);
}

static const char *layer_text; /* of the layer the child's host lacks */

static int strict_refuses_best_notes(void)
{
    struct pvboot_error strict = { 0 }, best = { 0 };
    char missing[128], want[128];

    snprintf(want, sizeof(want), "this host has no layer '%s' for the confined parser", layer_text);
    if (run("clock_vdso", PVBOOT_SANDBOX_STRICT, NULL, &strict) != -PVBOOT_E_SANDBOX || !strstr(strict.text, want)) {
        fprintf(stderr, "# strict: %s, not %s\n", strict.text, want);
        return 1;
    }
    if (run("clock_vdso", PVBOOT_SANDBOX_BEST, missing, &best) != -PVBOOT_E_UNSUPPORTED ||
        strcmp(missing, layer_text)) {
        fprintf(stderr, "# best: %s, without %s, not %s\n", best.text, missing, layer_text);
        return 1;
    }
    return 0;
}

static void test_absent_layers(void **state)
{
    static const struct {
        enum pvb_layer layer;
        void (*lack)(void);
        bool root;
    } row[] = {
        { PVB_LAYER_DESCRIPTORS, lack_close_range, false },
        { PVB_LAYER_LIMITS, lack_limits, false },
        { PVB_LAYER_USER, lack_users, true },
        { PVB_LAYER_USER, lack_capset, false },
        { PVB_LAYER_DEATH_SIGNAL, lack_death_signal, false },
        { PVB_LAYER_UNDUMPABLE, lack_dumpable, false },
        { PVB_LAYER_LANDLOCK, lack_landlock, false },
        { PVB_LAYER_SECCOMP, lack_seccomp, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        if (row[i].root && geteuid())
            continue; /* there is nothing to change from */
        layer_text = pvb_layer_name(row[i].layer);
        assert_int_equal(in_child(row[i].lack, strict_refuses_best_notes), 0);
    }
}

/* Who started it is gone, so it is gone. */
static void test_dies_with_caller(void **state)
{
    int tries, left = 1;
    pid_t pid = fork(), child = 0;

    (void)state;
    if (!pid) {
        struct pvboot_error e = { 0 };

        _exit(-run("spin", PVBOOT_SANDBOX_STRICT, NULL, &e));
    }
    for (tries = 0; tries < 500 && !child; tries++) {
        usleep(2000);
        child = confined_child_of(pid);
    }
    assert_int_not_equal(child, 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    for (tries = 0; tries < 300 && left; tries++) { /* well before its second of processor time is over */
        usleep(1000);
        left = is_running(child);
    }
    assert_false(left);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tricks),           cmocka_unit_test(test_memory),
        cmocka_unit_test(test_wall_clock),       cmocka_unit_test(test_absent),
        cmocka_unit_test(test_odd_callers),      cmocka_unit_test(test_absent_layers),
        cmocka_unit_test(test_dies_with_caller),
    };

    if (argc != 2)
        return 64;
    helper = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

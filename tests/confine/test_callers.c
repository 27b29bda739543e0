/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Callers that are not kind to children or short of something, hosts that lack a layer, a helper that is replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "surroundings.h"
#include "trial.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A package is upgraded while the caller runs: it keeps to the helper it has used, or said it would use, before. */
static void upgrade(bool used)
{
    char dir[] = "/tmp/pvboot-XXXXXX", copy[64], command[512];
    const char *real = trial_helper;
    struct pvboot_error e = { 0 };

    assert_non_null(mkdtemp(dir));
    snprintf(copy, sizeof(copy), "%s/helper", dir);
    snprintf(command, sizeof(command), "cp %s %s && chmod 755 %s %s", real, copy, copy, dir);
    assert_int_equal(system(command), 0);
    trial_helper = copy;
    if (used)
        assert_int_equal(trial_strict("nothing", &e), -PVBOOT_E_UNSUPPORTED);
    else
        pvboot_confine_prepare(copy);
    snprintf(command, sizeof(command), "cp /bin/true %s.new && mv %s.new %s", copy, copy, copy);
    assert_int_equal(system(command), 0);
    assert_int_equal(trial_strict("nothing", &e), -PVBOOT_E_UNSUPPORTED);
    trial_helper = real;
    assert_int_equal(trial_strict("nothing", &e), -PVBOOT_E_UNSUPPORTED);
    trial_helper = copy; /* and a caller that starts only now gets the new one, which says nothing */
    assert_int_equal(trial_strict("nothing", &e), -PVBOOT_E_SANDBOX);
    trial_helper = real;
    unlink(copy);
    rmdir(dir);
}
static void test_upgrade(void **state)
{
    (void)state;
    upgrade(true);
    upgrade(false);
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

        if (trial_strict("nothing", &e) != -PVBOOT_E_UNSUPPORTED) {
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

    return works() || trial_strict("crash", &e) != -PVBOOT_E_SANDBOX;
}

static int fails_by_file_size(void)
{
    struct pvboot_error e = { 0 };

    return trial_strict("nothing", &e) != -PVBOOT_E_HOST || !strstr(e.text, "ulimit -f");
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
        rc = trial_strict("nothing", &e);
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

static const char *layer_text;   /* of the layer the child's host lacks */
static const char *missing_text; /* of all it can do without only together */

static int strict_refuses_best_notes(void)
{
    struct pvboot_error strict = { 0 }, best = { 0 };
    char missing[128], want[128];

    snprintf(want, sizeof(want), "this host has no layer '%s' for the confined parser: %s", layer_text,
             strerror(ENOSYS));
    if (trial_strict("nothing", &strict) != -PVBOOT_E_SANDBOX || !strstr(strict.text, want)) {
        fprintf(stderr, "# strict: %s, not %s\n", strict.text, want);
        return 1;
    }
    if (trial("nothing", PVB_LAYERS_ALL, PVBOOT_SANDBOX_BEST, missing, &best) != -PVBOOT_E_UNSUPPORTED ||
        strcmp(missing, missing_text)) {
        fprintf(stderr, "# best: %s, without %s, not %s\n", best.text, missing, missing_text);
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
        const char *missing; /* NULL: that layer alone */
    } row[] = {
        { PVB_LAYER_DESCRIPTORS, lack_close_range, false, NULL },
        { PVB_LAYER_LIMITS, lack_limits, false, NULL },
        { PVB_LAYER_USER, lack_users, true, NULL },
        { PVB_LAYER_USER, lack_capset, false, NULL },
        { PVB_LAYER_DEATH_SIGNAL, lack_death_signal, false, NULL },
        { PVB_LAYER_UNDUMPABLE, lack_dumpable, false, NULL },
        { PVB_LAYER_NO_NEW_PRIVS, lack_no_new_privs, false, "no_new_privs, seccomp" },
        { PVB_LAYER_LANDLOCK, lack_landlock, false, NULL },
        { PVB_LAYER_NO_DESCRIPTORS, lack_no_descriptors, false, NULL },
        { PVB_LAYER_SECCOMP, lack_seccomp, false, NULL },
    };
    uint32_t lacked = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        lacked |= 1u << row[i].layer;
        if (row[i].root && geteuid())
            continue; /* there is nothing to change from */
        layer_text = pvb_layer_name(row[i].layer);
        missing_text = row[i].missing ? row[i].missing : layer_text;
        assert_int_equal(in_child(row[i].lack, strict_refuses_best_notes), 0);
    }
    assert_int_equal(lacked, PVB_LAYERS_ALL);
}

/* Who started it is gone, so it is gone. */
static void test_dies_with_caller(void **state)
{
    int tries, left = 1;
    pid_t pid = fork(), child = 0;

    (void)state;
    if (!pid) {
        struct pvboot_error e = { 0 };

        _exit(-trial_strict("spin", &e));
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
        cmocka_unit_test(test_upgrade),
        cmocka_unit_test(test_odd_callers),
        cmocka_unit_test(test_absent_layers),
        cmocka_unit_test(test_dies_with_caller),
    };

    if (argc != 2)
        return 64;
    trial_helper = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * pvboot-init-xenstore-domain on a fake Xen.  Expected: what init-xenstore-domain of Xen 4.17 asks for and leaves, read in
 * its source and seen in the lab; and that nothing is left when it fails before xenstored answers.
 */
#include "../fake/launch.h"
#include "frontends/launch/launch.h"
#include "mkimage.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char kernel[] = "/dev/shm/pvboot-storedom-XXXXXX";
static const struct fake_setup host = { .host_pages = 1 << 20, .max_order = 18, .vcpus = 1 };

static int make_kernel(void **state)
{
    struct mk payload = mk_elf(64, 0x10000), image = mk_bzimage(&payload);
    int fd = mkstemp(kernel);

    (void)state;
    if (fd < 0 || write(fd, image.p, image.len) != (ssize_t)image.len)
        return -1;
    close(fd);
    mk_free(&image);
    mk_free(&payload);
    return setenv("PVBOOT_SANDBOX", "off", 1);
}

static int remove_kernel(void **state)
{
    (void)state;
    return unlink(kernel);
}

static int run(const char *options, struct pvboot_error *e)
{
    char text[256], *argv[32] = { (char *)"pvboot-init-xenstore-domain" }, *save = NULL;
    int argc = 1, rc;

    snprintf(text, sizeof(text), "%s", options);
    for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
        argv[argc++] = !strcmp(word, "KERNEL") ? kernel : word;
    *e = (struct pvboot_error){ 0 };
    launch_signals();
    fault_enter();
    rc = launch_storedom(argc, argv, e);
    fault_leave();
    return rc;
}

static void begin(bool ends)
{
    fake_launch_begin(&host);
    fault_arm(FAULT_XEN, 0, 0);
    fake_launch.ends = ends;
    fake_launch.absent = true;
}

#define USUAL "--kernel KERNEL --memory 128 --entry linux64"

/* The fake's xenstored is what runs in the domain. */
static void serves(const char *options)
{
    struct pvboot_error e;
    int rc;

    begin(false);
    rc = run(options, &e);
    if (rc)
        fail_msg("%d: %s", rc, e.text);
    assert_null(fake.broken);
    assert_true(fake_launch.exists && fake_launch.running && fake_launch.talked);
    assert_int_equal(fake_launch.handles + (int)fake.handles, 0);
}

static void a_domain_as_the_stock_helper_makes_it(void **state)
{
    const struct xen_domctl_createdomain *c = &fake_launch.create;

    (void)state;
    serves(USUAL);
    assert_int_equal(c->flags, XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_xs_domain);
    assert_int_equal(c->max_vcpus, 1);
    assert_int_equal(c->max_evtchn_port, UINT32_MAX);
    assert_int_equal(c->max_grant_frames, 4);
    assert_int_equal(c->max_maptrack_frames, 128);
    assert_int_equal(c->grant_opts, 1);
    assert_int_equal(fake_launch.virq, 3); /* VIRQ_DOM_EXC */
    assert_int_equal(fake_launch.handed_to, FAKE_DOMID);
    assert_int_equal(fake.param[HVM_PARAM_STORE_PFN], 0);
    assert_int_equal(fake.param[HVM_PARAM_STORE_EVTCHN], 0);
}

static uint32_t u32(uint64_t gpa)
{
    uint32_t n = 0;

    assert_true(fake_read(gpa, &n, sizeof(n)));
    return n;
}

/* boot.rst: cmd_line_ptr at 0x228 of the zero page that RSI names. */
static void it_is_told_the_port(void **state)
{
    static const struct {
        const char *options, *cmdline;
    } row[] = { { USUAL, "--event 21" }, { USUAL " --param quiet", "--event 21 quiet" } };
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        serves(row[i].options);
        assert_true(fake_read(u32(fake.vcpu[0].cpu.rsi + 0x228), text, sizeof(text)));
        assert_string_equal(text, row[i].cmdline);
    }
}

static const struct {
    const char *path, *value;
} node[] = {
    { "/tool/xenstored/domid", "7" },
    { "/local/domain/7/domid", "7" },
    { "/local/domain/7/name", "Xenstore" },
    { "/local/domain/7/memory/target", "131072" },
    { "/local/domain/7/memory/static-max", "131072" },
    { "/local/domain/0/backend/console/7/0/frontend-id", "7" },
    { "/local/domain/0/backend/console/7/0/frontend", "/local/domain/7/console" },
    { "/local/domain/0/backend/console/7/0/online", "1" },
    { "/local/domain/0/backend/console/7/0/state", "1" },
    { "/local/domain/0/backend/console/7/0/protocol", "vt100" },
    { "/local/domain/7/console/backend", "/local/domain/0/backend/console/7/0" },
    { "/local/domain/7/console/backend-id", "0" },
    { "/local/domain/7/console/limit", "1048576" },
    { "/local/domain/7/console/type", "xenconsoled" },
    { "/local/domain/7/console/output", "pty" },
    { "/local/domain/7/console/tty", "" },
    { "/local/domain/7/console/port", "1" },
    { "/local/domain/7/console/ring-ref", "1044479" },
};

static void nodes_and_files_as_the_stock_helper_leaves_them(void **state)
{
    (void)state;
    serves(USUAL);
    assert_int_equal(fake_launch.n_node, sizeof(node) / sizeof(node[0]));
    for (size_t i = 0; i < sizeof(node) / sizeof(node[0]); i++) {
        const struct fake_node *n = fake_find(node[i].path);

        if (!n)
            fail_msg("no %s", node[i].path);
        assert_string_equal(n->value, node[i].value);
    }
    assert_int_equal(fake_launch.n_file, 2);
    assert_non_null(strstr(fake_launch.file[0].path, "/var/lib/xen/userdata-d.7."));
    assert_non_null(strstr(fake_launch.file[0].value, "pvh"));
    assert_string_equal(fake_launch.file[1].path, "/var/run/xen/xenstored.pid");
    assert_string_equal(fake_launch.file[1].value, "domid:7\n");
}

static void maxmem(void **state)
{
    static const struct {
        const char *text;
        uint64_t mib; /* of a host with 4096; 0: as memory, which is 64 there */
        int rc;
    } row[] = {
        { "128", 128, 0 },         { "63", 0, 0 },
        { "1/4", 1024, 0 },        { "128:1/64", 128, 0 },
        { "32:1/32", 128, 0 },     { "1/128", 0, 0 },
        { "3/2", 6144, 0 },        { "", 0, -64 },
        { "0", 0, -64 },           { "1/", 0, -64 },
        { "1/0", 0, -64 },         { "1:2", 0, -64 },
        { "1:2/", 0, -64 },        { "1/2/3", 0, -64 },
        { "1/2:3", 0, -64 },       { "-1", 0, -64 },
        { " 1", 0, -64 },          { "1 ", 0, -64 },
        { "8388608", 8388608, 0 }, { "8388609", 0, -64 },
        { "8388608/1", 0, -68 },   { "99999999999999999999", 0, -64 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct launch_config c = { .memory_mib = 64 };
        struct pvboot_error e = { 0 };
        int rc = launch_storedom_maxmem(&c, row[i].text, 4096ull << 20, &e);

        if (rc != row[i].rc || (!rc && c.maxmem_mib != row[i].mib))
            fail_msg("'%s': %d, %llu MiB", row[i].text, rc, (unsigned long long)c.maxmem_mib);
    }
}

static void refused_before_there_is_a_domain(void **state)
{
    static const struct {
        const char *options;
        int rc;
    } row[] = {
        { "", -64 },
        { "--kernel KERNEL", -64 },
        { "--memory 64", -64 },
        { "--kernel KERNEL --memory 0", -64 },
        { "--kernel KERNEL --memory x", -64 },
        { USUAL " more", -64 },
        { USUAL " --wrong", -64 },
        { USUAL " --maxmem 1:", -64 },
        { USUAL " --kernel /nonexistent", -66 },
        { USUAL " --memory 8", -69 },
        { USUAL " --entry pv", -67 },
    };
    struct pvboot_error e;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        begin(false);
        if (run(row[i].options, &e) != row[i].rc)
            fail_msg("'%s': %d: %s", row[i].options, -e.code, e.text);
        assert_int_equal(fake_launch.create.max_vcpus, 0);
    }
    begin(false);
    fake_launch.absent = false; /* a daemon in dom0 */
    assert_int_equal(run(USUAL, &e), -PVBOOT_E_USAGE);
    serves(USUAL);
    assert_int_equal(run(USUAL, &e), -PVBOOT_E_USAGE); /* a second one */
    assert_true(fake_launch.exists);
}

static void nothing_is_left(const char *what)
{
    unsigned int left_mapped = fault_hit() && !strcmp(fault_hit(), "xenforeignmemory_unmap");

    if (fake_launch.exists && !fake_launch.talked)
        fail_msg("%s: a domain is left", what);
    if (fake_launch.handles + (int)fake.handles || fake.maps > left_mapped || fake.claim)
        fail_msg("%s: %d handles, %u mappings, %llu claimed pages are left", what,
                 fake_launch.handles + (int)fake.handles, fake.maps, (unsigned long long)fake.claim);
    if (fake.broken)
        fail_msg("%s: %s", what, fake.broken);
}

static void one_that_ends_at_once_is_taken_away(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(true);
    assert_int_equal(run(USUAL, &e), -PVBOOT_E_XEN);
    assert_non_null(strstr(e.text, "before a xenstored in it answered"));
    assert_false(fake_launch.exists);
    nothing_is_left("ends");
}

static void a_kernel_that_has_talked_is_said(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(false);
    fake_launch.talked = true;
    assert_int_equal(run(USUAL, &e), -PVBOOT_E_XEN);
    assert_non_null(strstr(e.text, "takes no other"));
    assert_false(fake_launch.exists);
}

/* Every request refused, and a signal in front of it. */
static void each(int error)
{
    struct pvboot_error e;
    unsigned long requests;

    serves(USUAL);
    requests = fault_count(FAULT_XEN);
    assert_true(requests > 40);
    for (unsigned long n = 1; n <= requests; n++) {
        char what[128];
        int rc;

        begin(false);
        fault_arm(FAULT_XEN, n, error);
        rc = run(USUAL, &e);
        snprintf(what, sizeof(what), "error %d at request %lu, %s", error, n, fault_hit());
        nothing_is_left(what);
        if (rc < 0 && !e.code)
            fail_msg("%s: without a word", what);
        if (rc < -128 && rc != -128 + error)
            fail_msg("%s: ends with %d", what, rc);
    }
}

static void each_refusal_leaves_nothing(void **state)
{
    (void)state;
    each(EPERM);
}

static void each_signal_leaves_nothing(void **state)
{
    (void)state;
    each(-SIGTERM);
}

/* What launch says where the domain that served xenstore has ended. */
static void an_ended_xenstored_is_said(void **state)
{
    char *argv[] = { (char *)"launch", (char *)"--name", (char *)"g", kernel, NULL };
    struct pvboot_error e = { 0 };

    (void)state;
    begin(false);
    fake_launch.noted = true;
    assert_int_equal(launch_verb(4, argv, &e), -PVBOOT_E_XEN);
    assert_string_equal(e.text, "domain 7, which served xenstore, has ended");
    assert_int_equal(fake_launch.create.max_vcpus, 0);
    assert_int_equal(fake_launch.handles + (int)fake.handles, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_as_the_stock_helper_makes_it),
        cmocka_unit_test(it_is_told_the_port),
        cmocka_unit_test(nodes_and_files_as_the_stock_helper_leaves_them),
        cmocka_unit_test(maxmem),
        cmocka_unit_test(refused_before_there_is_a_domain),
        cmocka_unit_test(one_that_ends_at_once_is_taken_away),
        cmocka_unit_test(a_kernel_that_has_talked_is_said),
        cmocka_unit_test(each_refusal_leaves_nothing),
        cmocka_unit_test(each_signal_leaves_nothing),
        cmocka_unit_test(an_ended_xenstored_is_said),
    };

    return cmocka_run_group_tests_name("xen_storedom", tests, make_kernel, remove_kernel);
}

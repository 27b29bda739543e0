/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A guest's soft reset on a fake Xen and xenstored.  Expected: what Xen 4.17 asks of it (domain_soft_reset(),
 * evtchn_reset()), and what xenstored and xenconsoled have to be told, read in their sources and seen in the lab.
 */
#include "../fake/launch.h"

#include <errno.h>
#include <pvboot/xen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int handle;
static bool own_console;
static const struct fake_setup host = { .host_pages = 1 << 10, .max_order = 18, .vcpus = 1 };

static void node(const char *path, const char *value)
{
    struct fake_node *n = &fake_launch.node[fake_launch.n_node++];

    snprintf(n->path, sizeof(n->path), "%s", path);
    snprintf(n->value, sizeof(n->value), "%s", value);
}

/* A domain as a launch leaves it, whose kernel has asked for another one. */
static void begin(void)
{
    fake_launch_begin(&host);
    fault_arm(FAULT_XEN, 0, 0);
    fake_launch.exists = fake_launch.shut_down = fake_launch.introduced = true;
    fake_launch.ports = 9;
    node("/local/domain/7/store/ring-ref", "1044476");
    node("/local/domain/7/store/port", "1");
    node("/local/domain/7/console/port", "2");
}

static int reset(struct pvboot_xen_rings *rings, struct pvboot_error *e)
{
    const struct pvboot_reset r = {
        .call = {
#define X(f) .f = f,
            PVBOOT_RESET_CALLS(X)
#undef X
        },
        .xs = fake_launch.absent ? NULL : (struct xs_handle *)&handle,
        .domid = FAKE_DOMID,
        .own_console = own_console,
    };
    int rc;

    *e = (struct pvboot_error){ 0 };
    fault_enter();
    rc = pvboot_xen_soft_reset(&r, rings, e);
    fault_leave();
    return rc;
}

static uint64_t argument(const char *name, unsigned int nth)
{
    for (size_t i = 0; i < fake.n_calls; i++)
        if (!strcmp(fake.call[i].name, name) && !nth--)
            return fake.call[i].a;
    fail_msg("no %s", name);
    return 0;
}

static void it_goes_on_with_new_channels(void **state)
{
    struct pvboot_xen_rings rings = { 0 };
    struct pvboot_error e;

    (void)state;
    begin();
    assert_int_equal(reset(&rings, &e), 0);
    assert_null(fake.broken);
    assert_int_equal(fake_launch.resets, 1);
    assert_int_equal(fake_launch.pauses, 1); /* for the caller to take back */
    assert_int_equal(rings.xenstore_evtchn, 1);
    assert_int_equal(rings.console_evtchn, 2);
    assert_int_equal(fake.param[HVM_PARAM_STORE_EVTCHN], 1);
    assert_int_equal(fake.param[HVM_PARAM_CONSOLE_EVTCHN], 2);
    assert_string_equal(fake_find("/local/domain/7/store/port")->value, "1");
    assert_string_equal(fake_find("/local/domain/7/console/port")->value, "2");
    assert_int_equal(fake_launch.introduced_port, 1);
    assert_true(fake_launch.resumed);
    assert_int_equal(fake_count("xs_release_domain"), 0); /* would take the guest's own nodes along */
}

static void the_daemons_may_be_domains(void **state)
{
    struct pvboot_xen_rings rings;
    struct pvboot_error e;

    (void)state;
    begin();
    assert_int_equal(reset(&rings, &e), 0);
    assert_int_equal(argument("xc_evtchn_alloc_unbound", 0), 0);
    assert_int_equal(argument("xc_evtchn_alloc_unbound", 1), 0);
    begin();
    node("/tool/xenstored/domid", "3");
    node("/tool/xenconsoled/domid", "4");
    assert_int_equal(reset(&rings, &e), 0);
    assert_int_equal(argument("xc_evtchn_alloc_unbound", 0), 3);
    assert_int_equal(argument("xc_evtchn_alloc_unbound", 1), 4);
}

static void without_xenstore(void **state)
{
    struct pvboot_xen_rings rings = { 0 };
    struct pvboot_error e;

    (void)state;
    begin();
    fake_launch.absent = true;
    assert_int_equal(reset(&rings, &e), 0);
    assert_int_equal(fake_launch.asked, 0);
    assert_int_equal(fake_launch.resets, 1);
    assert_int_equal(rings.xenstore_evtchn, 0);
    assert_int_equal(rings.console_evtchn, 1);
    assert_false(fake.param_set[HVM_PARAM_STORE_EVTCHN]);
}

static void with_a_console_of_its_callers(void **state)
{
    struct pvboot_xen_rings rings = { 0 };
    struct pvboot_error e;

    (void)state;
    begin();
    own_console = true;
    node("/tool/xenconsoled/domid", "4");
    assert_int_equal(reset(&rings, &e), 0);
    own_console = false;
    assert_int_equal(argument("xc_evtchn_alloc_unbound", 1), 0);
    assert_int_equal(fake.param[HVM_PARAM_CONSOLE_EVTCHN], rings.console_evtchn);
    assert_int_equal(fake_count("xs_write"), 1); /* xenstore's own port */
}

static void who_has_not_asked_is_refused(void **state)
{
    struct pvboot_xen_rings rings;
    struct pvboot_error e;

    (void)state;
    begin();
    fake_launch.shut_down = false;
    assert_int_equal(reset(&rings, &e), -PVBOOT_E_XEN);
    assert_string_equal(e.text, "the soft reset of domain 7: errno 22");
    assert_int_equal(fake_launch.resets, 0);
}

static const struct {
    const char *path, *value, *says;
} bad_node[] = {
    { "/local/domain/7/store/ring-ref", "", "xenstore: /local/domain/7/store/ring-ref is no number" },
    { "/local/domain/7/store/ring-ref", "12x", "xenstore: /local/domain/7/store/ring-ref is no number" },
    { "/local/domain/7/store/ring-ref", "4294967296", "xenstore: /local/domain/7/store/ring-ref is no number" },
    { "/local/domain/7/store/ring-ref", NULL, "xenstore: reading /local/domain/7/store/ring-ref: errno 2" },
    { "/tool/xenstored/domid", "dom0", "xenstore: /tool/xenstored/domid is no number" },
};

static void nodes_are_read_with_care(void **state)
{
    struct pvboot_xen_rings rings;
    struct pvboot_error e;

    (void)state;
    for (size_t i = 0; i < sizeof(bad_node) / sizeof(bad_node[0]); i++) {
        struct fake_node *n;

        begin();
        n = (struct fake_node *)fake_find(bad_node[i].path);
        if (n && !bad_node[i].value)
            memset(n, 0, sizeof(*n));
        else if (n)
            snprintf(n->value, sizeof(n->value), "%s", bad_node[i].value);
        else
            node(bad_node[i].path, bad_node[i].value);
        assert_int_equal(reset(&rings, &e), -PVBOOT_E_XEN);
        assert_string_equal(e.text, bad_node[i].says);
    }
}

static void each_refusal_is_told(void **state)
{
    struct pvboot_xen_rings rings;
    struct pvboot_error e;
    unsigned long requests;

    (void)state;
    begin();
    assert_int_equal(reset(&rings, &e), 0);
    requests = fault_count(FAULT_XEN);
    assert_true(requests >= 13);
    for (unsigned long n = 1; n <= requests; n++) {
        begin();
        fault_arm(FAULT_XEN, n, EPERM);
        if (reset(&rings, &e) != -PVBOOT_E_XEN || !strstr(e.text, "errno 1"))
            fail_msg("request %lu, %s: %s", n, fault_hit(), e.text);
        assert_null(fake.broken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_with_new_channels),
        cmocka_unit_test(the_daemons_may_be_domains),
        cmocka_unit_test(without_xenstore),
        cmocka_unit_test(with_a_console_of_its_callers),
        cmocka_unit_test(who_has_not_asked_is_refused),
        cmocka_unit_test(nodes_are_read_with_care),
        cmocka_unit_test(each_refusal_is_told),
    };

    return cmocka_run_group_tests_name("xen_soft_reset", tests, NULL, NULL);
}

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

static struct fake_node *node(const char *path, const char *value)
{
    struct fake_node *n = &fake_launch.node[fake_launch.n_node++];

    snprintf(n->path, sizeof(n->path), "%s", path);
    snprintf(n->value, sizeof(n->value), "%s", value);
    return n;
}

/* libxl_create.c, libxl_console.c: dom0's are those that the guest may read or may not; some are its own. */
static void readable(const char *path, const char *value)
{
    node(path, value)->guest_reads = true;
}

static void guests(const char *path, const char *value)
{
    node(path, value)->owner = FAKE_DOMID;
}

/* A domain as a launch leaves it, whose kernel has asked for another one. */
static void begin(void)
{
    fake_launch_begin(&host);
    fault_arm(FAULT_XEN, 0, 0);
    fake_launch.exists = fake_launch.shut_down = fake_launch.introduced = true;
    fake_launch.ports = 9;
    readable("/local/domain/7", "");
    readable("/local/domain/7/vm", "/vm/u");
    readable("/local/domain/7/store/ring-ref", "1044476");
    readable("/local/domain/7/store/port", "7");
    readable("/local/domain/7/console/port", "8");
    readable("/local/domain/7/console/backend", "/local/domain/0/backend/console/7/0");
    guests("/local/domain/7/console/backend-id", "666"); /* was 0 */
    guests("/local/domain/7/control/shutdown", "poweroff");
    guests("/local/domain/7/data", "");
    guests("/local/domain/7/device/suspend/event-channel", "");
    node(FAKE_CROWDED, "");
    readable("/vm/u", "");
    readable("/vm/u/name", "g");
    readable("/local/domain/0/backend/console/7/0", "");
    readable("/local/domain/0/backend/console/7/0/state", "1");
    node("/libxl/7/type", "pvh");
    node("/libxl/7/device/console/0/state", "1");
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
    assert_null(fake.broken);
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
    assert_true(fake_launch.introduced); /* and the fake takes care that it was not when that was asked for */
    assert_int_equal(fake_count("xs_release_domain"), 1);
}

static void is(const char *path, const char *value, uint32_t owner, bool guest_reads)
{
    const struct fake_node *n = fake_find(path);

    if (!n)
        fail_msg("no %s", path);
    assert_string_equal(n->value, value);
    if (n->owner != owner || n->guest_reads != guest_reads)
        fail_msg("%s: of %u, %s", path, n->owner, n->guest_reads ? "readable" : "hidden");
}

static void the_toolstacks_nodes_are_as_before(void **state)
{
    struct pvboot_xen_rings rings;
    struct pvboot_error e;

    (void)state;
    begin();
    assert_int_equal(reset(&rings, &e), 0);
    is("/local/domain/7", "", 0, true);
    is("/local/domain/7/vm", "/vm/u", 0, true);
    is("/local/domain/7/store/ring-ref", "1044476", 0, true);
    is("/local/domain/7/store/port", "1", 0, true);
    is("/local/domain/7/console/port", "2", 0, true);
    is(FAKE_CROWDED, "", 0, false);
    is("/vm/u", "", 0, true);
    is("/vm/u/name", "g", 0, true);
    is("/local/domain/0/backend/console/7/0", "", 0, true);
    is("/local/domain/0/backend/console/7/0/state", "1", 0, true);
    is("/libxl/7/type", "pvh", 0, false);
    /* the guest's own, without what the old kernel wrote there */
    is("/local/domain/7/control/shutdown", "", 7, false);
    is("/local/domain/7/data", "", 7, false);
    is("/local/domain/7/device/suspend/event-channel", "", 7, false);
    is("/local/domain/7/console/backend-id", "0", 7, false);
    begin();
    snprintf(((struct fake_node *)fake_find("/local/domain/7/console/backend"))->value, 64,
             "/local/domain/4/backend/console/7/0");
    assert_int_equal(reset(&rings, &e), 0);
    is("/local/domain/7/console/backend-id", "4", 7, false);
}

/* What a guest makes of its own, and no toolstack; under what it may write, nobody can keep it from doing so. */
static void the_guests_own_nodes_stay_away(void **state)
{
    static const char *const junk[] = {
        "/local/domain/7/data/control/shutdown", "/local/domain/7/data/data",    "/local/domain/7/control/shutdown/x",
        "/local/domain/7/control/feature-junk",  "/local/domain/7/error/device", "/vm/u/data",
        "/local/domain/0/backend/console/7/0/x",
    };
    struct pvboot_xen_rings rings;
    struct pvboot_error e;

    (void)state;
    for (int orphans = 0; orphans < 2; orphans++) {
        begin();
        fake_launch.orphans = orphans;
        for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
            guests(junk[i], "junk");
        readable("/local/domain/7/data/of-dom0", ""); /* below what goes */
        assert_int_equal(reset(&rings, &e), 0);
        for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
            assert_null(fake_find(junk[i]));
        assert_null(fake_find("/local/domain/7/data/of-dom0"));
        is("/local/domain/7/data", "", FAKE_DOMID, false);
    }
}

static void what_was_not_there_is_not_made(void **state)
{
    struct pvboot_xen_rings rings;
    struct pvboot_error e;

    (void)state;
    begin();
    assert_int_equal(reset(&rings, &e), 0);
    assert_null(fake_find("/local/domain/7/control/sysrq"));
    assert_null(fake_find("/local/domain/7/device-model"));
    assert_null(fake_find("/local/domain/7/attr"));
}

static void many_nodes_are_a_limit(void **state)
{
    struct pvboot_xen_rings rings;
    struct pvboot_error e;

    (void)state;
    begin(); /* 16 of the domain with their directories, 2 of its /vm, 2 of the back end */
    fake_launch.crowd = 8192 - 20;
    assert_int_equal(reset(&rings, &e), 0);
    begin();
    fake_launch.crowd = 8192 - 20 + 1;
    assert_int_equal(reset(&rings, &e), -PVBOOT_E_LIMIT);
    assert_string_equal(e.text, "xenstore: domain 7 has more than 8192 nodes");
    assert_int_equal(fake_launch.resets, 0);
}

static void who_comes_in_between(void **state)
{
    struct pvboot_xen_rings rings;
    struct pvboot_error e;

    (void)state;
    begin();
    fake_launch.between = 3;
    assert_int_equal(reset(&rings, &e), 0);
    is("/local/domain/7/control/shutdown", "", 7, false);
    assert_int_equal(fake_count("xs_transaction_start"), 4);
    begin();
    fake_launch.between = 1000;
    assert_int_equal(reset(&rings, &e), -PVBOOT_E_XEN);
    assert_string_equal(e.text, "xenstore: the nodes of domain 7: errno 11");
    assert_false(fake_launch.in_transaction);
}

static void who_destroys_it_meanwhile_finds_it_gone(void **state)
{
    struct pvboot_xen_rings rings;
    struct pvboot_error e;

    (void)state;
    begin();
    fake_launch.between = 1;
    fake_launch.destroys = true;
    assert_int_equal(reset(&rings, &e), -PVBOOT_E_XEN);
    assert_string_equal(e.text, "xenstore: reading /local/domain/7: errno 2");
    assert_false(fake_launch.introduced || fake_launch.in_transaction);
    for (size_t i = 0; i < fake_launch.n_node; i++)
        if (!strncmp(fake_launch.node[i].path, "/local/domain/7", 15))
            fail_msg("%s is left", fake_launch.node[i].path);
}

static const struct {
    const char *path, *says;
} device[] = {
    { "/libxl/7/device/vif/0/state", "domain 7 has a device /libxl/7/device/vif, which no soft reset takes along" },
    { "/libxl/7/device/vbd/51712", "domain 7 has a device /libxl/7/device/vbd, which no soft reset takes along" },
    { "/libxl/7/device/pci/0", "domain 7 has a device /libxl/7/device/pci, which no soft reset takes along" },
    { "/libxl/7/device/console/1/state",
      "domain 7 has a device /libxl/7/device/console/1, which no soft reset takes along" },
};

static void devices_are_refused(void **state)
{
    struct pvboot_xen_rings rings;
    struct pvboot_error e;

    (void)state;
    for (size_t i = 0; i < sizeof(device) / sizeof(device[0]); i++) {
        begin();
        node(device[i].path, "");
        assert_int_equal(reset(&rings, &e), -PVBOOT_E_UNSUPPORTED);
        assert_string_equal(e.text, device[i].says);
        assert_int_equal(fake_launch.resets, 0);
        assert_true(fake_launch.introduced);
    }
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
    is("/local/domain/7/store/port", "1", 0, true);
    is("/local/domain/7/console/port", "8", 0, true); /* as it was */
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
    { "/local/domain/7/console/backend", "/local/domain/9/backend",
      "xenstore: the back end of domain 7's console is elsewhere: /local/domain/9/backend" },
    { "/local/domain/7/console/backend", "/local/domain/0/backend/console/8/0",
      "xenstore: the back end of domain 7's console is elsewhere: /local/domain/0/backend/console/8/0" },
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
    assert_true(requests > 50);
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
        cmocka_unit_test(the_toolstacks_nodes_are_as_before),
        cmocka_unit_test(the_guests_own_nodes_stay_away),
        cmocka_unit_test(what_was_not_there_is_not_made),
        cmocka_unit_test(many_nodes_are_a_limit),
        cmocka_unit_test(who_comes_in_between),
        cmocka_unit_test(who_destroys_it_meanwhile_finds_it_gone),
        cmocka_unit_test(devices_are_refused),
        cmocka_unit_test(the_daemons_may_be_domains),
        cmocka_unit_test(without_xenstore),
        cmocka_unit_test(with_a_console_of_its_callers),
        cmocka_unit_test(who_has_not_asked_is_refused),
        cmocka_unit_test(nodes_are_read_with_care),
        cmocka_unit_test(each_refusal_is_told),
    };

    return cmocka_run_group_tests_name("xen_soft_reset", tests, NULL, NULL);
}

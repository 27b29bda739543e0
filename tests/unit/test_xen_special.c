/* SPDX-License-Identifier: LGPL-2.1-only */
/* Special pages: where, how full, and which HVM param names which. Numbers: Xen 4.17 tools/libs/guest/xg_dom_x86.c. */
#include "../fake/table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FIRST 0xfeff8ul
#define PAGES 8u
#define XENSTORE (FIRST + 4)
#define IDENT_PT (FIRST + 6)
#define CONSOLE (FIRST + 7)

static const struct pvboot_machine machine = {
    .special_start = FIRST * FAKE_PAGE,
    .special_end = (FIRST + PAGES) * FAKE_PAGE,
    .console_gpa = CONSOLE * FAKE_PAGE,
    .xenstore_gpa = XENSTORE * FAKE_PAGE,
    .vcpus = 1,
};
static const struct pvboot_xen_rings rings = { .console_evtchn = 21, .xenstore_evtchn = 20 };

static int make(const struct fake_setup *setup, struct pvboot_error *e)
{
    struct pvboot_xen x;

    fake_begin(setup);
    x = fake_xen();
    *e = (struct pvboot_error){ 0 };
    return pvboot_xen_special_pages(&x, &machine, &rings, e);
}

static const struct fake_setup roomy = { .max_pages = 1000, .host_pages = 1000, .max_order = 18, .vcpus = 1 };

static void eight_pages_and_no_more(void **state)
{
    struct pvboot_error e;

    (void)state;
    assert_int_equal(make(&roomy, &e), 0);
    assert_int_equal(fake.tot_pages, PAGES);
    for (unsigned long i = 0; i < PAGES; i++)
        assert_int_equal(fake_order(FIRST + i), 0);
    assert_null(fake.broken);
}

static void rings_are_zeroed(void **state)
{
    uint8_t page[FAKE_PAGE], zero[FAKE_PAGE] = { 0 };
    struct pvboot_error e;

    (void)state;
    assert_int_equal(make(&roomy, &e), 0);
    for (unsigned long i = 0; i < PAGES; i++) {
        assert_true(fake_read((FIRST + i) * FAKE_PAGE, page, sizeof(page)));
        if (FIRST + i != IDENT_PT)
            assert_memory_equal(page, zero, sizeof(page));
    }
}

/* SDM 3A table 4-4: a 4 MiB page at i * 4 MiB, present, writable, user, accessed, dirty, PS. */
static void identity_page_table(void **state)
{
    uint8_t pde[4];
    struct pvboot_error e;

    (void)state;
    assert_int_equal(make(&roomy, &e), 0);
    for (unsigned int i = 0; i < 1024; i++) {
        assert_true(fake_read(IDENT_PT * FAKE_PAGE + i * 4, pde, sizeof(pde)));
        assert_int_equal(pde[0], 0xe7);
        assert_int_equal(pde[1], 0);
        assert_int_equal(pde[2], (i & 3) << 6);
        assert_int_equal(pde[3], i >> 2);
    }
}

static void params_name_the_pages(void **state)
{
    static const struct {
        uint32_t param;
        uint64_t value;
    } want[] = {
        { HVM_PARAM_STORE_PFN, 0xfeffc },        { HVM_PARAM_STORE_EVTCHN, 20 },
        { HVM_PARAM_CONSOLE_PFN, 0xfefff },      { HVM_PARAM_CONSOLE_EVTCHN, 21 },
        { HVM_PARAM_IOREQ_PFN, 0xfeffd },        { HVM_PARAM_BUFIOREQ_PFN, 0xfeffb },
        { HVM_PARAM_PAGING_RING_PFN, 0xfeff8 },  { HVM_PARAM_MONITOR_RING_PFN, 0xfeff9 },
        { HVM_PARAM_SHARING_RING_PFN, 0xfeffa }, { HVM_PARAM_IDENT_PT, 0xfeffe000 },
    };
    struct pvboot_error e;
    unsigned int set = 0;

    (void)state;
    assert_int_equal(make(&roomy, &e), 0);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_true(fake.param_set[want[i].param]);
        assert_int_equal(fake.param[want[i].param], want[i].value);
    }
    for (size_t i = 0; i < HVM_NR_PARAMS; i++)
        set += fake.param_set[i];
    assert_int_equal(set, sizeof(want) / sizeof(want[0]));
}

static void too_little_memory(void **state)
{
    struct fake_setup setup = roomy;
    struct pvboot_error e;
    char said[60];

    (void)state;
    setup.max_pages = PAGES;
    assert_int_equal(make(&setup, &e), 0);
    for (setup.max_pages = 0; setup.max_pages < PAGES; setup.max_pages++) {
        assert_int_equal(make(&setup, &e), -PVBOOT_E_XEN);
        snprintf(said, sizeof(said), "%d of %d special pages at gpa ", (int)setup.max_pages, PAGES);
        assert_non_null(strstr(e.text, said));
        assert_null(strstr(e.text, "errno"));                     /* Xen has said none */
        assert_int_equal(fake_count("xc_clear_domain_pages"), 0); /* it stopped at once */
    }
}

static void each_call_is_looked_at(void **state)
{
    struct pvboot_error e;
    unsigned long calls;

    (void)state;
    fault_enter();
    fault_arm(FAULT_XEN, 0, 0);
    assert_int_equal(make(&roomy, &e), 0);
    calls = fault_count(FAULT_XEN);
    for (unsigned long n = 2; n <= calls; n++) { /* 1 is the fixture's open */
        fault_arm(FAULT_XEN, n, EPERM);
        assert_int_equal(make(&roomy, &e), -PVBOOT_E_XEN);
        assert_non_null(fault_hit());
        assert_true(strstr(e.text, "errno 1") != NULL);
        assert_int_equal(fake.maps, strcmp(fault_hit(), "xenforeignmemory_unmap") ? 0 : 1);
    }
    fault_leave();
}

/* Who asks for xenstore's ring is to find none, and not one that nobody reads. */
static void without_xenstore_there_is_no_ring(void **state)
{
    static const struct pvboot_xen_rings alone = { .console_evtchn = 21, .no_xenstore = true };
    struct pvboot_error e = { 0 };
    struct pvboot_xen x;

    (void)state;
    fake_begin(&roomy);
    x = fake_xen();
    assert_int_equal(pvboot_xen_special_pages(&x, &machine, &alone, &e), 0);
    assert_int_equal(fake.param[HVM_PARAM_STORE_PFN], 0);
    assert_int_equal(fake.param[HVM_PARAM_STORE_EVTCHN], 0);
    assert_int_equal(fake.param[HVM_PARAM_CONSOLE_PFN], CONSOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_pages_and_no_more),
        cmocka_unit_test(rings_are_zeroed),
        cmocka_unit_test(identity_page_table),
        cmocka_unit_test(params_name_the_pages),
        cmocka_unit_test(too_little_memory),
        cmocka_unit_test(each_call_is_looked_at),
        cmocka_unit_test(without_xenstore_there_is_no_ring),
    };

    return cmocka_run_group_tests_name("xen_special", tests, NULL, NULL);
}

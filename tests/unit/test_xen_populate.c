/* SPDX-License-Identifier: LGPL-2.1-only */
/* Memory for the guest: every RAM page once, in the largest extents there are, and no claim left over. */
#include "../fake/table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define GIB (1ull << 30)
#define MIB (1ull << 20)
#define KIB (1ull << 10)
#define PLENTY (64 * GIB / FAKE_PAGE)

static const struct fake_setup roomy = { .max_pages = PLENTY, .host_pages = PLENTY, .max_order = 18, .vcpus = 1 };

static struct pvboot_memmap map_of(const struct pvboot_range *r, size_t n)
{
    struct pvboot_memmap m = { .n = n };

    memcpy(m.r, r, n * sizeof(*r));
    return m;
}

static int populate_to(const struct fake_setup *setup, const struct pvboot_memmap *m, uint64_t target, bool claim,
                       struct pvboot_error *e)
{
    struct pvboot_xen x;

    fake_begin(setup);
    x = fake_xen();
    *e = (struct pvboot_error){ 0 };
    return pvboot_xen_populate(&x, m, target, claim, e);
}

static int populate(const struct fake_setup *setup, const struct pvboot_memmap *m, bool claim, struct pvboot_error *e)
{
    return populate_to(setup, m, UINT64_MAX, claim, e);
}

/* The order @gfn should come in: the largest one whose naturally aligned extent around it is RAM as a whole. */
static int best_order(const struct pvboot_memmap *m, uint64_t gfn, int limit)
{
    static const int order[] = { 18, 9, 0 };

    for (size_t i = 0; i < 3; i++) {
        uint64_t bytes = FAKE_PAGE << order[i], start = gfn * FAKE_PAGE & ~(bytes - 1);

        for (size_t j = 0; order[i] <= limit && j < m->n; j++)
            if (m->r[j].type == PVBOOT_RAM && m->r[j].start <= start && start + bytes <= m->r[j].end)
                return order[i];
    }
    return -1;
}

/* Looks at the first and last page of each 2 MiB and at all pages around the ends of ranges. */
static bool worth_a_look(uint64_t gfn, uint64_t end)
{
    return gfn % 512 < 2 || gfn % 512 == 511 || end - gfn < 1024;
}

static void check_pages(const struct pvboot_memmap *m, int limit)
{
    uint64_t ram = 0;

    for (size_t i = 0; i < m->n; i++) {
        uint64_t end = m->r[i].end / FAKE_PAGE;

        for (uint64_t gfn = m->r[i].start / FAKE_PAGE; gfn < end; gfn++) {
            ram += m->r[i].type == PVBOOT_RAM;
            if (worth_a_look(gfn, end))
                assert_int_equal(fake_order(gfn), best_order(m, gfn, limit));
        }
    }
    assert_int_equal(fake.tot_pages, ram);
    if (fake.broken)
        fail_msg("%s", fake.broken);
}

/* Maps that stress alignment: what libxl makes, and ranges that begin and end everywhere. */
static const struct {
    const char *name;
    size_t n;
    struct pvboot_range r[4];
} shape[] = {
    { "one page", 1, { { 0, 4 * KIB, PVBOOT_RAM } } },
    { "2 MiB less a page", 1, { { 0, 2 * MIB - 4 * KIB, PVBOOT_RAM } } },
    { "2 MiB and a page", 1, { { 0, 2 * MIB + 4 * KIB, PVBOOT_RAM } } },
    { "small guest", 1, { { 0, 100 * MIB, PVBOOT_RAM } } },
    { "1 GiB", 1, { { 0, GIB, PVBOOT_RAM } } },
    { "stock 5 GiB",
      4,
      { { 0, 0xfc000000, PVBOOT_RAM },
        { 0xfc000000, 0xfc008040, PVBOOT_ACPI },
        { 0xfeff8000, 0xff000000, PVBOOT_RESERVED },
        { 4 * GIB, 5 * GIB + 64 * MIB, PVBOOT_RAM } } },
    { "starts at a page", 1, { { 4 * KIB, 3 * GIB, PVBOOT_RAM } } },
    { "ends at a page", 1, { { 0, 2 * GIB + 2 * MIB + 12 * KIB, PVBOOT_RAM } } },
    { "hole in the middle",
      3,
      { { 0, 640 * KIB, PVBOOT_RAM }, { 640 * KIB, MIB, PVBOOT_RESERVED }, { MIB, GIB + 6 * MIB, PVBOOT_RAM } } },
    { "starts inside 1 GiB", 1, { { GIB - 2 * MIB, 2 * GIB + 2 * MIB, PVBOOT_RAM } } },
};
#define SHAPES (sizeof(shape) / sizeof(shape[0]))

static void each_shape(int limit, unsigned long per_call)
{
    struct pvboot_error e;

    for (size_t i = 0; i < SHAPES; i++) {
        struct pvboot_memmap m = map_of(shape[i].r, shape[i].n);
        struct fake_setup setup = roomy;

        setup.max_order = (unsigned int)limit;
        setup.per_call = per_call;
        print_message("# %s\n", shape[i].name);
        assert_int_equal(populate(&setup, &m, false, &e), 0);
        check_pages(&m, limit);
    }
}

static void largest_extents_first(void **state)
{
    (void)state;
    each_shape(18, 0);
}

static void falls_back_to_2m(void **state)
{
    (void)state;
    each_shape(9, 0);
}

static void falls_back_to_4k(void **state)
{
    (void)state;
    each_shape(0, 0);
}

static void goes_on_where_xen_stopped(void **state)
{
    (void)state;
    each_shape(18, 3);
}

static void few_calls_for_much_memory(void **state)
{
    struct pvboot_memmap m = map_of((struct pvboot_range[]){ { 0, 3 * GIB, PVBOOT_RAM } }, 1);
    struct pvboot_error e;

    (void)state;
    assert_int_equal(populate(&roomy, &m, false, &e), 0);
    assert_int_equal(fake_count("xc_domain_populate_physmap"), 1);
}

static void no_memory(void **state)
{
    static const uint64_t short_of[] = { 1, 512, 513, 100000 };
    struct pvboot_memmap m = map_of((struct pvboot_range[]){ { 0, GIB, PVBOOT_RAM } }, 1);
    struct pvboot_error e;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct fake_setup setup = roomy;

        setup.host_pages = GIB / FAKE_PAGE - short_of[i];
        assert_int_equal(populate(&setup, &m, false, &e), -PVBOOT_E_XEN);
        assert_int_equal(e.code, PVBOOT_E_XEN);
        assert_non_null(strstr(e.text, "domain 7"));
        assert_non_null(strstr(e.text, "gpa 0x"));
        assert_int_equal(fake.host_free, 0); /* it took what there was, down to the last page */
    }
}

static void domain_limit(void **state)
{
    struct pvboot_memmap m = map_of((struct pvboot_range[]){ { 0, 8 * MIB, PVBOOT_RAM } }, 1);
    struct fake_setup setup = roomy;
    struct pvboot_error e;

    (void)state;
    setup.max_pages = 8 * MIB / FAKE_PAGE;
    assert_int_equal(populate(&setup, &m, true, &e), 0);
    setup.max_pages--;
    assert_int_equal(populate(&setup, &m, false, &e), -PVBOOT_E_XEN);
}

static void claims_all_and_keeps_nothing(void **state)
{
    struct pvboot_memmap m = map_of(shape[5].r, shape[5].n);
    struct pvboot_error e;

    (void)state;
    assert_int_equal(populate(&roomy, &m, true, &e), 0);
    assert_string_equal(fake.call[1].name, "xc_domain_claim_pages"); /* 0 is the fixture's open */
    assert_int_equal(fake.call[1].a, (0xfc000000 + GIB + 64 * MIB) / FAKE_PAGE);
    assert_int_equal(fake_count("xc_domain_claim_pages"), 2);
    assert_int_equal(fake.claim, 0);
    assert_int_equal(populate(&roomy, &m, false, &e), 0);
    assert_int_equal(fake_count("xc_domain_claim_pages"), 0);
}

static void refused_claim_populates_nothing(void **state)
{
    struct pvboot_memmap m = map_of((struct pvboot_range[]){ { 0, GIB, PVBOOT_RAM } }, 1);
    struct fake_setup setup = roomy;
    struct pvboot_error e;

    (void)state;
    setup.host_pages = GIB / FAKE_PAGE - 1;
    assert_int_equal(populate(&setup, &m, true, &e), -PVBOOT_E_XEN);
    assert_int_equal(fake_count("xc_domain_populate_physmap"), 0);
    assert_int_equal(fake.claim, 0);
}

/* The paging pool runs dry half way, under a claim. */
static void no_claim_after_half_a_guest(void **state)
{
    struct pvboot_memmap m = map_of((struct pvboot_range[]){ { 0, GIB, PVBOOT_RAM } }, 1);
    struct fake_setup setup = roomy;
    struct pvboot_error e;

    (void)state;
    setup.p2m_pages = GIB / FAKE_PAGE / 2 + 3;
    assert_int_equal(populate(&setup, &m, true, &e), -PVBOOT_E_XEN);
    assert_int_equal(fake.tot_pages, setup.p2m_pages);
    assert_int_equal(fake_count("xc_domain_claim_pages"), 2);
    assert_int_equal(fake.claim, 0);
}

/* maxmem above memory: the target is taken and claimed, the map is populated, in the same extents. */
static void on_demand(void **state)
{
    struct pvboot_memmap m = map_of((struct pvboot_range[]){ { 0, GIB + 4 * MIB, PVBOOT_RAM } }, 1);
    struct fake_setup setup = roomy;
    struct pvboot_error e;
    uint64_t target = 256 * MIB / FAKE_PAGE;

    (void)state;
    setup.max_pages = setup.host_pages = target;
    assert_int_equal(populate_to(&setup, &m, target, true, &e), 0);
    assert_string_equal(fake.call[1].name, "xc_domain_claim_pages");
    assert_int_equal(fake.call[1].a, target);
    assert_string_equal(fake.call[2].name, "xc_domain_set_pod_target");
    assert_int_equal(fake.call[2].a, target);
    assert_int_equal(fake.promised, (GIB + 4 * MIB) / FAKE_PAGE);
    assert_int_equal(fake.tot_pages, target);
    assert_int_equal(fake_order(0), 18);
    assert_int_equal(fake_order(GIB / FAKE_PAGE), 9);
    assert_int_equal(fake.claim, 0);
    assert_null(fake.broken);
    setup.host_pages--;
    assert_int_equal(populate_to(&setup, &m, target, false, &e), -PVBOOT_E_XEN);
    assert_non_null(strstr(e.text, "no 65536 pages to populate on demand"));
    assert_int_equal(fake_count("xc_domain_populate_physmap"), 0);
    assert_int_equal(populate_to(&roomy, &m, (GIB + 4 * MIB) / FAKE_PAGE, false, &e), 0); /* all of it */
    assert_int_equal(fake_count("xc_domain_set_pod_target"), 0);
}

/* The n-th call fails with @error; what the claim's own calls do is the point. */
static int fail_call(unsigned long n, int error, const struct fake_setup *setup, struct pvboot_error *e)
{
    struct pvboot_memmap m = map_of((struct pvboot_range[]){ { 0, 4 * MIB, PVBOOT_RAM } }, 1);
    int rc;

    fault_arm(FAULT_XEN, n, error);
    fault_enter();
    rc = populate(setup, &m, true, e);
    fault_leave();
    return rc;
}

static void failing_claim_calls(void **state)
{
    struct fake_setup setup = roomy;
    struct pvboot_error e;
    unsigned long calls;

    (void)state;
    assert_int_equal(fail_call(0, 0, &setup, &e), 0);
    calls = fault_count(FAULT_XEN);
    assert_int_equal(fail_call(2, EPERM, &setup, &e), -PVBOOT_E_XEN); /* the claim; 1 is the fixture's open */
    assert_string_equal(fault_hit(), "xc_domain_claim_pages");
    assert_non_null(strstr(e.text, "errno 1"));
    assert_int_equal(fail_call(calls, EINVAL, &setup, &e), -PVBOOT_E_XEN); /* its release */
    assert_string_equal(fault_hit(), "xc_domain_claim_pages");
    assert_non_null(strstr(e.text, "releas"));
}

/* Populate's own failure is what the administrator has to hear of, not the release's. */
static void first_error_wins(void **state)
{
    struct fake_setup setup = roomy;
    struct pvboot_error e;
    unsigned long calls;

    (void)state;
    setup.p2m_pages = 512;
    assert_int_equal(fail_call(0, 0, &setup, &e), -PVBOOT_E_XEN);
    calls = fault_count(FAULT_XEN);
    assert_int_equal(fail_call(calls, EPERM, &setup, &e), -PVBOOT_E_XEN);
    assert_string_equal(fault_hit(), "xc_domain_claim_pages");
    assert_null(strstr(e.text, "releas"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(largest_extents_first),
        cmocka_unit_test(falls_back_to_2m),
        cmocka_unit_test(falls_back_to_4k),
        cmocka_unit_test(goes_on_where_xen_stopped),
        cmocka_unit_test(few_calls_for_much_memory),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(domain_limit),
        cmocka_unit_test(claims_all_and_keeps_nothing),
        cmocka_unit_test(refused_claim_populates_nothing),
        cmocka_unit_test(no_claim_after_half_a_guest),
        cmocka_unit_test(on_demand),
        cmocka_unit_test(failing_claim_calls),
        cmocka_unit_test(first_error_wins),
    };

    return cmocka_run_group_tests_name("xen_populate", tests, NULL, NULL);
}

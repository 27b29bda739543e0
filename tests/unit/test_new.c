/* SPDX-License-Identifier: LGPL-2.1-only */
/* Structures that the library makes for who does not know their size; the sanitizers' build sees what is not freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pvboot/record.h>
#include <stdlib.h>
#include <string.h>

static void zeroes(const void *p, size_t n)
{
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(((const uint8_t *)p)[i], 0);
}

static void made_and_freed(void **state)
{
    struct pvboot_kernel *k = pvboot_kernel_new();
    struct pvboot_plan *plan = pvboot_plan_new();

    (void)state;
    zeroes(k, sizeof(*k));
    k->own_kernel.owned = malloc(100); /* as unpacking leaves it */
    k->own_kernel.memfd = -1;
    pvboot_kernel_free(k);
    zeroes(plan, sizeof(*plan));
    pvboot_plan_free(plan);
    pvboot_kernel_free(NULL);
    pvboot_plan_free(NULL);
    pvboot_request_free(NULL);
    pvboot_confine_free(NULL);
    pvboot_record_free(NULL);
}

static void with_defaults(void **state)
{
    struct pvboot_request *req = pvboot_request_new();
    struct pvboot_confine *c = pvboot_confine_new();

    (void)state;
    assert_int_equal(req->path, PVBOOT_PATH_AUTO);
    assert_int_equal(req->hypervisor, PVBOOT_HYPERVISOR_XEN);
    assert_int_equal(c->sandbox, PVBOOT_SANDBOX_STRICT);
    assert_string_equal(c->helper, PVBOOT_LIBEXECDIR "/pvboot-parse");
    pvboot_request_free(req);
    pvboot_confine_free(c);
}

static void record_that_closes(void **state)
{
    static struct pvboot_machine machine;
    struct pvboot_error e = { 0 };
    struct pvboot_record *r;

    (void)state;
    assert_int_equal(pvboot_machine_default(&machine, 64 << 20, 1, &e), 0);
    r = pvboot_record_new(&machine, NULL);
    assert_non_null(r);
    assert_int_equal(r->guest.ops->write(&r->guest, 0x1000, "abc", 3, &e), 0);
    assert_int_equal(r->n, 1);
    assert_memory_equal(r->w[0].bytes.p, "abc", 3);
    pvboot_record_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_and_freed),
        cmocka_unit_test(with_defaults),
        cmocka_unit_test(record_that_closes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Words of the configuration, each with what it must turn into or why it must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pvboot/build.h>
#include <stdio.h>
#include <string.h>

static void test_defaults(void **state)
{
    struct pvboot_request req;

    (void)state;
    memset(&req, 0xff, sizeof(req));
    pvboot_request_init(&req);
    assert_int_equal(req.path, PVBOOT_PATH_AUTO);
    assert_int_equal(req.subarch, 0);
    assert_int_equal(req.hypervisor, PVBOOT_HYPERVISOR_XEN);
    assert_null(req.cmdline);
    assert_int_equal(req.n_ramdisks, 0);
    assert_false(req.strict || req.force_subarch || req.has_rng_seed || req.digests.wanted);
}

static void test_entry(void **state)
{
    static const struct {
        const char *value;
        enum pvboot_path path;
    } row[] = {
        { "auto", PVBOOT_PATH_AUTO },           { "pvh", PVBOOT_PATH_PVH },
        { "linux32", PVBOOT_PATH_LINUX32 },     { "linux64", PVBOOT_PATH_LINUX64 },
        { "vmlinux64", PVBOOT_PATH_VMLINUX64 }, { "stub", PVBOOT_PATH_STUB },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_error e = { 0 };
        struct pvboot_request req;

        pvboot_request_init(&req);
        req.path = PVBOOT_PATHS;
        assert_int_equal(pvboot_request_set(&req, "entry", row[i].value, &e), 0);
        assert_int_equal(req.path, row[i].path);
    }
}

static void test_stub_entry(void **state)
{
    static const struct {
        const char *value;
        int rc;
        enum pvboot_path path;
    } row[] = {
        { "auto", 0, PVBOOT_PATH_AUTO },
        { "linux32", 0, PVBOOT_PATH_LINUX32 },
        { "linux64", 0, PVBOOT_PATH_LINUX64 },
        { "pvh", -PVBOOT_E_USAGE, PVBOOT_PATHS },
        { "vmlinux64", -PVBOOT_E_USAGE, PVBOOT_PATHS },
        { "stub", -PVBOOT_E_USAGE, PVBOOT_PATHS },
        { "linux6", -PVBOOT_E_USAGE, PVBOOT_PATHS },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_error e = { 0 };
        struct pvboot_request req;

        pvboot_request_init(&req);
        assert_int_equal(req.stub_path, PVBOOT_PATH_AUTO);
        req.stub_path = PVBOOT_PATHS;
        assert_int_equal(pvboot_request_set(&req, "stub_entry", row[i].value, &e), row[i].rc);
        assert_int_equal(req.stub_path, row[i].path);
        assert_int_equal(req.path, PVBOOT_PATH_AUTO);
    }
}

static void test_subarch(void **state)
{
    static const struct {
        const char *value;
        bool ok;
        uint32_t subarch;
    } row[] = {
        { "pc", true, 0 },
        { "xen", true, 2 },
        { "0", true, 0 },
        { "2", true, 2 },
        { "007", true, 7 },
        { "4294967295", true, 4294967295u },
        { "0xffffffff", true, 4294967295u },
        { "0XdB", true, 0xdb },
        { "4294967296", false, 0 },
        { "0x100000000", false, 0 },
        { "18446744073709551616", false, 0 }, /* 2^64 */
        { "18446744073709551618", false, 0 }, /* 2^64 + 2: a wrap would make 2 of it */
        { "0x10000000000000002", false, 0 },
        { "99999999999999999999999999999999999999999", false, 0 },
        { "", false, 0 },
        { " 2", false, 0 },
        { "2 ", false, 0 },
        { "+2", false, 0 },
        { "-1", false, 0 },
        { "12x", false, 0 },
        { "1e3", false, 0 },
        { "2.0", false, 0 },
        { "0x", false, 0 },
        { "0xg", false, 0 },
        { "x2", false, 0 },
        { "ff", false, 0 },
        { "Xen", false, 0 },
        { "xen ", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_error e = { 0 };
        struct pvboot_request req;
        int rc;

        pvboot_request_init(&req);
        req.subarch = 77;
        rc = pvboot_request_set(&req, "subarch", row[i].value, &e);
        if (rc != (row[i].ok ? 0 : -PVBOOT_E_USAGE) || req.subarch != (row[i].ok ? row[i].subarch : 77))
            fail_msg("subarch '%s': rc %d, %u", row[i].value, rc, req.subarch);
        if (rc)
            assert_non_null(strstr(e.text, row[i].value));
    }
}

static void test_booleans(void **state)
{
    static const struct {
        const char *value;
        int is; /* -1: refused */
    } row[] = {
        { "0", 0 },   { "no", 0 },    { "1", 1 },    { "yes", 1 }, { "", -1 },   { "2", -1 },
        { "-1", -1 }, { "true", -1 }, { "Yes", -1 }, { "1 ", -1 }, { "01", -1 },
    };
    static const char *const key[] = { "strict", "force_subarch", "rng_seed", "digests" };

    (void)state;
    for (size_t k = 0; k < sizeof(key) / sizeof(key[0]); k++)
        for (size_t i = 0; i < 2 * sizeof(row) / sizeof(row[0]); i++) {
            const char *value = row[i / 2].value;
            bool before = i % 2, *field;
            struct pvboot_error e = { 0 };
            struct pvboot_request req;
            bool *const of[] = { &req.strict, &req.force_subarch, &req.has_rng_seed, &req.digests.wanted };
            int rc, is = row[i / 2].is;

            pvboot_request_init(&req);
            field = of[k];
            *field = before;
            rc = pvboot_request_set(&req, key[k], value, &e);
            assert_int_equal(rc, is < 0 ? -PVBOOT_E_USAGE : 0);
            assert_int_equal(*field, is < 0 ? before : is);
        }
}

static void test_sandbox(void **state)
{
    static const struct {
        const char *value;
        int rc;
        enum pvboot_sandbox is;
    } row[] = {
        { "best", 0, PVBOOT_SANDBOX_BEST },
        { "", -PVBOOT_E_USAGE, PVBOOT_SANDBOX_BEST },
        { "of", -PVBOOT_E_USAGE, PVBOOT_SANDBOX_BEST },
        { "no", -PVBOOT_E_USAGE, PVBOOT_SANDBOX_BEST },
        { "0", -PVBOOT_E_USAGE, PVBOOT_SANDBOX_BEST },
        { "off", 0, PVBOOT_SANDBOX_OFF },
        { "Strict", -PVBOOT_E_USAGE, PVBOOT_SANDBOX_OFF },
        { "strict", 0, PVBOOT_SANDBOX_STRICT },
    };
    struct pvboot_request req;

    (void)state;
    pvboot_request_init(&req);
    assert_int_equal(req.sandbox, PVBOOT_SANDBOX_STRICT); /* nobody is unconfined who did not ask */
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_error e = { 0 };

        assert_int_equal(pvboot_request_set(&req, "sandbox", row[i].value, &e), row[i].rc);
        assert_int_equal(req.sandbox, row[i].is);
    }
}

static void test_hypervisor(void **state)
{
    struct pvboot_error e = { 0 };
    struct pvboot_request req;

    (void)state;
    pvboot_request_init(&req);
    assert_int_equal(pvboot_request_set(&req, "hypervisor", "none", &e), 0);
    assert_int_equal(req.hypervisor, PVBOOT_HYPERVISOR_NONE);
    assert_int_equal(pvboot_request_set(&req, "hypervisor", "xen", &e), 0);
    assert_int_equal(req.hypervisor, PVBOOT_HYPERVISOR_XEN);
    assert_int_equal(pvboot_request_set(&req, "hypervisor", "kvm", &e), -PVBOOT_E_USAGE);
    assert_string_equal(e.text, "hypervisor 'kvm' is not none or xen");
    assert_int_equal(req.hypervisor, PVBOOT_HYPERVISOR_XEN);
}

/* In MiB; what is not chosen stays 0, which stands for the default. */
static void test_limits(void **state)
{
    static const struct {
        const char *key;
        uint32_t hard;
    } row[] = { { "kernel_max", 1024 }, { "unpacked_max", 1024 }, { "ramdisk_max", 2047 } };
    static const char *const bad[] = { "0", "-1", "", "1M", "1.5", "4294967296", "4294967297", "0x" };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_request req;
        const uint64_t *chosen[] = { &req.limits.kernel, &req.limits.unpacked, &req.limits.ramdisk };
        struct pvboot_error e = { 0 };
        char value[16], text[80];

        pvboot_request_init(&req);
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(*chosen[j], 0);
        assert_int_equal(pvboot_request_set(&req, row[i].key, "1", &e), 0);
        assert_int_equal(*chosen[i], 1 << 20);
        snprintf(value, sizeof(value), "%u", row[i].hard);
        assert_int_equal(pvboot_request_set(&req, row[i].key, value, &e), 0);
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(*chosen[j], j == i ? (uint64_t)row[i].hard << 20 : 0);
        for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
            assert_int_equal(pvboot_request_set(&req, row[i].key, bad[j], NULL), -PVBOOT_E_USAGE);
        snprintf(value, sizeof(value), "%u", row[i].hard + 1);
        snprintf(text, sizeof(text), "%s '%s' is not a number of MiB from 1 to %u", row[i].key, value, row[i].hard);
        assert_int_equal(pvboot_request_set(&req, row[i].key, value, &e), -PVBOOT_E_USAGE);
        assert_string_equal(e.text, text);
        assert_int_equal(*chosen[i], (uint64_t)row[i].hard << 20);
    }
}

/* The whole sentence, as an administrator reads it. */
static void test_unknown(void **state)
{
    static const struct {
        const char *key, *text;
    } row[] = {
        { "enrty", "unknown key 'enrty': did you mean 'entry'?" },
        { "entri", "unknown key 'entri': did you mean 'entry'?" },
        { "Entry", "unknown key 'Entry': did you mean 'entry'?" },
        { "sub_arch", "unknown key 'sub_arch': did you mean 'subarch'?" },
        { "rngseed", "unknown key 'rngseed': did you mean 'rng_seed'?" },
        { "hypervisors", "unknown key 'hypervisors': did you mean 'hypervisor'?" },
        { "strickt", "unknown key 'strickt': did you mean 'strict'?" },
        { "forcesubarc", "unknown key 'forcesubarc': did you mean 'force_subarch'?" },
        { "", "unknown key '': there are entry, stub_entry, subarch, hypervisor, digests, strict, force_subarch, "
              "rng_seed, sandbox, kernel_max, unpacked_max, ramdisk_max, ramdisks, dump, cache" },
        { "kernel", "unknown key 'kernel': there are entry, stub_entry, subarch, hypervisor, digests, strict, "
                    "force_subarch, rng_seed, sandbox, kernel_max, unpacked_max, ramdisk_max, ramdisks, dump, cache" },
        { "force_subarch_please", "unknown key 'force_subarch_please': there are entry, stub_entry, subarch, "
                                  "hypervisor, digests, strict, force_subarch, rng_seed, sandbox, kernel_max, "
                                  "unpacked_max, ramdisk_max, ramdisks, dump, cache" },
        { "dumb", "unknown key 'dumb': did you mean 'dump'?" },
        { "cach", "unknown key 'cach': did you mean 'cache'?" },
        { "ramdisk", "unknown key 'ramdisk': did you mean 'ramdisks'?" },
        { "dump", "dump is an option of xl's plugin alone" },
        { "cache", "cache is an option of xl's plugin alone" },
        { "ramdisks", "ramdisks is an option of xl's plugin alone" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_error e = { 0 };
        struct pvboot_request req, before;

        pvboot_request_init(&req);
        before = req;
        assert_int_equal(pvboot_request_set(&req, row[i].key, "1", &e), -PVBOOT_E_USAGE);
        assert_string_equal(e.text, row[i].text);
        assert_memory_equal(&req, &before, sizeof(req));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_entry),    cmocka_unit_test(test_stub_entry),
        cmocka_unit_test(test_subarch),  cmocka_unit_test(test_booleans), cmocka_unit_test(test_hypervisor),
        cmocka_unit_test(test_sandbox),  cmocka_unit_test(test_limits),   cmocka_unit_test(test_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

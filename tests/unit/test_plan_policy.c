/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the planner refuses or remarks on, whatever the addresses: limits, subarch by kernel version, the node. */
#include "plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define UNSUPPORTED (-PVBOOT_E_UNSUPPORTED)
#define LIMIT (-PVBOOT_E_LIMIT)
#define USAGE (-PVBOOT_E_USAGE)

static int make(const struct pvboot_image *img, const struct pvboot_request *req)
{
    struct pvboot_machine m = fixture_machine(256 * MIB);

    return make_plan(img, &m, req);
}

/* The table of hardware_subarch in 32-bit kernels, by version: see Linux arch/x86/kernel/head_32.S of each. */
static const struct {
    const char *version;
    uint32_t subarch;
    int rc;
    const char *reason;
} subarch32[] = {
    { "2.6.24-1-686", 2, UNSUPPORTED, "takes that for Xen PV" },
    { "2.6.32.71", 2, UNSUPPORTED, "takes that for Xen PV" },
    { "2.6.32", 1, UNSUPPORTED, "takes that for lguest" },
    { "2.6.32", 3, UNSUPPORTED, "takes that for Moorestown" },
    { "2.6.32", 4, UNSUPPORTED, "lies beyond its start table" },
    { "3.16.0-4-686", 2, UNSUPPORTED, "takes that for Xen PV" },
    { "4.13.16", 2, UNSUPPORTED, "takes that for Xen PV" },
    { "4.13.999", 2, UNSUPPORTED, "takes that for Xen PV" },
    { "4.14.0", 1, UNSUPPORTED, "takes that for Xen PV" },
    { "4.14", 2, UNSUPPORTED, "nothing else reads the field" },
    { "4.19.0-27-686", 3, UNSUPPORTED, "lies beyond its start table" },
    { "5.8.18", 2, UNSUPPORTED, "nothing else reads the field" },
    { "5.8.18", 4294967295u, UNSUPPORTED, "lies beyond its start table" },
    { "5.9", 2, 0, NULL },
    { "5.9.0-rc1", 1, 0, NULL },
    { "5.10.0-33-686", 2, 0, NULL },
    { "6.1.0-50-686-pae", 3, 0, NULL },
    { "10.0.0", 2, 0, NULL },
    { "", 2, UNSUPPORTED, "does not say its version" },
    { "Debian 6.1", 2, UNSUPPORTED, "does not say its version" },
    { "6", 2, UNSUPPORTED, "does not say its version" },
    { "6.", 2, UNSUPPORTED, "does not say its version" },
    { ".6.1", 2, UNSUPPORTED, "does not say its version" },
    { "-6.1", 2, UNSUPPORTED, "does not say its version" },
    { "99999999999999999999.99999999999999999999", 2, 0, NULL },
    { "4294967301.9", 2, 0, NULL }, /* 2^32 + 5: no wrap to 5.9, but newer than it */
    { "4294967298.6.24", 2, 0, NULL },
    { "2.6.24", 0, 0, NULL },
    { "", 0, 0, NULL },
};

static void test_subarch_32bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(subarch32) / sizeof(subarch32[0]); i++) {
        struct pvboot_image img = fixture_686_pae();
        struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX32, "", 0);

        snprintf(img.bz.kernel_version, sizeof(img.bz.kernel_version), "%s", subarch32[i].version);
        req.subarch = subarch32[i].subarch;
        if (make(&img, &req) != subarch32[i].rc)
            fail_msg("'%s', %u: %s", subarch32[i].version, subarch32[i].subarch, refusal.text);
        if (subarch32[i].rc) {
            assert_non_null(strstr(refusal.text, subarch32[i].reason));
            assert_non_null(strstr(refusal.text, "force_subarch"));
        }
        req.force_subarch = true;
        assert_int_equal(make(&img, &req), 0);
        assert_int_equal(plan.subarch, req.subarch);
        assert_int_equal(!!strstr(plan.notes[0], "was forced"), !!subarch32[i].rc);
        img.has_elf = false; /* without the payload: its xloadflags do not say 64-bit */
        req.force_subarch = false;
        assert_int_equal(make(&img, &req), subarch32[i].rc);
    }
}

static void test_subarch_64bit(void **state)
{
    static const struct {
        const char *version;
        uint32_t subarch;
        const char *note; /* in the first remark */
    } row[] = {
        { "2.6.32", 2, "before 4.7 does not look at it" },
        { "4.6.7", 2, "before 4.7 does not look at it" },
        { "4.7.0", 2, "the kernel lists setup_data types" },
        { "6.1.0-56-amd64", 2, "the kernel lists setup_data types" },
        { "6.1.0-56-amd64", 3, "subarch 3 is not Xen's number" },
        { "", 2, "the kernel lists setup_data types" },
    };
    static const enum pvboot_path path[] = { PVBOOT_PATH_LINUX32, PVBOOT_PATH_LINUX64, PVBOOT_PATH_VMLINUX64 };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        for (size_t j = 0; j < 3; j++) {
            struct pvboot_image img = fixture_amd64();
            struct pvboot_request req = fixture_request(path[j], "", 0);

            snprintf(img.bz.kernel_version, sizeof(img.bz.kernel_version), "%s", row[i].version);
            req.subarch = row[i].subarch;
            assert_int_equal(make(&img, &req), 0);
            assert_int_equal(plan.subarch, row[i].subarch);
            assert_int_equal(plan.subarch_data, row[i].subarch == 2 ? plan.handover_gpa : 0);
            if (!strstr(plan.notes[0], row[i].note))
                fail_msg("%s: '%s'", row[i].version, plan.notes[0]);
        }
}

/* Before its payload is unpacked: vmlinux64 starts 64-bit kernels, whatever an old header does not say. */
static void test_subarch_still_packed(void **state)
{
    struct pvboot_image img = fixture_amd64();
    struct pvboot_request req = fixture_request(PVBOOT_PATH_VMLINUX64, "", 0);

    (void)state;
    img.has_elf = false;
    img.bz.protocol = 0x020a;
    img.bz.xloadflags = 0;
    snprintf(img.bz.kernel_version, sizeof(img.bz.kernel_version), "3.2.0-4-amd64");
    req.subarch = 2;
    refusal = (struct pvboot_error){ 0 };
    assert_int_equal(pvboot_plan_possible(&img, &req, &refusal), 0);
    req.path = PVBOOT_PATH_LINUX32;
    assert_int_equal(pvboot_plan_possible(&img, &req, &refusal), UNSUPPORTED);
}

static void test_subarch_no_field(void **state)
{
    struct pvboot_image img = fixture_amd64();
    struct pvboot_request req = fixture_request(PVBOOT_PATH_PVH, "", 0);

    (void)state;
    req.subarch = 2;
    req.force_subarch = true;
    if (!can_plan(req.path))
        skip();
    assert_int_equal(make(&img, &req), UNSUPPORTED);
    assert_string_equal(refusal.text,
                        "subarch 2 through pvh: a start info has no place for it, the kernel fills in 0 by "
                        "itself");
    img = fixture_old32();
    req.path = PVBOOT_PATH_LINUX32;
    img.bz.protocol = 0x0206;
    assert_int_equal(make(&img, &req), UNSUPPORTED);
    assert_string_equal(refusal.text, "subarch 2: boot protocol 2.06 has no such field, need 2.07");
    img.bz.protocol = 0x0207;
    assert_int_equal(make(&img, &req), 0);
}

static char text[5000];

static void test_cmdline(void **state)
{
    /* clang-format off */
    static const struct {
        struct pvboot_image (*img)(void);
        enum pvboot_path path;
        bool header;
        uint32_t cmdline_max;
        size_t bytes;
        uint64_t room; /* 0: refused, with @over */
        const char *over;
    } row[] = {
        { fixture_amd64, PVBOOT_PATH_LINUX64, true, 2047, 2047, 4096, NULL },
        { fixture_amd64, PVBOOT_PATH_LINUX64, true, 2047, 2048, 0, "2048 bytes, 1 over the kernel's 2047" },
        { fixture_amd64, PVBOOT_PATH_LINUX64, true, 2047, 4999, 0, "4999 bytes, 2952 over the kernel's 2047" },
        { fixture_amd64, PVBOOT_PATH_LINUX32, true, 255, 255, 4096, NULL },
        { fixture_amd64, PVBOOT_PATH_LINUX32, true, 255, 256, 0, "256 bytes, 1 over the kernel's 255" },
        { fixture_amd64, PVBOOT_PATH_LINUX64, true, 4096, 4095, 4096, NULL },
        { fixture_amd64, PVBOOT_PATH_LINUX64, true, 4096, 4096, 8192, NULL },
        { fixture_amd64, PVBOOT_PATH_LINUX64, true, 4294967295u, 4097, 0, "4097 bytes, 1 over pvboot's 4096" },
        { fixture_amd64, PVBOOT_PATH_PVH, true, 2047, 2048, 0, "2048 bytes, 1 over the kernel's 2047" },
        { fixture_amd64, PVBOOT_PATH_PVH, false, 0, 2047, 4096, NULL },
        { fixture_amd64, PVBOOT_PATH_PVH, false, 0, 2048, 0, "2048 bytes, 1 over Linux's 2047" },
        { fixture_amd64, PVBOOT_PATH_VMLINUX64, false, 0, 2048, 0, "2048 bytes, 1 over Linux's 2047" },
        { fixture_unikernel, PVBOOT_PATH_PVH, false, 0, 4096, 8192, NULL },
        { fixture_unikernel, PVBOOT_PATH_PVH, false, 0, 4097, 0, "4097 bytes, 1 over pvboot's 4096" },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = row[i].img();
        struct pvboot_request req = fixture_request(row[i].path, text, 0);

        if (!can_plan(req.path))
            continue;
        memset(text, 'x', row[i].bytes);
        text[row[i].bytes] = '\0';
        img.has_bzimage = row[i].header;
        img.bz.cmdline_max = row[i].cmdline_max;
        if (make(&img, &req) != (row[i].room ? 0 : LIMIT))
            fail_msg("row %zu: %s", i, refusal.text);
        if (row[i].room)
            assert_int_equal(plan.seg[PVBOOT_SEG_CMDLINE].end - plan.seg[PVBOOT_SEG_CMDLINE].start, row[i].room);
        else
            assert_string_equal(refusal.text + strlen("command line is "), row[i].over);
    }
}

static void test_ramdisks(void **state)
{
    static const struct {
        uint32_t n;
        size_t len[2];
        int rc;
        const char *text;
    } row[] = {
        { 9, { 1, 1 }, LIMIT, "9 ramdisks: limit 8" },
        { UINT32_MAX, { 1, 1 }, LIMIT, "4294967295 ramdisks: limit 8" },
        { 2, { 1, 0 }, USAGE, "ramdisk 2 is empty" },
        { 2, { 0, 1 }, USAGE, "ramdisk 1 is empty" },
        { 1, { GIB, 0 }, 0, NULL },
        { 1, { GIB + 1, 0 }, LIMIT, "ramdisk 1 is 1073741825 bytes: limit 1073741824" },
        { 2, { 1, SIZE_MAX }, LIMIT, "ramdisk 2 is 18446744073709551615 bytes: limit 1073741824" },
    };
    struct pvboot_image img = fixture_amd64();
    struct pvboot_machine m = fixture_machine(4 * GIB);

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", row[i].len[0]);

        req.n_ramdisks = row[i].n;
        req.ramdisk[1].len = row[i].len[1];
        assert_int_equal(make_plan(&img, &m, &req), row[i].rc);
        if (row[i].rc)
            assert_string_equal(refusal.text, row[i].text);
    }
}

static void test_machine_refused(void **state)
{
    struct pvboot_image img = fixture_amd64();
    struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, "", 0);
    struct pvboot_machine m = fixture_machine(256 * MIB);

    (void)state;
    m.vcpus = 0;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
    m.vcpus = 128;
    assert_int_equal(make_plan(&img, &m, &req), 0);
    m.vcpus = 129;
    assert_int_equal(make_plan(&img, &m, &req), LIMIT);
    m = fixture_machine(256 * MIB);
    m.map.r[1].start = m.map.r[0].end - 1;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
    m = fixture_machine(256 * MIB);
    m.map.n = PVBOOT_MEMMAP_MAX + 1;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
    m = fixture_machine(256 * MIB);
    m.rsdp_gpa = 0xf0000;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
    assert_string_equal(refusal.text, "the RSDP at 0xf0000 lies in RAM that the map does not keep for it");
    m.rsdp_gpa = UINT64_MAX;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
    m = fixture_machine(256 * MIB);
    assert_int_equal(pvboot_memmap_set(&m.map, 0xfffff000, 0x100001000, PVBOOT_ACPI, NULL), 0);
    m.rsdp_gpa = 0xfffff000;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
    assert_string_equal(refusal.text, "the ACPI tables at 0xfffff000..0x100001000 do not end below 4 GiB");
    m = fixture_machine(256 * MIB);
    assert_int_equal(pvboot_memmap_set(&m.map, m.special_end - 4096, m.special_end + 4096, PVBOOT_ACPI, NULL), 0);
    m.rsdp_gpa = m.special_end;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
    assert_string_equal(refusal.text, "the ACPI tables at 0xfefff000..0xff001000 lie over the special pages");
    m = fixture_machine(256 * MIB);
    m.special_start = 0xffff000;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
    assert_string_equal(refusal.text,
                        "special pages at 0xffff000..0xff000000 are not pages below 4 GiB and outside RAM");
    m = fixture_machine(256 * MIB);
    m.special_start = 0xfffff000;
    m.special_end = 0x100001000;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
    m.special_end = 0x100000000;
    assert_int_equal(make_plan(&img, &m, &req), 0);
    m = fixture_machine(256 * MIB);
    m.special_end = m.special_start - 4096;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
    m = fixture_machine(256 * MIB);
    req.hypervisor = 7;
    assert_int_equal(make_plan(&img, &m, &req), USAGE);
}

static void test_cmdline_bytes(void **state)
{
    static const struct {
        const char *cmdline, *text; /* NULL: fine */
    } row[] = {
        { "a b=\"c d\" ~", NULL },
        { "caf\xc3\xa9 \xff", NULL },
        { "quiet\n", "command line has control byte 0x0a at 5" },
        { "\x1b[2J", "command line has control byte 0x1b at 0" },
        { "a\x7f", "command line has control byte 0x7f at 1" },
    };
    struct pvboot_image img = fixture_amd64();

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX64, row[i].cmdline, 0);

        assert_int_equal(make(&img, &req), row[i].text ? USAGE : 0);
        if (row[i].text)
            assert_string_equal(refusal.text, row[i].text);
    }
}

/* A kernel built without Xen support says that it is Linux in a note of its own only. */
static void test_cmdline_linux_note(void **state)
{
    struct pvboot_image img = fixture_unikernel();
    struct pvboot_request req = fixture_request(PVBOOT_PATH_PVH, text, 0);

    (void)state;
    if (!can_plan(req.path))
        skip();
    memset(text, 'x', 2048);
    text[2048] = '\0';
    assert_int_equal(make(&img, &req), 0);
    img.elf.notes.linux_note = true;
    assert_int_equal(make(&img, &req), LIMIT);
}

/* 0x50595648 against what kernel_info lists: bit 31 of setup_type_max says only that INDIRECT is understood. */
static void test_node(void **state)
{
    static const struct {
        const char *name;
        uint32_t setup_type_max;
        uint16_t protocol;
        enum pvboot_hypervisor hypervisor;
        bool strict, node;
        const char *note;
    } row[] = {
        { "as it is", 0x80000009, 0x20f, PVBOOT_HYPERVISOR_XEN, false, true,
          "the kernel lists setup_data types up to 0x9: it will step over the hypervisor node 0x50595648" },
        { "strict", 0x80000009, 0x20f, PVBOOT_HYPERVISOR_XEN, true, false,
          "no hypervisor node: strict, and the kernel lists setup_data types up to 0x9 only" },
        { "listed", 0x50595648, 0x20f, PVBOOT_HYPERVISOR_XEN, true, true, "" },
        { "one below", 0x50595647, 0x20f, PVBOOT_HYPERVISOR_XEN, true, false,
          "no hypervisor node: strict, and the kernel lists setup_data types up to 0x50595647 only" },
        { "no kernel_info", 0, 0x20c, PVBOOT_HYPERVISOR_XEN, true, true, "" },
        { "not wanted", 0x80000009, 0x20f, PVBOOT_HYPERVISOR_NONE, true, false, "" },
        { "before 2.09", 0, 0x208, PVBOOT_HYPERVISOR_XEN, false, false,
          "no hypervisor node: boot protocol 2.08 has no setup_data, need 2.09" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = fixture_amd64();
        struct pvboot_request req = fixture_request(PVBOOT_PATH_LINUX32, "", 0);

        img.bz.setup_type_max = row[i].setup_type_max;
        img.bz.protocol = row[i].protocol;
        req.hypervisor = row[i].hypervisor;
        req.strict = row[i].strict;
        req.subarch = 2;
        assert_int_equal(make(&img, &req), 0);
        if (strcmp(plan.notes[0], row[i].note))
            fail_msg("%s: '%s'", row[i].name, plan.notes[0]);
        assert_int_equal(plan.handover_gpa, row[i].node ? plan.seg[PVBOOT_SEG_SETUP_DATA].start : 0);
        assert_int_equal(!!plan.seg[PVBOOT_SEG_SETUP_DATA].end, row[i].node);
        assert_int_equal(plan.subarch_data, plan.handover_gpa);
    }
}

static void test_kaslr_note(void **state)
{
    static const struct {
        enum pvboot_path path;
        const char *note;
    } row[] = {
        { PVBOOT_PATH_PVH, "pvh skips the kernel's decompressor: no KASLR of its text" },
        { PVBOOT_PATH_VMLINUX64, "vmlinux64 skips the kernel's decompressor: no KASLR of its text" },
        { PVBOOT_PATH_LINUX64, "" },
        { PVBOOT_PATH_LINUX32, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_image img = fixture_amd64();
        struct pvboot_request req = fixture_request(row[i].path, "", 0);

        if (!can_plan(req.path))
            continue;
        req.hypervisor = PVBOOT_HYPERVISOR_NONE;
        assert_int_equal(make(&img, &req), 0);
        assert_string_equal(plan.notes[0], row[i].note);
        assert_string_equal(plan.notes[1], "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subarch_32bit),
        cmocka_unit_test(test_subarch_64bit),
        cmocka_unit_test(test_subarch_still_packed),
        cmocka_unit_test(test_subarch_no_field),
        cmocka_unit_test(test_cmdline),
        cmocka_unit_test(test_ramdisks),
        cmocka_unit_test(test_machine_refused),
        cmocka_unit_test(test_node),
        cmocka_unit_test(test_kaslr_note),
        cmocka_unit_test(test_cmdline_linux_note),
        cmocka_unit_test(test_cmdline_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

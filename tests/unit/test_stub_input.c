/* SPDX-License-Identifier: LGPL-2.1-only */
/* Start infos with one thing wrong, and what the stub says of each. */
#include "mkimage.h"
#include "plan_fixture.h"
#include "stub/guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "stub/stub.h"

#define CMDLINE "console=hvc0"
#define GUEST (64 * MIB)
/* Behind the stub on the first page: see stub_guest(). */
#define KERNEL_GPA (STUB_GPA + STUB_BYTES)

static struct pvb_stub s;
static struct stub_guest g;
static struct pvboot_error e;

/* A guest of 64 MiB whose stub is told @carrier and given a kernel and a ramdisk of one page. */
static void make_guest(const char *carrier)
{
    static const uint8_t payload[64] = { 0x1f, 0x8b, 8 }, ramdisk[4096] = { 1 };
    struct mk packed = { (uint8_t *)(uintptr_t)payload, sizeof(payload) }, kernel = mk_bzimage(&packed);
    struct pvboot_machine *m = calloc(1, sizeof(*m));
    struct pvboot_error ignored = { 0 };

    assert_int_equal(pvboot_machine_default(m, GUEST, 1, &ignored), 0);
    g = stub_guest(m, carrier, mk_bytes(&kernel), CMDLINE, (struct pvboot_bytes){ ramdisk, sizeof(ramdisk) });
    assert_int_equal(g.kernel_gpa, KERNEL_GPA);
    mk_free(&kernel);
    free(m);
}

static int read_guest(uint64_t start_info_gpa)
{
    memset(&s, 0, sizeof(s));
    s.memory = g.memory;
    s.memory_bytes = g.memory_bytes;
    s.start_gpa = STUB_GPA;
    s.end_gpa = STUB_GPA + STUB_BYTES;
    s.long_mode = true;
    e = (struct pvboot_error){ 0 };
    return pvb_stub_read(&s, start_info_gpa, &e);
}

static void test_good(void **state)
{
    (void)state;
    make_guest("pvboot entry=linux32  subarch=xen dump=/tmp/x cache=off hypervisor=none ");
    assert_int_equal(read_guest(g.start_info_gpa), 0);
    assert_int_equal(s.req.path, PVBOOT_PATH_LINUX32);
    assert_int_equal(s.req.subarch, 2);
    assert_int_equal(s.req.hypervisor, PVBOOT_HYPERVISOR_NONE);
    assert_string_equal(s.req.cmdline, CMDLINE);
    assert_int_equal(s.req.n_ramdisks, 1);
    assert_int_equal(s.req.ramdisk[0].len, 4096);
    assert_int_equal(s.kernel_gpa, g.kernel_gpa);
    assert_int_equal(s.ramdisk_gpa, g.ramdisk_gpa);
    assert_int_equal(s.machine.rsdp_gpa, 0xfc008000);
    assert_int_equal(pvboot_memmap_bytes(&s.machine.map, PVBOOT_RAM), GUEST);
    assert_int_equal(s.kernel.image.bz.xloadflags, 0x7f & ~2); /* not above 4 GiB */
    stub_guest_free(&g);
}

/* A domain that was made with the plugin, on a host without it: better no guest than one without half of its ramdisk. */
static void test_more_ramdisks(void **state)
{
    (void)state;
    make_guest("pvboot entry=linux64 ramdisks=/boot/extra.img");
    assert_int_equal(read_guest(g.start_info_gpa), -PVBOOT_E_USAGE);
    assert_string_equal(e.text, "ramdisks is an option of xl's plugin alone");
    stub_guest_free(&g);
}

enum where { START_INFO, MODLIST, MODLIST2, MEMMAP, ACPI_ENTRY, CARRIER, CMDLINE_TEXT, KERNEL };

static uint64_t where_gpa(enum where w)
{
    const uint64_t gpa[] = {
        [START_INFO] = g.start_info_gpa, [MODLIST] = g.modlist_gpa,        [MODLIST2] = g.modlist_gpa + 32,
        [MEMMAP] = g.memmap_gpa,         [ACPI_ENTRY] = g.memmap_gpa + 24, [CARRIER] = g.carrier_gpa,
        [CMDLINE_TEXT] = g.cmdline_gpa,  [KERNEL] = g.kernel_gpa,
    };

    return gpa[w];
}

/* Each: one value in an otherwise good guest.  4 GiB is as far as the stub reaches, 64 MiB as far as RAM does. */
static const struct {
    enum where where;
    uint32_t off, width;
    uint64_t value;
    int rc;
    const char *says;
} broken[] = {
    { START_INFO, SI_MAGIC, 4, 0x336ec579, -PVBOOT_E_MALFORMED, "has magic 0x336ec579, not 0x336ec578" },
    { START_INFO, SI_VERSION, 4, 0, -PVBOOT_E_UNSUPPORTED, "of version 0 has no memory map" },
    { START_INFO, SI_ENTRIES, 4, 0, -PVBOOT_E_UNSUPPORTED, "has no memory map" },
    { START_INFO, SI_ENTRIES, 4, 1025, -PVBOOT_E_MALFORMED, "memory map of 1025 entries" },
    { START_INFO, SI_ENTRIES, 4, UINT32_MAX, -PVBOOT_E_MALFORMED, "memory map of 4294967295 entries" },
    { START_INFO, SI_MEMMAP, 8, 0, -PVBOOT_E_MALFORMED, "memory map of 5 entries at 0x0" },
    { START_INFO, SI_MEMMAP, 8, UINT64_MAX - 8, -PVBOOT_E_MALFORMED, "at 0xfffffffffffffff7" },
    { START_INFO, SI_MEMMAP, 8, 4 * GIB - 24, -PVBOOT_E_MALFORMED, "entry 0 at 0xffffffe8 cannot be read" },
    { START_INFO, SI_MODULES, 4, 0, -PVBOOT_E_UNSUPPORTED, "0 modules" },
    { START_INFO, SI_MODULES, 4, 3, -PVBOOT_E_UNSUPPORTED, "3 modules" },
    { START_INFO, SI_MODULES, 4, UINT32_MAX, -PVBOOT_E_UNSUPPORTED, "4294967295 modules" },
    { START_INFO, SI_MODLIST, 8, 0, -PVBOOT_E_MALFORMED, "module list of 64 bytes at 0x0" },
    { START_INFO, SI_MODLIST, 8, GUEST - 63, -PVBOOT_E_MALFORMED, "module list of 64 bytes at 0x3ffffc1: 63 bytes" },
    { START_INFO, SI_MODLIST, 8, UINT64_MAX - 7, -PVBOOT_E_MALFORMED, "module list of 64 bytes at 0xfffffffffffffff8" },
    { START_INFO, SI_CMDLINE, 8, GUEST, -PVBOOT_E_MALFORMED, "command line at 0x4000000 does not end within RAM" },
    { START_INFO, SI_CMDLINE, 8, 1ull << 40, -PVBOOT_E_MALFORMED, "does not end within RAM" },
    { MEMMAP, ENTRY_SIZE, 8, UINT64_MAX, 0, NULL }, /* ends at 2^64 - 1 */
    { ACPI_ENTRY, ENTRY_SIZE, 8, UINT64_MAX, -PVBOOT_E_MALFORMED, "entry 1, 0xfc000000+0xffffffffffffffff, wraps" },
    { MEMMAP, ENTRY_TYPE, 4, 2, -PVBOOT_E_MALFORMED, "start info of 56 bytes" },
    { MEMMAP, ENTRY_SIZE, 8, 0, -PVBOOT_E_MALFORMED, "start info of 56 bytes" },
    { ACPI_ENTRY, ENTRY_ADDR, 8, KERNEL_GPA, -PVBOOT_E_MALFORMED, "kernel (module 0) of " }, /* not RAM after all */
    { MODLIST, MOD_PADDR, 8, 0, -PVBOOT_E_MALFORMED, "kernel (module 0)" },
    { MODLIST, MOD_PADDR, 8, 4 * GIB, -PVBOOT_E_MALFORMED, "at 0x100000000: 0 bytes of RAM" },
    { MODLIST, MOD_SIZE, 8, GUEST - KERNEL_GPA + 1, -PVBOOT_E_MALFORMED, "bytes of RAM below 4 GiB are there" },
    { MODLIST, MOD_SIZE, 8, UINT64_MAX, -PVBOOT_E_MALFORMED, "kernel (module 0) of 18446744073709551615 bytes" },
    { MODLIST, MOD_SIZE, 8, 0, -PVBOOT_E_UNSUPPORTED, "of 0 bytes is no bzImage" },
    { MODLIST, MOD_CMDLINE, 8, GUEST + 8, -PVBOOT_E_MALFORMED, "the kernel's command line at 0x4000008" },
    { MODLIST2, MOD_SIZE, 8, GUEST, -PVBOOT_E_MALFORMED, "ramdisk (module 1) of 67108864 bytes" },
    { MODLIST2, MOD_PADDR, 8, UINT64_MAX, -PVBOOT_E_MALFORMED, "ramdisk (module 1)" },
    { KERNEL, 0x202, 1, 'h', -PVBOOT_E_UNSUPPORTED, "is no bzImage: the stub unpacks nothing" },
    { KERNEL, BZ_BOOT_FLAG, 2, 0, -PVBOOT_E_MALFORMED, "boot_flag" },
    { KERNEL, BZ_SYSSIZE, 4, 0x10000, -PVBOOT_E_MALFORMED, "syssize says" },
    { CARRIER, 0, 1, 'P', -PVBOOT_E_USAGE, "starts with \"Pvboot\"" },
    { CARRIER, 7, 2, 'x', -PVBOOT_E_USAGE, "option \"x\" is not key=value" },
    { CARRIER, 7, 1, 'x', -PVBOOT_E_USAGE, "unknown key 'xntry'" },
    { CARRIER, 13, 1, 'x', -PVBOOT_E_USAGE, "entry 'xinux64' is not one of" },
    { START_INFO, SI_CMDLINE, 8, 0, 0, NULL },      /* no options: the defaults */
    { MODLIST, MOD_CMDLINE, 8, 0, 0, NULL },        /* no command line */
    { CMDLINE_TEXT, 0, 4, 0xff0a1b5c, 0, NULL },    /* whatever it says */
    { ACPI_ENTRY, ENTRY_TYPE, 4, 0x1234, 0, NULL }, /* a type of the future */
};

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        int rc;

        make_guest("pvboot entry=linux64");
        stub_guest_le(&g, where_gpa(broken[i].where) + broken[i].off, broken[i].width, broken[i].value);
        rc = read_guest(g.start_info_gpa);
        if (rc != broken[i].rc || (rc && !strstr(e.text, broken[i].says)))
            fail_msg("row %zu: %d \"%s\", should be %d with \"%s\"", i, rc, e.text, broken[i].rc, broken[i].says);
        stub_guest_free(&g);
    }
}

static void test_start_info_gpa(void **state)
{
    static const struct {
        uint64_t gpa;
        const char *says;
    } row[] = {
        { 0, "start info at 0x0 cannot be read" },
        { UINT32_MAX - SI_BYTES + 1, "cannot be read" },
        { UINT32_MAX - SI_BYTES, "has magic 0x0" }, /* the last one that can */
        { 4 * GIB, "cannot be read" },
        { UINT64_MAX, "cannot be read" },
    };

    (void)state;
    make_guest("pvboot");
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        assert_int_equal(read_guest(row[i].gpa), -PVBOOT_E_MALFORMED);
        if (!strstr(e.text, row[i].says))
            fail_msg("row %zu: %s", i, e.text);
    }
    stub_guest_free(&g);
}

/* The longest texts fit, one byte more does not; a text may end with RAM but not behind it. */
static void test_text_limits(void **state)
{
    uint64_t at = GUEST - 8192;
    int rc;

    (void)state;
    for (unsigned int more = 0; more < 2; more++) {
        make_guest("pvboot");
        memset(g.memory + at, 'x', PVBOOT_CMDLINE_MAX + more);
        stub_guest_le(&g, g.modlist_gpa + MOD_CMDLINE, 8, at);
        rc = read_guest(g.start_info_gpa);
        assert_int_equal(rc, more ? -PVBOOT_E_LIMIT : 0);
        stub_guest_free(&g);

        make_guest("pvboot");
        memset(g.memory + at, ' ', 1023 + more);
        stub_guest_le(&g, g.start_info_gpa + SI_CMDLINE, 8, at);
        rc = read_guest(g.start_info_gpa);
        assert_int_equal(rc, more ? -PVBOOT_E_LIMIT : 0);
        stub_guest_free(&g);

        make_guest("pvboot");
        memset(g.memory + GUEST - 16, 'x', 15 + more); /* NUL in the last byte; behind it */
        stub_guest_le(&g, g.modlist_gpa + MOD_CMDLINE, 8, GUEST - 16);
        rc = read_guest(g.start_info_gpa);
        assert_int_equal(rc, more ? -PVBOOT_E_MALFORMED : 0);
        stub_guest_free(&g);
    }
}

static int prepare(const char *carrier, bool long_mode)
{
    int rc;

    make_guest(carrier);
    stub_guest_le(&g, g.kernel_gpa + BZ_INIT_SIZE, 4, 0x800000);
    assert_int_equal(read_guest(g.start_info_gpa), 0);
    s.long_mode = long_mode;
    rc = pvb_stub_prepare(&s, &e);
    stub_guest_free(&g);
    return rc;
}

/* What entry= means to a stub. */
static void test_entry(void **state)
{
    static const struct {
        const char *carrier;
        bool long_mode;
        int rc;
        enum pvboot_path path;
    } row[] = {
        { "pvboot", true, 0, PVBOOT_PATH_LINUX64 },
        { "pvboot", false, 0, PVBOOT_PATH_LINUX32 },
        { "pvboot entry=auto", true, 0, PVBOOT_PATH_LINUX64 },
        { "pvboot entry=linux32", true, 0, PVBOOT_PATH_LINUX32 },
        { "pvboot entry=linux32", false, 0, PVBOOT_PATH_LINUX32 },
        { "pvboot entry=linux64", false, -PVBOOT_E_UNSUPPORTED, 0 },
        { "pvboot entry=stub", true, 0, PVBOOT_PATH_LINUX64 },
        { "pvboot entry=stub stub_entry=linux32", true, 0, PVBOOT_PATH_LINUX32 },
        { "pvboot stub_entry=linux32 entry=stub", true, 0, PVBOOT_PATH_LINUX32 },
        { "pvboot entry=stub stub_entry=linux64", false, -PVBOOT_E_UNSUPPORTED, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        int rc = prepare(row[i].carrier, row[i].long_mode);

        if (rc != row[i].rc || (!rc && s.plan.path != row[i].path))
            fail_msg("row %zu: %d, path %d: %s", i, rc, (int)s.plan.path, e.text);
    }
}

/* @before lists the moves that have to come first. */
static void test_order(void **state)
{
    static const struct {
        const char *name;
        struct pvb_move move[4];
        uint32_t n;
        bool ok;
    } row[] = {
        { "nothing", { { 0, 0, 0 } }, 0, true },
        { "onto itself", { { 0x2000, 0x1000, 0x2000 } }, 1, true },
        { "a chain, last first",
          { { 0x2000, 0x1000, 0x1000 }, { 0x3000, 0x2000, 0x1000 }, { 0x4000, 0x3000, 0x1000 } },
          3,
          true },
        { "touching at one byte", { { 0x1fff, 0x8000, 1 }, { 0x9000, 0x1000, 0x1000 } }, 2, true },
        { "two that change places", { { 0x2000, 0x1000, 0x1000 }, { 0x1000, 0x2000, 0x1000 } }, 2, false },
        { "a ring of three", { { 0x2000, 0x1000, 1 }, { 0x3000, 0x2000, 1 }, { 0x1000, 0x3000, 1 } }, 3, false },
        { "zeroes over a source", { { 0x1000, 0, 0x1000 }, { 0x5000, 0x1000, 0x10 } }, 2, true },
        { "up to 4 GiB", { { 0xfffff000, 0x1000, 0x1000 }, { 0x3000, 0xfffff000, 0x1000 } }, 2, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvb_move m[4];
        uint8_t seen = 0;

        memcpy(m, row[i].move, sizeof(m));
        if (pvb_stub_order(m, row[i].n) != row[i].ok)
            fail_msg("%s", row[i].name);
        for (uint32_t a = 0; row[i].ok && a < row[i].n; a++) {
            for (uint32_t b = a + 1; b < row[i].n; b++)
                if (m[b].src && m[a].dst < (uint64_t)m[b].src + m[b].bytes &&
                    m[b].src < (uint64_t)m[a].dst + m[a].bytes)
                    fail_msg("%s: move %u destroys what %u reads", row[i].name, a, b);
            for (uint32_t b = 0; b < row[i].n; b++)
                if (!memcmp(&m[a], &row[i].move[b], sizeof(m[a])))
                    seen |= (uint8_t)(1u << b);
        }
        assert_int_equal(seen, row[i].ok ? (1u << row[i].n) - 1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),           cmocka_unit_test(test_more_ramdisks), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_start_info_gpa), cmocka_unit_test(test_text_limits),   cmocka_unit_test(test_entry),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

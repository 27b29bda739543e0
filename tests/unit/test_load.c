/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From plan to guest memory, on a guest whose pages hold rubbish before: what must be zero has to be written as zero.
 * Plans and kernels are made by hand, so that planner and parsers take no part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/segment/segment.h"
#include <pvboot/build.h>

#define RUBBISH 0xa5
#define MEMORY (4u << 20)

/* Guest memory from gpa 0; the verb number @fail_at fails, and none may follow. */
struct memory {
    struct pvboot_guest guest;
    uint8_t *bytes;
    unsigned int verbs, fail_at;
};

static int next_verb(struct memory *m, uint64_t gpa, uint64_t n, struct pvboot_error *e)
{
    assert_true(n > 0);
    assert_true(gpa <= MEMORY && n <= MEMORY - gpa);
    assert_true(!m->fail_at || m->verbs < m->fail_at);
    return ++m->verbs == m->fail_at ? pvb_fail(e, PVBOOT_E_XEN, "verb %u", m->verbs) : 0;
}

static int memory_write(struct pvboot_guest *g, uint64_t gpa, const void *src, size_t n, struct pvboot_error *e)
{
    struct memory *m = (struct memory *)g;
    int rc = next_verb(m, gpa, n, e);

    if (!rc)
        memcpy(m->bytes + gpa, src, n);
    return rc;
}

static int memory_zero(struct pvboot_guest *g, uint64_t gpa, uint64_t n, struct pvboot_error *e)
{
    struct memory *m = (struct memory *)g;
    int rc = next_verb(m, gpa, n, e);

    if (!rc)
        memset(m->bytes + gpa, 0, (size_t)n);
    return rc;
}

/* As on Xen: what comes is read where it will lie. */
static int memory_fill(struct pvboot_guest *g, uint64_t gpa, const struct pvboot_piece *piece, struct pvboot_error *e)
{
    struct memory *m = (struct memory *)g;
    int rc = next_verb(m, gpa, piece->n, e);

    return rc ? rc : piece->from->get(piece->from, piece->off, m->bytes + gpa, piece->n, e);
}

/* What lies behind a table that is too old for the verb. */
static int no_fill(struct pvboot_guest *g, uint64_t gpa, const struct pvboot_piece *piece, struct pvboot_error *e)
{
    (void)g, (void)gpa, (void)piece, (void)e;
    fail_msg("fill was called beyond the end of the table");
    return 0;
}

static const struct pvboot_guest_ops filled = {
    .bytes = sizeof(filled), .write = memory_write, .zero = memory_zero, .fill = memory_fill
};
static const struct pvboot_guest_ops ops = { .bytes = sizeof(ops), .write = memory_write, .zero = memory_zero };
static const struct pvboot_guest_ops older = {
    .bytes = offsetof(struct pvboot_guest_ops, fill), .write = memory_write, .zero = memory_zero, .fill = no_fill
};

/* One guest: 64 KiB of kernel file, a plan, a request. */
struct fixture {
    struct memory m;
    uint8_t file[0x10000];
    struct pvboot_kernel kernel;
    struct pvboot_plan plan;
    struct pvboot_request req;
    struct pvboot_error e;
};

static void put_segment(struct fixture *f, enum pvboot_segment_id id, uint64_t start, uint64_t end)
{
    f->plan.seg[id] = (struct pvboot_segment){ .start = start, .end = end };
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->m = (struct memory){ .guest = { &ops }, .bytes = malloc(MEMORY) };
    memset(f->m.bytes, RUBBISH, MEMORY);
    for (size_t i = 0; i < sizeof(f->file); i++)
        f->file[i] = (uint8_t)(i % 251 + 1); /* never 0 */
    f->kernel.file = (struct pvboot_bytes){ f->file, sizeof(f->file) };
    pvboot_request_init(&f->req);
    f->plan.e820 = (struct pvboot_memmap){ .n = 1, .r = { { 0, MEMORY, PVBOOT_RAM } } };
    f->plan.machine.map = f->plan.e820;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    free(f->m.bytes);
    free(f);
    return 0;
}

/* A bzImage whose protected-mode part is file bytes [0x1400, 0x3400), on a zero-page path. */
static void make_bzimage(struct fixture *f, enum pvboot_path path)
{
    f->kernel.image.format = PVBOOT_FORMAT_BZIMAGE;
    f->kernel.image.has_bzimage = true;
    f->kernel.image.bz = (struct pvboot_bzimage){
        .protocol = 0x20f, .header_bytes = 0x7b, .kernel_off = 0x1400, .kernel_bytes = 0x2000
    };
    memcpy(f->file + 0x206, "\x0f\x02", 2);
    f->plan.path = path;
    f->plan.kernel_load_gpa = 0x40000;
    f->plan.vcpu.mode = path == PVBOOT_PATH_LINUX64 ? 64 : 32;
    put_segment(f, PVBOOT_SEG_KERNEL, 0x40000, 0x60000);
    put_segment(f, PVBOOT_SEG_ZERO_PAGE, 0x10000, 0x11000);
    put_segment(f, PVBOOT_SEG_GDT, 0x14000, 0x15000);
    put_segment(f, PVBOOT_SEG_SETUP_DATA, 0x12000, 0x13000);
    f->plan.handover_gpa = 0x12000;
    if (path == PVBOOT_PATH_LINUX64)
        put_segment(f, PVBOOT_SEG_PAGE_TABLES, 0x20000, 0x26000);
}

static int load(struct fixture *f)
{
    return pvboot_load(&f->plan, &f->kernel, &f->req, &f->m.guest, &f->e);
}

static void all_are(const struct fixture *f, uint64_t start, uint64_t end, uint8_t value)
{
    for (uint64_t gpa = start; gpa < end; gpa++)
        if (f->m.bytes[gpa] != value)
            fail_msg("%#llx is %#x, not %#x", (unsigned long long)gpa, f->m.bytes[gpa], value);
}

static void bzimage_in_few_verbs(void **state)
{
    struct fixture *f = *state;

    make_bzimage(f, PVBOOT_PATH_LINUX64);
    assert_int_equal(load(f), 0);
    assert_memory_equal(f->m.bytes + 0x40000, f->file + 0x1400, 0x2000);
    all_are(f, 0, 0x10000, RUBBISH);
    all_are(f, 0x11000, 0x12000, RUBBISH);
    all_are(f, 0x42000, MEMORY, RUBBISH); /* the rest of the window is the kernel's own */
    all_are(f, 0x14020, 0x15000, 0);      /* behind the GDT */
    assert_int_equal(f->m.bytes[0x10000 + 0x1e8], 1);
    assert_memory_equal(f->m.bytes + 0x10000 + 0x250, "\x00\x20\x01\x00\x00\x00\x00\x00", 8);
    assert_memory_equal(f->m.bytes + 0x12000 + 8, "HVYP", 4);
    assert_int_equal(f->m.verbs, 5); /* kernel, zero page, setup_data, GDT, page tables */
}

static void elf_loads(void **state)
{
    struct fixture *f = *state;

    f->kernel.elf = f->kernel.file;
    f->kernel.image.has_elf = true;
    f->kernel.image.elf.n_loads = 3;
    f->kernel.image.elf.load[0] =
        (struct pvboot_load){ .gpa = 0x140000, .mem_bytes = 0x1000, .off = 0x100, .file_bytes = 0x1000 };
    f->kernel.image.elf.load[1] =
        (struct pvboot_load){ .gpa = 0x141800, .mem_bytes = 0x2000, .off = 0x4000, .file_bytes = 0x123 };
    f->kernel.image.elf.load[2] =
        (struct pvboot_load){ .gpa = 0x144000, .mem_bytes = 0x1000, .off = 0, .file_bytes = 0 };
    f->plan.path = PVBOOT_PATH_PVH;
    f->plan.vcpu.mode = 32;
    f->plan.kernel_load_gpa = 0x40000;
    f->plan.elf_delta = -0x100000;
    put_segment(f, PVBOOT_SEG_KERNEL, 0x40000, 0x46000);
    assert_int_equal(load(f), 0);
    assert_memory_equal(f->m.bytes + 0x40000, f->file + 0x100, 0x1000);
    all_are(f, 0x41000, 0x41800, 0); /* between two loads */
    assert_memory_equal(f->m.bytes + 0x41800, f->file + 0x4000, 0x123);
    all_are(f, 0x41800 + 0x123, 0x46000, 0); /* bss, the next gap, a load without bytes, the rest of the window */
    all_are(f, 0x46000, MEMORY, RUBBISH);
    assert_int_equal(f->m.verbs, 5);
}

/* What stands at @off of an ELF that is nowhere in memory. */
static uint8_t pattern(uint64_t off)
{
    return (uint8_t)(off ^ off >> 8 ^ off >> 16);
}

static unsigned int gets, get_fails_at;

static int get(const struct pvboot_source *s, uint64_t off, void *dst, size_t n, struct pvboot_error *e)
{
    assert_int_equal(s->fd, 42);
    assert_true(!get_fails_at || gets < get_fails_at);
    if (++gets == get_fails_at)
        return pvb_fail(e, PVBOOT_E_HOST, "get %u", gets);
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)dst)[i] = pattern(off + i);
    return 0;
}

static void elf_by_the_piece(void **state)
{
    struct fixture *f = *state;
    const uint64_t bytes = (2u << 20) + 5;

    f->kernel.elf = (struct pvboot_bytes){ NULL, 0x100 + (size_t)bytes };
    f->kernel.elf_from = (struct pvboot_source){ .get = get, .fd = 42 };
    f->kernel.image.has_elf = true;
    f->kernel.image.elf.n_loads = 2;
    f->kernel.image.elf.load[0] =
        (struct pvboot_load){ .gpa = 0x40000, .mem_bytes = bytes, .off = 0x100, .file_bytes = bytes };
    f->kernel.image.elf.load[1] = (struct pvboot_load){ .gpa = 0x300000, .mem_bytes = 0x1000, .off = 7 };
    f->plan.path = PVBOOT_PATH_PVH;
    f->plan.vcpu.mode = 32;
    f->plan.kernel_load_gpa = 0x40000;
    put_segment(f, PVBOOT_SEG_KERNEL, 0x40000, 0x301000);
    gets = get_fails_at = 0;
    assert_int_equal(load(f), 0);
    assert_int_equal(gets, 3);
    for (uint64_t i = 0; i < bytes; i++)
        assert_int_equal(f->m.bytes[0x40000 + i], pattern(0x100 + i));
    all_are(f, 0x40000 + bytes, 0x301000, 0);
    all_are(f, 0x301000, MEMORY, RUBBISH);
    for (get_fails_at = 1; get_fails_at <= 3; get_fails_at++) {
        gets = f->m.verbs = 0;
        f->e = (struct pvboot_error){ 0 };
        assert_int_equal(load(f), -PVBOOT_E_HOST);
        assert_int_equal(f->m.verbs, get_fails_at - 1);
    }
    get_fails_at = 0;
    f->e = (struct pvboot_error){ 0 };
    f->kernel.image.elf.load[0].off = 0x101;
    assert_int_equal(load(f), -PVBOOT_E_INTERNAL);
}

/* initramfs buffer format: archives may have zeroes between them, and begin at multiples of 4. */
static void ramdisks_joined(void **state)
{
    struct fixture *f = *state;

    make_bzimage(f, PVBOOT_PATH_LINUX32);
    f->req.n_ramdisks = 3;
    f->req.ramdisk[0] = (struct pvboot_bytes){ f->file, 5 };
    f->req.ramdisk[1] = (struct pvboot_bytes){ f->file + 0x100, 8 };
    f->req.ramdisk[2] = (struct pvboot_bytes){ f->file + 0x200, 0x1001 };
    put_segment(f, PVBOOT_SEG_RAMDISK, 0x80000, 0x82000);
    f->plan.seg[PVBOOT_SEG_RAMDISK].bytes = 8 + 8 + 0x1001;
    assert_int_equal(pvb_segment_bytes(&f->plan, &f->kernel.image, &f->req, PVBOOT_SEG_RAMDISK), 8 + 8 + 0x1001);
    assert_int_equal(load(f), 0);
    assert_memory_equal(f->m.bytes + 0x80000, f->file, 5);
    all_are(f, 0x80005, 0x80008, 0);
    assert_memory_equal(f->m.bytes + 0x80008, f->file + 0x100, 8);
    assert_memory_equal(f->m.bytes + 0x80010, f->file + 0x200, 0x1001);
    all_are(f, 0x81011, 0x82000, 0);
    all_are(f, 0x82000, MEMORY, RUBBISH);
    assert_memory_equal(f->m.bytes + 0x10000 + 0x218, "\x00\x00\x08\x00\x11\x10\x00\x00", 8);
}

static void cmdline_and_its_tail(void **state)
{
    struct fixture *f = *state;

    make_bzimage(f, PVBOOT_PATH_LINUX32);
    f->req.cmdline = "console=hvc0";
    put_segment(f, PVBOOT_SEG_CMDLINE, 0x30000, 0x31000);
    assert_int_equal(load(f), 0);
    assert_memory_equal(f->m.bytes + 0x30000, "console=hvc0", 13);
    all_are(f, 0x3000c, 0x31000, 0); /* Linux copies 2048 bytes */
    assert_memory_equal(f->m.bytes + 0x10000 + 0x228, "\x00\x00\x03\x00", 4);
}

static void every_verb_may_fail(void **state)
{
    struct fixture *f = *state;

    make_bzimage(f, PVBOOT_PATH_LINUX64);
    f->req.n_ramdisks = 2;
    f->req.ramdisk[0] = f->req.ramdisk[1] = (struct pvboot_bytes){ f->file, 5 };
    f->plan.seg[PVBOOT_SEG_RAMDISK] = (struct pvboot_segment){ .start = 0x80000, .end = 0x81000, .bytes = 13 };
    assert_int_equal(load(f), 0);
    assert_int_equal(f->m.verbs, 5 + 4);
    for (unsigned int i = 1; i <= 5 + 4; i++) {
        f->m.verbs = 0;
        f->m.fail_at = i;
        f->e = (struct pvboot_error){ 0 };
        assert_int_equal(load(f), -PVBOOT_E_XEN);
        assert_int_equal(f->m.verbs, i);
    }
}

/* A plan that does not belong to the request or the kernel is a bug, and is said to be one. */
static void contradictions(void **state)
{
    static const struct {
        const char *name;
        uint64_t handover_gpa, setup_end, tables_end, ramdisk_bytes, kernel_bytes;
        int rc;
    } row[] = {
        { "none", 0x12000, 0x13000, 0x26000, 0, 0x2000, 0 },
        { "node elsewhere", 0x12010, 0x13000, 0x26000, 0, 0x2000, -PVBOOT_E_INTERNAL },
        { "no node", 0, 0x13000, 0x26000, 0, 0x2000, -PVBOOT_E_INTERNAL },
        { "no room for setup_data", 0x12000, 0x12040, 0x26000, 0, 0x2000, -PVBOOT_E_INTERNAL },
        { "no room for a page table", 0x12000, 0x13000, 0x25000, 0, 0x2000, -PVBOOT_E_INTERNAL },
        { "ramdisk of other size", 0x12000, 0x13000, 0x26000, 1, 0x2000, -PVBOOT_E_INTERNAL },
        { "kernel up to the end", 0x12000, 0x13000, 0x26000, 0, 0xec00, 0 },
        { "kernel outside its file", 0x12000, 0x13000, 0x26000, 0, 0xec01, -PVBOOT_E_INTERNAL },
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct fixture *f = *state;

        make_bzimage(f, PVBOOT_PATH_LINUX64);
        f->plan.handover_gpa = row[i].handover_gpa;
        f->plan.seg[PVBOOT_SEG_SETUP_DATA].end = row[i].setup_end;
        f->plan.seg[PVBOOT_SEG_PAGE_TABLES].end = row[i].tables_end;
        f->plan.seg[PVBOOT_SEG_RAMDISK].bytes = row[i].ramdisk_bytes;
        f->kernel.image.bz.kernel_bytes = row[i].kernel_bytes;
        f->e = (struct pvboot_error){ 0 };
        if (load(f) != row[i].rc)
            fail_msg("%s: %s", row[i].name, f->e.text);
    }
}

/* Who gets a hypervisor node, and how much room the planner is told. */
static void sizes(void **state)
{
    static const struct {
        const char *name;
        enum pvboot_path path;
        uint16_t protocol;
        uint32_t setup_type_max;
        bool strict, seed;
        enum pvboot_hypervisor hypervisor;
        bool node, chain, start_info;
    } row[] = {
        { "plain", PVBOOT_PATH_LINUX64, 0x20f, 0x80000009, false, false, PVBOOT_HYPERVISOR_XEN, true, true, false },
        { "none asked", PVBOOT_PATH_LINUX64, 0x20f, 0x80000009, false, false, PVBOOT_HYPERVISOR_NONE, false, false,
          false },
        { "strict", PVBOOT_PATH_LINUX64, 0x20f, 0x80000009, true, false, PVBOOT_HYPERVISOR_XEN, false, false, false },
        { "strict, listed", PVBOOT_PATH_LINUX64, 0x20f, 0xd0595648, true, false, PVBOOT_HYPERVISOR_XEN, true, true,
          false },
        { "strict, one below", PVBOOT_PATH_LINUX64, 0x20f, 0xd0595647, true, false, PVBOOT_HYPERVISOR_XEN, false, false,
          false },
        { "strict, not said", PVBOOT_PATH_LINUX64, 0x20e, 0, true, false, PVBOOT_HYPERVISOR_XEN, true, true, false },
        { "2.08", PVBOOT_PATH_LINUX32, 0x208, 0, false, true, PVBOOT_HYPERVISOR_XEN, false, false, false },
        { "2.09", PVBOOT_PATH_LINUX32, 0x209, 0, false, false, PVBOOT_HYPERVISOR_XEN, true, true, false },
        { "seed alone", PVBOOT_PATH_LINUX64, 0x20f, 0x80000009, true, true, PVBOOT_HYPERVISOR_XEN, false, true, false },
        { "seed that would stay readable", PVBOOT_PATH_LINUX64, 0x20f, 0x80000006, false, true, PVBOOT_HYPERVISOR_NONE,
          false, false, false },
        { "seed for a kernel that says nothing", PVBOOT_PATH_LINUX64, 0x20f, 0, false, true, PVBOOT_HYPERVISOR_NONE,
          false, false, false },
        { "pvh", PVBOOT_PATH_PVH, 0x20f, 0x80000009, false, true, PVBOOT_HYPERVISOR_XEN, false, false, true },
        { "stub", PVBOOT_PATH_STUB, 0x20f, 0x80000009, false, false, PVBOOT_HYPERVISOR_XEN, false, false, true },
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct fixture *f = *state;
        uint64_t setup_data, start_info;

        f->plan.path = row[i].path;
        f->kernel.image.has_bzimage = true;
        f->kernel.image.bz.protocol = row[i].protocol;
        f->kernel.image.bz.setup_type_max = row[i].setup_type_max;
        f->req.strict = row[i].strict;
        f->req.has_rng_seed = row[i].seed;
        f->req.hypervisor = row[i].hypervisor;
        setup_data = pvb_segment_bytes(&f->plan, &f->kernel.image, &f->req, PVBOOT_SEG_SETUP_DATA);
        start_info = pvb_segment_bytes(&f->plan, &f->kernel.image, &f->req, PVBOOT_SEG_START_INFO);
        if (pvb_has_handover(&f->plan, &f->kernel.image, &f->req) != row[i].node || (setup_data > 0) != row[i].chain ||
            (start_info > 0) != (row[i].start_info && pvb_can_start_info()))
            fail_msg("%s: node %d, setup_data %llu, start info %llu", row[i].name,
                     pvb_has_handover(&f->plan, &f->kernel.image, &f->req), (unsigned long long)setup_data,
                     (unsigned long long)start_info);
    }
}

/* Kernel and ramdisk that are not in memory, to a guest that has fill, one that has not, and one that cannot. */
static void from_descriptors(void **state)
{
    static const struct pvboot_guest_ops *const with[] = { &ops, &filled, &older };

    for (size_t w = 0; w < sizeof(with) / sizeof(with[0]); w++) {
        struct fixture *f = *state;

        memset(f->m.bytes, RUBBISH, MEMORY);
        f->m.guest.ops = with[w];
        f->m.verbs = 0;
        make_bzimage(f, PVBOOT_PATH_LINUX32);
        memset(f->file + 0x1400, 0, 0x2000); /* only the header is there */
        f->kernel.file_from = (struct pvboot_source){ .get = get, .fd = 42 };
        put_segment(f, PVBOOT_SEG_RAMDISK, 0x100000, 0x102000);
        f->plan.seg[PVBOOT_SEG_RAMDISK].bytes = 0x1008;
        f->req.n_ramdisks = 2;
        f->req.ramdisk[0] = (struct pvboot_bytes){ f->file, 5 };
        f->req.ramdisk[1] = (struct pvboot_bytes){ NULL, 0x1000 };
        f->req.ramdisk_from[1] = (struct pvboot_source){ .get = get, .fd = 42 };
        gets = get_fails_at = 0;
        if (load(f))
            fail_msg("%s", f->e.text);
        assert_int_equal(gets, 2);
        for (uint64_t i = 0; i < 0x2000; i++)
            assert_int_equal(f->m.bytes[0x40000 + i], pattern(0x1400 + i));
        assert_memory_equal(f->m.bytes + 0x100000, f->file, 5);
        all_are(f, 0x100005, 0x100008, 0);
        for (uint64_t i = 0; i < 0x1000; i++)
            assert_int_equal(f->m.bytes[0x100008 + i], pattern(i));
        all_are(f, 0x101008, 0x102000, 0);
        gets = 0;
        for (get_fails_at = 1; get_fails_at <= 2; get_fails_at++, gets = 0) {
            f->e = (struct pvboot_error){ 0 };
            assert_int_equal(load(f), -PVBOOT_E_HOST);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bzimage_in_few_verbs, setup, teardown),
        cmocka_unit_test_setup_teardown(elf_loads, setup, teardown),
        cmocka_unit_test_setup_teardown(elf_by_the_piece, setup, teardown),
        cmocka_unit_test_setup_teardown(from_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(ramdisks_joined, setup, teardown),
        cmocka_unit_test_setup_teardown(cmdline_and_its_tail, setup, teardown),
        cmocka_unit_test_setup_teardown(every_verb_may_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(contradictions, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes, setup, teardown),
    };

    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}

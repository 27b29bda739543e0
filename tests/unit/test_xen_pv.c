/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A PV guest beside the one that stock libxenguest builds of the same kernel, on the same fake Xen: all of their memory and
 * the state of vCPU 0.  Only two things may differ: boot stack and rest of start_info's page, which stock leaves as they were,
 * and mod_len, which stock rounds up to whole pages.
 */
#include "../fake/table.h"
#include "frontends/launch/pv.h"
#include "mkimage.h"

#include <pvboot/build.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <xenguest.h>

#include <cmocka.h>

#define MIB (1ull << 20)
#define FRAMES_FROM 0x40000u
#define STORE_PORT 3u
#define CONSOLE_PORT 4u
/* xen.h, struct start_info of a 64-bit guest */
#define MOD_LEN_OFF 120
#define START_INFO_BYTES 1168

static const struct {
    const char *name;
    uint64_t memory_mib;
    size_t ramdisk;
    const char *cmdline;
    struct mk_pv pv;
} row[] = {
    { "linux", 64, 0x5000, "console=hvc0", { .base = 0xffffffff80000000 } },
    { "no ramdisk, no command line", 64, 0, NULL, { .base = 0xffffffff80000000 } },
    { "ramdisk that is no whole page", 64, 12345, "", { .base = 0xffffffff80000000 } },
    { "much memory", 400, 0x5000, "a", { .base = 0xffffffff80000000 } },
    { "old linux", 64, 0x5000, "a", { .old = true, .base = 0xffffffff80000000 } },
    { "old linux, large ramdisk", 128, 40 * MIB, "a", { .old = true, .base = 0xffffffff80000000 } },
    { "no hypercall page", 64, 0, "a", { .no_hypercall_page = true, .base = 0xffffffff80000000 } },
    { "at virtual address 0, as mini-OS", 64, 0x5000, "a", { .old = true, .base = 0 } },
    { "a base that is no 4 MiB", 64, 0x5000, "a", { .base = 0xffffffff80123000 } },
    { "over a GiB boundary", 64, 0x5000, "a", { .base = 0xffffffffbe123000 } },
    { "over a 512 GiB boundary", 64, 0x5000, "a", { .old = true, .base = 0x7ffe000000 } },
    { "list in the lower half, at an odd page",
      700,
      0x5000,
      "a",
      { .base = 0xffffffff80000000, .init_p2m = 0x7fbffff000 } },
    { "list above the kernel", 64, 0, "a", { .base = 0x10000000, .init_p2m = 0x8000000000 } },
};

/* One guest's memory as it was left, and more. */
struct outcome {
    uint8_t *memory;
    vcpu_guest_context_t context;
    uint64_t hypercall_frame;
};

static struct mk kernel;
static uint8_t *ramdisk;
static struct pvboot_plan plan;

static void begin(size_t i)
{
    const struct fake_setup setup = {
        .max_pages = row[i].memory_mib * 256 + 256,
        .host_pages = 1 << 21,
        .max_order = 9,
        .vcpus = 1,
        .frames_from = FRAMES_FROM,
    };

    fake_begin(&setup);
    fault_arm(FAULT_XEN, 0, 0);
}

static struct outcome take(size_t i)
{
    size_t n = row[i].memory_mib * MIB;
    struct outcome o = { malloc(n), fake.context, fake.hypercall_frame };

    assert_non_null(o.memory);
    for (size_t at = 0; at < n; at += FAKE_PAGE)
        assert_true(fake_read(FRAMES_FROM * FAKE_PAGE + at, o.memory + at, FAKE_PAGE));
    assert_null(fake.broken);
    assert_int_equal(fake.claim, 0);
    assert_int_equal(fake.maps, 0);
    return o;
}

/* As libxl does it: libxl__build_pv(), libxl__build_dom(). */
static struct outcome stock(size_t i)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, XC_OPENFLAG_DUMMY);
    struct xc_dom_image *dom;
    struct outcome o;

    begin(i);
    dom = xc_dom_allocate(xch, row[i].cmdline, NULL);
    assert_non_null(dom);
    dom->container_type = XC_DOM_PV_CONTAINER;
    assert_int_equal(xc_dom_kernel_mem(dom, kernel.p, kernel.len), 0);
    if (row[i].ramdisk)
        assert_int_equal(xc_dom_module_mem(dom, ramdisk, row[i].ramdisk, NULL), 0);
    dom->console_evtchn = CONSOLE_PORT;
    dom->xenstore_evtchn = STORE_PORT;
    dom->claim_enabled = true;
    dom->max_vcpus = 1;
    assert_int_equal(xc_dom_boot_xen_init(dom, xch, FAKE_DOMID), 0);
    assert_int_equal(xc_dom_parse_image(dom), 0);
    assert_int_equal(xc_dom_mem_init(dom, (unsigned int)row[i].memory_mib), 0);
    assert_int_equal(xc_dom_boot_mem_init(dom), 0);
    assert_int_equal(xc_dom_build_image(dom), 0);
    assert_int_equal(xc_dom_boot_image(dom), 0);
    xc_dom_release(dom);
    fake.maps = 0; /* libxenguest unmaps by munmap(), which the fake does not see */
    o = take(i);
    xc_interface_close(xch);
    return o;
}

static int build(const struct pvboot_xen *x, struct pvboot_machine *m, struct pvboot_kernel *k, size_t i,
                 struct pvboot_error *e)
{
    struct pvboot_xen_guest g;
    struct pvboot_request req;
    int rc = launch_xen_pv_shared_info(x, &m->shared_info_ma, e);

    pvboot_request_init(&req);
    req.path = PVBOOT_PATH_PV;
    req.cmdline = row[i].cmdline;
    req.n_ramdisks = row[i].ramdisk != 0;
    req.ramdisk[0] = (struct pvboot_bytes){ ramdisk, row[i].ramdisk };
    pvboot_xen_guest_init(&g, x);
    if (!rc)
        rc = pvboot_build(&plan, k, m, &req, &g.guest, e);
    return rc ? rc : launch_xen_pv_start(x, &plan, e);
}

static struct outcome ours(size_t i)
{
    uint64_t pages = row[i].memory_mib * 256, *mfn = calloc(pages, sizeof(*mfn));
    struct pvboot_error e = { 0 };
    struct pvboot_kernel k;
    struct pvboot_machine m;
    struct pvboot_xen x;
    struct outcome o;

    begin(i);
    x = fake_xen();
    assert_int_equal(pvboot_machine_pv(&m, row[i].memory_mib * MIB, 1, &e), 0);
    assert_int_equal(launch_xen_pv_populate(&x, mfn, pages, true, &e), 0);
    x.mfn = m.mfn = mfn;
    x.n_mfn = pages;
    m.console_evtchn = CONSOLE_PORT;
    m.xenstore_evtchn = STORE_PORT;
    assert_int_equal(pvboot_kernel_parse(&k, mk_bytes(&kernel), &e), 0);
    if (build(&x, &m, &k, i, &e))
        fail_msg("%s", e.text);
    o = take(i);
    xenforeignmemory_close(x.fmem);
    pvboot_kernel_dispose(&k);
    free(mfn);
    return o;
}

/* What stock leaves as it was, and what it rounds up. */
static void even_out(struct outcome *o, size_t i)
{
    uint64_t mod_len = row[i].ramdisk;
    uint8_t *start_info = o->memory + plan.seg[PVBOOT_SEG_START_INFO].start;

    memset(o->memory + plan.seg[PVBOOT_SEG_STACK].start, 0, FAKE_PAGE);
    assert_in_range(*(uint64_t *)(void *)(start_info + MOD_LEN_OFF), mod_len, (mod_len + 4095) / 4096 * 4096);
    memset(start_info + MOD_LEN_OFF, 0, 8);
    memset(start_info + START_INFO_BYTES, 0, FAKE_PAGE - START_INFO_BYTES);
}

static void compare(size_t i, const struct outcome *a, const struct outcome *b)
{
    for (size_t at = 0; at < row[i].memory_mib * MIB; at += 8)
        if (memcmp(a->memory + at, b->memory + at, 8))
            fail_msg("%s: at 0x%zx stock has %016llx, we have %016llx", row[i].name, at,
                     *(unsigned long long *)(void *)(a->memory + at), *(unsigned long long *)(void *)(b->memory + at));
    assert_memory_equal(&a->context, &b->context, sizeof(a->context));
    assert_int_equal(a->hypercall_frame, b->hypercall_frame);
}

static void as_stock_builds_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct outcome a, b;

        print_message("%s\n", row[i].name);
        kernel = mk_pv_elf(0x10000, &row[i].pv);
        ramdisk = malloc(row[i].ramdisk + 1);
        memset(ramdisk, 0x5a, row[i].ramdisk);
        a = stock(i);
        b = ours(i);
        even_out(&a, i);
        even_out(&b, i);
        compare(i, &a, &b);
        free(a.memory);
        free(b.memory);
        free(ramdisk);
        mk_free(&kernel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_stock_builds_it),
    };

    return cmocka_run_group_tests_name("xen_pv", tests, NULL, NULL);
}

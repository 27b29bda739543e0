/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Random machines, kernels and wishes.  A plan that is made passes the check; where a window is refused there is no
 * place for it, and a ramdisk could lie no higher: both by trying every address.
 */
#include "plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 4000
#define FOUR_GIB 0x100000000ull
#define LOW_TOP (256 * MIB) /* of RAM below 4 GiB in a random map */

static unsigned int seed = 20161101;

static uint64_t below(uint64_t n)
{
    return (((uint64_t)rand_r(&seed) << 31) ^ (uint64_t)rand_r(&seed)) % n;
}

static bool chance(unsigned int percent)
{
    return below(100) < percent;
}

static uint64_t pages(uint64_t most)
{
    return (1 + below(most >> 12)) << 12;
}

static void random_map(struct pvboot_memmap *m)
{
    uint64_t at = chance(80) ? 0 : below(MIB);

    m->n = 0;
    while (m->n < 14 && at < LOW_TOP) {
        uint64_t bytes = chance(40) ? pages(96 * MIB) : pages(2 * MIB);

        if (chance(5))
            bytes += below(4096); /* ragged */
        m->r[m->n++] = (struct pvboot_range){ at, at + bytes, chance(75) ? PVBOOT_RAM : 2 + (uint32_t)below(4) };
        at += bytes + (chance(70) ? 0 : pages(MIB));
    }
    if (chance(40))
        m->r[m->n++] = (struct pvboot_range){ FOUR_GIB, FOUR_GIB + pages(64 * MIB), PVBOOT_RAM };
}

static struct pvboot_machine random_machine(void)
{
    struct pvboot_machine m;

    if (chance(30))
        return fixture_machine(chance(50) ? pages(128 * MIB) : 0xf8000000 + pages(128 * MIB));
    m = (struct pvboot_machine){ .vcpus = 1 };
    random_map(&m.map);
    return m;
}

static struct pvboot_window random_window(void)
{
    static const uint64_t align[] = { 0x10000, 0x200000, 0x1000000 };
    struct pvboot_window w = { .align = align[below(3)], .bytes = pages(48 * MIB), .max_gpa = UINT64_MAX };

    w.relocatable = chance(60);
    w.pref_gpa = chance(70) ? 16 * MIB + w.align * below(4) : MIB + pages(32 * MIB);
    return w;
}

static struct pvboot_image random_image(void)
{
    struct pvboot_image img = chance(60) ? fixture_amd64() : fixture_686_pae();

    img.has_bzimage = chance(90);
    img.bz.window = random_window();
    img.bz.kernel_bytes = chance(95) ? 0x1000 + below(img.bz.window.bytes) : pages(48 * MIB);
    img.bz.initrd_addr_max = chance(50) ? img.bz.initrd_addr_max : below(LOW_TOP);
    img.bz.protocol = (uint16_t)(chance(80) ? 0x20f : 0x206 + below(10));
    img.bz.xloadflags ^= chance(30) ? 2 : 0;
    if (img.bz.protocol < 0x20c)
        img.bz.xloadflags = 0;
    if (chance(50)) {
        img.elf.window = random_window();
        img.elf.window.bytes += 4096;
        img.elf.n_loads = 2;
        img.elf.load[0] = (struct pvboot_load){ img.elf.window.pref_gpa, 4096, 0, 4096 };
        img.elf.load[1] = (struct pvboot_load){ img.elf.window.pref_gpa + 4096, img.elf.window.bytes - 4096, 0, 100 };
        img.elf.notes.phys32_entry = img.elf.entry_gpa = img.elf.window.pref_gpa + 16;
        img.elf.window.max_gpa = chance(50) ? UINT64_MAX : below(LOW_TOP);
    }
    return img;
}

static char text[300];

static struct pvboot_request random_request(void)
{
    struct pvboot_request req = fixture_request((enum pvboot_path)below(PVBOOT_PATH_STUB), NULL, 0);

    if (chance(80)) {
        size_t n = below(sizeof(text));

        memset(text, 'x', n);
        text[n] = '\0';
        req.cmdline = text;
    }
    if (chance(70))
        req.n_ramdisks = 1 + (uint32_t)below(3);
    for (uint32_t i = 0; i < req.n_ramdisks; i++)
        req.ramdisk[i].len = 1 + below(chance(50) ? 24 * MIB : 4 * MIB);
    req.subarch = chance(80) ? 0 : (uint32_t)below(5);
    req.strict = chance(30);
    req.has_rng_seed = chance(30);
    req.hypervisor = chance(80) ? PVBOOT_HYPERVISOR_XEN : PVBOOT_HYPERVISOR_NONE;
    return req;
}

/* Is every byte of [@start, @end) RAM, in whole pages? */
static bool all_ram(const struct pvboot_memmap *m, uint64_t start, uint64_t end)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < m->n; i++) {
        uint64_t lo = m->r[i].start > start ? m->r[i].start : start, hi = m->r[i].end < end ? m->r[i].end : end;

        if (m->r[i].type == PVBOOT_RAM && lo < hi)
            sum += hi - lo;
    }
    return sum == end - start;
}

/* boot.rst, for a bzImage through the 32-bit entry: every place from pref_address to 4 GiB. */
static void assert_no_window(const struct pvboot_image *img, const struct pvboot_memmap *m)
{
    const struct pvboot_window *w = &img->bz.window;
    uint64_t bytes = w->bytes > img->bz.kernel_bytes ? w->bytes : img->bz.kernel_bytes;
    uint64_t at = w->relocatable ? (w->pref_gpa + w->align - 1) / w->align * w->align : w->pref_gpa;

    bytes = (bytes + 4095) & ~4095ull;
    do {
        if (all_ram(m, at, at + bytes))
            fail_msg("a window of 0x%llx bytes fits at 0x%llx", (unsigned long long)bytes, (unsigned long long)at);
        at += w->align;
    } while (w->relocatable && at + bytes <= FOUR_GIB && at < m->r[m->n - 1].end);
}

/* No place in RAM, off the kernel, is higher and still below what the ramdisk was kept below. */
static void assert_highest(const struct pvboot_plan *p, const struct pvboot_image *img)
{
    const struct pvboot_segment *rd = &p->seg[PVBOOT_SEG_RAMDISK], *k = &p->seg[PVBOOT_SEG_KERNEL];
    uint64_t limit =
        img->has_bzimage && rd->end - 1 <= img->bz.initrd_addr_max ? img->bz.initrd_addr_max + 1 : FOUR_GIB;
    uint64_t bytes = rd->end - rd->start, top = p->machine.map.r[p->machine.map.n - 1].end;

    if (rd->start >= FOUR_GIB)
        limit = UINT64_MAX;
    if (limit > top)
        limit = top;
    for (uint64_t at = rd->start + 4096; at + bytes <= limit && at < rd->start + LOW_TOP; at += 4096)
        if (all_ram(&p->machine.map, at, at + bytes) && (at >= k->end || at + bytes <= k->start))
            fail_msg("a ramdisk at 0x%llx..0x%llx could lie at 0x%llx", (unsigned long long)rd->start,
                     (unsigned long long)rd->end, (unsigned long long)at);
}

static void test_random(void **state)
{
    unsigned int made = 0, no_window = 0, nofit = 0, unsupported = 0, moved = 0;

    (void)state;
    for (unsigned int i = 0; i < ROUNDS; i++) {
        struct pvboot_machine m = random_machine();
        struct pvboot_image img = random_image();
        struct pvboot_request req = random_request();
        struct pvboot_error e = { 0 };
        int rc = pvboot_plan_make(&plan, &img, &m, &req, &e);

        if (!rc && pvboot_plan_check(&plan, &img, &e))
            fail_msg("round %u: %s", i, e.text);
        made += !rc;
        moved += !rc && (plan.path == PVBOOT_PATH_LINUX32 || plan.path == PVBOOT_PATH_LINUX64
                             ? plan.kernel_load_gpa >= img.bz.window.pref_gpa + img.bz.window.align
                             : plan.elf_delta != 0);
        nofit += rc == -PVBOOT_E_NOFIT;
        unsupported += rc == -PVBOOT_E_UNSUPPORTED;
        if (!rc && plan.seg[PVBOOT_SEG_RAMDISK].end)
            assert_highest(&plan, &img);
        if (rc == -PVBOOT_E_NOFIT && req.path == PVBOOT_PATH_LINUX32 && strstr(e.text, "kernel window")) {
            no_window++;
            assert_no_window(&img, &m.map);
        }
        assert_true(!rc || rc == -PVBOOT_E_NOFIT || rc == -PVBOOT_E_UNSUPPORTED || rc == -PVBOOT_E_LIMIT);
    }
    print_message("%u plans (%u kernels moved), %u without room (%u windows), %u unsupported\n", made, moved, nofit,
                  no_window, unsupported);
    assert_true(made > ROUNDS / 4 && moved > ROUNDS / 20 && no_window > ROUNDS / 50 && unsupported > ROUNDS / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

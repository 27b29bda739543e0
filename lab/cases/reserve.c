/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded beside the plugin: guests of a shape that stock libxl never makes.  Takes the ranges in PVLAB_RESERVE,
 * "start-end,start-end" in hexadecimal, ascending, out of the RAM in the map libxl has drawn, just before the image is
 * built.  The memory itself stays where it is; only nobody may use it.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

#include <xenguest.h> /* needs what xenctrl.h declares */

#define E820_RAM 1 /* ACPI 6.2, section 15 */
#define E820_RESERVED 2
#define ENTRIES_MAX 1024

static struct e820entry map[ENTRIES_MAX];
static unsigned int entries;

static void put(uint64_t start, uint64_t end, uint32_t type)
{
    if (start >= end)
        return;
    if (entries == ENTRIES_MAX)
        abort();
    map[entries++] = (struct e820entry){ .addr = start, .size = end - start, .type = type };
}

/* RAM [@start, @end) with holes. */
static void put_ram(uint64_t start, uint64_t end, const char *holes)
{
    unsigned long long from, to;
    int n;

    for (; sscanf(holes, "%llx-%llx%n", &from, &to, &n) == 2; holes += n + (holes[n] == ',')) {
        if (from < start || to > end)
            continue;
        put(start, from, E820_RAM);
        put(from, to, E820_RESERVED);
        start = to;
    }
    put(start, end, E820_RAM);
}

int xc_dom_build_image(struct xc_dom_image *dom)
{
    int (*stock)(struct xc_dom_image *) = (int (*)(struct xc_dom_image *))dlsym(RTLD_NEXT, "xc_dom_build_image");
    const char *holes = getenv("PVLAB_RESERVE");

    for (unsigned int i = 0; i < dom->e820_entries; i++) {
        const struct e820entry *r = &dom->e820[i];

        if (r->type == E820_RAM)
            put_ram(r->addr, r->addr + r->size, holes ? holes : "");
        else
            put(r->addr, r->addr + r->size, r->type);
    }
    dom->e820 = map;
    dom->e820_entries = entries;
    return stock(dom);
}

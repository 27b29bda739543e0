/* SPDX-License-Identifier: LGPL-2.1-only */
#include "guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ull
#define RUBBISH 0x5a

void stub_guest_le(struct stub_guest *g, uint64_t gpa, unsigned int width, uint64_t value)
{
    for (unsigned int i = 0; i < width; i++)
        g->memory[gpa + i] = (uint8_t)(value >> (8 * i));
}

static uint64_t put(struct stub_guest *g, uint64_t *at, const void *p, size_t n)
{
    uint64_t gpa = *at;

    memcpy(g->memory + gpa, p, n);
    *at = (gpa + n + 7) & ~7ull;
    return gpa;
}

static void put_range(struct stub_guest *g, uint64_t *at, uint64_t start, uint64_t end, uint32_t type)
{
    stub_guest_le(g, *at + ENTRY_ADDR, 8, start);
    stub_guest_le(g, *at + ENTRY_SIZE, 8, end - start);
    stub_guest_le(g, *at + ENTRY_TYPE, 8, type);
    *at += ENTRY_BYTES;
    g->memmap_entries++;
}

/* libxl: info page, tables and RSDP are an entry each. */
static void put_map(struct stub_guest *g, uint64_t *at, const struct pvboot_machine *m)
{
    g->memmap_gpa = *at;
    for (size_t i = 0; i < m->map.n; i++) {
        const struct pvboot_range *r = &m->map.r[i];

        if (r->type != PVBOOT_ACPI) {
            put_range(g, at, r->start, r->end, r->type);
            continue;
        }
        put_range(g, at, r->start, r->start + PAGE, r->type);
        put_range(g, at, r->start + PAGE, m->rsdp_gpa, r->type);
        put_range(g, at, m->rsdp_gpa, r->end, r->type);
    }
}

static uint64_t put_module(struct stub_guest *g, uint64_t *at, struct pvboot_bytes b)
{
    uint64_t gpa = *at;

    memset(g->memory + gpa, 0, (b.len + PAGE - 1) & ~(PAGE - 1));
    memcpy(g->memory + gpa, b.p, b.len);
    *at = (gpa + b.len + PAGE - 1) & ~(PAGE - 1);
    return gpa;
}

static void put_modlist_entry(struct stub_guest *g, uint64_t *at, uint64_t gpa, uint64_t bytes, uint64_t cmdline)
{
    stub_guest_le(g, *at + MOD_PADDR, 8, gpa);
    stub_guest_le(g, *at + MOD_SIZE, 8, bytes);
    stub_guest_le(g, *at + MOD_CMDLINE, 8, cmdline);
    *at += MOD_BYTES;
}

struct stub_guest stub_guest(const struct pvboot_machine *m, const char *carrier, struct pvboot_bytes kernel,
                             const char *cmdline, struct pvboot_bytes ramdisk)
{
    struct stub_guest g = { .memory_bytes = UINT32_MAX };
    uint64_t at = STUB_GPA + STUB_BYTES;

    g.memory = mmap(NULL, g.memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(g.memory != MAP_FAILED);
    memset(g.memory + STUB_GPA, RUBBISH, STUB_BYTES);
    g.kernel_gpa = put_module(&g, &at, kernel);
    g.ramdisk_gpa = ramdisk.len ? put_module(&g, &at, ramdisk) : 0;
    g.start_info_gpa = at;
    at += SI_BYTES;
    g.carrier_gpa = put(&g, &at, carrier, strlen(carrier) + 1);
    g.cmdline_gpa = put(&g, &at, cmdline, strlen(cmdline) + 1);
    g.modlist_gpa = at;
    put_modlist_entry(&g, &at, g.kernel_gpa, kernel.len, g.cmdline_gpa);
    if (ramdisk.len)
        put_modlist_entry(&g, &at, g.ramdisk_gpa, ramdisk.len, 0);
    put_map(&g, &at, m);
    stub_guest_le(&g, g.start_info_gpa + SI_MAGIC, 4, 0x336ec578);
    stub_guest_le(&g, g.start_info_gpa + SI_VERSION, 4, 1);
    stub_guest_le(&g, g.start_info_gpa + SI_MODULES, 4, ramdisk.len ? 2 : 1);
    stub_guest_le(&g, g.start_info_gpa + SI_MODLIST, 8, g.modlist_gpa);
    stub_guest_le(&g, g.start_info_gpa + SI_CMDLINE, 8, g.carrier_gpa);
    stub_guest_le(&g, g.start_info_gpa + SI_RSDP, 8, m->rsdp_gpa);
    stub_guest_le(&g, g.start_info_gpa + SI_MEMMAP, 8, g.memmap_gpa);
    stub_guest_le(&g, g.start_info_gpa + SI_ENTRIES, 8, g.memmap_entries);
    g.used_end = (at + PAGE - 1) & ~(PAGE - 1);
    return g;
}

void stub_guest_soil(struct stub_guest *g, uint64_t start, uint64_t end)
{
    if (start < STUB_GPA)
        memset(g->memory + start, RUBBISH, (end < STUB_GPA ? end : STUB_GPA) - start);
    if (start < g->used_end)
        start = g->used_end;
    if (start < end)
        memset(g->memory + start, RUBBISH, end - start);
}

void stub_guest_free(struct stub_guest *g)
{
    munmap(g->memory, g->memory_bytes);
    g->memory = NULL;
}

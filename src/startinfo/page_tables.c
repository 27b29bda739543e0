/* SPDX-License-Identifier: LGPL-2.1-only */
#include "page_tables.h"

/* Intel SDM vol. 3, 4.5. */
#define PRESENT 0x1u
#define WRITABLE 0x2u
#define LARGE 0x80u
#define ENTRIES 512u
#define TABLE_BYTES 4096u

/* From the root down: what one entry spans, and what it carries beside an address. */
static const struct level {
    unsigned int shift;
    uint64_t flags;
    bool leaf;
} level[] = {
    { 39, PRESENT | WRITABLE, false }, /* PML4 */
    { 30, PRESENT | WRITABLE, false }, /* PDPT */
    { 21, PRESENT | WRITABLE | LARGE, true },
};

static bool wanted(const struct pvb_span *map, size_t n, uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < n; i++)
        if (map[i].start < end && start < map[i].end && map[i].start < map[i].end)
            return true;
    return false;
}

struct walk {
    struct pvb_blob *b;
    const struct pvb_span *map;
    size_t n;
};

/* One table whose first entry maps @base, and everything below it. */
static uint64_t put_table(const struct walk *w, const struct level *l, uint64_t base)
{
    uint64_t table = pvb_reserve(w->b, TABLE_BYTES, TABLE_BYTES);

    for (uint64_t i = 0; i < ENTRIES; i++) {
        uint64_t start = base + (i << l->shift), entry;

        if (!wanted(w->map, w->n, start, start + (1ull << l->shift)))
            continue;
        entry = (l->leaf ? start : put_table(w, l + 1, start)) | l->flags;
        pvb_poke(w->b, table + i * sizeof(entry), &entry, sizeof(entry));
    }
    return table;
}

uint64_t pvb_put_page_tables(struct pvb_blob *b, const struct pvb_span *map, size_t n)
{
    return put_table(&(struct walk){ b, map, n }, level, 0);
}

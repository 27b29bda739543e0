/* SPDX-License-Identifier: LGPL-2.1-only */
#include "pv_tables.h"

#define PRESENT 0x1u
#define WRITABLE 0x2u
#define USER 0x4u
#define ACCESSED 0x20u
#define DIRTY 0x40u
/* As stock libxenguest has them: Xen itself sees to it that a guest's kernel pages are the guest's. */
#define LEAF (PRESENT | WRITABLE | ACCESSED)
#define TABLE (LEAF | DIRTY | USER)
#define PAGE 4096u
#define ENTRIES 512u
#define ROOT 4u
#define VA_BITS 48

static uint64_t index_of(uint64_t va, unsigned int level)
{
    return (va & ((1ull << VA_BITS) - 1)) >> (12 + 9 * (level - 1));
}

/* Numbers of the first and the last entry of @level that @m needs, counted over all tables of that level there could be. */
static uint64_t first_of(const struct pvb_pv_map *m, unsigned int level)
{
    return index_of(m->va, level);
}

static uint64_t last_of(const struct pvb_pv_map *m, unsigned int level)
{
    return index_of(m->va + m->bytes - 1, level);
}

/* How many tables of @level: as many as entries one level up. */
static uint64_t tables_of(const struct pvb_pv_space *s, size_t i, unsigned int level)
{
    if (level == ROOT)
        return i == 0;
    return last_of(&s->map[i], level + 1) - first_of(&s->map[i], level + 1) + 1;
}

uint64_t pvb_pv_tables(const struct pvb_pv_space *s, size_t i)
{
    uint64_t n = 0;

    for (unsigned int level = ROOT; level; level--)
        n += tables_of(s, i, level);
    return n;
}

/* Where the tables of @level of map @i begin. */
static uint64_t level_gpa(const struct pvb_pv_space *s, size_t i, unsigned int level)
{
    uint64_t gpa = s->map[i].tables_gpa;

    for (unsigned int above = ROOT; above > level; above--)
        gpa += tables_of(s, i, above) * PAGE;
    return gpa;
}

static bool is_table(const struct pvb_pv_space *s, uint64_t gpa)
{
    for (size_t i = 0; i < s->n; i++)
        if (gpa >= s->map[i].tables_gpa && gpa - s->map[i].tables_gpa < pvb_pv_tables(s, i) * PAGE)
            return true;
    return false;
}

/* What the entry points to is @i's entry @entry of @level, counted as above. */
static uint64_t entry_of(const struct pvb_pv_space *s, size_t i, unsigned int level, uint64_t entry)
{
    uint64_t nth = entry - first_of(&s->map[i], level);
    uint64_t gpa = (level == 1 ? s->map[i].gpa : level_gpa(s, i, level - 1)) + nth * PAGE;
    uint64_t flags = level > 1 ? TABLE : is_table(s, gpa) ? LEAF & ~WRITABLE : LEAF;

    return pvb_pv_frame(s->mfn, gpa) * PAGE | flags;
}

static void fill(struct pvb_blob *b, const struct pvb_pv_space *s, size_t i, unsigned int level)
{
    size_t root = level == ROOT ? 0 : i;
    uint64_t base = level == ROOT ? 0 : first_of(&s->map[i], level + 1) * ENTRIES;

    for (uint64_t at = first_of(&s->map[i], level); at <= last_of(&s->map[i], level); at++) {
        uint64_t entry = entry_of(s, i, level, at);

        pvb_poke(b, level_gpa(s, root, level) + (at - base) * sizeof(entry), &entry, sizeof(entry));
    }
}

uint64_t pvb_put_pv_tables(struct pvb_blob *b, const struct pvb_pv_space *s, size_t i)
{
    uint64_t gpa = pvb_reserve(b, pvb_pv_tables(s, i) * PAGE, PAGE);

    if (!b->buf || !gpa)
        return gpa;
    for (size_t of = 0; i == 0 && of < s->n; of++)
        fill(b, s, of, ROOT);
    for (unsigned int level = ROOT - 1; level; level--)
        fill(b, s, i, level);
    return gpa;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The guest-physical memory map as a sorted array. */
#include "base.h"

#include <inttypes.h>

bool pvboot_memmap_valid(const struct pvboot_memmap *m)
{
    bool ok = m->n <= PVBOOT_MEMMAP_MAX;

    for (size_t i = 0; ok && i < m->n; i++)
        ok = m->r[i].start < m->r[i].end && (!i || m->r[i - 1].end <= m->r[i].start);
    return ok;
}

/* Append, growing the last range when @r continues it; false when the map is full. */
static bool append(struct pvboot_memmap *m, struct pvboot_range r)
{
    struct pvboot_range *last = m->n ? &m->r[m->n - 1] : NULL;

    if (last && last->end == r.start && last->type == r.type) {
        last->end = r.end;
        return true;
    }
    if (m->n == PVBOOT_MEMMAP_MAX)
        return false;
    m->r[m->n++] = r;
    return true;
}

int pvboot_memmap_set(struct pvboot_memmap *m, uint64_t start, uint64_t end, uint32_t type, struct pvboot_error *e)
{
    const struct pvboot_range added = { start, end, type };
    struct pvboot_memmap out;
    bool fits = true, done = false;

    if (start >= end)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "memory range 0x%" PRIx64 "..0x%" PRIx64 " of type %u is empty", start,
                        end, type);
    out.n = 0;
    for (size_t i = 0; fits && i < m->n; i++) {
        struct pvboot_range r = m->r[i];

        if (r.start < start)
            fits = append(&out, (struct pvboot_range){ r.start, r.end < start ? r.end : start, r.type });
        if (r.end > start && !done) {
            fits = fits && append(&out, added);
            done = true;
        }
        if (r.end > end)
            fits = fits && append(&out, (struct pvboot_range){ r.start > end ? r.start : end, r.end, r.type });
    }
    if (!done)
        fits = fits && append(&out, added);
    if (!fits)
        return pvb_fail(e, PVBOOT_E_LIMIT,
                        "the memory map has no entry left for 0x%" PRIx64 "..0x%" PRIx64 ": limit %u ranges", start,
                        end, PVBOOT_MEMMAP_MAX);
    m->n = out.n;
    memcpy(m->r, out.r, out.n * sizeof(out.r[0]));
    return 0;
}

bool pvboot_memmap_inside(const struct pvboot_memmap *m, uint64_t start, uint64_t end, uint32_t type)
{
    for (size_t i = 0; start < end && i < m->n; i++)
        if (m->r[i].start <= start && end <= m->r[i].end)
            return m->r[i].type == type;
    return false;
}

uint64_t pvboot_memmap_bytes(const struct pvboot_memmap *m, uint32_t type)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < m->n; i++)
        if (m->r[i].type == type)
            sum += m->r[i].end - m->r[i].start;
    return sum;
}

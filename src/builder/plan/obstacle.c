/* SPDX-License-Identifier: LGPL-2.1-only */
/* Why a kernel finds no room where it has to lie: for the text of a refusal. */
#include "room.h"

#include <inttypes.h>
#include <stdio.h>

static const char *name(const struct pvboot_machine *m, const struct pvboot_range *r)
{
    if (m->special_start < r->end && r->start < m->special_end)
        return "the special pages";
    switch (r->type) {
    case PVBOOT_RESERVED:
        return "a reserved range";
    case PVBOOT_ACPI:
    case PVBOOT_NVS:
        return "the ACPI tables";
    default:
        return "unusable memory";
    }
}

static uint64_t memory_end(const struct pvboot_memmap *map)
{
    for (size_t i = map->n; i-- > 0;)
        if (map->r[i].type == PVBOOT_RAM)
            return map->r[i].end;
    return 0;
}

const char *pvb_in_the_way(char *text, const struct pvboot_machine *m, uint64_t start, uint64_t end)
{
    const struct pvboot_range *r = m->map.r, *stop = r + m->map.n;

    text[0] = '\0';
    for (; r < stop && r->start <= start && (r->type == PVBOOT_RAM || r->end <= start); r++)
        if (r->end > start)
            start = r->end;
    if (start >= end) /* all RAM: something else forbids it */
        return text;
    if (end > memory_end(&m->map))
        snprintf(text, PVB_IN_THE_WAY_BYTES, "; guest memory ends at 0x%" PRIx64, memory_end(&m->map));
    else if (r->start > start)
        snprintf(text, PVB_IN_THE_WAY_BYTES, "; no memory is at 0x%" PRIx64 "..0x%" PRIx64, start, r->start);
    else
        snprintf(text, PVB_IN_THE_WAY_BYTES, "; in the way: %s at 0x%" PRIx64 "..0x%" PRIx64, name(m, r), r->start,
                 r->end);
    return text;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where something finds room: first fit from below or from above. */
#include "room.h"

#include <inttypes.h>
#include <stdio.h>

void pvb_room_init(struct pvb_room *room, const struct pvboot_memmap *map)
{
    room->n = 0;
    for (size_t i = 0; i < map->n; i++) {
        uint64_t start = map->r[i].start, end = map->r[i].end;

        if (map->r[i].type != PVBOOT_RAM)
            continue;
        while (i + 1 < map->n && map->r[i + 1].type == PVBOOT_RAM && map->r[i + 1].start == end)
            end = map->r[++i].end;
        end &= ~(PVB_PAGE - 1);
        if (!pvb_align_up(start, PVB_PAGE, &start) || start >= end)
            continue;
        room->r[room->n].start = start;
        room->r[room->n++].end = end;
    }
}

/* The part of free extent @i inside [@from, @limit); false when there is none. */
static bool clip(const struct pvb_room *room, size_t i, uint64_t from, uint64_t limit, uint64_t *lo, uint64_t *hi)
{
    *lo = room->r[i].start > from ? room->r[i].start : from;
    *hi = room->r[i].end < limit ? room->r[i].end : limit;
    return *lo < *hi;
}

bool pvb_room_has(const struct pvb_room *room, uint64_t start, uint64_t bytes)
{
    for (size_t i = 0; i < room->n; i++)
        if (room->r[i].start <= start && start < room->r[i].end)
            return bytes <= room->r[i].end - start;
    return false;
}

bool pvb_room_lowest(const struct pvb_room *room, const struct pvb_want *w, uint64_t *start)
{
    for (size_t i = 0; i < room->n; i++) {
        uint64_t lo, hi, at;

        if (!clip(room, i, w->from, w->limit, &lo, &hi) || !pvb_add(lo, (w->phase - lo) & (w->align - 1), &at))
            continue;
        if (at < hi && w->bytes <= hi - at) {
            *start = at;
            return true;
        }
    }
    return false;
}

bool pvb_room_highest(const struct pvb_room *room, const struct pvb_want *w, uint64_t *start)
{
    for (size_t i = room->n; i-- > 0;) {
        uint64_t lo, hi, at;

        if (!clip(room, i, w->from, w->limit, &lo, &hi) || w->bytes > hi - lo)
            continue;
        at = hi - w->bytes;
        at -= (at - w->phase) & (w->align - 1);
        if (at >= lo && at <= hi - w->bytes) {
            *start = at;
            return true;
        }
    }
    return false;
}

void pvb_room_take(struct pvb_room *room, uint64_t start, uint64_t bytes)
{
    uint64_t end = start + bytes, tail_end;
    size_t i = 0;

    while (i < room->n && room->r[i].end <= start)
        i++;
    if (i == room->n)
        return;
    tail_end = room->r[i].end;
    room->r[i].end = start;
    if (end < tail_end && room->n < PVB_EXTENTS_MAX) {
        memmove(&room->r[i + 2], &room->r[i + 1], (room->n - i - 1) * sizeof(room->r[0]));
        room->r[i + 1].start = end;
        room->r[i + 1].end = tail_end;
        room->n++;
    }
    if (room->r[i].start == room->r[i].end) {
        memmove(&room->r[i], &room->r[i + 1], (room->n - i - 1) * sizeof(room->r[0]));
        room->n--;
    }
}

uint64_t pvb_room_largest(const struct pvb_room *room, uint64_t from, uint64_t limit, uint64_t *start)
{
    uint64_t best = 0;

    *start = 0;
    for (size_t i = 0; i < room->n; i++) {
        uint64_t lo, hi;

        if (clip(room, i, from, limit, &lo, &hi) && hi - lo > best) {
            best = hi - lo;
            *start = lo;
        }
    }
    return best;
}

const char *pvb_below(char *text, uint64_t limit)
{
    text[0] = '\0';
    if (limit != UINT64_MAX)
        snprintf(text, PVB_BELOW_BYTES, " below 0x%" PRIx64, limit);
    return text;
}

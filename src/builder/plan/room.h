/* SPDX-License-Identifier: LGPL-2.1-only */
/* Free guest RAM while a plan is made: whole pages, ascending, adjacent ranges joined. */
#ifndef PVB_ROOM_H
#define PVB_ROOM_H

#include "../base/base.h"

#define PVB_LOW_MEM_END 0x100000ull /* below lie the trampoline, the BIOS data area and the ISA hole */

/* Each placement splits one extent at most. */
#define PVB_EXTENTS_MAX (PVBOOT_MEMMAP_MAX + PVBOOT_SEGMENTS)

struct pvb_room {
    size_t n;
    struct {
        uint64_t start, end;
    } r[PVB_EXTENTS_MAX];
};

/* What is looked for: @bytes inside [@from, @limit), at an address equal to @phase modulo @align. */
struct pvb_want {
    uint64_t bytes, align, phase;
    uint64_t from, limit;
};

void pvb_room_init(struct pvb_room *room, const struct pvboot_memmap *map);
bool pvb_room_has(const struct pvb_room *room, uint64_t start, uint64_t bytes);
bool pvb_room_lowest(const struct pvb_room *room, const struct pvb_want *w, uint64_t *start);
bool pvb_room_highest(const struct pvb_room *room, const struct pvb_want *w, uint64_t *start);
/* Mark as used; the range is free. */
void pvb_room_take(struct pvb_room *room, uint64_t start, uint64_t bytes);
/* " below 0x...", or nothing for UINT64_MAX; for the text of a refusal. */
#define PVB_BELOW_BYTES 32
const char *pvb_below(char *text, uint64_t limit);
/* What keeps [@start, @end) from being RAM: "; in the way: the ACPI tables at 0x...", or ""; likewise. */
#define PVB_IN_THE_WAY_BYTES 80
const char *pvb_in_the_way(char *text, const struct pvboot_machine *m, uint64_t start, uint64_t end);
/* Bytes of the largest free range inside [@from, @limit), and where it starts: for the text of a refusal. */
uint64_t pvb_room_largest(const struct pvb_room *room, uint64_t from, uint64_t limit, uint64_t *start);

#endif

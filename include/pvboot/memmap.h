/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The guest-physical memory map: what the guest finds in its e820 and what the planner places into.
 */
#ifndef PVBOOT_MEMMAP_H
#define PVBOOT_MEMMAP_H

#include <pvboot/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ACPI 6.2 section 15 address range types; the same numbers in e820 and in Xen's hvm memmap. */
enum pvboot_memtype {
    PVBOOT_RAM = 1,
    PVBOOT_RESERVED = 2,
    PVBOOT_ACPI = 3,
    PVBOOT_NVS = 4,
    PVBOOT_UNUSABLE = 5,
};

struct pvboot_range {
    uint64_t start, end; /* bytes, [start, end) */
    uint32_t type;       /* enum pvboot_memtype */
};

#define PVBOOT_MEMMAP_MAX 1024u

/* Ascending, non-empty, disjoint.  Gaps are holes: neither RAM nor anything else. */
struct pvboot_memmap {
    size_t n;
    struct pvboot_range r[PVBOOT_MEMMAP_MAX];
};

/* Is the invariant above true? */
bool pvboot_memmap_valid(const struct pvboot_memmap *m);

/*
 * Put [@start, @end) of @type into the map, replacing what was there (a reservation cuts a hole into RAM).
 * Adjacent ranges of one type are joined.  -MALFORMED: start >= end; -LIMIT: too many ranges.
 * On failure the map is unchanged.
 */
int pvboot_memmap_set(struct pvboot_memmap *m, uint64_t start, uint64_t end, uint32_t type, struct pvboot_error *e);

/* Does [@start, @end) lie wholly inside one range of type @type? */
bool pvboot_memmap_inside(const struct pvboot_memmap *m, uint64_t start, uint64_t end, uint32_t type);

/* Sum of the bytes of type @type. */
uint64_t pvboot_memmap_bytes(const struct pvboot_memmap *m, uint32_t type);

#ifdef __cplusplus
}
#endif

#endif

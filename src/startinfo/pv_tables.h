/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Page tables of a PV guest: four levels, 4 KiB pages, machine frames in their entries; what maps a page table is not
 * writable, since Xen takes no other for one.  Spec: Xen public xen.h, "Start-of-day memory layout"; Intel SDM vol. 3, 4.5.
 */
#ifndef PVB_PV_TABLES_H
#define PVB_PV_TABLES_H

#include "blob.h"

/* Whole pages from virtual address ->va on, of pseudo-physical ones from ->gpa on. */
struct pvb_pv_map {
    uint64_t va, bytes, gpa;
    uint64_t tables_gpa; /* where its tables lie: the root, if it is the first map, then level 3, 2 and 1 */
};

/*
 * The address space of @n maps, one or two, no two of which share an entry of the root; the root lies with the first.
 * ->mfn: the frame of each page; NULL: each is its own.
 */
struct pvb_pv_space {
    const struct pvb_pv_map *map;
    size_t n;
    const uint64_t *mfn;
};

/* How many tables map @i of @s takes. */
uint64_t pvb_pv_tables(const struct pvb_pv_space *s, size_t i);
/* Those of map @i, at its ->tables_gpa, which is where @b is; their gpa. */
uint64_t pvb_put_pv_tables(struct pvb_blob *b, const struct pvb_pv_space *s, size_t i);

static inline uint64_t pvb_pv_frame(const uint64_t *mfn, uint64_t gpa)
{
    return mfn ? mfn[gpa >> 12] : gpa >> 12;
}

#endif

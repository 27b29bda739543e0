/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Page tables for a 64-bit entry: four levels, identity, 2 MiB pages, present and writable.
 * boot.rst "64-bit boot protocol" wants the kernel's window, the zero page and the command line covered.
 */
#ifndef PVB_PAGE_TABLES_H
#define PVB_PAGE_TABLES_H

#include "blob.h"

/* Bytes at a guest physical address, [start, end); below 2^48, any alignment. */
struct pvb_span {
    uint64_t start, end;
};

/* Map the @n ranges of @map; they may overlap.  The root's gpa, for cr3: the first page this puts. */
uint64_t pvb_put_page_tables(struct pvb_blob *b, const struct pvb_span *map, size_t n);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The GDT boot.rst asks for: __BOOT_CS 0x10 and __BOOT_DS 0x18, flat 4 GiB; for a 64-bit entry the code is 64-bit.
 */
#ifndef PVB_GDT_H
#define PVB_GDT_H

#include "blob.h"

#define PVB_BOOT_CS 0x10u
#define PVB_BOOT_DS 0x18u

/* Its gpa; @mode is 32 or 64. */
uint64_t pvb_put_gdt(struct pvb_blob *b, uint32_t mode);

#endif

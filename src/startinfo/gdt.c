/* SPDX-License-Identifier: LGPL-2.1-only */
#include "gdt.h"

/* Intel SDM vol. 3, 3.4.5: base 0, limit 0xfffff pages, present, ring 0, accessed. */
#define CODE32 0x00cf9b000000ffffull /* D=1: execute/read */
#define CODE64 0x00af9b000000ffffull /* L=1, D=0: execute/read */
#define DATA 0x00cf93000000ffffull   /* read/write */

uint64_t pvb_put_gdt(struct pvb_blob *b, uint32_t mode)
{
    const uint64_t gdt[] = {
        [PVB_BOOT_CS / 8] = mode == 64 ? CODE64 : CODE32,
        [PVB_BOOT_DS / 8] = DATA,
    };

    return pvb_put(b, gdt, sizeof(gdt), 8);
}

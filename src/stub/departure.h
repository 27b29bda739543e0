/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The last page the stub uses: what is left to do once its own memory may be overwritten, and the code that does it.
 * C fills it, head.S walks it; the offsets are the seam.
 */
#ifndef PVB_DEPARTURE_H
#define PVB_DEPARTURE_H

#define PVB_DEP_CR0 0
#define PVB_DEP_CR3 4 /* 0: stay in 32-bit mode */
#define PVB_DEP_CR4 8
#define PVB_DEP_EFER 12
#define PVB_DEP_RIP 16
#define PVB_DEP_RSI 20
#define PVB_DEP_CS 24
#define PVB_DEP_DS 28
#define PVB_DEP_GDTR 34 /* so that the base in it is aligned */
#define PVB_DEP_MOVES 40
#define PVB_DEP_MOVE 44
#define PVB_MOVE_BYTES 12
#define PVB_MOVES_MAX 16
#define PVB_DEP_CODE (PVB_DEP_MOVE + PVB_MOVES_MAX * PVB_MOVE_BYTES)
#define PVB_DEP_BYTES 4096 /* from its end the stack grows down */

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* Bytes from one place to another, which may overlap; src 0: zeroes. */
struct pvb_move {
    uint32_t dst, src, bytes;
};

struct pvb_departure {
    uint32_t cr0, cr3, cr4, efer, rip, rsi, cs, ds;
    uint16_t reserved, gdt_limit;
    uint32_t gdt_gpa;
    uint32_t n_moves;
    struct pvb_move move[PVB_MOVES_MAX]; /* in an order in which none destroys what a later one reads */
    uint8_t code[PVB_DEP_BYTES - PVB_DEP_CODE];
};

_Static_assert(sizeof(struct pvb_move) == PVB_MOVE_BYTES, "head.S");
_Static_assert(sizeof(struct pvb_departure) == PVB_DEP_BYTES, "head.S");
_Static_assert(offsetof(struct pvb_departure, ds) == PVB_DEP_DS, "head.S");
_Static_assert(offsetof(struct pvb_departure, gdt_limit) == PVB_DEP_GDTR, "head.S");
_Static_assert(offsetof(struct pvb_departure, n_moves) == PVB_DEP_MOVES, "head.S");
_Static_assert(offsetof(struct pvb_departure, code) == PVB_DEP_CODE, "head.S");
#endif

#endif

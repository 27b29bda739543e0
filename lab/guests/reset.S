/* SPDX-License-Identifier: LGPL-2.1-only */
/* A PVH guest of one instruction: without an interrupt table, what it does is a triple fault, which is a reboot. */

        .section .note.Xen, "a", @note
        .long   4, 4, 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .long   _start

        .text
        .code32
        .globl  _start
_start: ud2
        .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * QEMU's -kernel starts this; it goes on to the entry, with the start info, that stand at JUMP_TABLE.  So a test can lay
 * out memory as Xen's toolstack does, where QEMU itself would put a single module elsewhere.  It lies where no layout of
 * the tests reaches; QEMU starts nothing below 1 MiB.
 */
#define JUMP_TABLE 0x7000800

        .section .text.jump, "ax", @progbits
        .code32
        .globl  jump
jump:   mov     JUMP_TABLE, %ebx
        jmp     *JUMP_TABLE + 4

        .section .note.Xen, "a", @note
        .long   4, 4, 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .long   jump
        .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where the stub is entered: Xen docs/misc/pvh.pandoc, 32-bit protected mode, paging off, EBX = hvm_start_info.
 * Notes: Xen xen/include/public/elfnote.h, and our own by which the toolstack tells the stub from other kernels.
 */
#include <xen/elfnote.h>

        .macro  note name, type, desc:vararg
        .p2align 2
        .long   1f - 0f, 3f - 2f, \type
0:      .asciz  "\name"
1:      .p2align 2
2:      \desc
3:      .p2align 2
        .endm

        .section .note.Xen, "a", @note
        note    Xen, XEN_ELFNOTE_PHYS32_ENTRY, .long pvb_stub_entry
        note    Xen, XEN_ELFNOTE_GUEST_OS, .asciz "pvboot-stub"
        note    Xen, XEN_ELFNOTE_GUEST_VERSION, .asciz PVBOOT_VERSION
        note    Xen, XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
        note    Xen, XEN_ELFNOTE_LOADER, .asciz "generic"

        .section .note.pvboot, "a", @note
        note    pvboot, 1, .asciz PVBOOT_VERSION

        .section .text.entry, "ax", @progbits
        .code32
        .globl  pvb_stub_entry
pvb_stub_entry:
        cld
        mov     $stack_top, %esp
        push    %ebx
        call    pvb_stub_main           /* does not return */
        ud2

        .section .bss
        .p2align 4
        .skip   16384
stack_top:
        .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The PVH entry: 32-bit protected mode, flat segments, no paging, EBX = start info (Xen docs/misc/pvh.pandoc).  The note
 * tells it to Xen's and pvboot's loaders: type 18, XEN_ELFNOTE_PHYS32_ENTRY.
 */
    .section .note.Xen, "a", @note
    .align 4
    .long 4, 4, 18
    .asciz "Xen"
    .long start

    .text
    .globl start
start:
    cld
    mov $stack_end, %esp
    mov $bss_start, %edi
    mov $bss_end, %ecx
    sub %edi, %ecx
    xor %eax, %eax
    rep stosb
    push %ebx
    call unikernel
1:  hlt
    jmp 1b

/* int hypercall(number, a, b): by the page that Xen fills, 32 bytes for each (public xen.h). */
    .globl hypercall
hypercall:
    push %ebx
    mov 8(%esp), %eax
    mov 12(%esp), %ebx
    mov 16(%esp), %ecx
    shl $5, %eax
    add $hypercall_page, %eax
    call *%eax
    pop %ebx
    ret

    .section .bss
    .balign 4096
    .globl hypercall_page, shared_page
hypercall_page:
    .skip 4096
shared_page:
    .skip 4096
    .skip 8192
stack_end:

    .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Linked to the address of a PV entry, in whose place it is put: enters NATIVE_ENTRY with the trap flag set, and notes where
 * each instruction is that is about to be executed.  Xen gives a PV kernel the exception that the flag makes, on the stack
 * that it has.  Numbers and frames: xen/include/public/arch-x86/xen.h and xen-x86_64.h.
 */
#define __ASSEMBLY__
#include <xen/xen.h>

#define DEBUG_EXCEPTION 1
#define TRAP_FLAG 0x100
#define RING_3 3
#define CS 8
#define WAS_IP (3 * 8 + 2 * 8) /* three pushed by us; rcx and r11 by Xen */

    .text
    .global _start
_start:
    push %rsi
    lea traps(%rip), %rdi
    mov $__HYPERVISOR_set_trap_table, %eax
    syscall
    pop %rsi
    test %eax, %eax
    jnz refused
    pushfq
    orq $TRAP_FLAG, (%rsp)
    movabs $NATIVE_ENTRY, %rax
    popfq
    jmp *%rax
refused:
    ud2

step:
    push %rax
    push %rdx
    push %rsi
    mov WAS_IP(%rsp), %rax
    mov steps(%rip), %rdx
    cmp $STEPS_MAX, %rdx
    jae 1f
    lea list(%rip), %rsi
    mov %rax, (%rsi, %rdx, 8)
    incq steps(%rip)
1:  pop %rsi
    pop %rdx
    pop %rax
    pop %rcx
    pop %r11
    orl $RING_3, CS(%rsp) /* of which Xen has taken the privilege level: it means the guest's kernel */
    iretq

    .balign 16
traps:
    .byte DEBUG_EXCEPTION, 0
    .word FLAT_KERNEL_CS
    .long 0
    .quad step
    .quad 0, 0 /* none follows */

    .org STEPS_AT
steps:
    .quad 0
list:
    .fill STEPS_MAX, 8, 0

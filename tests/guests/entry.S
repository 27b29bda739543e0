/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * First instructions of the probe kernels: what the registers hold goes to memory before anything else happens.
 * ENTRY_PVH, ENTRY_LINUX32, ENTRY_LINUX64 or ENTRY_VMLINUX64 says which way in is the right one; the bzImages have the
 * other entry, too, and complain when it is taken.
 */
#include "layout.h"

        .section .bss
        .p2align 4
        .skip   65536
stack_top:
        .globl  probe_saved
probe_saved:
        .skip   18 * 8

        .section .text.entry, "ax", @progbits
        .globl  probe_start
probe_start:

#if defined(ENTRY_PVH) || defined(ENTRY_LINUX32)
        .code32
        mov     %eax, probe_saved + 0
        mov     %ecx, probe_saved + 4
        mov     %edx, probe_saved + 8
        mov     %ebx, probe_saved + 12
        mov     %esp, probe_saved + 16
        mov     %ebp, probe_saved + 20
        mov     %esi, probe_saved + 24
        mov     %edi, probe_saved + 28
        mov     $stack_top, %esp
        pushf
        pop     probe_saved + 32
        cld
        call    probe_main
#else
        .code32
        mov     $wrong, %esi
        mov     $wrong_end - wrong, %ecx
        mov     $0xe9, %edx
        rep outsb
        hlt
wrong:  .ascii  "@probe error=entered at startup_32\n"
wrong_end:
#endif

/* boot.rst, "64-bit Boot Protocol": the entry is 0x200 bytes behind the start. */
        .org    STARTUP_64_OFF
        .code64
        .globl  probe_start64
probe_start64:
#if defined(ENTRY_LINUX64) || defined(ENTRY_VMLINUX64)
        mov     %rax, probe_saved + 0(%rip)
        mov     %rcx, probe_saved + 8(%rip)
        mov     %rdx, probe_saved + 16(%rip)
        mov     %rbx, probe_saved + 24(%rip)
        mov     %rsp, probe_saved + 32(%rip)
        mov     %rbp, probe_saved + 40(%rip)
        mov     %rsi, probe_saved + 48(%rip)
        mov     %rdi, probe_saved + 56(%rip)
        mov     %r8, probe_saved + 64(%rip)
        mov     %r9, probe_saved + 72(%rip)
        mov     %r10, probe_saved + 80(%rip)
        mov     %r11, probe_saved + 88(%rip)
        mov     %r12, probe_saved + 96(%rip)
        mov     %r13, probe_saved + 104(%rip)
        mov     %r14, probe_saved + 112(%rip)
        mov     %r15, probe_saved + 120(%rip)
        lea     stack_top(%rip), %rsp
        pushf
        pop     probe_saved + 128(%rip)
        cld
        call    probe_main
#else
        mov     $wrong64, %esi
        mov     $wrong64_end - wrong64, %ecx
        mov     $0xe9, %edx
        rep outsb
        hlt
wrong64: .ascii "@probe error=entered at startup_64\n"
wrong64_end:
#endif

/* What the other processors run, in real mode, copied to AP_GPA: say who you are and stop. */
        .section .rodata
        .code16
        .globl  probe_ap, probe_ap_end
probe_ap:
        mov     $1, %eax
        cpuid
        shr     $24, %ebx               /* initial APIC id */
        or      $0x100, %ebx            /* so that id 0 is something, too */
        mov     %cs, %ax
        mov     %ax, %ds
        mov     %ebx, AP_MAILBOX
1:      cli
        hlt
        jmp     1b
probe_ap_end:

#ifdef ENTRY_PVH
        .section .note.Xen, "a", @note
        .long   4, 4, 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .long   probe_start
#endif
#ifdef ENTRY_VMLINUX64
        .section .note.Xen, "a", @note
        .long   4, 6, 6                 /* XEN_ELFNOTE_GUEST_OS: takes a zero page */
        .asciz  "Xen"
        .asciz  "linux"
        .p2align 2
#endif
        .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where the stub is entered, and where it leaves.
 *
 * In: Xen docs/misc/pvh.pandoc, 32-bit protected mode, paging off, EBX = hvm_start_info.  Notes: Xen
 * xen/include/public/elfnote.h, and our own by which the toolstack tells the stub from other kernels.
 * Out: Linux Documentation/arch/x86/boot.rst, "32-bit Boot Protocol" and "64-bit Boot Protocol".
 */
#include "departure.h"

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
        mov     %ebx, %eax
        call    pvb_stub_main           /* first argument in EAX; does not return */
        ud2

/*
 * Copied into the departure page, which EAX and then EBP point to: no absolute address in here, and nothing outside
 * may be used once the first move has been made.
 */
        .globl  pvb_depart_code
pvb_depart_code:
        mov     %eax, %ebp
        lea     PVB_DEP_BYTES(%ebp), %esp
        mov     PVB_DEP_MOVES(%ebp), %edx
        lea     PVB_DEP_MOVE(%ebp), %ebx

next_move:
        test    %edx, %edx
        jz      moved
        mov     0(%ebx), %edi
        mov     4(%ebx), %esi
        mov     8(%ebx), %ecx
        test    %esi, %esi
        jnz     copy
        xor     %eax, %eax
        rep stosb
        jmp     done
copy:   mov     %edi, %eax
        sub     %esi, %eax
        cmp     %ecx, %eax
        jae     forward                 /* the target does not begin inside the source */
        std
        lea     -1(%edi, %ecx), %edi
        lea     -1(%esi, %ecx), %esi
        mov     %ecx, %eax
        and     $3, %ecx
        rep movsb
        sub     $3, %edi
        sub     $3, %esi
        mov     %eax, %ecx
        shr     $2, %ecx
        rep movsl
        cld
        jmp     done
forward:
        mov     %ecx, %eax
        shr     $2, %ecx
        rep movsl
        mov     %eax, %ecx
        and     $3, %ecx
        rep movsb
done:   add     $PVB_MOVE_BYTES, %ebx
        dec     %edx
        jmp     next_move

moved:  lgdtl   PVB_DEP_GDTR(%ebp)
        mov     PVB_DEP_DS(%ebp), %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        mov     PVB_DEP_CR3(%ebp), %ecx
        mov     PVB_DEP_CR4(%ebp), %eax
        mov     %eax, %cr4
        jecxz   enter32
        mov     %ecx, %cr3
        mov     $0xc0000080, %ecx       /* EFER; the processor sets LMA itself */
        mov     PVB_DEP_EFER(%ebp), %eax
        and     $~0x400, %eax
        xor     %edx, %edx
        wrmsr
        mov     PVB_DEP_CR0(%ebp), %eax
        mov     %eax, %cr0
        lea     PVB_DEP_CODE + enter64 - pvb_depart_code(%ebp), %eax
        pushl   PVB_DEP_CS(%ebp)
        push    %eax
        lret

enter32:
        mov     PVB_DEP_CR0(%ebp), %eax
        mov     %eax, %cr0
        pushl   PVB_DEP_CS(%ebp)
        pushl   PVB_DEP_RIP(%ebp)
        mov     PVB_DEP_RSI(%ebp), %esi
        xor     %eax, %eax
        xor     %ebx, %ebx
        xor     %ecx, %ecx
        xor     %edx, %edx
        xor     %edi, %edi
        xor     %ebp, %ebp
        push    $2                      /* the bit of EFLAGS that is always set */
        popf
        lret

        .code64
enter64:
        mov     %ebp, %ebp              /* the upper halves are undefined: each of these clears one */
        lea     PVB_DEP_BYTES(%rbp), %rsp
        mov     PVB_DEP_RIP(%rbp), %eax
        push    %rax
        mov     PVB_DEP_RSI(%rbp), %esi
        xor     %eax, %eax
        xor     %ebx, %ebx
        xor     %ecx, %ecx
        xor     %edx, %edx
        xor     %edi, %edi
        xor     %ebp, %ebp
        xor     %r8d, %r8d
        xor     %r9d, %r9d
        xor     %r10d, %r10d
        xor     %r11d, %r11d
        xor     %r12d, %r12d
        xor     %r13d, %r13d
        xor     %r14d, %r14d
        xor     %r15d, %r15d
        push    $2
        popf
        ret
        .globl  pvb_depart_code_end
pvb_depart_code_end:

        .section .bss
        .p2align 4
        .skip   192 * 1024
stack_top:
        .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: LGPL-2.1-only */
/* e9: copies standard input to I/O port 0xe9, which Xen prints in its log.  For 32-bit kernels without Xen drivers.
 * A shell cannot do it: /dev/port moves on to the next port after each byte. */

        .code32
        .globl _start
_start:
        mov     $101, %eax              /* ioperm(0xe9, 1, 1) */
        mov     $0xe9, %ebx
        mov     $1, %ecx
        mov     $1, %edx
        int     $0x80

next:   mov     $3, %eax                /* read(0, buffer, 4096) */
        xor     %ebx, %ebx
        mov     $buffer, %ecx
        mov     $4096, %edx
        int     $0x80
        test    %eax, %eax
        jle     done
        mov     %eax, %ecx
        mov     $buffer, %esi
        mov     $0xe9, %edx
        rep outsb
        jmp     next

done:   mov     $1, %eax                /* exit(0) */
        xor     %ebx, %ebx
        int     $0x80

        .lcomm  buffer, 4096
        .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: LGPL-2.1-only */
/* A guest of a few instructions: turns PAE paging on and says on port 0xe9 whether a 32-bit PAE kernel can work here.
 *
 * QEMU's emulation sets the accessed bit in entries of the page directory pointer table, where the architecture
 * reserves it.  Xen takes such an entry for malformed, so it cannot read the guest's instruction when one is to be
 * emulated, and the guest repeats its first CPUID for ever.  An OUT needs no reading, so the guest can tell. */

        .section .note.Xen, "a", @note
        .long   4, 4, 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .long   _start

        .text
        .code32
        .globl  _start
_start:
        mov     $pointers, %edi         /* identity map of the first 2 MiB */
        movl    $(directory + 1), (%edi)
        movl    $0xe3, directory        /* 2 MiB, dirty, accessed, writable, present */
        mov     $0x20, %eax             /* CR4.PAE */
        mov     %eax, %cr4
        mov     %edi, %cr3
        mov     %cr0, %eax
        or      $0x80000000, %eax
        mov     %eax, %cr0
        jmp     1f

1:      mov     $spoilt, %esi
        testl   $0x20, (%edi)
        jnz     say
        mov     $clean, %esi
say:    lodsb
        test    %al, %al
        jz      stop
        out     %al, $0xe9
        jmp     say
stop:   hlt
        jmp     stop

clean:  .asciz  "@@pvboot-pae works@@\n"
spoilt: .asciz  "@@pvboot-pae spoilt@@\n"
        .bss
        .balign 4096
pointers: .skip 4096
directory: .skip 4096
        .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The first code of a packed image: 32 bits, as data, for pack.c to put in front of the stub.  It makes of the start info
 * that the loader wrote the one that the stub wants, from a template behind it, and enters the stub.
 *
 * In and out: Xen docs/misc/pvh.pandoc, EBX = hvm_start_info; offsets: Xen public arch-x86/hvm/start_info.h.  There is no
 * stack.  Nothing is judged here: what is wrong with the loader's start info is copied, for the stub to refuse.
 */
#include "layout.h"

#ifdef __CET__
#include <cet.h>
#endif

        .section .rodata.pvb_pack_entry, "a", @progbits
        .code32
        .p2align 3
        .globl  pvb_pack_entry, pvb_pack_entry_end, pvb_pack_template_slot, pvb_pack_room_slot, pvb_pack_stub_slot
pvb_pack_entry:
        cld
        .byte   0xbf                    /* mov $template, %edi */
pvb_pack_template_slot:
        .long   0
        .byte   0xbd                    /* mov $room, %ebp */
pvb_pack_room_slot:
        .long   0
        mov     SI_MAGIC(%ebx), %eax
        mov     %eax, SI_MAGIC(%edi)
        cmp     $SI_MAGIC_VALUE, %eax
        jne     leave
        mov     SI_VERSION(%ebx), %eax
        mov     %eax, SI_VERSION(%edi)

        lea     SI_RSDP(%ebx), %esi     /* RSDP, memory map and its length are the loader's */
        mov     %edi, %edx
        add     $SI_RSDP, %edi
        mov     $(SI_BYTES - SI_RSDP) / 4, %ecx
        rep movsl
        mov     %edx, %edi

        mov     SI_MEMMAP_ENTRIES(%edi), %ecx /* some firmware leaves map and text where no RAM is, by that map */
        mov     SI_MEMMAP(%edi), %esi
        cmpl    $0, SI_MEMMAP + 4(%edi)
        jne     0f
        cmp     $MEMMAP_MAX, %ecx
        ja      0f
        mov     %ebp, %edi
        mov     %edi, SI_MEMMAP(%edx)
        lea     (%ecx, %ecx, 2), %ecx
        add     %ecx, %ecx              /* MEMMAP_BYTES / 4 */
        rep movsl
        mov     %edx, %edi

0:      mov     SI_CMDLINE(%ebx), %eax  /* a command line, unless it is empty, replaces ours */
        mov     SI_CMDLINE + 4(%ebx), %ecx
        test    %ecx, %ecx
        jnz     1f
        test    %eax, %eax
        jz      2f
        cmpb    $0, (%eax)
        je      2f
        mov     %eax, %esi
        lea     ROOM_CMDLINE(%ebp), %edi
        mov     $ROOM_CMDLINE_BYTES, %ecx
4:      lodsb
        stosb
        test    %al, %al
        loopne  4b
        mov     %edx, %edi
        mov     SI_CMDLINE(%ebx), %eax
        mov     $0, %ecx                /* which leaves the flags */
        jne     1f                      /* too long: it stays where it is, for the stub to refuse */
        lea     ROOM_CMDLINE(%ebp), %eax
1:      mov     %eax, SI_BYTES + MOD_CMDLINE(%edi)
        mov     %ecx, SI_BYTES + MOD_CMDLINE + 4(%edi)

2:      mov     SI_NR_MODULES(%ebx), %ecx /* so does a ramdisk; more than one is for the stub to refuse */
        test    %ecx, %ecx
        jz      leave
        inc     %ecx
        mov     %ecx, SI_NR_MODULES(%edi)
        mov     SI_MODLIST(%ebx), %esi
        cmpl    $0, SI_MODLIST + 4(%ebx)
        je      3f
        movl    $-1, SI_NR_MODULES(%edi) /* out of reach of 32-bit code */
        jmp     leave
3:      add     $SI_BYTES + MOD_BYTES, %edi
        mov     $MOD_BYTES / 4, %ecx
        rep movsl
        mov     %edx, %edi

leave:  mov     %edi, %ebx
        .byte   0xb8                    /* mov $stub, %eax */
pvb_pack_stub_slot:
        .long   0
        jmp     *%eax
pvb_pack_entry_end:
        .code64

        .section .note.GNU-stack, "", @progbits

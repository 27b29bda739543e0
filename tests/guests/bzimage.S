/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A bzImage around a flat protected-mode part, PART: setup header by Linux Documentation/arch/x86/boot.rst.
 * It cannot be moved, so that it says at once where it lies; it has no payload, because it unpacks nothing.
 */
#include "layout.h"

        .text
file:
        .org    0x1f1
        .byte   1                       /* setup_sects */
        .word   0
        .long   (part_end - part) / 16  /* syssize */
        .word   0, 0xffff, 0
        .word   0xaa55                  /* 0x1fe boot_flag */
        .byte   0xeb, header_end - 1f   /* jump */
1:      .ascii  "HdrS"
        .word   0x020f                  /* 2.15 */
        .long   0
        .word   0
        .word   version - file - 0x200  /* 0x20e kernel_version */
        .byte   0, 1                    /* type_of_loader, loadflags: LOADED_HIGH */
        .word   0
        .long   0x100000                /* 0x214 code32_start */
        .long   0, 0, 0
        .word   0
        .byte   0, 0
        .long   0                       /* 0x228 cmd_line_ptr */
        .long   0x7fffffff              /* initrd_addr_max */
        .long   0x200000                /* 0x230 kernel_alignment */
        .byte   0, 21                   /* relocatable_kernel, min_alignment */
        .word   XLOADFLAGS              /* 0x236 */
        .long   2047                    /* 0x238 cmdline_size */
        .long   0                       /* 0x23c hardware_subarch */
        .quad   0
        .long   0, 0                    /* 0x248 payload */
        .quad   0                       /* 0x250 setup_data */
        .quad   LOAD_GPA                /* 0x258 pref_address */
        .long   WINDOW_BYTES            /* 0x260 init_size */
        .long   0, 0
header_end:
        .org    0x300
version: .asciz "6.1.0-pvboot-probe"
        .org    0x400
part:   .incbin PART
        .p2align 4
part_end:

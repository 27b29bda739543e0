/* SPDX-License-Identifier: LGPL-2.1-only */
#include "layout.h"

#ifdef ENTRY_VMLINUX64
ENTRY(probe_start64)
#else
ENTRY(probe_start)
#endif

PHDRS
{
    text PT_LOAD FLAGS(5);
    data PT_LOAD FLAGS(6);
    note PT_NOTE FLAGS(4);
    stack PT_GNU_STACK FLAGS(6);
}

SECTIONS
{
    . = LOAD_GPA;
    .text : { *(.text.entry) *(.text .text.*) } :text
    .rodata : { *(.rodata .rodata.*) } :text
    .note : { KEEP(*(.note.Xen)) } :text :note
    . = ALIGN(4096);
    .data : { *(.data .data.*) } :data
    probe_load_end = .;
    .bss : { *(.bss .bss.*) *(COMMON) } :data
    ASSERT(. <= LOAD_GPA + WINDOW_BYTES, "the probe outgrew its window")
    /DISCARD/ : { *(.note.*) *(.comment) *(.eh_frame*) }
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The start info as entry.S knows it; pack.c holds these numbers to Xen's own header, where that is installed. */
#ifndef PVB_PACK_LAYOUT_H
#define PVB_PACK_LAYOUT_H

#define SI_MAGIC_VALUE 0x336ec578
#define SI_MAGIC 0
#define SI_VERSION 4
#define SI_NR_MODULES 12
#define SI_MODLIST 16
#define SI_CMDLINE 24
#define SI_RSDP 32
#define SI_MEMMAP 40
#define SI_MEMMAP_ENTRIES 48
#define SI_BYTES 56
#define MOD_PADDR 0
#define MOD_SIZE 8
#define MOD_CMDLINE 16
#define MOD_BYTES 32
#define MEMMAP_BYTES 24
#define MEMMAP_MAX 1024 /* as many as the stub takes; a longer map stays where it is, for the stub to refuse */

/* Behind it all, zeroes in the beginning: room for copies of the loader's memory map and command line. */
#define ROOM_CMDLINE (MEMMAP_MAX * MEMMAP_BYTES)
#define ROOM_CMDLINE_BYTES 4097
#define ROOM_BYTES (ROOM_CMDLINE + 4104)

#endif

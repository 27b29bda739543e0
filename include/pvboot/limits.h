/* SPDX-License-Identifier: LGPL-2.1-only */
/* The limits on what a guest brings, each once.  docs/security.md lists them; the texts of refusals print them. */
#ifndef PVBOOT_LIMITS_H
#define PVBOOT_LIMITS_H

#define PVBOOT_KERNEL_MAX (256ull << 20)         /* kernel file, bytes */
#define PVBOOT_UNPACKED_MAX (512ull << 20)       /* unpacked payload, bytes */
#define PVBOOT_UNPACKED_FLOOR (64ull << 20)      /* below this the ratio does not matter */
#define PVBOOT_UNPACKED_RATIO 100u               /* unpacked : packed */
#define PVBOOT_DECODER_MEMORY_MAX (256ull << 20) /* xz dictionary, zstd window */
#define PVBOOT_RAMDISK_MAX (1ull << 30)          /* one ramdisk file, bytes */
#define PVBOOT_RAMDISKS_MAX 8u                   /* ramdisks joined into one */
#define PVBOOT_STALL_MS 30000u                   /* in so many ms a file being read is done, */
#define PVBOOT_STALL_BYTES (8ull << 20)          /* or so many bytes further */
#define PVBOOT_CMDLINE_MAX 4096u                 /* bytes without NUL, whatever a header claims */
#define PVBOOT_STOCK_CMDLINE_MAX 1023u           /* without NUL; Xen 4.17 xg_dom_x86.c, add_module_to_list() */
#define PVBOOT_LOADS_MAX 73u                     /* ELF program headers: those that fit into a page */
#define PVBOOT_NOTES_MAX 65536u                  /* ELF notes looked at */
#define PVBOOT_VCPUS_MAX 128u                    /* HVM_MAX_VCPUS */
#define PVBOOT_MEMORY_MAX (8ull << 40)           /* guest memory, bytes */

#endif

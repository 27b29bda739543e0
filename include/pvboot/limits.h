/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The limits on what a guest brings, each once.  docs/security.md lists them; the texts of refusals print them.
 *
 * Three sizes are the administrator's to choose, from 1 MiB up to a hard maximum.
 */
#ifndef PVBOOT_LIMITS_H
#define PVBOOT_LIMITS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In bytes; 0: the default, PVBOOT_..._MAX. */
struct pvboot_limits {
    uint64_t kernel, unpacked, ramdisk;
};

static inline uint64_t pvboot_limit(uint64_t chosen, uint64_t otherwise)
{
    return chosen ? chosen : otherwise;
}

#define PVBOOT_KERNEL_MAX (256ull << 20) /* kernel file, bytes */
#define PVBOOT_KERNEL_HARD_MAX (1ull << 30)
#define PVBOOT_UNPACKED_MAX (512ull << 20) /* unpacked payload, bytes */
#define PVBOOT_UNPACKED_HARD_MAX (1ull << 30)
#define PVBOOT_UNPACKED_FLOOR (64ull << 20)      /* below this the ratio does not matter */
#define PVBOOT_UNPACKED_RATIO 100u               /* unpacked : packed */
#define PVBOOT_DECODER_MEMORY_MAX (256ull << 20) /* xz dictionary, zstd window */
#define PVBOOT_RAMDISK_MAX (1ull << 30)          /* one ramdisk file, bytes */
#define PVBOOT_RAMDISK_HARD_MAX (2047ull << 20)  /* boot.rst: initrd_addr_max is 2 GiB - 1 */
#define PVBOOT_RAMDISKS_MAX 8u                   /* ramdisks joined into one */
#define PVBOOT_WRAPPERS_MAX 1u                   /* around a kernel, besides its own payload's */
#define PVBOOT_PE_SECTIONS_MAX 96u               /* of a unified kernel image: what Windows' loader takes */
#define PVBOOT_PARSE_CPU_SECONDS 20u             /* of the confined parser */
#define PVBOOT_PARSE_WALL_MS 30000u              /* likewise, by the clock */
#define PVBOOT_STALL_MS 30000u                   /* in so many ms a file being read is done, */
#define PVBOOT_STALL_BYTES (8ull << 20)          /* or so many bytes further */
#define PVBOOT_CMDLINE_MAX 4096u                 /* bytes without NUL, whatever a header claims */
#define PVBOOT_STOCK_CMDLINE_MAX 1023u           /* without NUL; Xen 4.17 xg_dom_x86.c, add_module_to_list() */
#define PVBOOT_LOADS_MAX 73u                     /* ELF program headers: those that fit into a page */
#define PVBOOT_DUMP_ZEROES_MAX (256ull << 20)    /* between the bytes of one file of a dump */
#define PVBOOT_NOTES_MAX 65536u                  /* ELF notes looked at */
#define PVBOOT_VCPUS_MAX 128u                    /* HVM_MAX_VCPUS */
#define PVBOOT_MEMORY_MAX (8ull << 40)           /* guest memory, bytes */
#define PVBOOT_PV_MEMORY_MAX (64ull << 30) /* the same of a PV domain: a list of all its pages is made in memory */

#ifdef __cplusplus
}
#endif

#endif

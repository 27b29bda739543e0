/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which pieces of a kernel's file tell about the rest.  This process is privileged and the file is a tenant's: four numbers
 * are read, from a private copy, and all they decide is which other bytes are copied.  Where they lead astray, the parser
 * asks for more.  Spec: Linux Documentation/arch/x86/boot.rst.
 */
#include "../../startinfo/abi.h"
#include "hold.h"

#define SECTOR 512u
#define POINTED 64u /* at what is pointed to, or before its end */

static void add(struct pvboot_span *span, uint32_t *n, uint64_t off, uint64_t bytes)
{
    if (off < bytes)
        span[(*n)++] = (struct pvboot_span){ off, bytes - off < POINTED ? bytes - off : POINTED };
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint32_t pvb_shown(struct pvboot_span span[PVBOOT_FILE_SPANS], enum pvboot_show show, struct pvboot_bytes head,
                   uint64_t bytes)
{
    struct setup_header h;
    uint64_t kernel, begin, end;
    uint32_t n = 1;

    span[0] = (struct pvboot_span){ 0, least(bytes, PVBOOT_FILE_HEAD) };
    if (!pvboot_get(head, PVB_HEADER_OFF, &h, sizeof(h)) || h.header != PVB_HEADER_MAGIC)
        return n;
    kernel = (h.setup_sects + 1ull) * SECTOR;
    begin = kernel + h.payload_offset;
    end = begin + h.payload_length;
    if (show == PVBOOT_SHOW_HEADERS)
        span[0].n = least(span[0].n, begin + POINTED);
    add(span, &n, end - POINTED, bytes);
    add(span, &n, kernel + h.kernel_info_offset, bytes);
    return n;
}

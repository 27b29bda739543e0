/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A wish, then any bytes as a bzImage: its setup header, the plan for it, the zero page that comes of it.
 * Before that, of a file that is held, what of it is shown.
 * What a loader writes, and what it copies: Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
 */
#include "builder/describe/describe.h"
#include "builder/file/hold.h"
#include "fuzz.h"

#define HEADER 0x1f1u
#define HEADER_END 0x290u /* of the place zero-page.rst has for it */

/* What boot.rst has a loader write, in the header and around it. */
static bool is_loaders(unsigned int off)
{
    static const struct {
        unsigned int off, bytes;
    } field[] = {
        { 0x070, 8 },  { 0x0c0, 12 }, { 0x1e8, 1 },  { 0x1fa, 2 }, { 0x210, 2 },
        { 0x214, 12 }, { 0x224, 8 },  { 0x23c, 12 }, { 0x250, 8 }, { 0x2d0, 20 * 128 },
    };

    for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
        if (off >= field[i].off && off - field[i].off < field[i].bytes)
            return true;
    return false;
}

static void look(const struct pvboot_kernel *k, const struct pvboot_plan *plan, const uint8_t *page)
{
    uint32_t end = HEADER + k->image.bz.header_bytes;

    if (!page)
        return;
    for (unsigned int off = 0; off < PVB_PAGE; off++) {
        bool copied = off >= HEADER && off < end && off < HEADER_END;

        if (!is_loaders(off))
            FUZZ_MUST(page[off] == (copied ? k->file.p[off] : 0));
    }
    fuzz_judge_json(
        pvb_decode_zero_page((struct pvboot_bytes){ page, PVB_PAGE }, plan->seg[PVBOOT_SEG_ZERO_PAGE].start));
}

/* The file may be of any size; who looks has its first bytes. */
static void show(const uint8_t *data, size_t size)
{
    struct pvboot_span span[PVBOOT_FILE_SPANS];
    uint32_t bytes, n;

    if (size <= sizeof(bytes))
        return;
    memcpy(&bytes, data + size - sizeof(bytes), sizeof(bytes));
    if (bytes < size)
        bytes = (uint32_t)size;
    for (enum pvboot_show show = PVBOOT_SHOW_HEADERS; show <= PVBOOT_SHOW_BEGINNING; show++) {
        n = pvb_shown(span, show, (struct pvboot_bytes){ data, size < PVB_SHOWN_BY ? size : PVB_SHOWN_BY }, bytes);
        FUZZ_MUST(n && n <= PVBOOT_FILE_SPANS);
        for (uint32_t i = 0; i < n; i++)
            FUZZ_MUST(span[i].n && span[i].off < bytes && span[i].n <= bytes - span[i].off);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    show(data, size);
    return fuzz_file((struct pvboot_bytes){ data, size }, PVBOOT_FORMAT_BZIMAGE, look);
}

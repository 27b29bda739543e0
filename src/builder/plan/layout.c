/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where everything but the kernel goes.
 *
 * Small segments lie in one piece, because each setup_data node cuts the guest's System RAM in two, and above 1 MiB,
 * because below lie the BIOS words 0x40e and 0x413, the trampolines, the page Xen's shared_info takes, and the ISA
 * hole.  Below the kernel's window is best: the decompressor's KASLR moves the kernel up only (it starts at the
 * smaller of 512 MiB and the window, arch/x86/boot/compressed/kaslr.c), so nothing there is overwritten, whether
 * Linux knows of it or not, and the addresses do not depend on the size of the guest.
 */
#include "layout.h"
#include "../../startinfo/abi.h"
#include "../segment/segment.h"
#include "plan.h"

#include <inttypes.h>
#include <stdio.h>

unsigned int pvb_ramdisk_ceilings(const struct pvboot_image *img, enum pvboot_path path, uint64_t *ceiling)
{
    bool above = pvb_is_long(path) && (!img->has_bzimage || (img->bz.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G));
    unsigned int n = 0;

    if (img->has_bzimage)
        ceiling[n++] = img->bz.initrd_addr_max < PVB_4G ? img->bz.initrd_addr_max + 1 : PVB_4G;
    /* initrd_addr_max is meant for zero-page entries that cannot take 64-bit addresses. */
    if (!img->has_bzimage || pvb_is_pvh(path) || above)
        ceiling[n++] = PVB_4G;
    if (above)
        ceiling[n++] = UINT64_MAX;
    return n;
}

static uint64_t needs(const struct pvb_layout *l, enum pvboot_segment_id id)
{
    return pvb_segment_bytes(l->plan, l->img, l->req, id);
}

static void settle(struct pvb_layout *l, enum pvboot_segment_id id, uint64_t start, uint64_t room, uint64_t bytes)
{
    struct pvboot_segment *s = &l->plan->seg[id];

    s->start = start;
    s->end = start + room;
    s->bytes = bytes;
    pvb_room_take(&l->room, start, room);
}

int pvb_place_ramdisk(struct pvb_layout *l, struct pvboot_error *e)
{
    uint64_t bytes = needs(l, PVBOOT_SEG_RAMDISK), ceiling[PVB_CEILINGS], start, best;
    unsigned int n = pvb_ramdisk_ceilings(l->img, l->plan->path, ceiling);
    struct pvb_want want = { .align = PVB_PAGE, .from = PVB_LOW_MEM_END };
    struct pvboot_segment *s = &l->plan->seg[PVBOOT_SEG_RAMDISK];
    char below[PVB_BELOW_BYTES];

    if (!bytes)
        return 0;
    if (!pvb_align_up(bytes, PVB_PAGE, &want.bytes))
        return pvb_fail(e, PVBOOT_E_NOFIT, "ramdisk of %" PRIu64 " bytes", bytes);
    for (unsigned int i = 0; i < n; i++) {
        want.limit = ceiling[i];
        if (!pvb_room_highest(&l->room, &want, &start))
            continue;
        settle(l, PVBOOT_SEG_RAMDISK, start, want.bytes, bytes);
        if (want.limit == UINT64_MAX)
            snprintf(s->why, sizeof(s->why), "as high as it fits: below 4 GiB there is no room");
        else
            snprintf(s->why, sizeof(s->why), "as high as it fits below 0x%" PRIx64, want.limit);
        return 0;
    }
    best = pvb_room_largest(&l->room, PVB_LOW_MEM_END, ceiling[n - 1], &start);
    return pvb_fail(e, PVBOOT_E_NOFIT,
                    "ramdisk of %" PRIu64 " bytes (%" PRIu64 " in whole pages)%s: largest free range is %" PRIu64
                    " bytes at 0x%" PRIx64,
                    bytes, want.bytes, pvb_below(below, ceiling[n - 1]), best, start);
}

static bool find_small(const struct pvb_layout *l, uint64_t bytes, uint64_t *start, const char **why)
{
    const struct pvboot_segment *kernel = &l->plan->seg[PVBOOT_SEG_KERNEL];
    uint64_t ceiling[PVB_CEILINGS];
    struct pvb_want want = { .bytes = bytes, .align = PVB_PAGE, .from = PVB_LOW_MEM_END };

    *why = "above 1 MiB and below the kernel, where nothing moves the kernel to";
    want.limit = kernel->start < PVB_4G ? kernel->start : PVB_4G;
    if (pvb_room_lowest(&l->room, &want, start))
        return true;
    *why = "as high as it fits: between 1 MiB and the kernel there is no room";
    (void)pvb_ramdisk_ceilings(l->img, l->plan->path, ceiling);
    want.limit = ceiling[0];
    if (pvb_room_highest(&l->room, &want, start))
        return true;
    want.limit = PVB_4G;
    return pvb_room_highest(&l->room, &want, start);
}

int pvb_place_small(struct pvb_layout *l, struct pvboot_error *e)
{
    uint64_t bytes[PVBOOT_SEGMENTS] = { 0 }, room[PVBOOT_SEGMENTS] = { 0 }, total = 0, start, best;
    const char *why;

    for (unsigned int i = PVBOOT_SEG_ZERO_PAGE; i <= PVBOOT_SEG_PAGE_TABLES; i++) {
        bytes[i] = needs(l, i);
        if (!pvb_align_up(bytes[i], PVB_PAGE, &room[i]) || !pvb_add(total, room[i], &total))
            return pvb_fail(e, PVBOOT_E_INTERNAL, "%s of %" PRIu64 " bytes", pvboot_segment_name(i), bytes[i]);
    }
    if (!total)
        return 0;
    if (!find_small(l, total, &start, &why)) {
        best = pvb_room_largest(&l->room, PVB_LOW_MEM_END, PVB_4G, &start);
        return pvb_fail(e, PVBOOT_E_NOFIT,
                        "boot structures of %" PRIu64 " bytes in one piece between 1 MiB and 4 GiB: largest free range "
                        "is %" PRIu64 " bytes at 0x%" PRIx64,
                        total, best, start);
    }
    for (unsigned int i = PVBOOT_SEG_ZERO_PAGE; i <= PVBOOT_SEG_PAGE_TABLES; i++) {
        if (!room[i])
            continue;
        settle(l, i, start, room[i], bytes[i]);
        snprintf(l->plan->seg[i].why, sizeof(l->plan->seg[i].why), "%s", why);
        start += room[i];
    }
    return 0;
}

int pvb_place_foreign(struct pvboot_plan *plan, struct pvboot_error *e)
{
    const struct pvboot_machine *m = &plan->machine;
    struct pvboot_segment *s = &plan->seg[PVBOOT_SEG_ACPI];

    /* libxl reports the info page, the tables and the RSDP as ranges that lie end to end. */
    for (size_t i = 0; m->rsdp_gpa && i < m->map.n; i++) {
        const struct pvboot_range *r = &m->map.r[i];

        if (r->type != PVBOOT_ACPI && r->type != PVBOOT_NVS)
            continue;
        if (s->end != r->start) {
            if (m->rsdp_gpa < s->end)
                break;
            s->start = r->start;
        }
        s->end = r->end;
    }
    if (m->rsdp_gpa < s->start || m->rsdp_gpa >= s->end)
        s->start = s->end = 0;
    if (s->end > PVB_4G)
        return pvb_fail(e, PVBOOT_E_USAGE, "the ACPI tables at 0x%" PRIx64 "..0x%" PRIx64 " do not end below 4 GiB",
                        s->start, s->end);
    if (s->start < m->special_end && m->special_start < s->end)
        return pvb_fail(e, PVBOOT_E_USAGE, "the ACPI tables at 0x%" PRIx64 "..0x%" PRIx64 " lie over the special pages",
                        s->start, s->end);
    if (s->end) {
        s->bytes = s->end - s->start;
        snprintf(s->why, sizeof(s->why), "where the toolstack put the tables; RSDP at 0x%" PRIx64, m->rsdp_gpa);
    }
    s = &plan->seg[PVBOOT_SEG_SPECIAL];
    s->start = m->special_start;
    s->end = m->special_end;
    if (s->end)
        snprintf(s->why, sizeof(s->why), "where Xen's toolstack puts console and xenstore rings");
    return 0;
}

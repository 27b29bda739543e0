/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where the kernel goes: a bzImage's whole decompression window, or an ELF's span.
 *
 * A bzImage is never loaded below its pref_address.  boot.rst gives align_up(load, alignment) as the address where a
 * relocatable kernel will run, and kernels did that until 3.10 at least; newer ones, seen in 5.10 and later, run at
 * the larger of that and LOAD_PHYSICAL_ADDR, which is pref_address (arch/x86/boot/compressed/head_32.S, head_64.S).
 * From pref_address upwards both agree, so there the window begins where the kernel is loaded.
 *
 * A vmlinux entered at startup_64 computes its distance from the linked address and mends its page tables and
 * phys_base by it, whatever CONFIG_RELOCATABLE says, but spins when the distance is no multiple of 2 MiB
 * (arch/x86/kernel/head_64.S in 3.10, head64.c since).
 */
#include "../../startinfo/abi.h"
#include "layout.h"
#include "plan.h"

#include <inttypes.h>
#include <stdio.h>

#define VMLINUX_ALIGN (2ull << 20)

/* Everything about the window of one image on one path. */
struct target {
    struct pvboot_window w;
    uint64_t file_bytes; /* written from its start */
    uint64_t first;      /* where it goes if it can */
    const char *at;      /* "preferred", "linked" */
};

static uint64_t elf_file_bytes(const struct pvboot_elf *elf)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < elf->n_loads; i++) {
        uint64_t end = elf->load[i].gpa - elf->window.pref_gpa + elf->load[i].file_bytes;

        bytes = end > bytes ? end : bytes;
    }
    return bytes;
}

static struct target bzimage_target(const struct pvboot_bzimage *bz)
{
    struct target t = { bz->window, bz->kernel_bytes, bz->window.pref_gpa, "preferred" };

    if (t.w.relocatable && !pvb_align_up(t.first, t.w.align, &t.first))
        t.first = UINT64_MAX; /* fits nowhere */
    if (t.w.bytes < bz->kernel_bytes)
        t.w.bytes = bz->kernel_bytes;
    t.w.min_gpa = t.w.pref_gpa;
    return t;
}

static struct target elf_target(const struct pvboot_image *img, enum pvboot_path path)
{
    struct target t = { img->elf.window, elf_file_bytes(&img->elf), img->elf.window.pref_gpa, "linked" };

    if (path == PVBOOT_PATH_VMLINUX64) {
        t.w.align = VMLINUX_ALIGN;
        t.w.min_gpa = t.w.pref_gpa;
        t.w.max_gpa = UINT64_MAX;
        t.w.relocatable = !img->has_bzimage || img->bz.window.relocatable;
    }
    return t;
}

/* First address it must not reach. */
static uint64_t window_limit(const struct pvboot_image *img, enum pvboot_path path, const struct pvboot_window *w)
{
    uint64_t limit = PVB_4G;

    if (pvb_is_long(path) && img->has_bzimage && (img->bz.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G))
        limit = UINT64_MAX;
    return w->relocatable && w->max_gpa < limit ? w->max_gpa + 1 : limit;
}

/* Is the window free when it starts at @start? Its first and last page count whole. */
static bool fits_at(const struct pvb_room *room, uint64_t start, const struct pvb_want *want)
{
    uint64_t end, first = start & ~(PVB_PAGE - 1);

    return start >= want->from && pvb_add(start, want->bytes, &end) && end <= want->limit &&
           pvb_align_up(end, PVB_PAGE, &end) && pvb_room_has(room, first, end - first);
}

static int no_room(const struct pvb_layout *l, const struct target *t, const struct pvb_want *want,
                   struct pvboot_error *e)
{
    uint64_t from = t->w.relocatable ? want->from : t->w.pref_gpa;
    uint64_t at, best = pvb_room_largest(&l->room, from, want->limit, &at);
    char below[PVB_BELOW_BYTES], way[PVB_IN_THE_WAY_BYTES];

    return pvb_fail(e, PVBOOT_E_NOFIT,
                    "kernel window of %" PRIu64 " bytes %s 0x%" PRIx64 " (ends 0x%" PRIx64 "), alignment 0x%" PRIx64
                    ": largest free range from there%s is %" PRIu64 " bytes at 0x%" PRIx64 "%s",
                    t->w.bytes, t->w.relocatable ? "at or above" : "at exactly", from, from + t->w.bytes, want->align,
                    pvb_below(below, want->limit), best, at,
                    pvb_in_the_way(way, &l->plan->machine, from, from + t->w.bytes));
}

static void settle(struct pvb_layout *l, const struct target *t, uint64_t start)
{
    struct pvboot_segment *s = &l->plan->seg[PVBOOT_SEG_KERNEL];
    bool elf = pvb_loads_elf(l->plan->path);

    s->start = start & ~(PVB_PAGE - 1);
    s->end = (start + t->w.bytes + PVB_PAGE - 1) & ~(PVB_PAGE - 1);
    s->bytes = start - s->start + t->file_bytes;
    l->plan->kernel_load_gpa = start;
    l->plan->kernel_load_bytes = elf ? t->w.bytes : l->img->bz.kernel_bytes;
    l->plan->elf_delta = elf ? (int64_t)(start - t->w.pref_gpa) : 0;
    if (start == t->first)
        snprintf(s->why, sizeof(s->why), "its %s address, %s", t->at,
                 elf ? "the span of its segments" : "with all that unpacking in place overwrites");
    else
        snprintf(s->why, sizeof(s->why), "lowest free multiple of 0x%" PRIx64 ": its %s address 0x%" PRIx64 " is taken",
                 t->w.align, t->at, t->first);
    pvb_room_take(&l->room, s->start, s->end - s->start);
}

int pvb_place_kernel(struct pvb_layout *l, struct pvboot_error *e)
{
    enum pvboot_path path = l->plan->path;
    struct target t = pvb_loads_elf(path) ? elf_target(l->img, path) : bzimage_target(&l->img->bz);
    struct pvb_want want = { .bytes = t.w.bytes, .align = t.w.align < PVB_PAGE ? PVB_PAGE : t.w.align };
    uint64_t start = t.first;

    want.limit = window_limit(l->img, path, &t.w);
    want.phase = path == PVBOOT_PATH_VMLINUX64 ? t.w.pref_gpa & (VMLINUX_ALIGN - 1) : 0;
    want.from = t.w.min_gpa > PVB_LOW_MEM_END ? t.w.min_gpa : PVB_LOW_MEM_END;
    /* An ELF that is no Linux may be linked into low memory: that is its own choice. */
    if (pvb_is_pvh(path) && !t.w.relocatable)
        want.from = 0;
    if (!fits_at(&l->room, start, &want) && (!t.w.relocatable || !pvb_room_lowest(&l->room, &want, &start)))
        return no_room(l, &t, &want, e);
    settle(l, &t, start);
    return 0;
}

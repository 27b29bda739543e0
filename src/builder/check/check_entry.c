/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The plan's second opinion on the kernel and the vCPU.
 *
 * Specifications: boot.rst, "32-bit Boot Protocol", "64-bit Boot Protocol"; pvh.pandoc, "Initial state"; Intel SDM 3A
 * chapter 4 for the number of page tables.
 */
#include "check.h"

#include <inttypes.h>

static int rule_bzimage_window(const struct pvb_check *c)
{
    const struct pvboot_window *w = &c->img->bz.window;
    uint64_t load = c->plan->kernel_load_gpa, end = pvb_seg(c, PVBOOT_SEG_KERNEL)->end;

    if (w->relocatable ? load % w->align || load < w->pref_gpa : load != w->pref_gpa)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: a kernel of %s pref_address 0x%" PRIx64 " loaded at 0x%" PRIx64,
                        w->relocatable ? "movable" : "fixed", w->pref_gpa, load);
    if (load > end || w->bytes > end - load || c->img->bz.kernel_bytes > end - load)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: kernel window has %" PRIu64 " bytes, init_size is %" PRIu64,
                        end - load, w->bytes);
    if (c->plan->kernel_load_bytes != c->img->bz.kernel_bytes || c->plan->elf_delta)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: loads %" PRIu64 " bytes of a kernel of %" PRIu64,
                        c->plan->kernel_load_bytes, c->img->bz.kernel_bytes);
    return 0;
}

static bool elf_may_move(const struct pvb_check *c, uint64_t load)
{
    const struct pvboot_window *w = &c->img->elf.window;

    if (c->zero_page) /* startup_64 spins unless it was moved by whole 2 MiB pages */
        return (load - w->pref_gpa) % (2u << 20) == 0 && (!c->img->has_bzimage || c->img->bz.window.relocatable);
    return w->relocatable && load % w->align == 0 && load >= w->min_gpa && load <= w->max_gpa &&
           w->bytes - 1 <= w->max_gpa - load;
}

static int rule_elf_window(const struct pvb_check *c)
{
    const struct pvboot_segment *s = pvb_seg(c, PVBOOT_SEG_KERNEL);
    const struct pvboot_elf *elf = &c->img->elf;
    uint64_t load = c->plan->kernel_load_gpa, delta = (uint64_t)c->plan->elf_delta;

    if (load != elf->window.pref_gpa + delta)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL,
                        "plan: an ELF linked at 0x%" PRIx64 " moved by 0x%" PRIx64 " is not at 0x%" PRIx64,
                        elf->window.pref_gpa, delta, load);
    if (delta && !elf_may_move(c, load))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: this ELF cannot be moved from 0x%" PRIx64 " to 0x%" PRIx64,
                        elf->window.pref_gpa, load);
    for (uint32_t i = 0; i < elf->n_loads; i++) {
        uint64_t start = elf->load[i].gpa + delta;

        if (start < s->start || start > s->end || elf->load[i].mem_bytes > s->end - start)
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: PT_LOAD %u at 0x%" PRIx64 " is outside the kernel segment",
                            i, start);
    }
    return 0;
}

int pvb_rule_window(const struct pvb_check *c)
{
    const struct pvboot_segment *s = pvb_seg(c, PVBOOT_SEG_KERNEL);

    if (c->plan->kernel_load_gpa < s->start || c->plan->kernel_load_gpa - s->start >= 4096)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL,
                        "plan: kernel loaded at 0x%" PRIx64 ", its window starts at 0x%" PRIx64,
                        c->plan->kernel_load_gpa, s->start);
    return c->elf ? rule_elf_window(c) : rule_bzimage_window(c);
}

/* Does some byte of the file land at @gpa? */
static bool loaded(const struct pvb_check *c, uint64_t gpa)
{
    const struct pvboot_elf *elf = &c->img->elf;
    uint64_t linked = gpa - (uint64_t)c->plan->elf_delta;

    if (!c->elf)
        return gpa >= c->plan->kernel_load_gpa && gpa - c->plan->kernel_load_gpa < c->img->bz.kernel_bytes;
    for (uint32_t i = 0; i < elf->n_loads; i++)
        if (linked >= elf->load[i].gpa && linked - elf->load[i].gpa < elf->load[i].file_bytes)
            return true;
    return false;
}

/* boot.rst: 2.06 for the 32-bit entry, 2.12 and XLF_KERNEL_64 for the 64-bit one; pvh.pandoc: the note. */
static bool offered(const struct pvboot_image *img, enum pvboot_path path)
{
    switch (path) {
    case PVBOOT_PATH_LINUX32:
        return img->has_bzimage && img->bz.protocol >= 0x206;
    case PVBOOT_PATH_LINUX64:
        return img->has_bzimage && img->bz.protocol >= 0x20c && (img->bz.xloadflags & 1);
    case PVBOOT_PATH_VMLINUX64:
        return img->has_elf && img->elf.is64;
    case PVBOOT_PATH_PVH:
        return img->has_elf && img->elf.notes.has_phys32_entry;
    case PVBOOT_PATH_STUB:
        return img->has_elf && img->elf.notes.has_phys32_entry && img->elf.notes.pvboot_stub;
    case PVBOOT_PATH_PV:
        return img->has_elf && img->elf.is64 &&
               (img->elf.notes.pv.has_entry || !strncmp(img->elf.notes.loader, "generic", 7));
    default: /* auto is the wish for a path */
        return false;
    }
}

int pvb_rule_path(const struct pvb_check *c)
{
    if (offered(c->img, c->plan->path))
        return 0;
    return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: path %u, which the kernel does not offer",
                    (unsigned int)c->plan->path);
}

static uint64_t first_instruction(const struct pvb_check *c)
{
    const struct pvboot_elf *elf = &c->img->elf;

    if (!c->elf)
        return c->plan->kernel_load_gpa + (c->long_mode ? 0x200 : 0);
    return (c->zero_page ? elf->entry_gpa : elf->notes.phys32_entry) + (uint64_t)c->plan->elf_delta;
}

int pvb_rule_entry(const struct pvb_check *c)
{
    uint64_t rip = c->plan->vcpu.rip;

    if (rip != first_instruction(c) || !loaded(c, rip))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: rip 0x%" PRIx64 " is not the kernel's entry", rip);
    return 0;
}

static int differs(const struct pvb_check *c, const char *name, uint64_t is, uint64_t want)
{
    if (is == want)
        return 0;
    return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s is 0x%" PRIx64 ", this entry wants 0x%" PRIx64, name, is, want);
}

int pvb_rule_registers(const struct pvb_check *c)
{
    const struct pvboot_vcpu *v = &c->plan->vcpu;
    const struct pvboot_segment *gdt = pvb_seg(c, PVBOOT_SEG_GDT);
    const struct {
        const char *name;
        uint64_t is, want;
    } reg[] = {
        { "mode", v->mode, c->long_mode ? 64 : 32 },
        { "rsi", v->rsi, c->zero_page ? pvb_seg(c, PVBOOT_SEG_ZERO_PAGE)->start : 0 },
        { "rbx", v->rbx, c->zero_page ? 0 : pvb_seg(c, PVBOOT_SEG_START_INFO)->start },
        { "cr0", v->cr0, c->long_mode ? 0x80000011 : 0x11 },
        { "cr3", v->cr3, c->long_mode ? pvb_seg(c, PVBOOT_SEG_PAGE_TABLES)->start : 0 },
        { "cr4", v->cr4, c->long_mode ? 0x20 : 0 },
        { "efer", v->efer, c->long_mode ? 0x500 : 0 },
        { "cs", v->cs, c->zero_page ? 0x10 : 0 },
        { "ds", v->ds, c->zero_page ? 0x18 : 0 },
        { "GDT", v->gdt_gpa, c->zero_page ? gdt->start : 0 },
        { "GDT limit", v->gdt_limit, c->zero_page ? gdt->bytes - 1 : 0 },
    };

    for (size_t i = 0; i < sizeof(reg) / sizeof(reg[0]); i++)
        if (differs(c, reg[i].name, reg[i].is, reg[i].want))
            return -PVBOOT_E_INTERNAL;
    if (c->zero_page && v->gdt_limit < 0x1f) /* descriptors 0x10 and 0x18 end at byte 0x1f */
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: GDT limit 0x%x ends before selector 0x18", v->gdt_limit);
    return 0;
}

/* How many tables, each of which spans 1 << @shift bytes, map [0, 4 GiB) and the two segments that may lie above. */
static uint64_t tables(const struct pvb_check *c, unsigned int shift)
{
    const struct pvboot_segment *low = pvb_seg(c, PVBOOT_SEG_KERNEL), *high = pvb_seg(c, PVBOOT_SEG_RAMDISK);
    const struct pvboot_segment *s[] = { low->start < high->start ? low : high, low->start < high->start ? high : low };
    uint64_t next = ((uint64_t)UINT32_MAX >> shift) + 1, n = next;

    for (size_t i = 0; i < 2; i++) {
        uint64_t first = s[i]->start >> shift, last;

        if (!s[i]->end)
            continue;
        last = (s[i]->end - 1) >> shift;
        first = first > next ? first : next;
        if (first > last)
            continue;
        n += last - first + 1;
        next = last + 1;
    }
    return n;
}

int pvb_rule_page_tables(const struct pvb_check *c)
{
    uint64_t need = 4096 * (1 + tables(c, 39) + tables(c, 30));

    if (!c->long_mode || pvb_seg(c, PVBOOT_SEG_PAGE_TABLES)->bytes == need)
        return 0;
    return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: page tables of %" PRIu64 " bytes, an identity map needs %" PRIu64,
                    pvb_seg(c, PVBOOT_SEG_PAGE_TABLES)->bytes, need);
}

/* hardware_subarch is of protocol 2.07; our node is the only data there is for it, and it lies in the chain. */
int pvb_rule_subarch(const struct pvb_check *c)
{
    const struct pvboot_plan *p = c->plan;
    const struct pvboot_segment *chain = pvb_seg(c, PVBOOT_SEG_SETUP_DATA);

    if (p->subarch && (!c->zero_page || (c->img->has_bzimage && c->img->bz.protocol < 0x0207)))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: subarch %u has no field to be in", p->subarch);
    if (p->subarch_data != (p->subarch == 2 ? p->handover_gpa : 0))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: data 0x%" PRIx64 " for subarch %u", p->subarch_data,
                        p->subarch);
    if (p->handover_gpa &&
        (p->handover_gpa < chain->start || p->handover_gpa >= chain->start + chain->bytes || p->handover_gpa % 8))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: hypervisor node at 0x%" PRIx64 " is outside setup_data",
                        p->handover_gpa);
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A PV plan's second opinion.  Specification: Xen public xen.h, "Start-of-day memory layout"; elfnote.h; Intel SDM 3A
 * chapter 4 for the number of page tables.
 */
#include "check.h"

#include <inttypes.h>

#define KIB 1024ull
#define MIB (1024 * KIB)

static uint64_t memory(const struct pvb_check *c)
{
    return c->plan->machine.map.n == 1 ? c->plan->machine.map.r[0].end : 0;
}

int pvb_rule_pv_memory(const struct pvb_check *c)
{
    const struct pvboot_memmap *m = &c->plan->machine.map;

    if (!c->plan->machine.pv || m->n != 1 || m->r[0].start || m->r[0].type != PVBOOT_RAM)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: a PV start in another memory than a PV domain's");
    for (unsigned int i = 0; i < PVBOOT_SEGMENTS; i++)
        if (c->plan->seg[i].end > memory(c))
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s ends at 0x%" PRIx64 ", memory at 0x%" PRIx64,
                            pvboot_segment_name(i), c->plan->seg[i].end, memory(c));
    return 0;
}

/* elfnote.h, PADDR_OFFSET: the pseudo-physical address is p_paddr less it. */
int pvb_rule_pv_kernel(const struct pvb_check *c)
{
    const struct pvboot_segment *s = pvb_seg(c, PVBOOT_SEG_KERNEL);
    const struct pvboot_elf *elf = &c->img->elf;

    for (uint32_t i = 0; i < elf->n_loads; i++) {
        uint64_t start = elf->load[i].gpa - elf->notes.pv.paddr_offset;

        if (start != elf->load[i].gpa + (uint64_t)c->plan->elf_delta || start < s->start || start > s->end ||
            elf->load[i].mem_bytes > s->end - start)
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: PT_LOAD %u at 0x%" PRIx64 " is outside the kernel segment",
                            i, start);
    }
    return 0;
}

/* Points 3 and 4: what is mapped is packed, in this order; the rest lies behind the mapping. */
int pvb_rule_pv_order(const struct pvb_check *c)
{
    const struct pvboot_pv *pv = &c->plan->pv;
    bool by_pfn = c->img->elf.notes.pv.mod_start_pfn;
    bool apart = pv->p2m_va != pv->virt_base + pvb_seg(c, PVBOOT_SEG_P2M)->start;
    const struct {
        enum pvboot_segment_id id;
        bool behind;
    } order[] = {
        { PVBOOT_SEG_RAMDISK, by_pfn }, { PVBOOT_SEG_P2M, apart },         { PVBOOT_SEG_START_INFO, false },
        { PVBOOT_SEG_SPECIAL, false },  { PVBOOT_SEG_PAGE_TABLES, false }, { PVBOOT_SEG_STACK, false },
    };
    uint64_t at = pvb_seg(c, PVBOOT_SEG_KERNEL)->end;

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const struct pvboot_segment *s = pvb_seg(c, order[i].id);

        if (!s->end)
            continue;
        if (order[i].behind ? s->start < pv->mapped_end : s->start != at)
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s at 0x%" PRIx64 " is not where a PV guest looks for it",
                            pvboot_segment_name(order[i].id), s->start);
        if (!order[i].behind)
            at = s->end;
    }
    return 0;
}

/* xen-x86_64.h: bits 63 to 47 are alike, and the first 16 entries of the root's upper half are Xen's. */
static bool is_a_guests(uint64_t va)
{
    uint64_t top = va >> 47;

    return top == 0 || (top == 0x1ffff && (va >> 39 & 0x1ff) >= 256 + 16);
}

/* Points 2 and 7: a multiple of 4 MiB, 512 KiB behind the last element, and no more than that takes. */
int pvb_rule_pv_map(const struct pvb_check *c)
{
    const struct pvboot_pv *pv = &c->plan->pv;
    const struct pvboot_pv_notes *n = &c->img->elf.notes.pv;
    uint64_t used = pvb_seg(c, PVBOOT_SEG_STACK)->end, end = pv->virt_base + pv->mapped_end;

    if (pv->virt_base != n->virt_base || end % (4 * MIB) || pv->mapped_end > memory(c))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: maps 0x%" PRIx64 " bytes from 0x%" PRIx64 " on", pv->mapped_end,
                        pv->virt_base);
    if (pv->mapped_end < used + 512 * KIB || pv->mapped_end - used >= 5 * MIB)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: the mapping ends at 0x%" PRIx64 ", the stack at 0x%" PRIx64,
                        pv->mapped_end, used);
    if (!is_a_guests(pv->virt_base) || !is_a_guests(end - 1) || pv->virt_base >> 63 != (end - 1) >> 63)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: 0x%" PRIx64 "..0x%" PRIx64 " are Xen's addresses",
                        pv->virt_base, end);
    return 0;
}

/* Tables of three levels that [@va, @va + @bytes) takes: one for each 2 MiB, 1 GiB and 512 GiB that it touches. */
static uint64_t tables(uint64_t va, uint64_t bytes)
{
    uint64_t n = 0;

    for (unsigned int shift = 21; shift <= 39; shift += 9)
        n += ((va + bytes - 1) >> shift) - (va >> shift) + 1;
    return n;
}

int pvb_rule_pv_tables(const struct pvb_check *c)
{
    const struct pvboot_pv *pv = &c->plan->pv;
    const struct pvboot_segment *list = pvb_seg(c, PVBOOT_SEG_P2M);
    const struct pvboot_pv_notes *n = &c->img->elf.notes.pv;
    bool apart = pv->p2m_va != pv->virt_base + list->start;
    uint64_t bytes = (memory(c) / 4096 * 8 + 4095) / 4096 * 4096, more = apart ? 4096 * tables(pv->p2m_va, bytes) : 0;

    if (pvb_seg(c, PVBOOT_SEG_PAGE_TABLES)->bytes != 4096 * (1 + tables(pv->virt_base, pv->mapped_end)))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: page tables of %" PRIu64 " bytes",
                        pvb_seg(c, PVBOOT_SEG_PAGE_TABLES)->bytes);
    if (list->bytes != bytes + more)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: p2m list of %" PRIu64 " bytes, want %" PRIu64, list->bytes,
                        bytes + more);
    if (apart != (n->has_init_p2m && n->init_p2m_va < n->virt_base) || (apart && pv->p2m_va != n->init_p2m_va))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: p2m list at 0x%" PRIx64, pv->p2m_va);
    if (apart && (pv->p2m_va % 4096 || !is_a_guests(pv->p2m_va) || !is_a_guests(pv->p2m_va + bytes - 1) ||
                  (pv->p2m_va + bytes - 1) >> 39 >= pv->virt_base >> 39))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: p2m list of 0x%" PRIx64 " bytes at 0x%" PRIx64, bytes,
                        pv->p2m_va);
    return 0;
}

int pvb_rule_pv_start(const struct pvb_check *c)
{
    const struct pvboot_plan *p = c->plan;
    const struct pvboot_pv_notes *n = &c->img->elf.notes.pv;
    const struct pvboot_segment *rings = pvb_seg(c, PVBOOT_SEG_SPECIAL);
    const struct {
        const char *name;
        uint64_t is, want;
    } fact[] = {
        { "mode", p->vcpu.mode, 64 },
        { "rip", p->vcpu.rip, n->entry_va },
        { "rsi", p->vcpu.rsi, n->virt_base + pvb_seg(c, PVBOOT_SEG_START_INFO)->start },
        { "rsp", p->pv.rsp, n->virt_base + pvb_seg(c, PVBOOT_SEG_STACK)->end },
        { "cr3", p->vcpu.cr3, pvb_seg(c, PVBOOT_SEG_PAGE_TABLES)->start },
        { "what Xen sets", p->vcpu.rbx | p->vcpu.cr0 | p->vcpu.cr4 | p->vcpu.efer | p->vcpu.cs | p->vcpu.ds, 0 },
        { "the hypercall page", p->pv.hypercall_gpa,
          n->has_hypercall_page ? n->hypercall_page_va - n->virt_base : UINT64_MAX },
        { "xenstore's ring", p->machine.xenstore_gpa, rings->start },
        { "the console's ring", p->machine.console_gpa, rings->start + 4096 },
        { "the rings", rings->bytes, 2 * 4096 },
        { "subarch", p->subarch, 0 },
    };

    for (size_t i = 0; i < sizeof(fact) / sizeof(fact[0]); i++)
        if (fact[i].is != fact[i].want)
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s is 0x%" PRIx64 ", this entry wants 0x%" PRIx64,
                            fact[i].name, fact[i].is, fact[i].want);
    return 0;
}

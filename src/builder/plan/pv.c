/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where everything of a PV guest lies: packed from its kernel on, in the order of Xen's public xen.h, "Start-of-day memory
 * layout".  What is told by frame and not by address lies behind the first mapping: a ramdisk of a kernel that can
 * (MOD_START_PFN), and the p2m list of one that has it mapped apart (INIT_P2M), so that neither takes of the addresses
 * around the kernel.
 */
#include "../../startinfo/pv_start_info.h"
#include "../segment/segment.h"
#include "plan.h"

#include <inttypes.h>
#include <stdio.h>

#define MAP_ALIGN (4ull << 20)     /* xen.h: the mapping ends so */
#define MAP_PADDING (512ull << 10) /* and has so much behind the last of these */
#define ROOT_ENTRY (1ull << 39)
#define CANONICAL_LOW_END (1ull << 47)
/* Public arch-x86/xen-x86_64.h, __HYPERVISOR_VIRT_START and _END; named here because its header need not be installed. */
#define XEN_START 0xffff800000000000ull
#define XEN_END 0xffff880000000000ull

#ifdef HAVE_XEN
#include <xen/xen.h>
_Static_assert(XEN_START == __HYPERVISOR_VIRT_START && XEN_END == __HYPERVISOR_VIRT_END, "xen-x86_64.h");
#endif

struct pv {
    const struct pvboot_image *img;
    const struct pvboot_request *req;
    struct pvboot_plan *plan;
    uint64_t at; /* behind what has been placed */
    struct pvboot_error *e;
};

/* @bytes of @id at the first address that is free. */
static int put(struct pv *p, enum pvboot_segment_id id, uint64_t bytes, const char *why)
{
    uint64_t memory = pvboot_memmap_bytes(&p->plan->machine.map, PVBOOT_RAM), room, end;
    struct pvboot_segment *s = &p->plan->seg[id];

    if (!bytes)
        return 0;
    if (!pvb_align_up(bytes, PVB_PAGE, &room) || !pvb_add(p->at, room, &end) || end > memory)
        return pvb_fail(p->e, PVBOOT_E_NOFIT,
                        "%s of %" PRIu64 " bytes at 0x%" PRIx64 ": guest memory ends at 0x%" PRIx64,
                        pvboot_segment_name(id), bytes, p->at, memory);
    s->start = p->at;
    s->end = p->at = end;
    s->bytes = bytes;
    snprintf(s->why, sizeof(s->why), "%s", why);
    return 0;
}

static int put_kernel(struct pv *p)
{
    const struct pvboot_window *w = &p->img->elf.window;
    uint64_t offset = p->img->elf.notes.pv.paddr_offset;
    int rc;

    p->at = w->pref_gpa - offset; /* pvboot_image_offers() saw to both */
    rc = put(p, PVBOOT_SEG_KERNEL, w->bytes, "its linked address less PADDR_OFFSET, the span of its segments");
    p->plan->kernel_load_gpa = w->pref_gpa - offset;
    p->plan->kernel_load_bytes = w->bytes;
    p->plan->elf_delta = (int64_t)(0 - offset);
    return rc;
}

static bool ramdisk_is_apart(const struct pv *p)
{
    return p->img->elf.notes.pv.mod_start_pfn;
}

static int put_ramdisk(struct pv *p, const char *why)
{
    return put(p, PVBOOT_SEG_RAMDISK, pvb_pv_bytes(p->plan, p->img, p->req, PVBOOT_SEG_RAMDISK), why);
}

/* As Xen's own builders have it, a list above the kernel's mapping is not what the note is for. */
static bool p2m_is_apart(const struct pv *p)
{
    const struct pvboot_pv_notes *n = &p->img->elf.notes.pv;

    return n->has_init_p2m && n->init_p2m_va < n->virt_base;
}

static int put_p2m(struct pv *p, uint64_t va, const char *why)
{
    p->plan->seg[PVBOOT_SEG_P2M].start = p->at; /* what is to be measured depends on it */
    p->plan->pv.p2m_va = va;
    return put(p, PVBOOT_SEG_P2M, pvb_pv_bytes(p->plan, p->img, p->req, PVBOOT_SEG_P2M), why);
}

static int put_page(struct pv *p, enum pvboot_segment_id id, const char *why)
{
    return put(p, id, pvb_pv_bytes(p->plan, p->img, p->req, id), why);
}

/* Does [@va, @va + @bytes) belong to guests? */
static bool is_guests(uint64_t va, uint64_t bytes)
{
    uint64_t end;

    if (!pvb_add(va, bytes, &end))
        return false;
    return end <= CANONICAL_LOW_END || va >= XEN_END;
}

static int check_va(const struct pv *p, const char *what, uint64_t va, uint64_t bytes)
{
    if (is_guests(va, bytes))
        return 0;
    return pvb_fail(p->e, PVBOOT_E_UNSUPPORTED,
                    "%s from 0x%" PRIx64 " on, 0x%" PRIx64
                    " bytes, is not all of a guest's addresses: those end at 0x%llx "
                    "and begin again at 0x%llx",
                    what, va, bytes, CANONICAL_LOW_END, XEN_END);
}

/* The tables map themselves, so that their number and the mapping's end depend on each other. */
static int put_tables(struct pv *p)
{
    struct pvboot_pv *pv = &p->plan->pv;
    uint64_t behind = PVB_PAGE + MAP_PADDING, tables = 0, end;
    int rc;

    p->plan->seg[PVBOOT_SEG_PAGE_TABLES].start = p->at;
    do {
        if (!pvb_add(pv->virt_base, p->at + tables + behind, &end) || !pvb_align_up(end, MAP_ALIGN, &end))
            return check_va(p, "the first mapping", pv->virt_base, UINT64_MAX);
        pv->mapped_end = end - pv->virt_base;
        rc = check_va(p, "the first mapping", pv->virt_base, pv->mapped_end);
        if (rc)
            return rc;
        tables = pvb_pv_bytes(p->plan, p->img, p->req, PVBOOT_SEG_PAGE_TABLES);
    } while (p->at + tables + behind > pv->mapped_end);
    return put(p, PVBOOT_SEG_PAGE_TABLES, tables, "the tables of the first mapping, the root first");
}

static int put_first_mapping(struct pv *p)
{
    int rc = put_kernel(p);

    if (!rc && !ramdisk_is_apart(p))
        rc = put_ramdisk(p, "behind the kernel: this one has it mapped");
    if (!rc && !p2m_is_apart(p))
        rc = put_p2m(p, p->plan->pv.virt_base + p->at, "the frame of each page, mapped with the kernel");
    if (!rc)
        rc = put_page(p, PVBOOT_SEG_START_INFO, "where RSI points");
    if (!rc)
        rc = put_page(p, PVBOOT_SEG_SPECIAL, "the rings: xenstore's, then the console's");
    if (!rc)
        rc = put_tables(p);
    return rc ? rc : put_page(p, PVBOOT_SEG_STACK, "the boot stack, behind the page tables");
}

static int put_apart(struct pv *p)
{
    const struct pvboot_pv_notes *n = &p->img->elf.notes.pv;
    uint64_t memory = pvboot_memmap_bytes(&p->plan->machine.map, PVBOOT_RAM);
    int rc = 0;

    if (p->plan->pv.mapped_end > memory)
        return pvb_fail(p->e, PVBOOT_E_NOFIT, "the first mapping ends at 0x%" PRIx64 ", guest memory at 0x%" PRIx64,
                        p->plan->pv.mapped_end, memory);
    p->at = p->plan->pv.mapped_end;
    if (ramdisk_is_apart(p))
        rc = put_ramdisk(p, "behind the first mapping: told by frame, not mapped");
    if (!rc && p2m_is_apart(p))
        rc = put_p2m(p, n->init_p2m_va, "the frame of each page, and the tables that map it at INIT_P2M");
    return rc;
}

/* The two mappings have nothing in common but the root. */
static int check_p2m(const struct pv *p)
{
    const struct pvboot_pv_notes *n = &p->img->elf.notes.pv;
    uint64_t bytes = p->plan->seg[PVBOOT_SEG_P2M].end - p->plan->seg[PVBOOT_SEG_P2M].start;
    int rc;

    if (!p2m_is_apart(p))
        return 0;
    if (n->init_p2m_va == n->virt_base + p->plan->seg[PVBOOT_SEG_P2M].start)
        return pvb_fail(p->e, PVBOOT_E_UNSUPPORTED,
                        "INIT_P2M 0x%" PRIx64 ": VIRT_BASE 0x%" PRIx64 " wraps around to it", n->init_p2m_va,
                        n->virt_base);
    rc = check_va(p, "the p2m list (INIT_P2M)", n->init_p2m_va, bytes);
    if (!rc && (n->init_p2m_va % PVB_PAGE || (n->init_p2m_va + bytes - 1) / ROOT_ENTRY >= n->virt_base / ROOT_ENTRY))
        rc = pvb_fail(p->e, PVBOOT_E_UNSUPPORTED,
                      "INIT_P2M 0x%" PRIx64 ": the list is no page, or lies within 512 GiB of VIRT_BASE 0x%" PRIx64,
                      n->init_p2m_va, n->virt_base);
    return rc;
}

/* Xen's own selectors and control registers stand in the rest: a PV guest has no say in them. */
static void set_start(struct pv *p)
{
    struct pvboot_plan *plan = p->plan;
    const struct pvboot_pv_notes *n = &p->img->elf.notes.pv;
    uint64_t base = n->virt_base;

    plan->vcpu.mode = 64;
    plan->vcpu.rip = n->entry_va;
    plan->vcpu.rsi = base + plan->seg[PVBOOT_SEG_START_INFO].start;
    plan->vcpu.cr3 = plan->seg[PVBOOT_SEG_PAGE_TABLES].start;
    plan->pv.rsp = base + plan->seg[PVBOOT_SEG_STACK].end;
    plan->pv.hypercall_gpa = n->has_hypercall_page ? n->hypercall_page_va - base : UINT64_MAX;
    plan->machine.xenstore_gpa = plan->seg[PVBOOT_SEG_SPECIAL].start;
    plan->machine.console_gpa = plan->seg[PVBOOT_SEG_SPECIAL].start + PVB_PAGE;
}

int pvb_pv_possible(const struct pvboot_image *img, const struct pvboot_request *req, struct pvboot_error *e)
{
    struct pvboot_plan ignored = { 0 };
    int rc = pvb_check_request(req, e);

    if (!rc && !pvb_can_start_info())
        rc = pvb_fail(e, PVBOOT_E_UNSUPPORTED, "pv needs a start_info: this pvboot was built without Xen's headers");
    if (!rc && req->subarch)
        rc = pvb_fail(e, PVBOOT_E_UNSUPPORTED, "subarch %u through pv: a PV kernel knows what it is", req->subarch);
    if (rc || !img->has_elf)
        return rc;
    return pvb_choose_path(&ignored, img, req->path, e);
}

static int check_cmdline(const struct pv *p)
{
    size_t n = p->req->cmdline ? strlen(p->req->cmdline) : 0;

    if (n > PVB_PV_CMDLINE_MAX)
        return pvb_fail(p->e, PVBOOT_E_LIMIT, "command line is %zu bytes, %zu over start_info's %u", n,
                        n - PVB_PV_CMDLINE_MAX, PVB_PV_CMDLINE_MAX);
    return pvb_check_cmdline(p->img, PVBOOT_PATH_PV, p->req->cmdline, p->e);
}

/* RAM from 0 on in one piece: the p2m list has no holes. */
static int check_machine(const struct pvboot_machine *m, struct pvboot_error *e)
{
    if (!m->pv)
        return pvb_fail(e, PVBOOT_E_USAGE, "pv needs a PV domain, which this is not");
    if (m->map.n != 1 || m->map.r[0].start || m->map.r[0].type != PVBOOT_RAM || m->map.r[0].end % PVB_PAGE ||
        m->rsdp_gpa || m->special_end)
        return pvb_fail(e, PVBOOT_E_USAGE, "a PV domain has RAM from 0 on, and nothing else");
    if (m->map.r[0].end > PVBOOT_PV_MEMORY_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "guest memory of %" PRIu64 " bytes: a PV domain's limit is %llu",
                        m->map.r[0].end, PVBOOT_PV_MEMORY_MAX);
    return 0;
}

int pvb_pv_make(struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_machine *machine,
                const struct pvboot_request *req, struct pvboot_error *e)
{
    struct pv p = { .img = img, .req = req, .plan = plan, .e = e };
    int rc = check_machine(machine, e);

    if (!rc)
        rc = pvb_pv_possible(img, req, e);
    if (!rc)
        rc = pvb_choose_path(plan, img, req->path, e);
    if (!rc)
        rc = check_cmdline(&p);
    if (rc)
        return rc;
    plan->machine = *machine;
    plan->e820 = machine->map;
    plan->pv.virt_base = img->elf.notes.pv.virt_base;
    rc = put_first_mapping(&p);
    if (!rc)
        rc = put_apart(&p);
    if (!rc)
        rc = check_p2m(&p);
    if (rc)
        return rc;
    set_start(&p);
    if (img->has_bzimage)
        pvb_remark(plan, "pv skips the kernel's decompressor: no KASLR of its text");
    return 0;
}

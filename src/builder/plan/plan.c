/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which address for everything a guest needs at its first instruction.
 *
 * Order: the kernel's window, which is the least movable; the ramdisk, which is the largest; then all small segments
 * in one piece.  Why there, each placement says in its segment.
 */
#include "plan.h"
#include "../../startinfo/abi.h"
#include "../segment/segment.h"
#include "layout.h"

#include <inttypes.h>
#include <pvboot/handover.h>

#define ISA_HOLE 0xa0000ull
#define ISA_HOLE_END 0x100000ull

/* Is any byte of [@start, @end) RAM? */
static bool touches_ram(const struct pvboot_memmap *m, uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->r[i].type == PVBOOT_RAM && m->r[i].start < end && start < m->r[i].end)
            return true;
    return false;
}

/* The toolstack's own pages must not be RAM: a plan would put something there. */
static int check_machine(const struct pvboot_machine *m, struct pvboot_error *e)
{
    if (!pvboot_memmap_valid(&m->map))
        return pvb_fail(e, PVBOOT_E_USAGE, "the machine's memory map is not ascending and disjoint");
    if (!m->vcpus)
        return pvb_fail(e, PVBOOT_E_USAGE, "a guest without a vCPU");
    if (m->vcpus > PVBOOT_VCPUS_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%u vCPUs: limit %u", m->vcpus, PVBOOT_VCPUS_MAX);
    if ((m->special_start && m->special_start >= m->special_end) || m->special_start % PVB_PAGE ||
        m->special_end % PVB_PAGE || m->special_end > PVB_4G || touches_ram(&m->map, m->special_start, m->special_end))
        return pvb_fail(e, PVBOOT_E_USAGE,
                        "special pages at 0x%" PRIx64 "..0x%" PRIx64 " are not pages below 4 GiB and outside RAM",
                        m->special_start, m->special_end);
    if (m->rsdp_gpa && (m->rsdp_gpa == UINT64_MAX || touches_ram(&m->map, m->rsdp_gpa, m->rsdp_gpa + 1)))
        return pvb_fail(e, PVBOOT_E_USAGE, "the RSDP at 0x%" PRIx64 " lies in RAM that the map does not keep for it",
                        m->rsdp_gpa);
    return 0;
}

/*
 * What the guest is told.  A start info repeats what Xen itself reports; a zero page has the ISA hole reserved on top,
 * which Linux does for itself on PVH entries only.
 */
static int tell_memory(struct pvboot_plan *plan, struct pvboot_error *e)
{
    const struct pvboot_memmap *map = &plan->machine.map;

    memcpy(&plan->e820, map, offsetof(struct pvboot_memmap, r) + map->n * sizeof(map->r[0]));
    if (pvb_is_pvh(plan->path))
        return 0;
    return pvboot_memmap_set(&plan->e820, ISA_HOLE, ISA_HOLE_END, PVBOOT_RESERVED, e);
}

static void choose_handover(struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_request *req)
{
    uint32_t max = img->has_bzimage ? img->bz.setup_type_max & ~PVBOOT_SETUP_INDIRECT : 0;
    bool has = pvb_has_handover(plan, img, req);

    if (has)
        plan->handover_gpa = plan->seg[PVBOOT_SEG_SETUP_DATA].start;
    /* boot.rst leaves the field's meaning to the platform; an address is of use to 2 only. */
    plan->subarch_data = plan->subarch == 2 ? plan->handover_gpa : 0;
    if (req->hypervisor == PVBOOT_HYPERVISOR_NONE || pvb_is_pvh(plan->path))
        return;
    if (has && max && max < PVBOOT_SETUP_TYPE)
        pvb_remark(plan, "the kernel lists setup_data types up to 0x%x: it will step over the hypervisor node 0x%x",
                   max, PVBOOT_SETUP_TYPE);
    else if (!has && img->has_bzimage && img->bz.protocol < PVB_BOOT_2_09)
        pvb_remark(plan, "no hypervisor node: boot protocol %u.%02u has no setup_data, need 2.09",
                   img->bz.protocol >> 8, img->bz.protocol & 0xffu);
    else if (!has)
        pvb_remark(plan, "no hypervisor node: strict, and the kernel lists setup_data types up to 0x%x only", max);
}

/* What needs no machine. */
static int choose(struct pvboot_plan *p, const struct pvboot_image *img, const struct pvboot_request *req,
                  struct pvboot_error *e)
{
    int rc = pvb_check_request(req, e);

    if (!rc)
        rc = pvb_choose_path(p, img, req->path, e);
    if (!rc && pvb_is_pvh(p->path) && !pvb_can_start_info())
        rc = pvb_fail(e, PVBOOT_E_UNSUPPORTED, "%s needs a start info: this pvboot was built without Xen's headers",
                      pvboot_path_name(p->path));
    if (!rc)
        rc = pvb_choose_subarch(p, img, req, e);
    return rc;
}

int pvb_plan_possible(const struct pvboot_image *img, const struct pvboot_request *req, struct pvboot_error *e)
{
    struct pvboot_plan p;
    int rc;

    memset(&p, 0, sizeof(p));
    if (img->has_elf || req->path == PVBOOT_PATH_STUB || !pvb_loads_elf(req->path))
        return choose(&p, img, req, e);
    p.path = req->path; /* whether the image offers it, its ELF will tell */
    rc = pvb_check_request(req, e);
    return rc ? rc : pvb_choose_subarch(&p, img, req, e);
}

/* A map has room for a thousand ranges and holds few. */
static void copy_machine(struct pvboot_plan *plan, const struct pvboot_machine *m)
{
    memcpy(&plan->machine, m, offsetof(struct pvboot_machine, map.r) + m->map.n * sizeof(m->map.r[0]));
}

static int place(struct pvb_layout *l, struct pvboot_error *e)
{
    int rc = pvb_place_kernel(l, e);

    if (!rc)
        rc = pvb_place_ramdisk(l, e);
    if (!rc)
        rc = pvb_place_small(l, e);
    return rc ? rc : pvb_place_foreign(l->plan, e);
}

static int make(struct pvboot_plan *p, const struct pvboot_image *img, const struct pvboot_machine *machine,
                const struct pvboot_request *req, struct pvboot_error *e)
{
    struct pvb_layout l = { .img = img, .req = req, .plan = p };
    int rc = check_machine(machine, e);

    if (!rc)
        rc = choose(p, img, req, e);
    if (!rc)
        rc = pvb_check_cmdline(img, p->path, req->cmdline, e);
    if (rc)
        return rc;
    copy_machine(p, machine);
    rc = tell_memory(p, e);
    if (rc)
        return rc;
    pvb_room_init(&l.room, &p->machine.map);
    rc = place(&l, e);
    if (rc)
        return rc;
    choose_handover(p, img, req);
    pvb_start_state(p, img);
    if (pvb_loads_elf(p->path) && p->path != PVBOOT_PATH_STUB)
        pvb_remark(p, "%s skips the kernel's decompressor: no KASLR of its text", pvboot_path_name(p->path));
    return 0;
}

int pvb_plan_make(struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_machine *machine,
                  const struct pvboot_request *req, struct pvboot_error *e)
{
    int rc;

    memset(plan, 0, sizeof(*plan));
    rc = make(plan, img, machine, req, e);
    if (rc)
        memset(plan, 0, sizeof(*plan));
    return rc;
}

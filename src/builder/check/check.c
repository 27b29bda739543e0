/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Is a plan legal?  Each rule is worked out again from the specification, on the plan as it stands; nothing of the
 * planner is used, so that a mistake has to be made twice to get through.
 *
 * Specifications: Linux Documentation/arch/x86/boot.rst; Xen docs/misc/pvh.pandoc.
 */
#include "check.h"

#include <inttypes.h>

#define MIB (1ull << 20)
#define ISA_HOLE 0xa0000ull

static uint32_t type_at(const struct pvboot_memmap *m, uint64_t gpa)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->r[i].start <= gpa && gpa < m->r[i].end)
            return m->r[i].type;
    return 0;
}

static bool same_at(const struct pvb_check *c, uint64_t gpa)
{
    uint32_t told = type_at(&c->plan->e820, gpa), real = type_at(&c->plan->machine.map, gpa);

    if (c->zero_page && gpa >= ISA_HOLE && gpa < MIB)
        return told == PVBOOT_RESERVED;
    return told == real;
}

/* Types change at the ends of ranges only: two maps that agree at all of them agree everywhere. */
static int rule_memory_told(const struct pvb_check *c)
{
    const struct pvboot_memmap *map[] = { &c->plan->machine.map, &c->plan->e820 };
    const uint64_t fixed[] = { 0, ISA_HOLE, MIB };

    for (size_t i = 0; i < 2; i++)
        if (!pvboot_memmap_valid(map[i]))
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s is not ascending and disjoint",
                            i ? "e820" : "memory map");
    for (size_t i = 0; i < 3; i++)
        if (!same_at(c, fixed[i]))
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: e820 is wrong at 0x%" PRIx64, fixed[i]);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < map[i]->n; j++)
            if (!same_at(c, map[i]->r[j].start) || !same_at(c, map[i]->r[j].end))
                return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: e820 is wrong around 0x%" PRIx64 "..0x%" PRIx64,
                                map[i]->r[j].start, map[i]->r[j].end);
    return 0;
}

enum need { NEVER, MAYBE, ALWAYS };

static enum need pv_need(enum pvboot_segment_id id)
{
    switch (id) {
    case PVBOOT_SEG_KERNEL:
    case PVBOOT_SEG_START_INFO:
    case PVBOOT_SEG_PAGE_TABLES:
    case PVBOOT_SEG_P2M:
    case PVBOOT_SEG_STACK:
    case PVBOOT_SEG_SPECIAL:
        return ALWAYS;
    default:
        return id == PVBOOT_SEG_RAMDISK ? MAYBE : NEVER;
    }
}

/* Must this path have the segment, may it, or must it not? */
static enum need need(const struct pvb_check *c, enum pvboot_segment_id id)
{
    if (c->plan->path == PVBOOT_PATH_PV)
        return pv_need(id);
    switch (id) {
    case PVBOOT_SEG_KERNEL:
        return ALWAYS;
    case PVBOOT_SEG_ZERO_PAGE:
    case PVBOOT_SEG_GDT:
        return c->zero_page ? ALWAYS : NEVER;
    case PVBOOT_SEG_CMDLINE:
        return c->zero_page ? ALWAYS : MAYBE;
    case PVBOOT_SEG_SETUP_DATA:
        return c->zero_page ? MAYBE : NEVER;
    case PVBOOT_SEG_START_INFO:
        return c->zero_page ? NEVER : ALWAYS;
    case PVBOOT_SEG_PAGE_TABLES:
        return c->long_mode ? ALWAYS : NEVER;
    case PVBOOT_SEG_P2M:
    case PVBOOT_SEG_STACK:
        return NEVER;
    default:
        return MAYBE;
    }
}

static int rule_segments(const struct pvb_check *c)
{
    for (unsigned int i = 0; i < PVBOOT_SEGMENTS; i++) {
        const struct pvboot_segment *s = &c->plan->seg[i];
        const char *name = pvboot_segment_name(i);
        uint64_t page = i == PVBOOT_SEG_ACPI ? 1 : 4096;

        if (!s->start && !s->end) {
            if (need(c, i) == ALWAYS)
                return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: this path needs a segment for %s", name);
            continue;
        }
        if (need(c, i) == NEVER)
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: this path has no use for %s", name);
        if (s->start >= s->end || s->start % page || s->end % page)
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s at 0x%" PRIx64 "..0x%" PRIx64 " is not whole pages",
                            name, s->start, s->end);
        if (s->bytes > s->end - s->start || (!s->bytes && i < PVBOOT_SEG_ACPI))
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s writes %" PRIu64 " bytes to room for %" PRIu64, name,
                            s->bytes, s->end - s->start);
        if (!s->why[0] || !memchr(s->why, 0, sizeof(s->why)))
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s lies somewhere without a reason", name);
    }
    return 0;
}

static int rule_overlap(const struct pvb_check *c)
{
    const struct pvboot_segment *s = c->plan->seg;

    for (unsigned int i = 0; i < PVBOOT_SEGMENTS; i++)
        for (unsigned int j = 0; j < i; j++)
            if (s[i].start < s[j].end && s[j].start < s[i].end)
                return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s and %s overlap at 0x%" PRIx64,
                                pvboot_segment_name(j), pvboot_segment_name(i),
                                s[i].start > s[j].start ? s[i].start : s[j].start);
    return 0;
}

/* Bytes of [@start, @end) that the guest is told are RAM. */
static uint64_t ram_bytes(const struct pvboot_memmap *m, uint64_t start, uint64_t end)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < m->n; i++) {
        uint64_t lo = m->r[i].start > start ? m->r[i].start : start, hi = m->r[i].end < end ? m->r[i].end : end;

        if (m->r[i].type == PVBOOT_RAM && lo < hi)
            sum += hi - lo;
    }
    return sum;
}

static int rule_ram(const struct pvb_check *c)
{
    for (unsigned int i = 0; i < PVBOOT_SEGMENTS; i++) {
        const struct pvboot_segment *s = &c->plan->seg[i];
        bool ours = i < PVBOOT_SEG_ACPI, low_is_fine = i == PVBOOT_SEG_KERNEL && !c->zero_page;
        uint64_t ram = ram_bytes(&c->plan->machine.map, s->start, s->end);

        if (ram != (ours ? s->end - s->start : 0))
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %" PRIu64 " of %s's %" PRIu64 " bytes are RAM", ram,
                            pvboot_segment_name(i), s->end - s->start);
        if (ours && s->end && s->start < MIB && !low_is_fine)
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s lies below 1 MiB", pvboot_segment_name(i));
    }
    return 0;
}

static int rule_4g(const struct pvb_check *c)
{
    for (unsigned int i = 0; i < PVBOOT_SEGMENTS; i++) {
        bool movable = i == PVBOOT_SEG_KERNEL || i == PVBOOT_SEG_RAMDISK;

        if (c->plan->seg[i].end > UINT32_MAX + 1ull && !(movable && c->any_address))
            return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %s ends above 4 GiB, which this kernel cannot reach there",
                            pvboot_segment_name(i));
    }
    return 0;
}

/* boot.rst: initrd_addr_max is the highest byte the ramdisk may occupy. */
static int rule_ramdisk(const struct pvb_check *c)
{
    const struct pvboot_segment *s = pvb_seg(c, PVBOOT_SEG_RAMDISK);

    if (!s->end || !c->zero_page || !c->img->has_bzimage || c->any_address)
        return 0;
    if (s->start + s->bytes - 1 > c->img->bz.initrd_addr_max)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL,
                        "plan: ramdisk's last byte 0x%" PRIx64 " is above initrd_addr_max 0x%" PRIx64,
                        s->start + s->bytes - 1, c->img->bz.initrd_addr_max);
    return 0;
}

/* Linux copies 2048 bytes from the pointer on. */
static int rule_cmdline(const struct pvb_check *c)
{
    const struct pvboot_segment *s = pvb_seg(c, PVBOOT_SEG_CMDLINE);
    uint64_t max = c->img->has_bzimage ? c->img->bz.cmdline_max : 4096;

    if (s->end && (s->end - s->start < 2048 || s->bytes - 1 > max || s->bytes - 1 > PVBOOT_CMDLINE_MAX))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL,
                        "plan: command line of %" PRIu64 " bytes in %" PRIu64 "; limit %" PRIu64 ", need room for 2048",
                        s->bytes - 1, s->end - s->start, max);
    return 0;
}

/* What the toolstack placed is described as the machine says. */
static int rule_foreign(const struct pvb_check *c)
{
    const struct pvboot_machine *m = &c->plan->machine;
    const struct pvboot_segment *acpi = pvb_seg(c, PVBOOT_SEG_ACPI), *special = pvb_seg(c, PVBOOT_SEG_SPECIAL);

    if (special->start != m->special_start || special->end != m->special_end)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: special pages are not where the machine has them");
    if (m->rsdp_gpa && type_at(&m->map, m->rsdp_gpa) == PVBOOT_RAM)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: the RSDP at 0x%" PRIx64 " lies in RAM", m->rsdp_gpa);
    if (acpi->end && (m->rsdp_gpa < acpi->start || m->rsdp_gpa >= acpi->end))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: the RSDP at 0x%" PRIx64 " is outside the ACPI segment",
                        m->rsdp_gpa);
    if (m->tables && (!acpi->end || type_at(&m->map, acpi->start) != PVBOOT_ACPI || acpi->start % 4096))
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: our ACPI tables at 0x%" PRIx64 " have no ACPI memory there",
                        acpi->start);
    if (!m->vcpus || m->vcpus > PVBOOT_VCPUS_MAX)
        return pvb_fail(c->e, PVBOOT_E_INTERNAL, "plan: %u vCPUs", m->vcpus);
    return 0;
}

static int judge(const struct pvb_check *c, pvb_rule *const *rule, size_t n)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++)
        rc = rule[i](c);
    return rc;
}

int pvboot_plan_check(const struct pvboot_plan *plan, const struct pvboot_image *img, struct pvboot_error *e)
{
    static pvb_rule *const pv_rule[] = {
        pvb_rule_path,      rule_memory_told,  rule_segments,   rule_overlap,       pvb_rule_pv_memory,
        pvb_rule_pv_kernel, pvb_rule_pv_order, pvb_rule_pv_map, pvb_rule_pv_tables, pvb_rule_pv_start,
    };
    static pvb_rule *const rule[] = {
        pvb_rule_path,  rule_memory_told,   rule_segments,        rule_overlap,     rule_ram,
        rule_4g,        rule_ramdisk,       rule_cmdline,         rule_foreign,     pvb_rule_window,
        pvb_rule_entry, pvb_rule_registers, pvb_rule_page_tables, pvb_rule_subarch,
    };
    struct pvb_check c = { .plan = plan, .img = img, .e = e };

    c.long_mode = plan->path == PVBOOT_PATH_LINUX64 || plan->path == PVBOOT_PATH_VMLINUX64;
    c.zero_page = c.long_mode || plan->path == PVBOOT_PATH_LINUX32;
    c.elf = plan->path == PVBOOT_PATH_VMLINUX64 || !c.zero_page;
    /* boot.rst, xloadflags bit 1; a vmlinux without a setup header is 64-bit Linux and has no other limit */
    c.any_address = c.long_mode && (!img->has_bzimage || (img->bz.xloadflags & 2));
    if (plan->path == PVBOOT_PATH_PV)
        return judge(&c, pv_rule, sizeof(pv_rule) / sizeof(pv_rule[0]));
    return judge(&c, rule, sizeof(rule) / sizeof(rule[0]));
}

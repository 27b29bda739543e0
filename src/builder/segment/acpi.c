/* SPDX-License-Identifier: LGPL-2.1-only */
/* The ACPI tables of a machine that has its own.  A file apart, since the in-guest stub never writes any. */
#include "../../startinfo/acpi.h"
#include "segment.h"

_Static_assert(PVB_ACPI_VCPUS_MAX == PVBOOT_VCPUS_MAX, "limits.h and acpi.h disagree");

static uint64_t emit(const struct pvboot_machine *m, struct pvb_blob *b)
{
    return pvb_put_acpi(b, &(struct pvb_acpi){ .vcpus = m->vcpus, .timers = m->tables == PVBOOT_TABLES_TIMERS });
}

uint64_t pvb_acpi_bytes(const struct pvboot_machine *m, uint64_t *rsdp_off)
{
    struct pvb_blob b = pvb_blob_measure();

    *rsdp_off = emit(m, &b) - b.gpa;
    return b.used;
}

int pvb_acpi_write(const struct pvboot_plan *plan, uint8_t *buf, struct pvboot_error *e)
{
    const struct pvboot_segment *seg = &plan->seg[PVBOOT_SEG_ACPI];
    struct pvb_blob b = { .gpa = seg->start, .buf = buf, .cap = (size_t)(seg->end - seg->start) };

    if (emit(&plan->machine, &b) != plan->machine.rsdp_gpa || !pvb_blob_ok(&b))
        return pvb_fail(e, PVBOOT_E_INTERNAL, "ACPI tables of %zu bytes in a segment for %llu at %#llx", b.used,
                        (unsigned long long)b.cap, (unsigned long long)seg->start);
    return 0;
}

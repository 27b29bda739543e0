/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The domain that stock libxl makes for type="pvh", without asking Xen.
 *
 * Facts: Xen 4.17 tools/libs/light/libxl_x86.c (domain_construct_memmap) and libxl_x86_acpi.c (libxl__dom_load_acpi),
 * tools/libs/guest/xg_dom_x86.c (special pages).  libxl reports the info page, the tables and the RSDP's 64 bytes as
 * three E820 entries that lie end to end; here they are one range with the same bytes.
 */
#include "../segment/segment.h"

#include <inttypes.h>

#define LOW_RAM_END 0xfc000000ull /* below lie ACPI, special pages, APICs */
#define ACPI_INFO_GPA 0xfc000000ull
#define RSDP_BYTES 64u
#define SPECIAL_END 0xff000000ull
/*
 * What acpi_build_tables() makes of dsdt_pvh in Debian's Xen 4.17.7, measured by calling it for 1 to 128 vCPUs:
 * 28603 bytes for one, 8 more for each further entry of the MADT.  Another build of Xen may need another page.
 */
#define ACPI_TABLES_BYTES 28595u
#define ACPI_VCPU_BYTES 8u

static int check_size(uint64_t memory_bytes, uint32_t vcpus, struct pvboot_error *e)
{
    if (!memory_bytes)
        return pvb_fail(e, PVBOOT_E_USAGE, "a guest without memory");
    if (memory_bytes % PVB_PAGE)
        return pvb_fail(e, PVBOOT_E_USAGE, "guest memory of %" PRIu64 " bytes is not whole pages of 4096",
                        memory_bytes);
    if (memory_bytes > PVBOOT_MEMORY_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "guest memory of %" PRIu64 " bytes: limit %llu", memory_bytes,
                        PVBOOT_MEMORY_MAX);
    if (!vcpus)
        return pvb_fail(e, PVBOOT_E_USAGE, "a guest without a vCPU");
    if (vcpus > PVBOOT_VCPUS_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%u vCPUs: limit %u", vcpus, PVBOOT_VCPUS_MAX);
    return 0;
}

void pvboot_machine_special(struct pvboot_machine *m, uint64_t end)
{
    m->special_end = end;
    m->special_start = end - PVBOOT_SPECIAL_PAGES * PVB_PAGE;
    m->xenstore_gpa = m->special_start + PVBOOT_SPECIAL_XENSTORE * PVB_PAGE;
    m->console_gpa = m->special_start + PVBOOT_SPECIAL_CONSOLE * PVB_PAGE;
}

/* RAM below the devices and from 4 GiB on, the special pages; not yet ACPI. */
static int lay_out(struct pvboot_machine *m, uint64_t memory_bytes, uint32_t vcpus, struct pvboot_error *e)
{
    uint64_t low = memory_bytes < LOW_RAM_END ? memory_bytes : LOW_RAM_END;
    int rc = check_size(memory_bytes, vcpus, e);

    if (rc)
        return rc;
    memset(m, 0, sizeof(*m));
    m->vcpus = vcpus;
    pvboot_machine_special(m, SPECIAL_END);
    rc = pvboot_memmap_set(&m->map, 0, low, PVBOOT_RAM, e);
    if (!rc)
        rc = pvboot_memmap_set(&m->map, m->special_start, m->special_end, PVBOOT_RESERVED, e);
    if (!rc && memory_bytes > low)
        rc = pvboot_memmap_set(&m->map, PVB_4G, PVB_4G + (memory_bytes - low), PVBOOT_RAM, e);
    return rc;
}

int pvboot_machine_default(struct pvboot_machine *m, uint64_t memory_bytes, uint32_t vcpus, struct pvboot_error *e)
{
    uint64_t tables = (ACPI_TABLES_BYTES + (uint64_t)vcpus * ACPI_VCPU_BYTES + PVB_PAGE - 1) / PVB_PAGE * PVB_PAGE;
    int rc = lay_out(m, memory_bytes, vcpus, e);

    if (rc)
        return rc;
    m->rsdp_gpa = ACPI_INFO_GPA + PVB_PAGE + tables;
    return pvboot_memmap_set(&m->map, ACPI_INFO_GPA, m->rsdp_gpa + RSDP_BYTES, PVBOOT_ACPI, e);
}

int pvboot_machine_pv(struct pvboot_machine *m, uint64_t memory_bytes, uint32_t vcpus, struct pvboot_error *e)
{
    int rc = check_size(memory_bytes, vcpus, e);

    if (rc)
        return rc;
    memset(m, 0, sizeof(*m));
    m->vcpus = vcpus;
    m->pv = true;
    return pvboot_memmap_set(&m->map, 0, memory_bytes, PVBOOT_RAM, e);
}

int pvboot_machine_own(struct pvboot_machine *m, uint64_t memory_bytes, uint32_t vcpus, enum pvboot_tables tables,
                       struct pvboot_error *e)
{
    uint64_t end, rsdp_off;
    int rc = lay_out(m, memory_bytes, vcpus, e);

    if (rc)
        return rc;
    m->tables = tables;
    end = ACPI_INFO_GPA + pvb_acpi_bytes(m, &rsdp_off);
    m->rsdp_gpa = ACPI_INFO_GPA + rsdp_off;
    return pvboot_memmap_set(&m->map, ACPI_INFO_GPA, (end + PVB_PAGE - 1) & ~(PVB_PAGE - 1), PVBOOT_ACPI, e);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The GPE block leaves the ACPI tables that libxl has made, where a kernel would be led by it to spoil them.
 *
 * Up to Xen 4.18, 4.19.3 and 4.20.1 the DSDT of PVH guests has a handler for vCPUs that come and go, _E02, which calls
 * PRSC (tools/libacpi/mk_dsdt.c).  It reads which are there from I/O port 0xaf00, where there is nobody, so that all bits
 * are set, and marks all of its 128 processors in the MADT, also those that the MADT has no room for: behind it, every
 * eighth byte gets its lowest bit set, in XSDT and RSDP as well.  The GPE block's own ports read as all bits set, too, so Linux runs
 * the handler when it boots.  It has read the tables by then; the kernel that it loads by kexec finds no XSDT.
 *
 * A PVH guest learns of vCPUs through xenstore, and of nothing by a GPE.  Without the block nobody runs the handler.
 * Specification: ACPI 6.0, 5.2.5 (RSDP), 5.2.7 (RSDT), 5.2.9 (FADT).
 */
#include "xl.h"

#include <pvboot/handover.h>

#define HEADER_BYTES 36u
#define LENGTH_OFF 4u
#define CHECKSUM_OFF 9u
#define RSDP_BYTES 36u
#define RSDP_RSDT_OFF 16u
#define RSDP_XSDT_OFF 24u
#define FADT_GPE0_BLK_OFF 80u
#define FADT_GPE0_BLK_LEN_OFF 92u
#define FADT_1_0_BYTES 116u
#define FADT_X_GPE0_BLK_OFF 220u
#define GAS_BYTES 12u

/* @n bytes of the tables at @gpa, which the guest does not have yet; NULL: they are not all in one module. */
static uint8_t *at(const struct xc_dom_image *dom, uint64_t gpa, uint64_t n)
{
    for (size_t i = 0; i < MAX_ACPI_MODULES; i++) {
        const struct xc_hvm_firmware_module *m = &dom->acpi_modules[i];

        if (m->data && gpa >= m->guest_addr_out &&
            pvboot_has((struct pvboot_bytes){ m->data, m->length }, gpa - m->guest_addr_out, n))
            return m->data + (gpa - m->guest_addr_out);
    }
    return NULL;
}

/* All of the table at @gpa; NULL: there is none. */
static uint8_t *table(const struct xc_dom_image *dom, uint64_t gpa, uint32_t *bytes)
{
    const uint8_t *header = at(dom, gpa, HEADER_BYTES);

    if (!header)
        return NULL;
    *bytes = pvboot_le32(header + LENGTH_OFF);
    return *bytes >= HEADER_BYTES ? at(dom, gpa, *bytes) : NULL;
}

static void drop_block(uint8_t *fadt, uint32_t bytes)
{
    uint8_t sum = 0;

    memset(fadt + FADT_GPE0_BLK_OFF, 0, sizeof(uint32_t));
    fadt[FADT_GPE0_BLK_LEN_OFF] = 0;
    if (bytes >= FADT_X_GPE0_BLK_OFF + GAS_BYTES)
        memset(fadt + FADT_X_GPE0_BLK_OFF, 0, GAS_BYTES);
    fadt[CHECKSUM_OFF] = 0;
    for (uint32_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + fadt[i]);
    fadt[CHECKSUM_OFF] = (uint8_t)-sum;
}

/* Of each FADT that the root table at @gpa names, with entries of @size bytes. */
static void drop_blocks(const struct xc_dom_image *dom, uint64_t gpa, uint32_t size)
{
    uint32_t bytes, length;
    const uint8_t *root = table(dom, gpa, &bytes);

    for (uint32_t off = HEADER_BYTES; root && bytes - off >= size; off += size) {
        uint64_t entry = size == sizeof(uint64_t) ? pvboot_le64(root + off) : pvboot_le32(root + off);
        uint8_t *found = table(dom, entry, &length);

        if (found && !memcmp(found, "FACP", 4) && length >= FADT_1_0_BYTES)
            drop_block(found, length);
    }
}

static bool has_handler(const struct xc_dom_image *dom)
{
    for (size_t i = 0; i < MAX_ACPI_MODULES; i++)
        if (dom->acpi_modules[i].data && memmem(dom->acpi_modules[i].data, dom->acpi_modules[i].length, "_E02", 4))
            return true;
    return false;
}

void pvb_acpi_drop_gpe(struct xc_dom_image *dom)
{
    const uint8_t *rsdp = at(dom, dom->acpi_modules[0].guest_addr_out, RSDP_BYTES);

    if (!rsdp || !has_handler(dom))
        return;
    drop_blocks(dom, pvboot_le32(rsdp + RSDP_RSDT_OFF), sizeof(uint32_t));
    drop_blocks(dom, pvboot_le64(rsdp + RSDP_XSDT_OFF), sizeof(uint64_t));
}

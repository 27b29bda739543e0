/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The other processors, found through ACPI and started one after another as Linux does it: INIT, SIPI.
 * ACPI 6.2 chapters 5.2.5 (RSDP), 5.2.7 (RSDT), 5.2.8 (XSDT), 5.2.12 (MADT); Intel SDM vol. 3, 10.6 (interrupt command register).
 */
#include "layout.h"
#include "probe.h"

#define LAPIC_GPA 0xfee00000u
#define LAPIC_ID 0x20u
#define LAPIC_SVR 0xf0u
#define LAPIC_ICR_LOW 0x300u
#define LAPIC_ICR_HIGH 0x310u
#define SVR_ENABLE 0x1ffu
#define ICR_INIT 0x4500u
#define ICR_SIPI 0x4600u
#define RSDP_BYTES 36u
#define RSDP_REVISION 15u
#define RSDP_RSDT 16u
#define RSDP_XSDT 24u
#define MADT_ENTRIES 44u
#define MADT_LAPIC 0u
#define WAIT 2000000u /* reads of the mailbox; an emulated machine is slow, but not that slow */

struct acpi_header {
    char signature[4];
    uint32_t bytes;
    uint8_t rest[28];
};
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 5.2.6");

extern const uint8_t probe_ap[], probe_ap_end[];

/* @bytes is 4 or 8: an address in an RSDT or an XSDT. */
static uint64_t read_address(uint64_t gpa, uint32_t bytes)
{
    const uint8_t *p = at(gpa, bytes);
    uint64_t v = 0;

    if (p)
        __builtin_memcpy(&v, p, bytes);
    return v;
}

static const struct acpi_header *table(uint64_t gpa, const char *signature)
{
    const struct acpi_header *t = (const void *)at(gpa, sizeof(*t));

    return t && !__builtin_memcmp(t->signature, signature, 4) && at(gpa, t->bytes) ? t : NULL;
}

static const struct acpi_header *find_madt(uint64_t rsdp_gpa)
{
    const uint8_t *rsdp = at(rsdp_gpa, RSDP_BYTES);
    const struct acpi_header *root, *madt;
    uint32_t bytes;

    if (!rsdp || __builtin_memcmp(rsdp, "RSD PTR ", 8))
        return NULL;
    bytes = rsdp[RSDP_REVISION] >= 2 ? 8 : 4;
    root = bytes == 8 ? table(read_address(rsdp_gpa + RSDP_XSDT, 8), "XSDT")
                      : table(read_address(rsdp_gpa + RSDP_RSDT, 4), "RSDT");
    for (uint32_t off = sizeof(*root); root && off + bytes <= root->bytes; off += bytes) {
        madt = table(read_address((uintptr_t)root + off, bytes), "APIC");
        if (madt)
            return madt;
    }
    return NULL;
}

static volatile uint32_t *lapic(uint32_t reg)
{
    return (volatile uint32_t *)(uintptr_t)(LAPIC_GPA + reg);
}

static void send(uint32_t apic_id, uint32_t command)
{
    *lapic(LAPIC_ICR_HIGH) = apic_id << 24;
    *lapic(LAPIC_ICR_LOW) = command;
}

static void start(uint32_t apic_id)
{
    volatile uint32_t *mailbox = (volatile uint32_t *)(uintptr_t)(AP_GPA + AP_MAILBOX);

    *mailbox = 0;
    send(apic_id, ICR_INIT);
    send(apic_id, ICR_SIPI | AP_GPA >> 12);
    for (uint32_t i = 0; i < WAIT && !*mailbox; i++)
        __asm__ volatile("pause");
    fact_begin("ap");
    put_hex(apic_id);
    if (*mailbox) {
        put(",");
        put_hex(*mailbox & 0xff);
    }
    put("\n");
}

void report_processors(uint64_t rsdp_gpa)
{
    const struct acpi_header *madt = find_madt(rsdp_gpa);
    const uint8_t *p = (const uint8_t *)madt;
    uint32_t self;

    fact("rsdp", rsdp_gpa);
    fact("madt", (uintptr_t)madt);
    if (!madt)
        return;
    self = *lapic(LAPIC_ID) >> 24;
    fact("bsp", self);
    *lapic(LAPIC_SVR) = SVR_ENABLE;
    __builtin_memcpy((void *)(uintptr_t)AP_GPA, probe_ap, (size_t)(probe_ap_end - probe_ap));
    for (uint32_t off = MADT_ENTRIES; off + 8 <= madt->bytes && p[off + 1]; off += p[off + 1])
        if (p[off] == MADT_LAPIC && (p[off + 4] & 1) && p[off + 3] != self)
            start(p[off + 3]);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * ACPI tables for a domain that no toolstack gives any: which vCPUs there are, that there is no PC hardware, and on
 * request the timers that Xen emulates.  ACPI 5.0 specification, chapter 5, and 6.0 for the FADT; IA-PC HPET specification 3.2.4.
 */
#ifndef PVB_ACPI_H
#define PVB_ACPI_H

#include "blob.h"

#define PVB_ACPI_VCPUS_MAX 128u

struct pvb_acpi {
    uint32_t vcpus; /* at most PVB_ACPI_VCPUS_MAX; vCPU n has APIC id 2n, as Xen gives them out */
    bool timers;    /* IOAPIC, PM timer, HPET and RTC are there: XEN_X86_EMU_* in full; else only local APICs */
};

/* DSDT, FACS, FADT, MADT, HPET, XSDT and the RSDP, which comes last.  The RSDP's gpa; 0: full. */
uint64_t pvb_put_acpi(struct pvb_blob *b, const struct pvb_acpi *in);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "acpi.h"

#include <string.h>

#define PACKED __attribute__((packed))
#define ALIGN 16u
#define FACS_ALIGN 64u
#define OEM_ID "PVBOOT"
#define OEM_TABLE_ID "PVBOOT  "

/* Where Xen emulates them: xen/include/public/hvm/{ioreq,e820}.h, arch-x86/hvm/save.h; ports after
 * HVM_PARAM_ACPI_IOPORTS_LOCATION has been set to 1. */
#define LAPIC_GPA 0xfee00000u
#define IOAPIC_GPA 0xfec00000u
#define IOAPIC_ID 1u
#define HPET_GPA 0xfed00000u
#define HPET_ID 0x8086a201u
#define PM1A_EVT_PORT 0xb000u
#define PM1A_CNT_PORT 0xb004u
#define PM_TIMER_PORT 0xb008u
#define SCI_IRQ 9u
#define PIT_GSI 2u

struct header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision, creator_id, creator_revision;
} PACKED;
_Static_assert(sizeof(struct header) == 36, "ACPI 5.0, table 5-28");

/* Generic address structure, table 5-25. */
struct gas {
    uint8_t space, bits, offset, access;
    uint64_t address;
} PACKED;
#define SYSTEM_IO 1u

struct rsdp {
    char signature[8];
    uint8_t checksum;
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt, length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} PACKED;
#define RSDP_V1_BYTES 20u
_Static_assert(sizeof(struct rsdp) == 36, "ACPI 5.0, table 5-27");

struct facs {
    char signature[4];
    uint32_t length, hardware_signature, waking_vector, global_lock, flags;
    uint64_t x_waking_vector;
    uint8_t version, reserved[31];
} PACKED;
_Static_assert(sizeof(struct facs) == 64, "ACPI 5.0, table 5-35");

/* Behind the header; table 5-34. */
struct fadt {
    uint32_t facs, dsdt;
    uint8_t reserved, profile;
    uint16_t sci_int;
    uint32_t smi_cmd;
    uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
    uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
    uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len, gpe1_base, cst_cnt;
    uint16_t p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t iapc_boot_arch;
    uint8_t reserved2;
    uint32_t flags;
    struct gas reset_reg;
    uint8_t reset_value, reserved3[3];
    uint64_t x_facs, x_dsdt;
    struct gas x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr, x_gpe0, x_gpe1;
    struct gas sleep_control, sleep_status;
    uint64_t hypervisor; /* of ACPI 6.0; CPUID says it */
} PACKED;
_Static_assert(sizeof(struct header) + sizeof(struct fadt) == 276, "ACPI 6.0, table 5-34");
_Static_assert(sizeof(struct header) + offsetof(struct fadt, flags) == 112, "ACPI 5.0, table 5-34");
#define FADT_REVISION 6u
#define NO_LATENCY 0x0fffu /* above 100 and 1000: no C2, no C3 */
#define BOOT_NO_VGA 0x4u
#define BOOT_NO_CMOS_RTC 0x20u
#define FADT_WBINVD 0x1u
#define FADT_PROC_C1 0x4u
#define FADT_NO_PWR_BUTTON 0x10u
#define FADT_NO_SLP_BUTTON 0x20u
#define FADT_FIX_RTC 0x40u
#define FADT_TMR_VAL_EXT 0x100u
#define FADT_HW_REDUCED 0x100000u

struct lapic {
    uint8_t type, length, acpi_id, apic_id;
    uint32_t flags;
} PACKED;
struct ioapic {
    uint8_t type, length, id, reserved;
    uint32_t gpa, gsi_base;
} PACKED;
struct override {
    uint8_t type, length, bus, irq;
    uint32_t gsi;
    uint16_t flags;
} PACKED;
enum { MADT_LAPIC, MADT_IOAPIC, MADT_OVERRIDE };
#define LAPIC_ENABLED 1u
#define PCAT_COMPAT 1u      /* two 8259s are there */
#define LEVEL_HIGH 0xdu     /* MPS INTI flags, table 5-50 */
#define DSDT_REVISION 2u    /* AML with 64-bit integers */
#define MADT_REVISION 3u    /* ACPI 5.0 */
#define XSDT_ENTRIES_MAX 3u /* FADT, MADT, HPET */

struct madt {
    uint32_t lapic_gpa, flags;
    struct ioapic ioapic;     /* the MADT of a machine without timers has these three from */
    struct override pit, sci; /* here on cut out */
    struct lapic lapic[PVB_ACPI_VCPUS_MAX];
} PACKED;

struct hpet {
    uint32_t id;
    struct gas base;
    uint8_t number;
    uint16_t min_tick;
    uint8_t protection;
} PACKED;
_Static_assert(sizeof(struct header) + sizeof(struct hpet) == 56, "HPET specification, table 3");

static uint8_t checksum(const void *p, size_t n)
{
    const uint8_t *byte = p;
    uint8_t sum = 0;

    while (n--)
        sum = (uint8_t)(sum + *byte++);
    return (uint8_t)-sum;
}

struct body {
    const void *p;
    size_t n;
};

/* A table of two pieces, either of which may be empty. */
static uint64_t put_table(struct pvb_blob *b, const char *signature, unsigned int revision, struct body first,
                          struct body second)
{
    struct header h = { .length = (uint32_t)(sizeof(h) + first.n + second.n),
                        .revision = (uint8_t)revision,
                        .oem_revision = 1,
                        .creator_revision = 1 };
    uint64_t gpa;

    memcpy(h.signature, signature, sizeof(h.signature));
    memcpy(h.oem_id, OEM_ID, sizeof(h.oem_id));
    memcpy(h.oem_table_id, OEM_TABLE_ID, sizeof(h.oem_table_id));
    memcpy(&h.creator_id, "PVBT", sizeof(h.creator_id));
    h.checksum = (uint8_t)(checksum(&h, sizeof(h)) + checksum(first.p, first.n) + checksum(second.p, second.n));
    gpa = pvb_put(b, &h, sizeof(h), ALIGN);
    pvb_put(b, first.p, first.n, 1);
    pvb_put(b, second.p, second.n, 1);
    return gpa;
}

static const struct body nothing = { "", 0 };

static uint64_t put_facs(struct pvb_blob *b)
{
    const struct facs f = { .signature = "FACS", .length = sizeof(f), .version = 2 };

    return pvb_put(b, &f, sizeof(f), FACS_ALIGN);
}

static struct gas io(uint32_t port, uint8_t bits)
{
    return (struct gas){ .space = SYSTEM_IO, .bits = bits, .address = port };
}

/*
 * Without timers there is none of ACPI's own hardware either, and no CMOS clock: NO_VGA with NO_CMOS_RTC is also what
 * tells Linux on a zero page that it is PVH (arch/x86/xen/enlighten_hvm.c).  With them the PM1 registers are there, but
 * nobody listens to the control register: no _S5, so that a guest that wants to end halts its vCPUs, which Xen takes
 * for a power-off.
 */
static uint64_t put_fadt(struct pvb_blob *b, bool timers, uint64_t facs, uint64_t dsdt)
{
    struct fadt f = {
        .facs = (uint32_t)facs,
        .x_facs = facs,
        .dsdt = (uint32_t)dsdt,
        .x_dsdt = dsdt,
        .sci_int = SCI_IRQ, /* without timers nobody raises it; Linux programs a trigger mode for it all the same */
        .p_lvl2_lat = NO_LATENCY,
        .p_lvl3_lat = NO_LATENCY,
        .iapc_boot_arch = timers ? BOOT_NO_VGA : BOOT_NO_VGA | BOOT_NO_CMOS_RTC,
        .flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_PWR_BUTTON | FADT_NO_SLP_BUTTON |
                 (timers ? FADT_FIX_RTC | FADT_TMR_VAL_EXT : FADT_HW_REDUCED),
    };

    if (timers) {
        f.pm1a_evt = PM1A_EVT_PORT;
        f.pm1a_cnt = PM1A_CNT_PORT;
        f.pm_tmr = PM_TIMER_PORT;
        f.pm1_evt_len = 4;
        f.pm1_cnt_len = 2;
        f.pm_tmr_len = 4;
        f.x_pm1a_evt = io(PM1A_EVT_PORT, 32);
        f.x_pm1a_cnt = io(PM1A_CNT_PORT, 16);
        f.x_pm_tmr = io(PM_TIMER_PORT, 32);
    }
    return put_table(b, "FACP", FADT_REVISION, (struct body){ &f, sizeof(f) }, nothing);
}

static uint64_t put_madt(struct pvb_blob *b, const struct pvb_acpi *in)
{
    struct madt m = {
        .lapic_gpa = LAPIC_GPA,
        .flags = in->timers ? PCAT_COMPAT : 0,
        .ioapic = { MADT_IOAPIC, sizeof(struct ioapic), IOAPIC_ID, 0, IOAPIC_GPA, 0 },
        .pit = { MADT_OVERRIDE, sizeof(struct override), 0, 0, PIT_GSI, 0 },
        .sci = { MADT_OVERRIDE, sizeof(struct override), 0, SCI_IRQ, SCI_IRQ, LEVEL_HIGH },
    };
    size_t pc = offsetof(struct madt, ioapic), vcpus = in->vcpus < PVB_ACPI_VCPUS_MAX ? in->vcpus : PVB_ACPI_VCPUS_MAX;

    for (size_t i = 0; i < vcpus; i++)
        m.lapic[i] = (struct lapic){ MADT_LAPIC, sizeof(m.lapic[i]), (uint8_t)i, (uint8_t)(2 * i), LAPIC_ENABLED };
    return put_table(b, "APIC", MADT_REVISION, (struct body){ &m, in->timers ? offsetof(struct madt, lapic) : pc },
                     (struct body){ m.lapic, vcpus * sizeof(m.lapic[0]) });
}

static uint64_t put_hpet(struct pvb_blob *b)
{
    const struct hpet h = { .id = HPET_ID, .base = { .address = HPET_GPA } };

    return put_table(b, "HPET", 1, (struct body){ &h, sizeof(h) }, nothing);
}

static uint64_t put_rsdp(struct pvb_blob *b, uint64_t xsdt)
{
    struct rsdp r = { .revision = 2, .length = sizeof(r), .xsdt = xsdt };

    memcpy(r.signature, "RSD PTR ", sizeof(r.signature));
    memcpy(r.oem_id, OEM_ID, sizeof(r.oem_id));
    r.checksum = checksum(&r, RSDP_V1_BYTES);
    r.extended_checksum = checksum(&r, sizeof(r));
    return pvb_put(b, &r, sizeof(r), ALIGN);
}

uint64_t pvb_put_acpi(struct pvb_blob *b, const struct pvb_acpi *in)
{
    uint64_t dsdt = put_table(b, "DSDT", DSDT_REVISION, nothing, nothing), facs = put_facs(b);
    uint64_t entry[XSDT_ENTRIES_MAX], xsdt, rsdp;
    size_t n = 0;

    entry[n++] = put_fadt(b, in->timers, facs, dsdt);
    entry[n++] = put_madt(b, in);
    if (in->timers)
        entry[n++] = put_hpet(b);
    xsdt = put_table(b, "XSDT", 1, (struct body){ entry, n * sizeof(entry[0]) }, nothing);
    rsdp = put_rsdp(b, xsdt);
    return pvb_blob_ok(b) ? rsdp : 0;
}

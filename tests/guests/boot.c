/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the boot protocol handed over: a start info or a zero page, and all that hangs off it. */
#include "layout.h"
#include "probe.h"

#include <asm/bootparam.h>
#include <pvboot/handover.h>
#include <xen/arch-x86/hvm/start_info.h>

#define CMDLINE_MAX 4096u

extern const uint8_t probe_start[], probe_load_end[];

static void report_range(uint64_t start, uint64_t bytes, uint32_t type)
{
    fact_begin("e820");
    put_hex(start);
    put(",");
    put_hex(start + bytes);
    put(",");
    put_hex(type);
    put("\n");
}

/* With its NUL. */
static void report_text(const char *name, uint64_t gpa)
{
    const uint8_t *p = at(gpa, CMDLINE_MAX);
    uint64_t n = 0;

    if (!p)
        return;
    while (n < CMDLINE_MAX && p[n])
        n++;
    dump(name, gpa, n + 1);
}

static void report_content(const char *name, uint64_t gpa, uint64_t bytes)
{
    const uint8_t *p = at(gpa, bytes);

    fact_begin(name);
    put_hex(gpa);
    put(",");
    put_hex(bytes);
    if (p) {
        put(",");
        put_hex(pvboot_crc32(0, p, (size_t)bytes));
    }
    put("\n");
}

void report_start_info(uint64_t gpa)
{
    const struct hvm_start_info *si = (const void *)at(gpa, sizeof(*si));
    const struct hvm_modlist_entry *m;
    const struct hvm_memmap_table_entry *r;

    if (!si || si->magic != XEN_HVM_START_MAGIC_VALUE) {
        fact("no_start_info_at", gpa);
        return;
    }
    dump("start_info", gpa, sizeof(*si));
    report_text("cmdline", si->cmdline_paddr);
    m = (const void *)at(si->modlist_paddr, si->nr_modules * sizeof(*m));
    for (uint32_t i = 0; m && i < si->nr_modules; i++) {
        report_content("module", m[i].paddr, m[i].size);
        report_text("module_cmdline", m[i].cmdline_paddr);
    }
    r = (const void *)at(si->memmap_paddr, si->memmap_entries * sizeof(*r));
    for (uint32_t i = 0; si->version && r && i < si->memmap_entries; i++)
        report_range(r[i].addr, r[i].size, r[i].type);
    report_processors(si->rsdp_paddr);
}

static void report_tlvs(const uint8_t *payload, const struct pvboot_handover *h)
{
    uint32_t off = h->tlv_off;
    struct pvboot_tlv t;

    while (pvboot_handover_next_tlv(payload, h->bytes, &off, &t) > 0) {
        fact_begin("tlv");
        put_hex(t.type);
        put(",");
        put_hex(t.bytes);
        put("\n");
    }
}

/* By the code that kernels are to copy. */
static void report_handover(uint64_t head_gpa)
{
    struct pvboot_handover h = { 0 };
    const uint8_t *payload = NULL;
    enum pvboot_handover_status s =
        pvboot_handover_find(head_gpa, (struct pvboot_view){ .at = pvboot_identity_at }, &h, &payload);

    fact("handover_status", s);
    if (s != PVBOOT_HANDOVER_OK)
        return;
    fact("handover_gpa", (uintptr_t)payload);
    fact("handover_hypervisor", h.hypervisor);
    fact("handover_filler", h.filler);
    fact("handover_data_gpa", h.data_gpa);
    fact("handover_data_bytes", h.data_bytes);
    if (h.data_bytes)
        dump("handover_data", h.data_gpa, h.data_bytes);
    report_tlvs(payload, &h);
}

static void report_setup_data(uint64_t head_gpa)
{
    struct pvboot_setup_walk w = { .next_gpa = head_gpa };
    struct pvboot_setup_node n;

    while (pvboot_setup_next(&w, (struct pvboot_view){ .at = pvboot_identity_at }, &n) == PVBOOT_HANDOVER_OK) {
        fact_begin("setup_data");
        put_hex(n.gpa);
        put(",");
        put_hex(n.entry_type);
        put(",");
        put_hex(n.bytes);
        put("\n");
        dump("setup_data_node", n.gpa, sizeof(struct setup_data) + n.bytes);
    }
}

/* What was loaded of the bzImage: the probe itself, and what a test has hung on behind its window. */
static void report_kernel(uint64_t bytes)
{
    uint64_t own = (uint64_t)(probe_load_end - probe_start);

    if (bytes)
        report_content("kernel", (uintptr_t)probe_start, bytes < own ? bytes : own);
    if (bytes > WINDOW_BYTES)
        report_content("kernel_tail", (uintptr_t)probe_start + WINDOW_BYTES, bytes - WINDOW_BYTES);
}

void report_zero_page(uint64_t gpa)
{
    const struct boot_params *bp = (const void *)at(gpa, sizeof(*bp));
    uint64_t ramdisk, ramdisk_bytes, cmdline;

    if (!bp || bp->hdr.header != 0x53726448 || bp->e820_entries > E820_MAX_ENTRIES_ZEROPAGE) {
        fact("no_zero_page_at", gpa);
        return;
    }
    dump("zero_page", gpa, sizeof(*bp));
    ramdisk = (uint64_t)bp->ext_ramdisk_image << 32 | bp->hdr.ramdisk_image;
    ramdisk_bytes = (uint64_t)bp->ext_ramdisk_size << 32 | bp->hdr.ramdisk_size;
    cmdline = (uint64_t)bp->ext_cmd_line_ptr << 32 | bp->hdr.cmd_line_ptr;
    report_text("cmdline", cmdline);
    if (ramdisk_bytes)
        report_content("ramdisk", ramdisk, ramdisk_bytes);
    report_kernel(bp->hdr.syssize * 16ull);
    for (unsigned int i = 0; i < bp->e820_entries; i++)
        report_range(bp->e820_table[i].addr, bp->e820_table[i].size, bp->e820_table[i].type);
    report_setup_data(bp->hdr.setup_data);
    report_handover(bp->hdr.setup_data);
    report_processors(bp->acpi_rsdp_addr);
}

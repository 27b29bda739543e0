/* SPDX-License-Identifier: LGPL-2.1-only */
#include "zero_page.h"

#define LOADER_XEN 0x90u /* boot.rst type_of_loader: 9 Xen; the low nibble is a version */
#define VID_MODE_NORMAL 0xffffu
#define ELF_ALIGN (2u << 20) /* startup_64 spins when it is not loaded at such an address */

/* All the kernel says its header is, fields younger than our idea of it included. */
static void put_header(struct boot_params *bp, struct pvboot_bytes header)
{
    struct setup_header *h = &bp->hdr;

    if (!header.len) {
        h->boot_flag = PVB_BOOT_FLAG;
        h->header = PVB_HEADER_MAGIC;
        h->version = PVB_BOOT_2_15;
        h->loadflags = LOADED_HIGH;
        h->kernel_alignment = ELF_ALIGN;
        h->xloadflags = XLF_KERNEL_64;
        return;
    }
    memcpy((uint8_t *)bp + PVB_HEADER_OFF, header.p, header.len < PVB_HEADER_MAX ? header.len : PVB_HEADER_MAX);
}

/* What a boot loader writes, whatever the file has there. */
static void put_loader_fields(struct setup_header *h, const struct pvb_zero_page *in)
{
    h->type_of_loader = (uint8_t)(LOADER_XEN | (in->filler & 0xfu));
    h->ext_loader_ver = 0;
    h->ext_loader_type = 0;
    h->loadflags = (uint8_t)(h->loadflags & ~(KASLR_FLAG | CAN_USE_HEAP));
    h->heap_end_ptr = 0;
    h->vid_mode = VID_MODE_NORMAL;
    h->code32_start = (uint32_t)in->kernel_gpa;
    h->ramdisk_image = (uint32_t)in->ramdisk_gpa;
    h->ramdisk_size = (uint32_t)in->ramdisk_bytes;
    h->cmd_line_ptr = (uint32_t)in->cmdline_gpa;
    h->hardware_subarch = h->version >= PVB_BOOT_2_07 ? in->subarch : 0;
    h->hardware_subarch_data = h->version >= PVB_BOOT_2_07 ? in->subarch_data : 0;
    h->setup_data = h->version >= PVB_BOOT_2_09 ? in->setup_data_gpa : 0;
}

void pvb_fill_zero_page(struct boot_params *bp, const struct pvb_zero_page *in)
{
    size_t n = in->n_e820 < E820_MAX_ENTRIES_ZEROPAGE ? in->n_e820 : E820_MAX_ENTRIES_ZEROPAGE;

    memset(bp, 0, sizeof(*bp));
    put_header(bp, in->header);
    put_loader_fields(&bp->hdr, in);
    bp->ext_ramdisk_image = (uint32_t)(in->ramdisk_gpa >> 32);
    bp->ext_ramdisk_size = (uint32_t)(in->ramdisk_bytes >> 32);
    bp->ext_cmd_line_ptr = (uint32_t)(in->cmdline_gpa >> 32);
    bp->acpi_rsdp_addr = in->rsdp_gpa;
    for (size_t i = 0; i < n; i++)
        bp->e820_table[i] = (struct boot_e820_entry){ .addr = in->e820[i].start,
                                                      .size = in->e820[i].end - in->e820[i].start,
                                                      .type = in->e820[i].type };
    bp->e820_entries = (uint8_t)n;
}

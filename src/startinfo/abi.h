/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The one place that includes Linux's boot ABI, and what we rely on of it.
 * Offsets: Linux Documentation/arch/x86/zero-page.rst and boot.rst.
 */
#ifndef PVB_ABI_H
#define PVB_ABI_H

#include <asm/bootparam.h>
#include <stddef.h>

#define PVB_AT(type, field, off) _Static_assert(offsetof(struct type, field) == (off), #type "." #field)

_Static_assert(sizeof(struct boot_params) == 4096, "the zero page is a page");
_Static_assert(sizeof(struct boot_e820_entry) == 20, "e820 entries are packed");
_Static_assert(sizeof(struct setup_data) == 16, "setup_data");
_Static_assert(sizeof(struct setup_indirect) == 24, "setup_indirect");
PVB_AT(boot_params, acpi_rsdp_addr, 0x70);
PVB_AT(boot_params, ext_ramdisk_image, 0xc0);
PVB_AT(boot_params, ext_ramdisk_size, 0xc4);
PVB_AT(boot_params, ext_cmd_line_ptr, 0xc8);
PVB_AT(boot_params, e820_entries, 0x1e8);
PVB_AT(boot_params, sentinel, 0x1ef);
PVB_AT(boot_params, hdr, 0x1f1);
PVB_AT(boot_params, hdr.boot_flag, 0x1fe);
PVB_AT(boot_params, hdr.header, 0x202);
PVB_AT(boot_params, hdr.version, 0x206);
PVB_AT(boot_params, hdr.type_of_loader, 0x210);
PVB_AT(boot_params, hdr.cmd_line_ptr, 0x228);
PVB_AT(boot_params, hdr.hardware_subarch, 0x23c);
PVB_AT(boot_params, hdr.hardware_subarch_data, 0x240);
PVB_AT(boot_params, hdr.setup_data, 0x250);
PVB_AT(boot_params, hdr.kernel_info_offset, 0x268);
PVB_AT(boot_params, e820_table, 0x2d0);

#define PVB_HEADER_OFF 0x1f1u /* setup header in the file and in the zero page */
#define PVB_HEADER_MAX (offsetof(struct boot_params, edd_mbr_sig_buffer) - PVB_HEADER_OFF)
#define PVB_HEADER_MAGIC 0x53726448u /* "HdrS" */
#define PVB_BOOT_FLAG 0xaa55u

/* Protocol versions in which fields appeared, boot.rst. */
#define PVB_BOOT_2_07 0x0207u /* hardware_subarch, hardware_subarch_data */
#define PVB_BOOT_2_09 0x0209u /* setup_data */
#define PVB_BOOT_2_15 0x020fu /* kernel_info */

#endif

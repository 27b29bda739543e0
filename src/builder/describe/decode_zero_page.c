/* SPDX-License-Identifier: LGPL-2.1-only */
/* Linux Documentation/arch/x86/zero-page.rst, boot.rst; what Linux does with bad values: docs/handover.md. */
#include "../../startinfo/abi.h"
#include "decode.h"

#include <inttypes.h>

#define BP(field) PVB_ROW(#field, offsetof(struct boot_params, field), sizeof(((struct boot_params *)0)->field))
#define HDR(field) \
    PVB_ROW(#field, offsetof(struct boot_params, hdr.field), sizeof(((struct boot_params *)0)->hdr.field))

static const struct pvb_field field[] = {
    BP(screen_info),
    BP(apm_bios_info),
    BP(tboot_addr),
    BP(ist_info),
    BP(acpi_rsdp_addr),
    BP(hd0_info),
    BP(hd1_info),
    BP(sys_desc_table),
    BP(olpc_ofw_header),
    BP(ext_ramdisk_image),
    BP(ext_ramdisk_size),
    BP(ext_cmd_line_ptr),
    BP(cc_blob_address),
    BP(edid_info),
    BP(efi_info),
    BP(alt_mem_k),
    BP(scratch),
    BP(e820_entries),
    BP(eddbuf_entries),
    BP(edd_mbr_sig_buf_entries),
    BP(kbd_status),
    BP(secure_boot),
    BP(sentinel),
    HDR(setup_sects),
    HDR(root_flags),
    HDR(syssize),
    HDR(ram_size),
    HDR(vid_mode),
    HDR(root_dev),
    HDR(boot_flag),
    HDR(jump),
    HDR(header),
    HDR(version),
    HDR(realmode_swtch),
    HDR(start_sys_seg),
    HDR(kernel_version),
    HDR(type_of_loader),
    HDR(loadflags),
    HDR(setup_move_size),
    HDR(code32_start),
    HDR(ramdisk_image),
    HDR(ramdisk_size),
    HDR(bootsect_kludge),
    HDR(heap_end_ptr),
    HDR(ext_loader_ver),
    HDR(ext_loader_type),
    HDR(cmd_line_ptr),
    HDR(initrd_addr_max),
    HDR(kernel_alignment),
    HDR(relocatable_kernel),
    HDR(min_alignment),
    HDR(xloadflags),
    HDR(cmdline_size),
    HDR(hardware_subarch),
    HDR(hardware_subarch_data),
    HDR(payload_offset),
    HDR(payload_length),
    HDR(setup_data),
    HDR(pref_address),
    HDR(init_size),
    HDR(handover_offset),
    HDR(kernel_info_offset),
    BP(edd_mbr_sig_buffer),
    BP(e820_table),
    BP(eddbuf),
};
#define FIELDS (sizeof(field) / sizeof(field[0]))
#define CMDLINE_COPIED 2048u /* COMMAND_LINE_SIZE: what Linux copies whatever cmdline_size says */

/* What lies where, as the page says. */
struct object {
    const char *name;
    uint64_t start, end;
};

static uint64_t split(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

/* The table's used entries as a map; the rest of it is seen in the field "e820_table". */
static void decode_e820(json_t *o, const struct boot_params *bp, struct pvboot_memmap *map)
{
    map->n = bp->e820_entries < E820_MAX_ENTRIES_ZEROPAGE ? bp->e820_entries : E820_MAX_ENTRIES_ZEROPAGE;
    for (size_t i = 0; i < map->n; i++)
        map->r[i] = (struct pvboot_range){ bp->e820_table[i].addr, bp->e820_table[i].addr + bp->e820_table[i].size,
                                           bp->e820_table[i].type };
    json_object_set_new(o, "e820", pvb_describe_memmap(map));
    if (bp->e820_entries < 2)
        pvb_lint(o, "e820_entries %u: Linux drops a map of fewer than 2 entries", bp->e820_entries);
    if (bp->e820_entries > E820_MAX_ENTRIES_ZEROPAGE)
        pvb_lint(o, "e820_entries %u: the page has room for %u", bp->e820_entries, E820_MAX_ENTRIES_ZEROPAGE);
    pvb_lint_ranges(o, map->r, map->n);
}

static void lint_header(json_t *o, const struct setup_header *h)
{
    if (h->header != PVB_HEADER_MAGIC)
        pvb_lint(o, "header %#x is not \"HdrS\"", h->header);
    if (h->boot_flag != PVB_BOOT_FLAG)
        pvb_lint(o, "boot_flag %#x is not %#x", h->boot_flag, PVB_BOOT_FLAG);
    if (!(h->loadflags & LOADED_HIGH))
        pvb_lint(o, "loadflags: LOADED_HIGH is clear");
    if (h->version < PVB_BOOT_2_07 && (h->hardware_subarch || h->hardware_subarch_data))
        pvb_lint(o, "hardware_subarch is set, but protocol %u.%02u has none", h->version >> 8, h->version & 0xffu);
    if (h->version < PVB_BOOT_2_09 && h->setup_data)
        pvb_lint(o, "setup_data is set, but protocol %u.%02u has none", h->version >> 8, h->version & 0xffu);
    if (h->hardware_subarch >= X86_NR_SUBARCHS)
        pvb_lint(o, "hardware_subarch %u is none of boot.rst's", h->hardware_subarch);
    if (!h->hardware_subarch && h->hardware_subarch_data)
        pvb_lint(o, "hardware_subarch_data %#" PRIx64 " without a subarch", (uint64_t)h->hardware_subarch_data);
    if (h->setup_data % 8)
        pvb_lint(o, "setup_data %#" PRIx64 " is not 8-byte aligned", (uint64_t)h->setup_data);
}

static void lint_loader(json_t *o, const struct boot_params *bp)
{
    const struct setup_header *h = &bp->hdr;

    if (bp->sentinel)
        pvb_lint(o, "sentinel %#x is not 0: Linux clears acpi_rsdp_addr, ext_ramdisk_* and ext_cmd_line_ptr",
                 bp->sentinel);
    if (!h->type_of_loader)
        pvb_lint(o, "type_of_loader is 0: Linux ignores the ramdisk");
    if (h->loadflags & KASLR_FLAG)
        pvb_lint(o, "loadflags: KASLR is set, which is the kernel's to set");
    if (h->heap_end_ptr || (h->loadflags & CAN_USE_HEAP))
        pvb_lint(o, "heap_end_ptr %#x concerns 16-bit code, which does not run", h->heap_end_ptr);
    if (!bp->acpi_rsdp_addr)
        pvb_lint(o, "acpi_rsdp_addr is 0: Linux learns only from ACPI that it runs in a PVH container");
    if (bp->efi_info.efi_loader_signature)
        pvb_lint(o, "efi_info is set in a guest without EFI");
    if (bp->cc_blob_address || bp->tboot_addr)
        pvb_lint(o, "cc_blob_address %#x, tboot_addr %#" PRIx64 ": neither exists here", bp->cc_blob_address,
                 (uint64_t)bp->tboot_addr);
}

static void lint_object(json_t *o, const struct pvboot_memmap *map, const struct object *a)
{
    if (a->end < a->start)
        pvb_lint(o, "%s at %#" PRIx64 " wraps", a->name, a->start);
    else if (!pvboot_memmap_inside(map, a->start, a->end, PVBOOT_RAM))
        pvb_lint(o, "%s [%#" PRIx64 ", %#" PRIx64 ") is not RAM", a->name, a->start, a->end);
}

/* boot.rst "kernel_alignment", "init_size": where a relocatable kernel unpacks itself. */
static struct object window_of(const struct setup_header *h)
{
    uint64_t pref = h->pref_address, load = h->code32_start, start = load;

    if (!h->init_size)
        return (struct object){ "kernel window", 0, 0 };
    if (h->relocatable_kernel && pvb_power_of_two(h->kernel_alignment))
        start = ((load > pref ? load : pref) + h->kernel_alignment - 1) & ~((uint64_t)h->kernel_alignment - 1);
    else
        start = pref;
    return (struct object){ "kernel window", load < start ? load : start, start + h->init_size };
}

static void lint_places(json_t *o, const struct boot_params *bp, const struct pvboot_memmap *map, uint64_t base_gpa)
{
    const struct setup_header *h = &bp->hdr;
    uint64_t ramdisk = split(h->ramdisk_image, bp->ext_ramdisk_image);
    uint64_t ramdisk_bytes = split(h->ramdisk_size, bp->ext_ramdisk_size);
    uint64_t cmdline = split(h->cmd_line_ptr, bp->ext_cmd_line_ptr);
    const struct object object[] = {
        window_of(h),
        { "ramdisk", ramdisk, ramdisk + ramdisk_bytes },
        { "command line", cmdline, cmdline ? cmdline + CMDLINE_COPIED : 0 },
        { "setup_data", h->setup_data, h->setup_data ? h->setup_data + sizeof(struct setup_data) : 0 },
        { "zero page", base_gpa, base_gpa ? base_gpa + sizeof(*bp) : 0 },
    };
    size_t n = sizeof(object) / sizeof(object[0]);

    for (size_t i = 0; i < n; i++) {
        if (object[i].start == object[i].end)
            continue;
        lint_object(o, map, &object[i]);
        for (size_t j = 0; j < i; j++)
            if (object[j].start < object[i].end && object[i].start < object[j].end)
                pvb_lint(o, "%s [%#" PRIx64 ", %#" PRIx64 ") overlaps %s [%#" PRIx64 ", %#" PRIx64 ")", object[i].name,
                         object[i].start, object[i].end, object[j].name, object[j].start, object[j].end);
    }
    if (ramdisk_bytes && h->initrd_addr_max && !(h->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) &&
        ramdisk + ramdisk_bytes - 1 > h->initrd_addr_max)
        pvb_lint(o, "ramdisk ends at %#" PRIx64 ", above initrd_addr_max %#x", ramdisk + ramdisk_bytes,
                 h->initrd_addr_max);
}

json_t *pvb_decode_zero_page(struct pvboot_bytes page, uint64_t base_gpa)
{
    json_t *o = pvb_decode_begin("zero page", page, base_gpa);
    struct pvboot_memmap map;
    struct boot_params bp;

    if (page.len != sizeof(bp) || !pvboot_get(page, 0, &bp, sizeof(bp))) {
        pvb_lint(o, "%zu bytes: a zero page has %zu", page.len, sizeof(bp));
        return o;
    }
    pvb_decode_fields(o, page, field, FIELDS, sizeof(bp));
    decode_e820(o, &bp, &map);
    lint_loader(o, &bp);
    lint_header(o, &bp.hdr);
    lint_places(o, &bp, &map, base_gpa);
    return o;
}

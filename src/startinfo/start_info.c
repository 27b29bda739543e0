/* SPDX-License-Identifier: LGPL-2.1-only */
#include "start_info.h"

#include <stddef.h>
#include <stdint.h>
#include <xen/arch-x86/hvm/start_info.h>

/* The byte tables in Xen's start_info.h. */
_Static_assert(sizeof(struct hvm_start_info) == 56, "start info, version 1");
_Static_assert(offsetof(struct hvm_start_info, memmap_paddr) == 40, "start info");
_Static_assert(sizeof(struct hvm_modlist_entry) == 32, "module");
_Static_assert(sizeof(struct hvm_memmap_table_entry) == 24, "memory map entry");
_Static_assert(XEN_HVM_MEMMAP_TYPE_RAM == PVBOOT_RAM && XEN_HVM_MEMMAP_TYPE_UNUSABLE == PVBOOT_UNUSABLE, "as in e820");

#define ALIGN 8u
/* Linux's PVH entry copies the map into its zero page without a bound and adds one entry. */
#define MAP_MAX 127u

bool pvb_start_info_built_in(void)
{
    return true;
}

static uint64_t put_map(struct pvb_blob *b, const struct pvboot_range *map, size_t n)
{
    uint64_t gpa = pvb_reserve(b, n * sizeof(struct hvm_memmap_table_entry), ALIGN);

    for (size_t i = 0; i < n; i++) {
        const struct hvm_memmap_table_entry entry = { .addr = map[i].start,
                                                      .size = map[i].end - map[i].start,
                                                      .type = map[i].type };

        pvb_poke(b, gpa + i * sizeof(entry), &entry, sizeof(entry));
    }
    return gpa;
}

uint64_t pvb_put_start_info(struct pvb_blob *b, const struct pvb_start_info *in)
{
    uint64_t gpa = pvb_reserve(b, sizeof(struct hvm_start_info), ALIGN);
    struct hvm_start_info si = {
        .magic = XEN_HVM_START_MAGIC_VALUE,
        .version = 1,
        .cmdline_paddr = in->cmdline_gpa,
        .rsdp_paddr = in->rsdp_gpa,
    };

    if (in->ramdisk_bytes) {
        const struct hvm_modlist_entry module = { .paddr = in->ramdisk_gpa, .size = in->ramdisk_bytes };

        si.nr_modules = 1;
        si.modlist_paddr = pvb_put(b, &module, sizeof(module), ALIGN);
    }
    /* The map is optional: without one a guest asks the hypervisor, which has the same map. */
    if (in->n_map && in->n_map <= MAP_MAX) {
        si.memmap_paddr = put_map(b, in->map, in->n_map);
        si.memmap_entries = (uint32_t)in->n_map;
    }
    pvb_poke(b, gpa, &si, sizeof(si));
    return pvb_blob_ok(b) ? gpa : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What boot paths, codecs, wrappers and segments are called: the same words in configuration, command line, JSON and messages. */
#include "base.h"

static const char *const path_names[PVBOOT_PATHS] = {
    [PVBOOT_PATH_AUTO] = "auto",
    [PVBOOT_PATH_PVH] = "pvh",
    [PVBOOT_PATH_LINUX32] = "linux32",
    [PVBOOT_PATH_LINUX64] = "linux64",
    [PVBOOT_PATH_VMLINUX64] = "vmlinux64",
    [PVBOOT_PATH_STUB] = "stub",
    [PVBOOT_PATH_PV] = "pv",
};

static const char *const codec_names[] = {
    [PVBOOT_CODEC_NONE] = "none", [PVBOOT_CODEC_GZIP] = "gzip", [PVBOOT_CODEC_BZIP2] = "bzip2",
    [PVBOOT_CODEC_LZMA] = "lzma", [PVBOOT_CODEC_XZ] = "xz",     [PVBOOT_CODEC_LZO] = "lzo",
    [PVBOOT_CODEC_LZ4] = "lz4",   [PVBOOT_CODEC_ZSTD] = "zstd", [PVBOOT_CODEC_UNKNOWN] = "unknown",
};

static const char *const wrapper_names[] = {
    [PVBOOT_WRAPPER_PACKED] = "packed",
    [PVBOOT_WRAPPER_UKI] = "uki",
    [PVBOOT_WRAPPER_ZBOOT] = "zboot",
};

static const char *const part_names[PVBOOT_PARTS] = {
    [PVBOOT_PART_UCODE] = ".ucode",
    [PVBOOT_PART_INITRD] = ".initrd",
    [PVBOOT_PART_OSREL] = ".osrel",
    [PVBOOT_PART_UNAME] = ".uname",
};

static const char *const packed_names[PVBOOT_PACKED_PARTS] = {
    [PVBOOT_PACKED_KERNEL] = "kernel",
    [PVBOOT_PACKED_RAMDISK] = "ramdisk",
    [PVBOOT_PACKED_CMDLINE] = "cmdline",
    [PVBOOT_PACKED_OPTIONS] = "options",
};

static const char *const segment_names[PVBOOT_SEGMENTS] = {
    [PVBOOT_SEG_KERNEL] = "kernel",
    [PVBOOT_SEG_RAMDISK] = "ramdisk",
    [PVBOOT_SEG_ZERO_PAGE] = "zero page",
    [PVBOOT_SEG_CMDLINE] = "cmdline",
    [PVBOOT_SEG_SETUP_DATA] = "setup_data",
    [PVBOOT_SEG_START_INFO] = "start info",
    [PVBOOT_SEG_GDT] = "gdt",
    [PVBOOT_SEG_PAGE_TABLES] = "page tables",
    [PVBOOT_SEG_P2M] = "p2m",
    [PVBOOT_SEG_STACK] = "stack",
    [PVBOOT_SEG_ACPI] = "acpi",
    [PVBOOT_SEG_SPECIAL] = "special pages",
};

const char *pvboot_path_name(enum pvboot_path path)
{
    return (unsigned)path < PVBOOT_PATHS ? path_names[path] : NULL;
}

enum pvboot_path pvboot_path_find(const char *name)
{
    for (unsigned i = 0; i < PVBOOT_PATHS; i++)
        if (!strcmp(name, path_names[i]))
            return (enum pvboot_path)i;
    return PVBOOT_PATHS;
}

const char *pvboot_codec_name(enum pvboot_codec codec)
{
    return (unsigned)codec <= PVBOOT_CODEC_UNKNOWN ? codec_names[codec] : NULL;
}

const char *pvboot_wrapper_name(enum pvboot_wrapper_kind kind)
{
    return (unsigned)kind <= PVBOOT_WRAPPER_ZBOOT ? wrapper_names[kind] : NULL;
}

const char *pvboot_part_name(enum pvboot_part_id id)
{
    return (unsigned)id < PVBOOT_PARTS ? part_names[id] : NULL;
}

const char *pvboot_packed_name(enum pvboot_packed_part part)
{
    return (unsigned)part < PVBOOT_PACKED_PARTS ? packed_names[part] : NULL;
}

const char *pvboot_segment_name(enum pvboot_segment_id id)
{
    return (unsigned)id < PVBOOT_SEGMENTS ? segment_names[id] : NULL;
}

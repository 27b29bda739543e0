/* SPDX-License-Identifier: LGPL-2.1-only */
/* Byte tables: Xen public arch-x86/hvm/start_info.h.  Typed here because the tool works without Xen's headers. */
#include "decode.h"

#include <inttypes.h>

#define START_INFO_BYTES 56u
#define START_INFO_V0_BYTES 40u
#define START_INFO_MAGIC 0x336ec578u
#define MODULE_BYTES 32u
#define MAP_ENTRY_BYTES 24u
#define LINUX_MAP_MAX 127u /* Linux's PVH entry copies without a bound and adds one */

static const struct pvb_field field[] = {
    { "magic", 0, 4 },           { "version", 4, 4 },        { "flags", 8, 4 },       { "nr_modules", 12, 4 },
    { "modlist_paddr", 16, 8 },  { "cmdline_paddr", 24, 8 }, { "rsdp_paddr", 32, 8 }, { "memmap_paddr", 40, 8 },
    { "memmap_entries", 48, 4 }, { "reserved", 52, 4 },
};
#define FIELDS (sizeof(field) / sizeof(field[0]))
#define FIELDS_V0 7u

/* The @n bytes at @gpa, when they lie in the file; an empty view otherwise. */
static struct pvboot_bytes at_gpa(struct pvboot_bytes b, uint64_t base_gpa, uint64_t gpa, uint64_t n)
{
    return base_gpa && gpa >= base_gpa ? pvboot_sub(b, gpa - base_gpa, n) : (struct pvboot_bytes){ NULL, 0 };
}

static void decode_modules(json_t *o, struct pvboot_bytes list, uint64_t n)
{
    json_t *a = json_array();

    for (uint64_t i = 0; i < n && list.len; i++) {
        uint64_t off = i * MODULE_BYTES, gpa = pvb_decode_u64(list, off, 8), bytes = pvb_decode_u64(list, off + 8, 8);

        json_array_append_new(a,
                              json_pack("{s:o, s:o, s:o, s:o}", "paddr", pvb_json_u64(gpa), "size", pvb_json_u64(bytes),
                                        "cmdline_paddr", pvb_json_u64(pvb_decode_u64(list, off + 16, 8)), "reserved",
                                        pvb_json_u64(pvb_decode_u64(list, off + 24, 8))));
        if (gpa + bytes < gpa || gpa + bytes > PVB_4G)
            pvb_lint(o, "module %" PRIu64 " at %#" PRIx64 "+%#" PRIx64 ": Linux keeps the low 32 bits only", i, gpa,
                     bytes);
    }
    json_object_set_new(o, "modules", a);
}

static void decode_map(json_t *o, struct pvboot_bytes table, uint64_t n)
{
    struct pvboot_memmap map;

    map.n = 0;
    for (uint64_t off = 0; table.len && map.n < n && map.n < PVBOOT_MEMMAP_MAX; off += MAP_ENTRY_BYTES) {
        uint64_t start = pvb_decode_u64(table, off, 8);

        map.r[map.n++] = (struct pvboot_range){ start, start + pvb_decode_u64(table, off + 8, 8),
                                                (uint32_t)pvb_decode_u64(table, off + 16, 4) };
        if (pvb_decode_u64(table, off + 20, 4))
            pvb_lint(o, "memory map: entry %zu: reserved word is not 0", map.n - 1);
    }
    json_object_set_new(o, "memmap", pvb_describe_memmap(&map));
    pvb_lint_ranges(o, map.r, map.n);
}

static void decode_cmdline(json_t *o, struct pvboot_bytes b, uint64_t base_gpa, uint64_t gpa)
{
    struct pvboot_bytes text;

    if (!base_gpa || gpa < base_gpa || gpa - base_gpa >= b.len)
        return;
    text = pvboot_sub(b, gpa - base_gpa, b.len - (gpa - base_gpa));
    if (!memchr(text.p, 0, text.len))
        pvb_lint(o, "command line at %#" PRIx64 " has no NUL before the file ends", gpa);
    text.len = strnlen((const char *)text.p, text.len);
    json_object_set_new(o, "cmdline", pvb_json_text(text));
}

static void lint(json_t *o, struct pvboot_bytes b, uint64_t base_gpa)
{
    uint64_t version = pvb_decode_u64(b, 4, 4), modules = pvb_decode_u64(b, 12, 4);
    uint64_t entries = version ? pvb_decode_u64(b, 48, 4) : 0;

    if (version > 1)
        pvb_lint(o, "version %" PRIu64 " is younger than this tool, which knows 1", version);
    if (base_gpa % 4)
        pvb_lint(o, "at %#" PRIx64 ", not 4-byte aligned", base_gpa);
    if (base_gpa + b.len > PVB_4G)
        pvb_lint(o, "at %#" PRIx64 ": the 32-bit entry cannot reach it", base_gpa);
    if (modules && !pvb_decode_u64(b, 16, 8))
        pvb_lint(o, "%" PRIu64 " modules, but no list of them", modules);
    if (modules > 1)
        pvb_lint(o, "%" PRIu64 " modules: Linux uses the first only", modules);
    if (entries && !pvb_decode_u64(b, 40, 8))
        pvb_lint(o, "%" PRIu64 " memory map entries, but no table of them", entries);
    if (entries > LINUX_MAP_MAX)
        pvb_lint(o, "%" PRIu64 " memory map entries: Linux's PVH entry overruns its table after %u", entries,
                 LINUX_MAP_MAX);
    if (version && pvb_decode_u64(b, 52, 4))
        pvb_lint(o, "reserved word at 52 is not 0");
    if (!pvb_decode_u64(b, 32, 8))
        pvb_lint(o, "rsdp_paddr is 0: no ACPI");
}

json_t *pvb_decode_start_info(struct pvboot_bytes b, uint64_t base_gpa)
{
    json_t *o = pvb_decode_begin("start info", b, base_gpa);
    bool v1 = pvb_decode_u64(b, 4, 4) > 0;
    uint32_t bytes = v1 ? START_INFO_BYTES : START_INFO_V0_BYTES;
    uint64_t modules, entries;

    if (!pvboot_has(b, 0, bytes)) {
        pvb_lint(o, "%zu bytes are too short for a start info of %u", b.len, bytes);
        return o;
    }
    pvb_decode_fields(o, b, field, v1 ? FIELDS : FIELDS_V0, bytes);
    if (pvb_decode_u64(b, 0, 4) != START_INFO_MAGIC) {
        pvb_lint(o, "magic %#" PRIx64 " is not %#x", pvb_decode_u64(b, 0, 4), START_INFO_MAGIC);
        return o;
    }
    lint(o, b, base_gpa);
    modules = pvb_decode_u64(b, 12, 4);
    entries = v1 ? pvb_decode_u64(b, 48, 4) : 0;
    decode_modules(o, at_gpa(b, base_gpa, pvb_decode_u64(b, 16, 8), modules * MODULE_BYTES), modules);
    decode_map(o, at_gpa(b, base_gpa, pvb_decode_u64(b, 40, 8), entries * MAP_ENTRY_BYTES), entries);
    decode_cmdline(o, b, base_gpa, pvb_decode_u64(b, 24, 8));
    return o;
}

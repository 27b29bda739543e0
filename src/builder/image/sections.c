/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Notes that only the section table names: an assembler that does not mark them as allocated (mini-OS) gets no PT_NOTE
 * for them from the linker, nor did old binutils write where it begins.  Spec: gABI "Section Header", "Note Section".
 */
#include "elf.h"

struct table {
    uint64_t off;
    uint32_t n, bytes_each;
};

static struct table table_of(struct pvboot_bytes elf, bool is64)
{
    Elf64_Ehdr e64;
    Elf32_Ehdr e32;

    if (is64 && pvboot_get(elf, 0, &e64, sizeof(e64)))
        return (struct table){ e64.e_shoff, e64.e_shnum, e64.e_shentsize };
    if (!is64 && pvboot_get(elf, 0, &e32, sizeof(e32)))
        return (struct table){ e32.e_shoff, e32.e_shnum, e32.e_shentsize };
    return (struct table){ 0 };
}

/* Is header @i that of notes which are there? */
static bool note_section(struct pvb_note_area *a, struct pvboot_bytes headers, uint32_t i, bool is64)
{
    Elf64_Shdr s64;
    Elf32_Shdr s32;
    uint32_t type;

    if (is64 && pvboot_get(headers, i * sizeof(s64), &s64, sizeof(s64))) {
        *a = (struct pvb_note_area){ s64.sh_offset, s64.sh_size, s64.sh_addralign };
        type = s64.sh_type;
    } else if (!is64 && pvboot_get(headers, i * sizeof(s32), &s32, sizeof(s32))) {
        *a = (struct pvb_note_area){ s32.sh_offset, s32.sh_size, s32.sh_addralign };
        type = s32.sh_type;
    } else {
        return false;
    }
    return type == SHT_NOTE;
}

/* Nothing but notes is wanted of the table: one that is garbage has none. */
int pvb_section_notes(struct pvboot_notes *n, struct pvb_note_walk *walk, struct pvboot_bytes elf,
                      struct pvboot_error *e)
{
    bool is64 = elf.p[EI_CLASS] == ELFCLASS64;
    struct table t = table_of(elf, is64);
    struct pvboot_bytes headers = pvboot_sub(elf, t.off, (uint64_t)t.n * t.bytes_each);
    struct pvb_note_area a;
    int rc = 0;

    if (!t.off || t.bytes_each != (is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
        return 0;
    for (uint32_t i = 1; !rc && headers.p && i < t.n; i++)
        if (note_section(&a, headers, i, is64) && pvboot_has(elf, a.off, a.bytes))
            rc = pvb_notes_parse(n, walk, elf, a, e);
    return rc;
}

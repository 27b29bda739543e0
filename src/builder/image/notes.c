/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * ELF notes that matter for starting.  Spec: gABI "Note Section"; Xen xen/include/public/elfnote.h.
 */
#include "elf.h"

#include <assert.h>

/* Xen's elfnote.h; named here because neither its header must be installed nor the installed one be new enough. */
enum xen_note {
    NOTE_XEN_VERSION = 5,
    NOTE_GUEST_OS = 6,
    NOTE_GUEST_VERSION = 7,
    NOTE_LOADER = 8,
    NOTE_FEATURES = 10,
    NOTE_PHYS32_ENTRY = 18,
    NOTE_PHYS32_RELOC = 19, /* since 4.19: up to three 32-bit values, alignment, min, max */
};
#define RELOC_MIN_DEFAULT 0u
#define RELOC_MAX_DEFAULT UINT32_MAX
#define NOTE_PVBOOT_STUB 1u

#ifdef HAVE_XEN
#include <xen/elfnote.h>
static_assert(NOTE_XEN_VERSION == XEN_ELFNOTE_XEN_VERSION && NOTE_GUEST_OS == XEN_ELFNOTE_GUEST_OS, "elfnote.h");
static_assert(NOTE_GUEST_VERSION == XEN_ELFNOTE_GUEST_VERSION && NOTE_LOADER == XEN_ELFNOTE_LOADER, "elfnote.h");
static_assert(NOTE_FEATURES == XEN_ELFNOTE_FEATURES && NOTE_PHYS32_ENTRY == XEN_ELFNOTE_PHYS32_ENTRY, "elfnote.h");
#endif

struct note {
    uint64_t off; /* of its header in the ELF, for messages */
    uint32_t type;
    struct pvboot_bytes name, desc;
};

/* The name up to its NUL, which some do not count in its size: then it is the first byte of the padding. */
static bool owned_by(const struct note *n, const char *owner)
{
    size_t len = strlen(owner);

    return n->name.len >= len && !memcmp(n->name.p, owner, len) && (n->name.len == len || !n->name.p[len]);
}

/* Text up to its NUL or the note's end, escaped and cut. */
static void copy_text(char *dst, size_t n, struct pvboot_bytes desc)
{
    pvb_escape(dst, n, desc.p, desc.len ? strnlen((const char *)desc.p, desc.len) : 0);
}

/* Linux writes it as long as its own pointers; the entry is 32-bit code either way. */
static int phys32_entry(struct pvboot_notes *n, struct pvb_note_walk *walk, const struct note *note,
                        struct pvboot_error *e)
{
    uint64_t gpa = 0;

    if (note->desc.len != 4 && note->desc.len != 8)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "PHYS32_ENTRY note at 0x%llx has %zu bytes, not 4 or 8",
                        (unsigned long long)note->off, note->desc.len);
    (void)pvboot_get(note->desc, 0, &gpa, note->desc.len);
    if (gpa > UINT32_MAX)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "PHYS32_ENTRY 0x%llx at 0x%llx is above 4 GiB", (unsigned long long)gpa,
                        (unsigned long long)note->off);
    if (n->has_phys32_entry && n->phys32_entry != gpa)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "two PHYS32_ENTRY notes: 0x%llx and, at 0x%llx, 0x%llx",
                        (unsigned long long)n->phys32_entry, (unsigned long long)note->off, (unsigned long long)gpa);
    n->has_phys32_entry = true;
    n->phys32_entry = gpa;
    walk->entry_off = note->off;
    return 0;
}

/* An alignment that is not given stays 0 here: only the program headers know the default. */
static int phys32_reloc(struct pvboot_notes *n, const struct note *note, struct pvboot_error *e)
{
    uint32_t v[3] = { 0, RELOC_MIN_DEFAULT, RELOC_MAX_DEFAULT };

    if (note->desc.len > sizeof(v) || note->desc.len % sizeof(v[0]))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "PHYS32_RELOC note at 0x%llx has %zu bytes, not 0, 4, 8 or 12",
                        (unsigned long long)note->off, note->desc.len);
    (void)pvboot_get(note->desc, 0, v, note->desc.len);
    if (note->desc.len && (!pvb_power_of_two(v[0]) || v[0] > PVB_ALIGN_MAX))
        return pvb_fail(e, PVBOOT_E_MALFORMED,
                        "PHYS32_RELOC alignment 0x%x at 0x%llx is not a power of two up to 0x%llx", v[0],
                        (unsigned long long)note->off, PVB_ALIGN_MAX);
    if (v[1] > v[2])
        return pvb_fail(e, PVBOOT_E_MALFORMED, "PHYS32_RELOC at 0x%llx: minimum 0x%x over maximum 0x%x",
                        (unsigned long long)note->off, v[1], v[2]);
    if (n->has_phys32_reloc && (n->reloc_align != v[0] || n->reloc_min != v[1] || n->reloc_max != v[2]))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "two PHYS32_RELOC notes differ, the second is at 0x%llx",
                        (unsigned long long)note->off);
    n->has_phys32_reloc = true;
    n->reloc_align = v[0];
    n->reloc_min = v[1];
    n->reloc_max = v[2];
    return 0;
}

static int take_xen(struct pvboot_notes *n, struct pvb_note_walk *walk, const struct note *note, struct pvboot_error *e)
{
    walk->of_xen++;
    switch (note->type) {
    case NOTE_PHYS32_ENTRY:
        return phys32_entry(n, walk, note, e);
    case NOTE_PHYS32_RELOC:
        return phys32_reloc(n, note, e);
    case NOTE_GUEST_OS:
        copy_text(n->guest_os, sizeof(n->guest_os), note->desc);
        return 0;
    case NOTE_GUEST_VERSION:
        copy_text(n->guest_version, sizeof(n->guest_version), note->desc);
        return 0;
    case NOTE_XEN_VERSION:
        copy_text(n->xen_version, sizeof(n->xen_version), note->desc);
        return 0;
    case NOTE_LOADER:
        copy_text(n->loader, sizeof(n->loader), note->desc);
        return 0;
    case NOTE_FEATURES:
        copy_text(n->features, sizeof(n->features), note->desc);
        pvb_pv_features(&n->pv, note->desc);
        return 0;
    default:
        pvb_pv_note(&n->pv, note->type, note->desc);
        return 0;
    }
}

/* Of another version than ours nothing is known: then it is a PVH kernel as any. */
static int take_packed(struct pvboot_packed *p, const struct note *note, struct pvboot_bytes elf,
                       struct pvboot_error *e)
{
    struct pvb_packed_note in;

    if (!pvboot_get(note->desc, 0, &in, sizeof(in)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "note of a packed image at 0x%llx has %zu bytes, not %zu",
                        (unsigned long long)note->off, note->desc.len, sizeof(in));
    if (in.version != PVB_PACKED_VERSION || p->there)
        return 0;
    for (unsigned int i = 0; i < PVBOOT_PACKED_PARTS; i++) {
        if (!pvboot_has(elf, in.part[i].off, in.part[i].bytes))
            return pvb_fail(e, PVBOOT_E_MALFORMED, "packed %s 0x%llx+0x%llx ends past byte 0x%zx",
                            pvboot_packed_name((enum pvboot_packed_part)i), (unsigned long long)in.part[i].off,
                            (unsigned long long)in.part[i].bytes, elf.len);
        p->part[i].off = in.part[i].bytes ? in.part[i].off : 0;
        p->part[i].bytes = in.part[i].bytes;
    }
    p->there = true;
    return 0;
}

static int take_own(struct pvboot_notes *n, const struct note *note, struct pvboot_bytes elf, struct pvboot_error *e)
{
    n->pvboot_stub |= note->type == NOTE_PVBOOT_STUB;
    return note->type == PVB_NOTE_PACKED ? take_packed(&n->packed, note, elf, e) : 0;
}

static uint64_t padded(uint64_t n, uint64_t align)
{
    return (n + align - 1) & ~(align - 1); /* of 32-bit sizes and an offset in memory: cannot wrap */
}

/* Take the note at *@off of @seg and step over it; its padding may be cut off by the segment's end. */
static int next_note(struct note *note, struct pvboot_bytes seg, uint64_t *off, uint64_t align, struct pvboot_error *e)
{
    GElf_Nhdr h;
    uint64_t name = *off + sizeof(h), desc;

    if (!pvboot_get(seg, *off, &h, sizeof(h)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "%llu bytes at 0x%llx are too short for a note",
                        (unsigned long long)(seg.len - *off), (unsigned long long)note->off);
    desc = padded(name + h.n_namesz, align);
    if (!pvboot_has(seg, name, h.n_namesz) || (h.n_descsz && !pvboot_has(seg, desc, h.n_descsz)))
        return pvb_fail(e, PVBOOT_E_MALFORMED,
                        "note at 0x%llx: name of %u and contents of %u bytes run past its segment",
                        (unsigned long long)note->off, h.n_namesz, h.n_descsz);
    note->type = h.n_type;
    note->name = pvboot_sub(seg, name, desc - name);
    if (!note->name.p) /* the last one, without its padding */
        note->name = pvboot_sub(seg, name, h.n_namesz);
    note->desc = pvboot_sub(seg, desc, h.n_descsz);
    *off = padded(desc + h.n_descsz, align);
    return 0;
}

/* Linkers fill a note segment up with zeroes: where the last byte of a note can be. */
static uint64_t without_zeroes(struct pvboot_bytes seg)
{
    uint64_t end = seg.len;

    while (end && !seg.p[end - 1])
        end--;
    return end;
}

static bool padded_to(struct pvboot_bytes seg, uint64_t end, uint64_t align)
{
    struct note note = { 0 };
    uint32_t n = 0;

    for (uint64_t off = 0; off < end;)
        if (n++ >= PVBOOT_NOTES_MAX || next_note(&note, seg, &off, align, NULL))
            return false;
    return true;
}

/*
 * To what notes are padded: to 4 bytes, whatever the gABI says of 64-bit files.  A segment aligned to 8 may have been
 * merged from .note.gnu.property, whose notes are multiples of 8, and others padded to 4; only if that makes no sense
 * are they what they say.
 */
static uint64_t padding_of(struct pvboot_bytes seg, uint64_t end, uint64_t align)
{
    return align == 8 && !padded_to(seg, end, 4) && padded_to(seg, end, 8) ? 8 : 4;
}

int pvb_notes_parse(struct pvboot_notes *n, struct pvb_note_walk *walk, struct pvboot_bytes elf,
                    struct pvb_note_area area, struct pvboot_error *e)
{
    struct pvboot_bytes seg = pvboot_sub(elf, area.off, area.bytes);
    uint64_t end = without_zeroes(seg), align = padding_of(seg, end, area.align);
    int rc;

    for (uint64_t off = 0; off < end;) {
        struct note note = { .off = area.off + off };

        if (walk->seen++ >= PVBOOT_NOTES_MAX)
            return pvb_fail(e, PVBOOT_E_LIMIT, "more than %u notes", PVBOOT_NOTES_MAX);
        rc = next_note(&note, seg, &off, align, e);
        if (rc)
            return rc;
        n->linux_note |= owned_by(&note, "Linux");
        rc = owned_by(&note, "pvboot") ? take_own(n, &note, elf, e) : 0;
        if (!rc && owned_by(&note, "Xen"))
            rc = take_xen(n, walk, &note, e);
        if (rc)
            return rc;
    }
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The ELF parser's seam, by libelf. */
#ifndef PVB_ELF_H
#define PVB_ELF_H

#include "image.h"

#include <gelf.h>

/* Does @b begin as an ELF does?  Looks no further. */
bool pvb_has_elf_magic(struct pvboot_bytes b);

/* Fills its zeroed struct.  -MALFORMED, -UNSUPPORTED, -LIMIT. */
int pvb_elf_parse(struct pvboot_elf *elf, struct pvboot_bytes b, struct pvboot_error *e);

/* The same of an ELF of @total bytes of which @head is the beginning: its PT_LOADs, and neither notes nor entry. */
int pvb_elf_look(struct pvboot_elf *elf, struct pvboot_bytes head, uint64_t total, struct pvboot_error *e);

/* Where notes lie in an ELF: a PT_NOTE segment, or an SHT_NOTE section.  They exist. */
struct pvb_note_area {
    uint64_t off, bytes, align;
};

/* Over all areas of one ELF. */
struct pvb_note_walk {
    uint32_t seen, of_xen;
    uint64_t entry_off; /* of the last PHYS32_ENTRY note, for messages */
};

/* Add the notes of @area of @elf to @n.  -MALFORMED, -LIMIT. */
int pvb_notes_parse(struct pvboot_notes *n, struct pvb_note_walk *walk, struct pvboot_bytes elf,
                    struct pvb_note_area area, struct pvboot_error *e);

/* notes_pv.c: a note of a PV start, or another, which is stepped over; and the text of a FEATURES note. */
void pvb_pv_note(struct pvboot_pv_notes *pv, uint32_t type, struct pvboot_bytes desc);
void pvb_pv_features(struct pvboot_pv_notes *pv, struct pvboot_bytes desc);

/* The same for the notes that only the section table names. */
int pvb_section_notes(struct pvboot_notes *n, struct pvb_note_walk *walk, struct pvboot_bytes elf,
                      struct pvboot_error *e);

#endif

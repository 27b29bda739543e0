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

/* Add the notes of the PT_NOTE segment @ph of @elf to @n; @seen counts over all segments. */
int pvb_notes_parse(struct pvboot_notes *n, uint32_t *seen, struct pvboot_bytes elf, const GElf_Phdr *ph,
                    struct pvboot_error *e);

#endif

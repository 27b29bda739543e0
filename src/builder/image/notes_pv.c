/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a kernel says of its PV start.  Nothing of it is an error here: kernels have many ways in, and a broken note of one
 * is no reason to refuse another.  Spec: Xen public elfnote.h, features.h.
 */
#include "elf.h"

#include <assert.h>

enum pv_note {
    NOTE_ENTRY = 1,
    NOTE_HYPERCALL_PAGE = 2,
    NOTE_VIRT_BASE = 3,
    NOTE_PADDR_OFFSET = 4,
    NOTE_INIT_P2M = 15,
    NOTE_MOD_START_PFN = 16,
    NOTE_SUPPORTED_FEATURES = 17,
};

#ifdef HAVE_XEN
#include <xen/elfnote.h>
static_assert(NOTE_ENTRY == XEN_ELFNOTE_ENTRY && NOTE_HYPERCALL_PAGE == XEN_ELFNOTE_HYPERCALL_PAGE, "elfnote.h");
static_assert(NOTE_VIRT_BASE == XEN_ELFNOTE_VIRT_BASE && NOTE_PADDR_OFFSET == XEN_ELFNOTE_PADDR_OFFSET, "elfnote.h");
static_assert(NOTE_INIT_P2M == XEN_ELFNOTE_INIT_P2M && NOTE_MOD_START_PFN == XEN_ELFNOTE_MOD_START_PFN, "elfnote.h");
static_assert(NOTE_SUPPORTED_FEATURES == XEN_ELFNOTE_SUPPORTED_FEATURES, "elfnote.h");
#endif

/* What a kernel may require: a PV domain has it, or, as Linux's writable_page_tables, Xen did away with the need for it. */
static const char *const met[] = {
    "writable_page_tables", "writable_descriptor_tables", "pae_pgdir_above_4gb", "mmu_pt_update_preserve_ad",
    "highmem_assist",       "gnttab_map_avail_bits",
};

static bool number(struct pvboot_bytes desc, uint64_t *value)
{
    *value = 0;
    return (desc.len == 4 || desc.len == 8) && pvboot_get(desc, 0, value, desc.len);
}

void pvb_pv_note(struct pvboot_pv_notes *pv, uint32_t type, struct pvboot_bytes desc)
{
    struct {
        uint32_t type;
        uint64_t *value;
        bool *has; /* NULL: 0 is what it is without the note */
    } const row[] = {
        { NOTE_ENTRY, &pv->entry_va, &pv->has_entry },
        { NOTE_HYPERCALL_PAGE, &pv->hypercall_page_va, &pv->has_hypercall_page },
        { NOTE_VIRT_BASE, &pv->virt_base, NULL },
        { NOTE_PADDR_OFFSET, &pv->paddr_offset, NULL },
        { NOTE_INIT_P2M, &pv->init_p2m_va, &pv->has_init_p2m },
        { NOTE_SUPPORTED_FEATURES, &pv->supported_features, NULL },
    };
    uint64_t value;

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        if (row[i].type != type)
            continue;
        if (!number(desc, row[i].value))
            pv->malformed = type;
        else if (row[i].has)
            *row[i].has = true;
    }
    if (type != NOTE_MOD_START_PFN)
        return;
    if (!number(desc, &value))
        pv->malformed = type;
    pv->mod_start_pfn = value != 0;
}

static bool is_met(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof(met) / sizeof(met[0]); i++)
        if (strlen(met[i]) == n && !memcmp(met[i], name, n))
            return true;
    return false;
}

/* Names between '|'; '!' in front of one that is required. */
void pvb_pv_features(struct pvboot_pv_notes *pv, struct pvboot_bytes desc)
{
    const char *text = (const char *)desc.p;
    size_t end = desc.len ? strnlen(text, desc.len) : 0, n;

    for (size_t at = 0; at < end; at += n + 1) {
        const char *bar = memchr(text + at, '|', end - at);

        n = bar ? (size_t)(bar - (text + at)) : end - at;
        if (n && text[at] == '!' && !is_met(text + at + 1, n - 1) && !pv->unmet[0])
            pvb_escape(pv->unmet, sizeof(pv->unmet), n > 1 ? text + at + 1 : "?", n > 1 ? n - 1 : 1);
    }
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The kernel's ELF: header and program headers; the section table is looked at for notes alone.
 * Spec: gABI chapters "ELF Header" and "Program Header"; x86 psABIs for the machine numbers.
 */
#include "elf.h"

#include <libelf.h>

/*
 * What libelf gets to see: a private copy of the header, cut off from the section table (which libelf would
 * otherwise size and check), and of the program headers behind it.
 */
struct headers {
    _Alignas(8) char p[sizeof(Elf64_Ehdr) + PVBOOT_LOADS_MAX * sizeof(Elf64_Phdr)];
    size_t bytes;
};

struct reader {
    struct pvboot_bytes b;
    uint64_t total; /* bytes of the whole ELF, if @b is but its beginning */
    struct pvboot_elf *elf;
    GElf_Ehdr ehdr;
    uint32_t n;
    GElf_Phdr phdr[PVBOOT_LOADS_MAX];
    uint64_t align; /* largest p_align of a load */
    struct pvb_note_walk walk;
};

bool pvb_has_elf_magic(struct pvboot_bytes b)
{
    return b.len >= SELFMAG && !memcmp(b.p, ELFMAG, SELFMAG);
}

static int check_table(struct pvboot_bytes b, uint64_t off, size_t n, size_t bytes, size_t want, struct pvboot_error *e)
{
    if (!n || n == PN_XNUM)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "e_phnum is 0x%zx: no program headers", n);
    if (bytes != want)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "e_phentsize is %zu, not %zu", bytes, want);
    if (n > PVBOOT_LOADS_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%zu program headers, limit %u", n, PVBOOT_LOADS_MAX);
    if (!pvboot_has(b, off, n * bytes))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "%zu program headers at 0x%llx end past byte 0x%zx", n,
                        (unsigned long long)off, b.len);
    return 0;
}

static int copy_headers32(struct headers *h, struct pvboot_bytes b, struct pvboot_error *e)
{
    Elf32_Ehdr eh;
    int rc;

    if (!pvboot_get(b, 0, &eh, sizeof(eh)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "ends inside the ELF header: %zu bytes", b.len);
    rc = check_table(b, eh.e_phoff, eh.e_phnum, eh.e_phentsize, sizeof(Elf32_Phdr), e);
    if (rc)
        return rc;
    (void)pvboot_get(b, eh.e_phoff, h->p + sizeof(eh), eh.e_phnum * sizeof(Elf32_Phdr));
    h->bytes = sizeof(eh) + eh.e_phnum * sizeof(Elf32_Phdr);
    eh.e_phoff = sizeof(eh);
    eh.e_shoff = 0;
    eh.e_shnum = eh.e_shstrndx = 0;
    memcpy(h->p, &eh, sizeof(eh));
    return 0;
}

static int copy_headers64(struct headers *h, struct pvboot_bytes b, struct pvboot_error *e)
{
    Elf64_Ehdr eh;
    int rc;

    if (!pvboot_get(b, 0, &eh, sizeof(eh)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "ends inside the ELF header: %zu bytes", b.len);
    rc = check_table(b, eh.e_phoff, eh.e_phnum, eh.e_phentsize, sizeof(Elf64_Phdr), e);
    if (rc)
        return rc;
    (void)pvboot_get(b, eh.e_phoff, h->p + sizeof(eh), eh.e_phnum * sizeof(Elf64_Phdr));
    h->bytes = sizeof(eh) + eh.e_phnum * sizeof(Elf64_Phdr);
    eh.e_phoff = sizeof(eh);
    eh.e_shoff = 0;
    eh.e_shnum = eh.e_shstrndx = 0;
    memcpy(h->p, &eh, sizeof(eh));
    return 0;
}

/* Only what an x86 vCPU can be started in. */
static int check_kind(struct reader *r, struct pvboot_error *e)
{
    uint16_t want = r->elf->is64 ? EM_X86_64 : EM_386;

    if (r->ehdr.e_machine != want)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "ELF machine %u in a %u-bit file; pvboot starts x86: %u",
                        r->ehdr.e_machine, r->elf->is64 ? 64u : 32u, want);
    if (r->ehdr.e_type != ET_EXEC && r->ehdr.e_type != ET_DYN)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "ELF type %u is no executable", r->ehdr.e_type);
    r->elf->machine = r->ehdr.e_machine;
    return 0;
}

/* e_ident decides how to read the rest. */
static int read_headers(struct reader *r, struct headers *h, struct pvboot_error *e)
{
    unsigned char id[EI_NIDENT];

    if (!pvboot_get(r->b, 0, id, sizeof(id)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "ends inside the ELF header: %zu bytes", r->b.len);
    if (id[EI_DATA] == ELFDATA2MSB)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "a big-endian ELF");
    if ((id[EI_CLASS] != ELFCLASS32 && id[EI_CLASS] != ELFCLASS64) || id[EI_DATA] != ELFDATA2LSB ||
        id[EI_VERSION] != EV_CURRENT)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "ELF class %u, byte order %u, version %u are not all known",
                        id[EI_CLASS], id[EI_DATA], id[EI_VERSION]);
    r->elf->is64 = id[EI_CLASS] == ELFCLASS64;
    return r->elf->is64 ? copy_headers64(h, r->b, e) : copy_headers32(h, r->b, e);
}

static int decode_headers(struct reader *r, struct headers *h, struct pvboot_error *e)
{
    Elf *elf;
    size_t n = 0;
    bool ok;

    if (elf_version(EV_CURRENT) == EV_NONE)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "libelf is older than its header");
    elf = elf_memory(h->p, h->bytes);
    if (!elf) /* it looks at no more than e_ident, which has been checked */
        return pvb_fail(e, PVBOOT_E_HOST, "libelf: %s", elf_errmsg(-1));
    ok = gelf_getehdr(elf, &r->ehdr) && !elf_getphdrnum(elf, &n) && n <= PVBOOT_LOADS_MAX;
    for (r->n = 0; ok && r->n < n; r->n++)
        ok = gelf_getphdr(elf, (int)r->n, &r->phdr[r->n]);
    if (!ok)
        pvb_fail(e, PVBOOT_E_MALFORMED, "libelf: %s", elf_errmsg(-1));
    elf_end(elf);
    return ok ? 0 : -PVBOOT_E_MALFORMED;
}

/* Not qsort(): from 1 KiB on, glibc's asks the host how much memory it has, which the confined parser may not. */
static void insert_by_gpa(struct pvboot_elf *elf, const struct pvboot_load *load)
{
    uint32_t i = elf->n_loads++;

    for (; i && elf->load[i - 1].gpa > load->gpa; i--)
        elf->load[i] = elf->load[i - 1];
    elf->load[i] = *load;
}

static int add_load(struct reader *r, const GElf_Phdr *ph, struct pvboot_error *e)
{
    uint64_t end, off = ph->p_filesz ? ph->p_offset : 0; /* for what has no bytes linkers write any */

    if (off > r->total || ph->p_filesz > r->total - off)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "segment 0x%llx+0x%llx ends past byte 0x%llx",
                        (unsigned long long)ph->p_offset, (unsigned long long)ph->p_filesz,
                        (unsigned long long)r->total);
    if (ph->p_filesz > ph->p_memsz)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "segment at 0x%llx: p_filesz 0x%llx over p_memsz 0x%llx",
                        (unsigned long long)ph->p_offset, (unsigned long long)ph->p_filesz,
                        (unsigned long long)ph->p_memsz);
    if (ph->p_align > PVB_ALIGN_MAX || (ph->p_align && !pvb_power_of_two(ph->p_align)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "p_align 0x%llx is not a power of two up to 0x%llx",
                        (unsigned long long)ph->p_align, PVB_ALIGN_MAX);
    if (!pvb_add(ph->p_paddr, ph->p_memsz, &end) || !pvb_align_up(end, PVB_PAGE, &end))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "p_paddr 0x%llx + p_memsz 0x%llx wraps", (unsigned long long)ph->p_paddr,
                        (unsigned long long)ph->p_memsz);
    if (!ph->p_memsz)
        return 0;
    if (ph->p_align > r->align)
        r->align = ph->p_align;
    insert_by_gpa(r->elf, &(struct pvboot_load){
                              .gpa = ph->p_paddr, .mem_bytes = ph->p_memsz, .off = off, .file_bytes = ph->p_filesz });
    return 0;
}

static int add_notes(struct reader *r, const GElf_Phdr *ph, struct pvboot_error *e)
{
    const struct pvb_note_area a = { ph->p_offset, ph->p_filesz, ph->p_align };

    if (!a.off || !a.bytes) /* old binutils left an offset of 0 for an absent one */
        return 0;
    if (!pvboot_has(r->b, a.off, a.bytes))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "note segment 0x%llx+0x%llx ends past byte 0x%zx",
                        (unsigned long long)a.off, (unsigned long long)a.bytes, r->b.len);
    return pvb_notes_parse(&r->elf->notes, &r->walk, r->b, a, e);
}

/* Notes lie anywhere in the file: of its beginning alone none are read. */
static int read_segments(struct reader *r, struct pvboot_error *e)
{
    struct pvboot_elf *elf = r->elf;
    bool whole = r->b.len == r->total;
    int rc = 0;

    for (uint32_t i = 0; i < r->n; i++) {
        const GElf_Phdr *ph = &r->phdr[i];

        if (ph->p_type == PT_LOAD)
            rc = add_load(r, ph, e);
        else if (ph->p_type == PT_NOTE && whole)
            rc = add_notes(r, ph, e);
        if (rc)
            return rc;
    }
    if (whole && !r->walk.of_xen)
        rc = pvb_section_notes(&elf->notes, &r->walk, r->b, e);
    if (rc)
        return rc;
    if (!elf->n_loads)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "no PT_LOAD segment with any memory");
    for (uint32_t i = 1; i < elf->n_loads; i++)
        if (elf->load[i].gpa - elf->load[i - 1].gpa < elf->load[i - 1].mem_bytes)
            return pvb_fail(e, PVBOOT_E_MALFORMED, "segment 0x%llx+0x%llx overlaps the one at 0x%llx",
                            (unsigned long long)elf->load[i - 1].gpa, (unsigned long long)elf->load[i - 1].mem_bytes,
                            (unsigned long long)elf->load[i].gpa);
    return 0;
}

/* Is there code in the file for @gpa? */
static bool has_code(const struct pvboot_elf *elf, uint64_t gpa)
{
    for (uint32_t i = 0; i < elf->n_loads; i++)
        if (gpa >= elf->load[i].gpa && gpa - elf->load[i].gpa < elf->load[i].file_bytes)
            return true;
    return false;
}

/*
 * e_entry is physical in Linux's vmlinux and virtual by the gABI: physical when it meets code there, otherwise
 * translated by the segment it lies in.  0 that meets nothing is the gABI's "no entry point", and so is what meets
 * nothing in a kernel that has another entry, by Xen's note.
 */
static int read_entry(struct reader *r, struct pvboot_error *e)
{
    const struct pvboot_notes *n = &r->elf->notes;
    uint64_t entry = r->ehdr.e_entry;

    for (uint32_t i = 0; i < r->n && !has_code(r->elf, entry); i++) {
        const GElf_Phdr *ph = &r->phdr[i];

        if (ph->p_type == PT_LOAD && r->ehdr.e_entry >= ph->p_vaddr && r->ehdr.e_entry - ph->p_vaddr < ph->p_filesz)
            entry = r->ehdr.e_entry - ph->p_vaddr + ph->p_paddr;
    }
    if (!has_code(r->elf, entry) && n->has_phys32_entry)
        entry = 0;
    if (entry && !has_code(r->elf, entry))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "entry 0x%llx lies in no segment's bytes",
                        (unsigned long long)r->ehdr.e_entry);
    if (n->has_phys32_entry && !has_code(r->elf, n->phys32_entry))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "PHYS32_ENTRY 0x%llx at 0x%llx lies in no segment's bytes",
                        (unsigned long long)n->phys32_entry, (unsigned long long)r->walk.entry_off);
    r->elf->entry_gpa = entry;
    if (!n->pv.has_entry)
        r->elf->notes.pv.entry_va = r->ehdr.e_entry;
    return 0;
}

/*
 * Whole pages from the first to the last segment.  Only the PHYS32_RELOC note says that it may move, and how; an
 * ELF that may not keeps an alignment that its own address meets.
 */
static void make_window(struct reader *r)
{
    const struct pvboot_load *first = &r->elf->load[0], *last = &r->elf->load[r->elf->n_loads - 1];
    struct pvboot_notes *n = &r->elf->notes;
    struct pvboot_window *w = &r->elf->window;
    uint64_t end = (last->gpa + last->mem_bytes + PVB_PAGE - 1) & ~(PVB_PAGE - 1); /* add_load() saw to the sum */

    *w = (struct pvboot_window){ .pref_gpa = first->gpa & ~(PVB_PAGE - 1), .align = r->align, .max_gpa = UINT64_MAX };
    w->bytes = end - w->pref_gpa;
    if (n->has_phys32_reloc) {
        if (!n->reloc_align) /* elfnote.h: p_align if it is a page at least, else 2 MiB */
            n->reloc_align = r->align >= PVB_PAGE ? (uint32_t)r->align : 2u << 20;
        w->relocatable = true;
        w->align = n->reloc_align;
        w->min_gpa = n->reloc_min;
        w->max_gpa = n->reloc_max;
        return;
    }
    while (w->align > PVB_PAGE && w->pref_gpa & (w->align - 1))
        w->align >>= 1;
    if (w->align < PVB_PAGE)
        w->align = PVB_PAGE;
}

/* The kernel that is packed is looked at as far as it takes to name it. */
static int read_packed(struct reader *r, struct pvboot_error *e)
{
    struct pvboot_packed *p = &r->elf->notes.packed;
    struct pvboot_bytes kernel;
    struct pvboot_bzimage bz = { 0 };
    int rc;

    if (!p->there)
        return 0;
    kernel = pvboot_sub(r->b, p->part[PVBOOT_PACKED_KERNEL].off, p->part[PVBOOT_PACKED_KERNEL].bytes);
    if (!pvb_is_bzimage(kernel))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "packed kernel 0x%llx+0x%llx is no bzImage",
                        (unsigned long long)p->part[PVBOOT_PACKED_KERNEL].off,
                        (unsigned long long)p->part[PVBOOT_PACKED_KERNEL].bytes);
    rc = pvb_bzimage_parse(&bz, kernel, e);
    memcpy(p->kernel_version, bz.kernel_version, sizeof(p->kernel_version));
    return rc;
}

static int read_loads(struct reader *r, struct pvboot_error *e)
{
    struct headers h;
    int rc = read_headers(r, &h, e);

    if (!rc)
        rc = decode_headers(r, &h, e);
    if (!rc)
        rc = check_kind(r, e);
    return rc ? rc : read_segments(r, e);
}

int pvb_elf_look(struct pvboot_elf *elf, struct pvboot_bytes head, uint64_t total, struct pvboot_error *e)
{
    struct reader r = { .b = head, .total = total, .elf = elf };

    return read_loads(&r, e);
}

int pvb_elf_parse(struct pvboot_elf *elf, struct pvboot_bytes b, struct pvboot_error *e)
{
    struct reader r = { .b = b, .total = b.len, .elf = elf };
    int rc = read_loads(&r, e);

    if (!rc)
        rc = read_entry(&r, e);
    if (!rc)
        rc = read_packed(&r, e);
    if (!rc)
        make_window(&r);
    return rc;
}

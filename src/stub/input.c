/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The start info, typed.  Specification: Xen public arch-x86/hvm/start_info.h.
 *
 * Module 0 is the kernel with the guest's command line, module 1 the initrd; the start info's own command line is
 * the options, "pvboot key=value ...".  That is what stock libxl makes of pvshim_path, pvshim_cmdline and pvshim_extra.
 */
#include "../builder/image/image.h"
#include "../startinfo/abi.h"
#include "stub.h"

#include <xen/arch-x86/hvm/start_info.h>

#define CARRIER "pvboot"

static struct pvboot_bytes memory(const struct pvb_stub *s)
{
    return (struct pvboot_bytes){ s->memory, s->memory_bytes };
}

/* How many bytes of RAM there are from @gpa on, within reach of a 32-bit address. */
static uint64_t ram_from(const struct pvb_stub *s, uint64_t gpa)
{
    for (size_t i = 0; i < s->machine.map.n; i++) {
        const struct pvboot_range *r = &s->machine.map.r[i];
        uint64_t end = r->end < s->memory_bytes ? r->end : s->memory_bytes;

        if (r->type == PVBOOT_RAM && r->start <= gpa && gpa < end)
            return end - gpa;
    }
    return 0;
}

/* @gpa 0 means that a thing is not there, to all of Xen's structures. */
static int check_ram(const struct pvb_stub *s, const char *what, uint64_t gpa, uint64_t bytes, struct pvboot_error *e)
{
    uint64_t has = gpa ? ram_from(s, gpa) : 0;

    if (bytes <= has)
        return 0;
    return pvb_fail(e, PVBOOT_E_MALFORMED, "%s of %llu bytes at 0x%llx: %llu bytes of RAM below 4 GiB are there", what,
                    (unsigned long long)bytes, (unsigned long long)gpa, (unsigned long long)has);
}

static int read_text(const struct pvb_stub *s, const char *what, uint64_t gpa, char *text, size_t max,
                     struct pvboot_error *e)
{
    uint64_t has = ram_from(s, gpa);
    size_t n, room = has < max + 1 ? (size_t)has : max + 1;

    if (!gpa)
        return 0;
    n = room ? strnlen((const char *)s->memory + gpa, room) : 0;
    if (room < max + 1 && n == room)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "%s at 0x%llx does not end within RAM", what, (unsigned long long)gpa);
    if (n > max)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%s at 0x%llx is longer than %zu bytes", what, (unsigned long long)gpa, max);
    memcpy(text, s->memory + gpa, n);
    return 0;
}

static int read_start_info(const struct pvb_stub *s, uint64_t gpa, struct hvm_start_info *si, struct pvboot_error *e)
{
    if (!gpa || !pvboot_get(memory(s), gpa, si, sizeof(*si)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "start info at 0x%llx cannot be read", (unsigned long long)gpa);
    if (si->magic != XEN_HVM_START_MAGIC_VALUE)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "start info at 0x%llx has magic 0x%x, not 0x%x", (unsigned long long)gpa,
                        si->magic, XEN_HVM_START_MAGIC_VALUE);
    if (!si->version || !si->memmap_entries)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "start info of version %u has no memory map", si->version);
    return 0;
}

/* RAM first: where a map contradicts itself, what is not RAM counts. */
static int read_map(struct pvb_stub *s, const struct hvm_start_info *si, bool ram, struct pvboot_error *e)
{
    struct hvm_memmap_table_entry r;

    for (uint32_t i = 0; i < si->memmap_entries; i++) {
        uint64_t gpa = si->memmap_paddr + i * sizeof(r), end;
        int rc;

        if (!pvboot_get(memory(s), gpa, &r, sizeof(r)))
            return pvb_fail(e, PVBOOT_E_MALFORMED, "memory map entry %u at 0x%llx cannot be read", i,
                            (unsigned long long)gpa);
        if (!pvb_add(r.addr, r.size, &end))
            return pvb_fail(e, PVBOOT_E_MALFORMED, "memory map entry %u, 0x%llx+0x%llx, wraps", i,
                            (unsigned long long)r.addr, (unsigned long long)r.size);
        if (!r.size || (r.type == XEN_HVM_MEMMAP_TYPE_RAM) != ram)
            continue;
        rc = pvboot_memmap_set(&s->machine.map, r.addr, end, r.type, e);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_memmap(struct pvb_stub *s, const struct hvm_start_info *si, struct pvboot_error *e)
{
    int rc;

    if (!si->memmap_paddr || si->memmap_paddr >= PVB_4G || si->memmap_entries > PVBOOT_MEMMAP_MAX)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "memory map of %u entries at 0x%llx: limits are %u and 4 GiB",
                        si->memmap_entries, (unsigned long long)si->memmap_paddr, PVBOOT_MEMMAP_MAX);
    rc = read_map(s, si, true, e);
    return rc ? rc : read_map(s, si, false, e);
}

/* Where a dump of the build goes, and a cache is, concerns the toolstack alone. */
static int set_option(struct pvb_stub *s, char *word, struct pvboot_error *e)
{
    char *eq = memchr(word, '=', strlen(word));

    if (!eq)
        return pvb_fail(e, PVBOOT_E_USAGE, "option \"%s\" is not key=value", word);
    *eq = '\0';
    return strcmp(word, "dump") && strcmp(word, "cache") ? pvboot_request_set(&s->req, word, eq + 1, e) : 0;
}

static int read_options(struct pvb_stub *s, uint64_t gpa, struct pvboot_error *e)
{
    char text[PVBOOT_STOCK_CMDLINE_MAX + 1] = "", *word = text;
    int rc = read_text(s, "the stub's command line", gpa, text, PVBOOT_STOCK_CMDLINE_MAX, e);
    bool first = true;

    while (!rc && *word) {
        size_t n = 0;
        bool more;

        while (word[n] && word[n] != ' ')
            n++;
        more = word[n];
        word[n] = '\0';
        if (n && first && strcmp(word, CARRIER))
            rc = pvb_fail(e, PVBOOT_E_USAGE, "the stub's command line starts with \"%.60s\", not with \"" CARRIER "\"",
                          word);
        else if (n && !first)
            rc = set_option(s, word, e);
        first = first && !n;
        word += n + more;
    }
    return rc;
}

/* The setup header without what the stub cannot do: its addresses have 32 bits. */
static int read_kernel(struct pvb_stub *s, const struct hvm_modlist_entry *m, struct pvboot_error *e)
{
    struct pvboot_image *img = &s->kernel.image;
    int rc = check_ram(s, "kernel (module 0)", m->paddr, m->size, e);

    if (!rc)
        rc = read_text(s, "the kernel's command line", m->cmdline_paddr, s->cmdline, PVBOOT_CMDLINE_MAX, e);
    if (rc)
        return rc;
    s->req.cmdline = s->cmdline;
    s->kernel_gpa = m->paddr;
    s->kernel.file = pvboot_sub(memory(s), m->paddr, m->size);
    if (!pvb_is_bzimage(s->kernel.file))
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                        "kernel (module 0) of %zu bytes is no bzImage: the stub unpacks nothing", s->kernel.file.len);
    img->format = PVBOOT_FORMAT_BZIMAGE;
    img->has_bzimage = true;
    img->file_bytes = s->kernel.file.len;
    rc = pvb_bzimage_parse(&img->bz, s->kernel.file, e);
    img->bz.xloadflags &= (uint16_t)~XLF_CAN_BE_LOADED_ABOVE_4G;
    if (img->bz.window.max_gpa > UINT32_MAX)
        img->bz.window.max_gpa = UINT32_MAX;
    return rc;
}

static int read_ramdisk(struct pvb_stub *s, const struct hvm_modlist_entry *m, struct pvboot_error *e)
{
    int rc = check_ram(s, "ramdisk (module 1)", m->paddr, m->size, e);

    if (rc)
        return rc;
    s->ramdisk_gpa = m->paddr;
    s->req.n_ramdisks = 1;
    s->req.ramdisk[0] = pvboot_sub(memory(s), m->paddr, m->size);
    return 0;
}

static int read_modules(struct pvb_stub *s, const struct hvm_start_info *si, struct pvboot_error *e)
{
    struct hvm_modlist_entry m[2];
    int rc;

    if (!si->nr_modules || si->nr_modules > 2)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "%u modules: want a kernel and at most one ramdisk", si->nr_modules);
    rc = check_ram(s, "module list", si->modlist_paddr, si->nr_modules * sizeof(m[0]), e);
    if (rc)
        return rc;
    memcpy(m, s->memory + si->modlist_paddr, si->nr_modules * sizeof(m[0]));
    rc = read_kernel(s, &m[0], e);
    return rc || si->nr_modules == 1 ? rc : read_ramdisk(s, &m[1], e);
}

int pvb_stub_read(struct pvb_stub *s, uint64_t gpa, struct pvboot_error *e)
{
    struct hvm_start_info si;
    int rc = read_start_info(s, gpa, &si, e);

    pvboot_request_init(&s->req);
    if (!rc)
        rc = read_memmap(s, &si, e);
    if (!rc)
        rc = check_ram(s, "start info", gpa, sizeof(si), e);
    if (!rc)
        rc = check_ram(s, "memory map", si.memmap_paddr,
                       si.memmap_entries * (uint64_t)sizeof(struct hvm_memmap_table_entry), e);
    if (!rc)
        rc = read_options(s, si.cmdline_paddr, e);
    if (!rc)
        rc = read_modules(s, &si, e);
    s->machine.rsdp_gpa = rc ? 0 : si.rsdp_paddr;
    s->machine.vcpus = 1; /* those it has start by themselves, through ACPI */
    return rc;
}

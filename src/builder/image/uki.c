/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Unified kernel images: a PE file whose sections are a kernel and what goes with it.
 * Specs: UAPI Group, "Unified Kernel Image"; Microsoft's PE format, "COFF File Header", "Section Table".
 */
#include "image.h"

#include <pvboot/limits.h>

#define PE_OFF 0x3cu /* where the PE header is, in DOS's */
#define MACHINE_I386 0x014cu
#define MACHINE_X86_64 0x8664u
#define NAME_BYTES 8u
#define DELETE 0x7f

struct coff {
    char magic[4];
    uint16_t machine, sections;
    uint32_t time, symbols_off, symbols;
    uint16_t optional_bytes, flags;
};

struct section {
    char name[NAME_BYTES]; /* without a NUL when it has as many */
    uint32_t bytes, gpa, file_bytes, file_off;
    uint32_t more[4];
};

/* What is wanted of one profile: where it was found, and whether that was before any .profile. */
struct found {
    struct pvboot_bytes bytes;
    uint64_t off;
    uint32_t profile;
};

enum { LINUX = PVBOOT_PARTS, CMDLINE, WANTED };

static int read_coff(struct coff *c, uint64_t *table, struct pvboot_bytes file, struct pvboot_error *e)
{
    uint32_t at;

    if (!pvboot_get(file, PE_OFF, &at, sizeof(at)) || !pvboot_get(file, at, c, sizeof(*c)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "PE file ends inside its headers: %zu bytes", file.len);
    if (c->machine != MACHINE_X86_64 && c->machine != MACHINE_I386)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "PE file for machine 0x%04x; pvboot starts x86: 0x%x or 0x%x",
                        c->machine, MACHINE_X86_64, MACHINE_I386);
    if (c->sections > PVBOOT_PE_SECTIONS_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "PE file of %u sections, limit %u", c->sections, PVBOOT_PE_SECTIONS_MAX);
    *table = at + sizeof(*c) + c->optional_bytes;
    if (!pvboot_has(file, *table, c->sections * sizeof(struct section)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "PE section table 0x%llx+0x%zx ends past byte 0x%zx",
                        (unsigned long long)*table, c->sections * sizeof(struct section), file.len);
    return 0;
}

static int wanted(const struct section *s)
{
    for (int id = 0; id < PVBOOT_PARTS; id++)
        if (!strncmp(s->name, pvboot_part_name((enum pvboot_part_id)id), NAME_BYTES))
            return id;
    if (!strncmp(s->name, ".linux", NAME_BYTES))
        return LINUX;
    return strncmp(s->name, ".cmdline", NAME_BYTES) ? WANTED : CMDLINE;
}

/* The first of its name counts, but for one that stands in front of all profiles and is replaced by the first's own. */
static int take_section(struct found *f, const struct section *s, uint32_t profile, struct pvboot_bytes file,
                        struct pvboot_error *e)
{
    /* what is in the file is padded, what is in memory may be longer than that */
    uint64_t n = s->bytes && s->bytes < s->file_bytes ? s->bytes : s->file_bytes;

    if (!pvboot_has(file, s->file_off, n))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "section %.8s at 0x%x+0x%llx ends past byte 0x%zx", s->name, s->file_off,
                        (unsigned long long)n, file.len);
    if (!f->bytes.p || f->profile < profile)
        *f = (struct found){ pvboot_sub(file, s->file_off, n), n ? s->file_off : 0, profile };
    return 0;
}

/* As systemd-stub does: what is no text is a space, and there is none at either end. */
static int take_cmdline(struct pvboot_wrapper *w, struct pvboot_bytes b, struct pvboot_error *e)
{
    size_t n = strnlen((const char *)b.p, b.len), start = 0;

    while (n && (b.p[n - 1] <= ' ' || b.p[n - 1] == DELETE))
        n--;
    while (start < n && (b.p[start] <= ' ' || b.p[start] == DELETE))
        start++;
    if (n - start > PVBOOT_CMDLINE_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "section .cmdline is %zu bytes, limit %u", n - start, PVBOOT_CMDLINE_MAX);
    for (size_t i = start; i < n; i++)
        w->cmdline[i - start] = (char)(b.p[i] < ' ' || b.p[i] == DELETE ? ' ' : b.p[i]);
    return 0;
}

static int take_found(struct pvboot_wrapper *w, const struct found *f, struct pvboot_error *e)
{
    if (!f[LINUX].bytes.len)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                        "not a bzImage or ELF kernel: a PE file, as EFI applications are, without a section .linux");
    w->off = f[LINUX].off;
    w->bytes = w->kernel_bytes = f[LINUX].bytes.len;
    for (int id = 0; id < PVBOOT_PARTS; id++) {
        w->part[id].off = f[id].off;
        w->part[id].bytes = f[id].bytes.len;
    }
    return f[CMDLINE].bytes.len ? take_cmdline(w, f[CMDLINE].bytes, e) : 0;
}

bool pvb_is_pe(struct pvboot_bytes file)
{
    uint32_t at;
    char magic[4];

    return file.len > 2 && !memcmp(file.p, "MZ", 2) && pvboot_get(file, PE_OFF, &at, sizeof(at)) &&
           pvboot_get(file, at, magic, sizeof(magic)) && !memcmp(magic, "PE\0\0", sizeof(magic));
}

int pvb_uki_parse(struct pvboot_wrapper *w, struct pvboot_bytes file, struct pvboot_error *e)
{
    struct found found[WANTED] = { 0 };
    struct section s;
    struct coff c;
    uint64_t table = 0;
    int rc = read_coff(&c, &table, file, e);

    for (uint32_t i = 0; !rc && i < c.sections; i++) {
        (void)pvboot_get(file, table + i * sizeof(s), &s, sizeof(s));
        if (!strncmp(s.name, ".profile", NAME_BYTES))
            w->profiles++;
        else if (w->profiles <= 1 && wanted(&s) != WANTED)
            rc = take_section(&found[wanted(&s)], &s, w->profiles, file, e);
    }
    return rc ? rc : take_found(w, found, e);
}

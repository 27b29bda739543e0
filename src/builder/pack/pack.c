/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Layout, in memory: the stub where it is linked to, behind it our entry with the stub's start info and both texts, then
 * kernel and ramdisks, each from a page of its own.  The file has them in this order, as ELF64, which every PVH loader
 * takes (some take no other).  Specs: the ELF gABI; Xen docs/misc/pvh.pandoc, xen/include/public/elfnote.h.
 */
#include "pack.h"

#include "../image/image.h"
#include "../plan/plan.h"
#include "layout.h"

#include <elf.h>
#include <stdio.h>

#include <assert.h>
#ifdef HAVE_XEN
#include <stddef.h>
#include <xen/arch-x86/hvm/start_info.h>
static_assert(SI_MAGIC_VALUE == XEN_HVM_START_MAGIC_VALUE && SI_BYTES == sizeof(struct hvm_start_info), "layout.h");
static_assert(SI_NR_MODULES == offsetof(struct hvm_start_info, nr_modules), "layout.h");
static_assert(SI_MODLIST == offsetof(struct hvm_start_info, modlist_paddr), "layout.h");
static_assert(SI_CMDLINE == offsetof(struct hvm_start_info, cmdline_paddr), "layout.h");
static_assert(SI_RSDP == offsetof(struct hvm_start_info, rsdp_paddr), "layout.h");
static_assert(SI_MEMMAP == offsetof(struct hvm_start_info, memmap_paddr), "layout.h");
static_assert(MOD_SIZE == offsetof(struct hvm_modlist_entry, size), "layout.h");
static_assert(MOD_CMDLINE == offsetof(struct hvm_modlist_entry, cmdline_paddr), "layout.h");
static_assert(SI_MEMMAP_ENTRIES == offsetof(struct hvm_start_info, memmap_entries), "layout.h");
static_assert(MEMMAP_BYTES == sizeof(struct hvm_memmap_table_entry), "layout.h");
static_assert(MOD_BYTES == sizeof(struct hvm_modlist_entry), "layout.h");
#endif

#define CARRIER "pvboot"
static_assert(MEMMAP_MAX == PVBOOT_MEMMAP_MAX && ROOM_CMDLINE_BYTES == PVBOOT_CMDLINE_MAX + 1, "layout.h");
#define STUB_LOADS_MAX 8u /* it has three; with ours they have to fit into the first page */
#define XEN_NOTE_XEN_VERSION 5u
#define XEN_NOTE_GUEST_OS 6u
#define XEN_NOTE_LOADER 8u
#define XEN_NOTE_PHYS32_ENTRY 18u

/* entry.S */
extern const uint8_t pvb_pack_entry[], pvb_pack_entry_end[], pvb_pack_template_slot[], pvb_pack_room_slot[],
    pvb_pack_stub_slot[];

struct packer {
    struct pvb_pack *p;
    const struct pvb_pack_input *in;
    Elf64_Phdr phdr[STUB_LOADS_MAX + 4];
    uint32_t n_phdrs;
    uint64_t off, gpa; /* behind what is there by now, whole pages */
    uint64_t entry_gpa;
    struct pvb_packed_note note;
};

static uint64_t page_up(uint64_t x)
{
    return (x + PVB_PAGE - 1) & ~(PVB_PAGE - 1); /* of sums that are checked against PVB_PACK_END */
}

static void put_piece(struct packer *k, uint64_t off, struct pvboot_bytes b)
{
    k->p->piece[k->p->n++] = (struct pvb_pack_piece){ off, b };
    k->p->bytes = off + b.len;
}

static void put_load(struct packer *k, uint64_t gpa, uint64_t file_bytes, uint64_t mem_bytes, uint32_t flags)
{
    uint64_t in_page = gpa % PVB_PAGE;

    k->phdr[k->n_phdrs++] = (Elf64_Phdr){ .p_type = PT_LOAD,
                                          .p_flags = flags,
                                          .p_offset = k->off + in_page,
                                          .p_vaddr = gpa,
                                          .p_paddr = gpa,
                                          .p_filesz = file_bytes,
                                          .p_memsz = mem_bytes,
                                          .p_align = PVB_PAGE };
    k->off = page_up(k->off + in_page + file_bytes);
    k->gpa = page_up(gpa + mem_bytes);
}

/* Flags do not survive parsing, and nobody who loads a kernel without page tables could keep to them. */
static void put_stub(struct packer *k)
{
    const struct pvboot_elf *elf = &k->in->stub->image.elf;

    for (uint32_t i = 0; i < elf->n_loads; i++) {
        const struct pvboot_load *l = &elf->load[i];

        if (l->file_bytes)
            put_piece(k, k->off + l->gpa % PVB_PAGE, pvboot_sub(k->in->stub->elf, l->off, l->file_bytes));
        put_load(k, l->gpa, l->file_bytes, l->mem_bytes, PF_R | PF_W | PF_X);
    }
}

static void set32(uint8_t *p, uint64_t v)
{
    const uint32_t v32 = (uint32_t)v;

    memcpy(p, &v32, sizeof(v32));
}

static void set64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, sizeof(v));
}

static uint64_t ramdisk_bytes(const struct pvboot_request *req)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < req->n_ramdisks; i++)
        n = ((n + 3) & ~3ull) + req->ramdisk[i].len; /* each at a multiple of 4, as Linux unpacks them */
    return n;
}

/* The stub's start info; the loader's half of it is filled in by entry.S. */
static void fill_template(uint8_t *si, uint64_t options_gpa, uint64_t cmdline_gpa, uint64_t template_gpa,
                          const struct pvb_packed_note *note)
{
    uint8_t *mod = si + SI_BYTES;

    set32(si + SI_NR_MODULES, note->part[PVBOOT_PACKED_RAMDISK].bytes ? 2 : 1);
    set64(si + SI_MODLIST, template_gpa + SI_BYTES);
    set64(si + SI_CMDLINE, options_gpa);
    set64(mod + MOD_SIZE, note->part[PVBOOT_PACKED_KERNEL].bytes);
    set64(mod + MOD_CMDLINE, cmdline_gpa);
    set64(mod + MOD_BYTES + MOD_SIZE, note->part[PVBOOT_PACKED_RAMDISK].bytes);
}

/* What the request says otherwise than the stub would by itself. */
static void put_options(struct pvb_pack *p, const struct pvboot_request *req)
{
    char path[24] = "", subarch[24] = "";

    if (req->path != PVBOOT_PATH_AUTO)
        snprintf(path, sizeof(path), " entry=%s", pvboot_path_name(req->path));
    if (req->subarch)
        snprintf(subarch, sizeof(subarch), " subarch=%u", req->subarch);
    snprintf(p->options, sizeof(p->options), CARRIER "%s%s%s%s%s", path, subarch,
             req->force_subarch ? " force_subarch=1" : "", req->strict ? " strict=1" : "",
             req->hypervisor == PVBOOT_HYPERVISOR_NONE ? " hypervisor=none" : "");
}

static void set_part(struct packer *k, enum pvboot_packed_part id, uint64_t off, uint64_t bytes)
{
    k->note.part[id].off = bytes ? off : 0;
    k->note.part[id].bytes = bytes;
}

/* Where in the entry's segment what lies. */
struct entry_layout {
    size_t code_bytes, template_off, options_off, cmdline_off, bytes, room_off, mem_bytes;
};

static struct entry_layout lay_out_entry(const char *options, const char *cmdline)
{
    struct entry_layout l = { .code_bytes = (size_t)(pvb_pack_entry_end - pvb_pack_entry) };

    l.template_off = (l.code_bytes + 7) & ~(size_t)7;
    l.options_off = l.template_off + SI_BYTES + 2 * MOD_BYTES;
    l.cmdline_off = l.options_off + strlen(options) + 1;
    l.bytes = l.cmdline_off + strlen(cmdline) + 1;
    l.room_off = (l.bytes + 7) & ~(size_t)7;
    l.mem_bytes = l.room_off + ROOM_BYTES;
    return l;
}

static void put_entry(struct packer *k)
{
    const char *cmdline = k->in->req->cmdline ? k->in->req->cmdline : "";
    const struct entry_layout l = lay_out_entry(k->p->options, cmdline);
    uint8_t *p = k->p->entry;
    uint64_t gpa = k->gpa, off = k->off;
    size_t carrier = strlen(CARRIER) + (k->p->options[strlen(CARRIER)] == ' '), all = strlen(k->p->options);

    memcpy(p, pvb_pack_entry, l.code_bytes);
    set32(p + (pvb_pack_template_slot - pvb_pack_entry), gpa + l.template_off);
    set32(p + (pvb_pack_room_slot - pvb_pack_entry), gpa + l.room_off);
    set32(p + (pvb_pack_stub_slot - pvb_pack_entry), k->in->stub->image.elf.notes.phys32_entry);
    fill_template(p + l.template_off, gpa + l.options_off, gpa + l.cmdline_off, gpa + l.template_off, &k->note);
    memcpy(p + l.options_off, k->p->options, all + 1);
    memcpy(p + l.cmdline_off, cmdline, strlen(cmdline) + 1);
    set_part(k, PVBOOT_PACKED_OPTIONS, off + l.options_off + carrier, all - carrier);
    set_part(k, PVBOOT_PACKED_CMDLINE, off + l.cmdline_off, strlen(cmdline));
    k->entry_gpa = gpa;
    put_piece(k, off, (struct pvboot_bytes){ p, l.bytes });
    put_load(k, gpa, l.bytes, l.mem_bytes, PF_R | PF_W | PF_X);
    set64(p + l.template_off + SI_BYTES + MOD_PADDR, k->gpa); /* the kernel comes next, then the ramdisk */
    if (k->note.part[PVBOOT_PACKED_RAMDISK].bytes)
        set64(p + l.template_off + SI_BYTES + MOD_BYTES + MOD_PADDR,
              page_up(k->gpa + k->note.part[PVBOOT_PACKED_KERNEL].bytes));
}

static void put_payload(struct packer *k)
{
    const struct pvboot_bytes kernel = k->in->kernel->file;
    const struct pvboot_request *req = k->in->req;
    uint64_t n = 0, all = ramdisk_bytes(req);

    k->note.part[PVBOOT_PACKED_KERNEL].off = k->off;
    put_piece(k, k->off, kernel);
    put_load(k, k->gpa, kernel.len, kernel.len, PF_R);
    if (!all)
        return;
    k->note.part[PVBOOT_PACKED_RAMDISK].off = k->off;
    for (uint32_t i = 0; i < req->n_ramdisks; i++) {
        n = (n + 3) & ~3ull;
        put_piece(k, k->off + n, req->ramdisk[i]);
        n += req->ramdisk[i].len;
    }
    put_load(k, k->gpa, all, all, PF_R);
}

/* Returns how many bytes the note takes. */
static size_t put_note(uint8_t *p, const char *owner, uint32_t type, const void *desc, size_t n)
{
    const Elf64_Nhdr h = { (uint32_t)strlen(owner) + 1, (uint32_t)n, type };
    size_t name_bytes = (h.n_namesz + 3) & ~3u;

    memcpy(p, &h, sizeof(h));
    memcpy(p + sizeof(h), owner, h.n_namesz);
    memcpy(p + sizeof(h) + name_bytes, desc, n);
    return sizeof(h) + name_bytes + ((n + 3) & ~(size_t)3);
}

static size_t put_notes(const struct packer *k, uint8_t *p)
{
    const uint32_t entry = (uint32_t)k->entry_gpa;
    size_t n = put_note(p, "Xen", XEN_NOTE_PHYS32_ENTRY, &entry, sizeof(entry));

    n += put_note(p + n, "Xen", XEN_NOTE_GUEST_OS, "pvboot-pack", sizeof("pvboot-pack"));
    n += put_note(p + n, "Xen", XEN_NOTE_XEN_VERSION, "xen-3.0", sizeof("xen-3.0"));
    n += put_note(p + n, "Xen", XEN_NOTE_LOADER, "generic", sizeof("generic"));
    return k->in->untold ? n : n + put_note(p + n, "pvboot", PVB_NOTE_PACKED, &k->note, sizeof(k->note));
}

/* Its first page: ELF header, program headers, notes.  Nothing of it is loaded. */
static void put_head(struct packer *k)
{
    Elf64_Phdr *note = &k->phdr[k->n_phdrs++];
    uint64_t at = sizeof(Elf64_Ehdr) + k->n_phdrs * sizeof(*note);
    size_t n = put_notes(k, k->p->head + at);
    const Elf64_Ehdr ehdr = {
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = k->entry_gpa,
        .e_phoff = sizeof(ehdr),
        .e_ehsize = sizeof(ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (uint16_t)k->n_phdrs,
        .e_shentsize = sizeof(Elf64_Shdr),
    };

    *note =
        (Elf64_Phdr){ .p_type = PT_NOTE, .p_flags = PF_R, .p_offset = at, .p_filesz = n, .p_memsz = n, .p_align = 4 };
    memcpy(k->p->head, &ehdr, sizeof(ehdr));
    memcpy(k->p->head + sizeof(ehdr), k->phdr, k->n_phdrs * sizeof(*note));
}

static int check_kernel(const struct pvb_pack_input *in, struct pvboot_error *e)
{
    const struct pvboot_image *img = &in->kernel->image;
    enum pvboot_path path = in->req->path;
    char why[160] = "";
    bool ok = path == PVBOOT_PATH_AUTO || path == PVBOOT_PATH_LINUX32 || path == PVBOOT_PATH_LINUX64;

    if (!ok)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "entry=%s: the stub starts linux64 and linux32",
                        pvboot_path_name(path));
    if (!img->has_bzimage)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                        "no bzImage: the stub starts nothing else, and a PVH ELF needs no stub");
    if (path == PVBOOT_PATH_AUTO)
        ok = pvboot_image_offers(img, PVBOOT_PATH_LINUX64, why, sizeof(why)) ||
             pvboot_image_offers(img, PVBOOT_PATH_LINUX32, why, sizeof(why));
    if (!ok)
        return pvb_fail_escaped(e, PVBOOT_E_UNSUPPORTED, "linux32: %s", why);
    return pvboot_plan_possible(img, in->req, e);
}

static int check_stub(const struct pvb_pack_input *in, struct pvboot_error *e)
{
    char why[160];

    if (pvboot_image_offers(&in->stub->image, PVBOOT_PATH_STUB, why, sizeof(why)) &&
        in->stub->image.elf.n_loads <= STUB_LOADS_MAX)
        return 0;
    return pvb_fail_escaped(e, PVBOOT_E_UNSUPPORTED, "the stub has lost its notes or is another file: %s", why);
}

static int check_size(const struct pvb_pack_input *in, struct pvboot_error *e)
{
    const struct pvboot_window *stub = &in->stub->image.elf.window;
    uint64_t kernel = in->kernel->file.len, ramdisk = ramdisk_bytes(in->req);
    uint64_t end =
        stub->pref_gpa + stub->bytes + PVB_PACK_ENTRY_MAX + page_up(ROOM_BYTES) + page_up(kernel) + page_up(ramdisk);

    if (end <= PVB_PACK_END)
        return 0;
    return pvb_fail(e, PVBOOT_E_NOFIT,
                    "kernel of %llu and ramdisks of %llu bytes behind the stub end at 0x%llx, limit 0x%llx",
                    (unsigned long long)kernel, (unsigned long long)ramdisk, (unsigned long long)end, PVB_PACK_END);
}

int pvb_pack_make(struct pvb_pack *p, const struct pvb_pack_input *in, struct pvboot_error *e)
{
    struct packer k = { .p = p, .in = in, .off = PVB_PAGE };
    int rc = check_stub(in, e);

    if (!rc)
        rc = check_kernel(in, e);
    if (!rc)
        rc = pvb_check_request(in->req, e);
    if (!rc)
        rc = pvb_check_cmdline(&in->kernel->image, PVBOOT_PATH_LINUX64, in->req->cmdline, e);
    if (!rc)
        rc = check_size(in, e);
    if (rc)
        return rc;
    memset(p, 0, sizeof(*p));
    put_options(p, in->req);
    k.note.version = PVB_PACKED_VERSION;
    k.note.part[PVBOOT_PACKED_KERNEL].bytes = in->kernel->file.len;
    k.note.part[PVBOOT_PACKED_RAMDISK].bytes = ramdisk_bytes(in->req);
    put_piece(&k, 0, (struct pvboot_bytes){ p->head, sizeof(p->head) });
    put_stub(&k);
    put_entry(&k);
    put_payload(&k);
    put_head(&k);
    p->end_gpa = k.gpa;
    return 0;
}

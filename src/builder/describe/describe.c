/* SPDX-License-Identifier: LGPL-2.1-only */
#include "describe.h"
#include "../load/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

json_t *pvb_json_u64(uint64_t v)
{
    char text[24];

    if (v <= INT64_MAX)
        return json_integer((json_int_t)v);
    snprintf(text, sizeof(text), "%#" PRIx64, v);
    return json_string(text);
}

json_t *pvb_json_hex(struct pvboot_bytes b)
{
    char *text = malloc(2 * b.len + 1);
    json_t *j;

    if (!text)
        return NULL;
    for (size_t i = 0; i < b.len; i++) {
        text[2 * i] = "0123456789abcdef"[b.p[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[b.p[i] & 0xf];
    }
    j = json_stringn(text, 2 * b.len);
    free(text);
    return j;
}

json_t *pvb_json_text(struct pvboot_bytes b)
{
    size_t n = 4 * b.len + 1; /* every byte as \xNN */
    char *text = malloc(n);
    json_t *j;

    if (!text)
        return NULL;
    pvb_escape(text, n, b.p, b.len);
    j = json_string(text);
    free(text);
    return j;
}

static json_t *describe_payload(const struct pvboot_image *img)
{
    const struct pvboot_bzimage *bz = &img->bz;

    if (!img->has_bzimage || !bz->payload_bytes)
        return json_null();
    return json_pack("{s:s, s:o, s:o, s:o}", "codec", pvboot_codec_name(bz->codec), "offset",
                     pvb_json_u64(bz->payload_off), "bytes", pvb_json_u64(bz->payload_bytes), "unpacked_bytes",
                     pvb_json_u64(bz->unpacked_bytes));
}

static json_t *describe_span(uint64_t off, uint64_t bytes)
{
    return json_pack("{s:o, s:o}", "offset", pvb_json_u64(off), "bytes", pvb_json_u64(bytes));
}

static json_t *describe_sections(const struct pvboot_wrapper *w)
{
    json_t *o = json_object();

    for (enum pvboot_part_id id = 0; id < PVBOOT_PARTS; id++)
        if (w->part[id].bytes)
            json_object_set_new(o, pvboot_part_name(id), describe_span(w->part[id].off, w->part[id].bytes));
    return o;
}

static json_t *describe_wrapper(const struct pvboot_wrapper *w)
{
    json_t *o;

    if (w->kind == PVBOOT_WRAPPER_NONE)
        return json_null();
    o = describe_span(w->off, w->bytes);
    json_object_set_new(o, "kind", json_string(pvboot_wrapper_name(w->kind)));
    json_object_set_new(o, "codec", json_string(pvboot_codec_name(w->codec)));
    json_object_set_new(o, "kernel_bytes", pvb_json_u64(w->kernel_bytes));
    if (w->kind != PVBOOT_WRAPPER_UKI)
        return o;
    json_object_set_new(o, "sections", describe_sections(w));
    json_object_set_new(o, "profiles", pvb_json_u64(w->profiles));
    json_object_set_new(o, "cmdline",
                        pvb_json_text((struct pvboot_bytes){ (const uint8_t *)w->cmdline, strlen(w->cmdline) }));
    return o;
}

static json_t *describe_window(const struct pvboot_window *w)
{
    return json_pack("{s:o, s:o, s:o, s:b}", "pref_gpa", pvb_json_u64(w->pref_gpa), "bytes", pvb_json_u64(w->bytes),
                     "align", pvb_json_u64(w->align), "relocatable", w->relocatable);
}

static void set_unless_empty(json_t *o, const char *key, const char *text)
{
    if (text[0])
        json_object_set_new(o, key, json_string(text));
}

static json_t *describe_pv_notes(const struct pvboot_pv_notes *pv)
{
    json_t *o = json_pack("{s:o, s:o, s:o, s:b}", "entry_va", pvb_json_u64(pv->entry_va), "virt_base",
                          pvb_json_u64(pv->virt_base), "paddr_offset", pvb_json_u64(pv->paddr_offset), "mod_start_pfn",
                          pv->mod_start_pfn);

    if (pv->has_hypercall_page)
        json_object_set_new(o, "hypercall_page_va", pvb_json_u64(pv->hypercall_page_va));
    if (pv->has_init_p2m)
        json_object_set_new(o, "init_p2m_va", pvb_json_u64(pv->init_p2m_va));
    if (pv->supported_features)
        json_object_set_new(o, "supported_features", pvb_json_u64(pv->supported_features));
    return o;
}

static json_t *describe_notes(const struct pvboot_notes *n)
{
    json_t *o = json_object();

    if (n->has_phys32_entry)
        json_object_set_new(o, "phys32_entry", pvb_json_u64(n->phys32_entry));
    if (n->has_phys32_reloc)
        json_object_set_new(o, "phys32_reloc",
                            json_pack("{s:o, s:o, s:o}", "align", pvb_json_u64(n->reloc_align), "min",
                                      pvb_json_u64(n->reloc_min), "max", pvb_json_u64(n->reloc_max)));
    if (n->pvboot_stub)
        json_object_set_new(o, "pvboot_stub", json_true());
    set_unless_empty(o, "guest_os", n->guest_os);
    set_unless_empty(o, "guest_version", n->guest_version);
    set_unless_empty(o, "xen_version", n->xen_version);
    set_unless_empty(o, "loader", n->loader);
    set_unless_empty(o, "features", n->features);
    if (n->pv.has_entry)
        json_object_set_new(o, "pv", describe_pv_notes(&n->pv));
    return o;
}

/* What is in a packed image, and where; its texts are shown, as they are in the ELF. */
static json_t *describe_packed(const struct pvboot_kernel *k)
{
    const struct pvboot_packed *p = &k->image.elf.notes.packed;
    json_t *o;

    if (!k->image.has_elf || !p->there)
        return json_null();
    o = json_object();
    for (enum pvboot_packed_part id = 0; id < PVBOOT_PACKED_PARTS; id++) {
        json_t *part = p->part[id].bytes ? describe_span(p->part[id].off, p->part[id].bytes) : json_null();

        if (id >= PVBOOT_PACKED_CMDLINE)
            json_object_set_new(part, "text", pvb_json_text(pvboot_sub(k->elf, p->part[id].off, p->part[id].bytes)));
        json_object_set_new(o, pvboot_packed_name(id), part);
    }
    json_object_set_new(json_object_get(o, pvboot_packed_name(PVBOOT_PACKED_KERNEL)), "kernel_version",
                        json_string(p->kernel_version));
    return o;
}

static json_t *describe_entry(const struct pvboot_image *img, enum pvboot_path path, const char *elf_why)
{
    bool bzimage = path == PVBOOT_PATH_LINUX32 || path == PVBOOT_PATH_LINUX64;
    char why[320] = "";
    uint64_t gpa = 0;
    bool ok = false;

    if (!bzimage && elf_why[0])
        snprintf(why, sizeof(why), "%s", elf_why);
    else
        ok = pvboot_image_offers(img, path, why, sizeof(why));
    if (ok) {
        gpa = pvboot_image_entry(img, path, bzimage ? img->bz.window.pref_gpa : img->elf.window.pref_gpa);
        why[0] = '\0';
    }
    return json_pack("{s:b, s:o, s:s}", "ok", ok, "gpa", ok ? pvb_json_u64(gpa) : json_null(), "why", why);
}

static json_t *describe_entries(const struct pvboot_image *img, const char *elf_why)
{
    json_t *o = json_object();

    for (enum pvboot_path path = PVBOOT_PATH_AUTO + 1; path < PVBOOT_PATHS; path++)
        json_object_set_new(o, pvboot_path_name(path), describe_entry(img, path, elf_why));
    return o;
}

static void describe_bzimage(json_t *o, const struct pvboot_bzimage *bz)
{
    char protocol[16];

    snprintf(protocol, sizeof(protocol), "%u.%02u", bz->protocol >> 8, bz->protocol & 0xffu);
    json_object_set_new(o, "protocol", json_string(protocol));
    json_object_set_new(o, "setup_sects", pvb_json_u64(bz->setup_sects));
    json_object_set_new(o, "loadflags", pvb_json_u64(bz->loadflags));
    json_object_set_new(o, "xloadflags", pvb_json_u64(bz->xloadflags));
    json_object_set_new(o, "cmdline_max", pvb_json_u64(bz->cmdline_max));
    json_object_set_new(o, "initrd_addr_max", pvb_json_u64(bz->initrd_addr_max));
    json_object_set_new(o, "setup_type_max", pvb_json_u64(bz->setup_type_max));
    json_object_set_new(o, "kernel_version", json_string(bz->kernel_version));
}

json_t *pvb_describe_image(const struct pvboot_kernel *k, const char *elf_why)
{
    const struct pvboot_image *img = &k->image;
    json_t *o = json_object();
    char sha256[65];

    pvb_sha256_hex(k->whole, sha256);
    json_object_set_new(o, "format", json_string(img->has_bzimage ? "bzImage" : "elf"));
    json_object_set_new(o, "bytes", pvb_json_u64(img->file_bytes));
    json_object_set_new(o, "sha256", json_string(sha256));
    json_object_set_new(o, "wrapper", describe_wrapper(&img->wrapper));
    if (img->has_bzimage)
        describe_bzimage(o, &img->bz);
    json_object_set_new(o, "payload", describe_payload(img));
    json_object_set_new(o, "window", describe_window(img->has_bzimage ? &img->bz.window : &img->elf.window));
    json_object_set_new(o, "elf_window", img->has_elf ? describe_window(&img->elf.window) : json_null());
    json_object_set_new(o, "packed", describe_packed(k));
    json_object_set_new(o, "notes", img->has_elf ? describe_notes(&img->elf.notes) : json_object());
    json_object_set_new(o, "entries", describe_entries(img, elf_why));
    return o;
}

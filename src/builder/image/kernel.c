/* SPDX-License-Identifier: LGPL-2.1-only */
/* A kernel file from bytes to a checked value. */
#include "codec.h"
#include "elf.h"

/* First match wins. */
static int parse(struct pvboot_kernel *k, struct pvboot_error *e)
{
    struct pvboot_image *img = &k->image;
    const char *name;
    int rc;

    if (pvb_has_elf_magic(k->file)) {
        img->format = PVBOOT_FORMAT_ELF;
        rc = pvb_elf_parse(&img->elf, k->file, e);
        img->has_elf = !rc;
        k->elf = k->file;
        return rc;
    }
    if (pvb_is_bzimage(k->file)) {
        img->format = PVBOOT_FORMAT_BZIMAGE;
        rc = pvb_bzimage_parse(&img->bz, k->file, e);
        img->has_bzimage = !rc;
        return rc;
    }
    if (k->file.len < PVB_SHORTEST_KERNEL)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "too short for a setup header: %zu bytes", k->file.len);
    name = pvb_format_name(k->file);
    if (name)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "not a bzImage or ELF kernel: %s", name);
    return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                    "not a bzImage or ELF kernel: no HdrS at 0x202, starts with %02x %02x %02x %02x", k->file.p[0],
                    k->file.p[1], k->file.p[2], k->file.p[3]);
}

int pvb_kernel_read(struct pvboot_kernel *k, struct pvboot_bytes file, uint64_t unpacked_max,
                    const struct pvb_output *out, struct pvboot_error *e)
{
    int rc;

    *k = (struct pvboot_kernel){
        .whole = file, .file = file, .unpacked_max = unpacked_max, .image.file_bytes = file.len
    };
    if (!file.len)
        rc = pvb_fail(e, PVBOOT_E_UNREADABLE, "empty");
    else
        rc = pvb_unwrap(k, out, e);
    if (!rc)
        rc = parse(k, e);
    if (rc)
        pvboot_kernel_dispose(k);
    return rc;
}

int pvboot_kernel_parse_within(struct pvboot_kernel *k, struct pvboot_bytes file, uint64_t unpacked_max,
                               struct pvboot_error *e)
{
    return pvb_kernel_read(k, file, unpacked_max, &(struct pvb_output){ 0 }, e);
}

int pvboot_kernel_parse(struct pvboot_kernel *k, struct pvboot_bytes file, struct pvboot_error *e)
{
    return pvboot_kernel_parse_within(k, file, 0, e);
}

/* The payload is one ELF: whatever else it holds is not unpacked a second time. */
static int parse_payload(struct pvboot_image *img, struct pvboot_bytes elf, struct pvboot_error *e)
{
    int rc;

    if (!pvb_has_elf_magic(elf))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "the %s payload of %zu bytes unpacked is not ELF",
                        pvboot_codec_name(img->bz.codec), elf.len);
    rc = pvb_elf_parse(&img->elf, elf, e);
    if (rc)
        img->elf = (struct pvboot_elf){ 0 };
    return rc;
}

int pvb_kernel_unpack(struct pvboot_kernel *k, struct pvb_output out, struct pvboot_error *e)
{
    const struct pvboot_bzimage *bz = &k->image.bz;
    uint64_t used = pvb_unwrapped_bytes(&k->image.wrapper), max = pvboot_limit(k->unpacked_max, PVBOOT_UNPACKED_MAX);
    struct pvboot_bytes payload, elf;
    bool ours = !out.p;
    int rc;

    if (!bz->payload_bytes)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "the setup header (boot protocol %u.%02u) names no payload",
                        bz->protocol >> 8, bz->protocol & 0xffu);
    payload = pvboot_sub(k->file, bz->payload_off, bz->payload_bytes);
    elf = payload;
    if (bz->codec != PVBOOT_CODEC_NONE) {
        out.p = out.p ? out.p + used : NULL;
        out.base = used;
        rc = pvb_unpack(bz, payload, used < max ? max - used : 0, &out, e);
        if (rc)
            return rc;
        elf = (struct pvboot_bytes){ out.p, out.len };
    }
    rc = parse_payload(&k->image, elf, e);
    if (ours)
        k->own_elf.owned = out.p;
    if (rc) {
        pvboot_file_dispose(&k->own_elf);
        return rc;
    }
    k->elf = elf;
    k->image.has_elf = true;
    return 0;
}

bool pvb_kernel_look(const struct pvboot_kernel *k, struct pvboot_elf *elf)
{
    const struct pvboot_bzimage *bz = &k->image.bz;
    uint8_t head[sizeof(Elf64_Ehdr) + PVBOOT_LOADS_MAX * sizeof(Elf64_Phdr)];
    struct pvb_output out = { .p = head, .len = sizeof(head) };
    struct pvboot_bytes begin;
    size_t n;

    if (k->image.wrapper.kind != PVBOOT_WRAPPER_NONE || !bz->payload_bytes || bz->codec == PVBOOT_CODEC_NONE ||
        bz->payload_off >= PVBOOT_FILE_HEAD || bz->unpacked_bytes < sizeof(head))
        return false;
    begin = pvboot_sub(k->file, bz->payload_off, bz->payload_bytes);
    if (begin.len > PVBOOT_FILE_HEAD - bz->payload_off)
        begin.len = PVBOOT_FILE_HEAD - bz->payload_off;
    n = pvb_unpack_beginning(bz, begin, pvboot_limit(k->unpacked_max, PVBOOT_UNPACKED_MAX), out);
    *elf = (struct pvboot_elf){ 0 };
    return n == sizeof(head) && !pvb_elf_look(elf, (struct pvboot_bytes){ head, n }, bz->unpacked_bytes, NULL);
}

int pvboot_kernel_unpack(struct pvboot_kernel *k, struct pvboot_error *e)
{
    if (k->image.has_elf)
        return 0;
    if (k->confined)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "a confined kernel's payload was not asked for in time");
    return pvb_kernel_unpack(k, (struct pvb_output){ 0 }, e);
}

int pvboot_kernel_open(struct pvboot_kernel *k, const char *path, struct pvboot_error *e)
{
    struct pvboot_file f;
    int rc;

    *k = (struct pvboot_kernel){ 0 };
    rc = pvboot_file_read(&f, path, PVBOOT_KERNEL_MAX, e);
    if (rc)
        return rc;
    rc = pvboot_kernel_parse(k, f.bytes, e);
    if (rc) {
        pvboot_file_dispose(&f);
        return pvb_in_file(e, path, rc);
    }
    k->own_file = f;
    return 0;
}

void pvboot_kernel_dispose(struct pvboot_kernel *k)
{
    pvboot_file_dispose(&k->own_file);
    pvboot_file_dispose(&k->own_kernel);
    pvboot_file_dispose(&k->own_elf);
    *k = (struct pvboot_kernel){ 0 };
}

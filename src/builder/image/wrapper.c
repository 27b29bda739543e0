/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What people have around a kernel: a file packed by gzip and the like (vmlinux.gz, mini-OS, stub domains), a unified
 * kernel image, Linux's EFI zboot.  One of them, so that what a file costs to look at can be told from its size.
 * Spec: Linux drivers/firmware/efi/libstub/zboot-header.S; for the streams, their magic numbers.
 */
#include "codec.h"
#include "elf.h"

#define ZBOOT_MAGIC_OFF 4u
#define ZBOOT_PAYLOAD_OFF 8u
#define ZBOOT_CODEC_OFF 24u
#define SIZE_TRAILER 4u /* behind the payload, and not counted by its size; gzip has its own */

/* Whole files: of the magic numbers of payloads some are too short to tell a file by. */
static bool is_stream(struct pvboot_bytes b)
{
    static const struct {
        size_t n;
        uint8_t magic[9];
    } stream[] = {
        { 3, { 0x1f, 0x8b, 8 } },
        { 3, "BZh" },
        { 3, { 0x5d, 0, 0 } },
        { 6, { 0xfd, '7', 'z', 'X', 'Z', 0 } },
        { 5, { 0x89, 'L', 'Z', 'O', 0 } },
        { 4, { 0x02, 0x21, 0x4c, 0x18 } },
        { 4, { 0x28, 0xb5, 0x2f, 0xfd } },
    };

    for (size_t i = 0; i < sizeof(stream) / sizeof(stream[0]); i++)
        if (b.len >= stream[i].n && !memcmp(b.p, stream[i].magic, stream[i].n))
            return true;
    return false;
}

static bool is_zboot(struct pvboot_bytes b)
{
    char magic[4];

    return b.len > 2 && !memcmp(b.p, "MZ", 2) && pvboot_get(b, ZBOOT_MAGIC_OFF, magic, sizeof(magic)) &&
           !memcmp(magic, "zimg", sizeof(magic));
}

static const char *kind_text(const struct pvboot_wrapper *w)
{
    switch (w->kind) {
    case PVBOOT_WRAPPER_UKI:
        return "unified kernel image";
    case PVBOOT_WRAPPER_ZBOOT:
        return "EFI zboot image";
    default:
        return pvboot_codec_name(w->codec);
    }
}

/* @room is where the kernel has been unpacked to; if that was not @given, it is ours. */
static void take_unpacked(struct pvboot_kernel *k, struct pvb_output room, const struct pvb_output *given)
{
    k->image.wrapper.kernel_bytes = room.len;
    k->file = (struct pvboot_bytes){ room.p, room.len };
    if (!given->p)
        k->own_kernel.owned = room.p;
}

static int packed(struct pvboot_kernel *k, const struct pvb_output *out, struct pvboot_error *e)
{
    struct pvboot_wrapper *w = &k->image.wrapper;
    struct pvb_output room = *out;
    int rc;

    w->kind = PVBOOT_WRAPPER_PACKED;
    w->codec = pvb_codec_find(k->file);
    w->bytes = k->file.len;
    rc = pvb_unpack_stream(k->file, pvboot_limit(k->unpacked_max, PVBOOT_UNPACKED_MAX), &room, e);
    if (!rc)
        take_unpacked(k, room, out);
    return rc;
}

static int zboot(struct pvboot_kernel *k, const struct pvb_output *out, struct pvboot_error *e)
{
    struct pvboot_wrapper *w = &k->image.wrapper;
    struct pvb_output room = *out;
    struct pvboot_bzimage as = { 0 }; /* what a payload is described by */
    struct pvboot_bytes payload;
    uint32_t at[2], unpacked = 0;
    char codec[8];
    int rc;

    w->kind = PVBOOT_WRAPPER_ZBOOT;
    if (!pvboot_get(k->file, ZBOOT_PAYLOAD_OFF, at, sizeof(at)) ||
        !pvboot_get(k->file, ZBOOT_CODEC_OFF, codec, sizeof(codec)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "EFI zboot image ends inside its header: %zu bytes", k->file.len);
    w->off = at[0];
    w->bytes = at[1] + (strncmp(codec, "gzip", sizeof(codec)) ? (uint64_t)SIZE_TRAILER : 0);
    payload = pvboot_sub(k->file, w->off, w->bytes);
    if (payload.len < 2 * SIZE_TRAILER)
        return pvb_fail(e, PVBOOT_E_MALFORMED,
                        "EFI zboot payload 0x%x+0x%x, with its size, ends past byte 0x%zx, or is too short", at[0],
                        at[1], k->file.len);
    w->codec = pvb_codec_find(payload);
    (void)pvboot_get(payload, payload.len - SIZE_TRAILER, &unpacked, sizeof(unpacked));
    as.codec = w->codec;
    as.payload_off = w->off;
    as.payload_bytes = payload.len;
    as.unpacked_bytes = unpacked;
    rc = pvb_unpack(&as, payload, pvboot_limit(k->unpacked_max, PVBOOT_UNPACKED_MAX), &room, e);
    if (!rc)
        take_unpacked(k, room, out);
    return rc;
}

static int uki(struct pvboot_kernel *k, struct pvboot_error *e)
{
    struct pvboot_wrapper *w = &k->image.wrapper;
    int rc = pvb_uki_parse(w, k->file, e);

    w->kind = PVBOOT_WRAPPER_UKI;
    k->file = pvboot_sub(k->whole, w->off, w->bytes);
    return rc;
}

/* What is in the wrapper is a kernel and no other wrapper. */
static int check_inside(const struct pvboot_kernel *k, struct pvboot_error *e)
{
    const char *kind = kind_text(&k->image.wrapper), *name = pvb_format_name(k->file);

    if (pvb_has_elf_magic(k->file) || pvb_is_bzimage(k->file))
        return 0;
    if (is_stream(k->file) || is_zboot(k->file) || pvb_is_pe(k->file))
        return pvb_fail(e, PVBOOT_E_LIMIT, "%s in another wrapper: %s; limit %u around a kernel",
                        is_stream(k->file)  ? pvboot_codec_name(pvb_codec_find(k->file))
                        : is_zboot(k->file) ? "EFI zboot image"
                                            : "PE file",
                        kind, PVBOOT_WRAPPERS_MAX);
    return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "%s with no bzImage or ELF kernel in its %zu bytes: %s", kind, k->file.len,
                    name ? name : "nothing known");
}

/* Nothing of ours has a wrapper's magic but a bzImage, which is a PE file, too. */
int pvb_unwrap(struct pvboot_kernel *k, const struct pvb_output *out, struct pvboot_error *e)
{
    int rc;

    if (pvb_has_elf_magic(k->file) || pvb_is_bzimage(k->file))
        return 0;
    if (is_stream(k->file))
        rc = packed(k, out, e);
    else if (is_zboot(k->file))
        rc = zboot(k, out, e);
    else if (pvb_is_pe(k->file))
        rc = uki(k, e);
    else
        return 0;
    return rc ? rc : check_inside(k, e);
}

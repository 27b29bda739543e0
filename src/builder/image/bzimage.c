/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The bzImage's setup header.  Spec: Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header",
 * whose table says since which protocol each field exists.
 */
#include "../../startinfo/abi.h"
#include "image.h"

#define SECTOR 512u
#define JUMP_OFF 0x200u
#define MAGIC_OFF 0x202u
#define JMP_SHORT 0xeb
#define HEADER_MIN (offsetof(struct setup_header, kernel_alignment)) /* all that protocol 2.04 has */
#define PROTOCOL_MIN 0x0204u
#define LOAD_HIGH_GPA 0x100000u
#define CMDLINE_OLD 255u             /* before cmdline_size existed, or where it is 0 */
#define INITRD_MAX_OLD 0x37ffffffull /* where initrd_addr_max is 0 */
#define PAYLOAD_MIN 8u               /* the longest magic we need and the unpacked size */

bool pvb_is_bzimage(struct pvboot_bytes file)
{
    uint32_t magic;

    return pvboot_get(file, MAGIC_OFF, &magic, sizeof(magic)) && magic == PVB_HEADER_MAGIC;
}

#define FIELD(since, name) PVB_ROW(since, offsetof(struct setup_header, name), sizeof(((struct setup_header *)0)->name))

/* A field that is newer than the header's protocol holds code or garbage: it reads as zero. */
static void drop_newer_fields(struct setup_header *h)
{
    static const struct {
        uint16_t since;
        size_t off, n;
    } field[] = {
        FIELD(0x0205, kernel_alignment),   FIELD(0x0205, relocatable_kernel), FIELD(0x0206, cmdline_size),
        FIELD(0x0207, hardware_subarch),   FIELD(0x0208, payload_offset),     FIELD(0x0208, payload_length),
        FIELD(0x0209, setup_data),         FIELD(0x020a, min_alignment),      FIELD(0x020a, pref_address),
        FIELD(0x020a, init_size),          FIELD(0x020b, handover_offset),    FIELD(0x020c, xloadflags),
        FIELD(0x020f, kernel_info_offset),
    };

    for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
        if (h->version < field[i].since)
            memset((uint8_t *)h + field[i].off, 0, field[i].n);
}

static int read_header(struct setup_header *h, struct pvboot_bzimage *bz, struct pvboot_bytes file,
                       struct pvboot_error *e)
{
    uint8_t jump[2];
    uint16_t flag, version;

    if (!pvboot_get(file, PVB_HEADER_OFF + offsetof(struct setup_header, boot_flag), &flag, sizeof(flag)) ||
        !pvboot_get(file, PVB_HEADER_OFF + offsetof(struct setup_header, version), &version, sizeof(version)) ||
        !pvboot_get(file, JUMP_OFF, jump, sizeof(jump)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "too short for a setup header: %zu bytes", file.len);
    if (flag != PVB_BOOT_FLAG)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "boot_flag at 0x1fe is 0x%04x, not 0x%04x", flag, PVB_BOOT_FLAG);
    if (version < PROTOCOL_MIN || version >> 8 != PROTOCOL_MIN >> 8)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "boot protocol %u.%02u; pvboot needs 2.04 or a later 2.xx",
                        version >> 8, version & 0xffu);
    if (jump[0] != JMP_SHORT || jump[1] > INT8_MAX)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "0x%02x 0x%02x at 0x200 is no short jump forward over the setup header",
                        jump[0], jump[1]);
    bz->header_bytes = (uint32_t)(MAGIC_OFF + jump[1] - PVB_HEADER_OFF);
    if (bz->header_bytes < HEADER_MIN)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "setup header ends at 0x%x; protocol 2.04 needs 0x%zx",
                        PVB_HEADER_OFF + bz->header_bytes, PVB_HEADER_OFF + HEADER_MIN);
    if (!pvboot_has(file, PVB_HEADER_OFF, bz->header_bytes))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "too short for a setup header: it ends at 0x%x, the file at 0x%zx",
                        PVB_HEADER_OFF + bz->header_bytes, file.len);
    memset(h, 0, sizeof(*h));
    (void)pvboot_get(file, PVB_HEADER_OFF, h, bz->header_bytes < sizeof(*h) ? bz->header_bytes : sizeof(*h));
    drop_newer_fields(h);
    if (!(h->loadflags & LOADED_HIGH))
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "a zImage: loadflags 0x%02x has no LOADED_HIGH", h->loadflags);
    return 0;
}

/* Where the protected-mode part lies.  A signature may follow it; a padding of the last paragraph may be absent. */
static int read_kernel_part(struct pvboot_bzimage *bz, const struct setup_header *h, struct pvboot_bytes file,
                            struct pvboot_error *e)
{
    uint64_t want = (uint64_t)h->syssize * 16, rest;

    bz->setup_sects = h->setup_sects ? h->setup_sects : 4;
    bz->kernel_off = (bz->setup_sects + 1ull) * SECTOR;
    if (bz->kernel_off >= file.len)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "setup of %u sectors ends at 0x%llx, the file at 0x%zx", bz->setup_sects,
                        (unsigned long long)bz->kernel_off, file.len);
    rest = file.len - bz->kernel_off;
    if (want >= rest + 16)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "syssize says %llu bytes from 0x%llx; the file has %llu",
                        (unsigned long long)want, (unsigned long long)bz->kernel_off, (unsigned long long)rest);
    bz->kernel_bytes = want && want < rest ? want : rest;
    return 0;
}

/*
 * Before 2.10 the header does not say where the kernel unpacks itself, nor how much it overwrites.  It runs from
 * 1 MiB; a kernel that cannot move unpacks to CONFIG_PHYSICAL_START, 16 MiB at most, and its codec of those days
 * (gzip, bzip2, LZMA) gains less than five times.  Bss and decompressor fit into the three that are left over.
 */
static void guess_window(struct pvboot_window *w, uint64_t kernel_bytes)
{
    w->pref_gpa = LOAD_HIGH_GPA;
    w->bytes = (16ull << 20) + 8 * kernel_bytes;
    if (!w->relocatable)
        w->align = PVB_PAGE;
}

static int read_window(struct pvboot_bzimage *bz, const struct setup_header *h, struct pvboot_error *e)
{
    struct pvboot_window *w = &bz->window;
    bool says = h->version >= 0x020a;
    uint64_t end;

    *w = (struct pvboot_window){ .relocatable = h->relocatable_kernel, .align = h->kernel_alignment };
    w->max_gpa = h->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G ? UINT64_MAX : UINT32_MAX;
    if ((says || w->relocatable) && (!pvb_power_of_two(w->align) || w->align > PVB_ALIGN_MAX))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "kernel_alignment 0x%llx is not a power of two up to 0x%llx",
                        (unsigned long long)w->align, PVB_ALIGN_MAX);
    if (!says) {
        guess_window(w, bz->kernel_bytes);
        return 0;
    }
    w->pref_gpa = h->pref_address;
    w->bytes = h->init_size;
    if (!w->bytes)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "init_size is 0");
    if (!pvb_align_up(w->pref_gpa, w->align, &end) || !pvb_add(end, w->bytes, &end))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "pref_address 0x%llx + init_size 0x%llx wraps",
                        (unsigned long long)w->pref_gpa, (unsigned long long)w->bytes);
    return 0;
}

static int read_payload(struct pvboot_bzimage *bz, const struct setup_header *h, struct pvboot_bytes file,
                        struct pvboot_error *e)
{
    struct pvboot_bytes kernel = pvboot_sub(file, bz->kernel_off, bz->kernel_bytes), payload;
    uint32_t unpacked = 0;

    if (!h->payload_offset && !h->payload_length) /* other programs in a bzImage's clothes have none */
        return 0;
    if (!pvboot_has(kernel, h->payload_offset, h->payload_length))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "payload 0x%x+0x%x ends past the protected-mode part's 0x%zx bytes",
                        h->payload_offset, h->payload_length, kernel.len);
    if (h->payload_length < PAYLOAD_MIN)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "payload_length %u is too short for any payload", h->payload_length);
    payload = pvboot_sub(kernel, h->payload_offset, h->payload_length);
    bz->payload_off = bz->kernel_off + h->payload_offset;
    bz->payload_bytes = payload.len;
    bz->codec = pvb_codec_find(payload);
    (void)pvboot_get(payload, payload.len - sizeof(unpacked), &unpacked, sizeof(unpacked));
    bz->unpacked_bytes = bz->codec == PVBOOT_CODEC_NONE ? payload.len : unpacked;
    return 0;
}

/* Both are for display or advice: one that points nowhere is left out. */
static void read_extras(struct pvboot_bzimage *bz, const struct setup_header *h, struct pvboot_bytes file)
{
    struct pvboot_bytes setup = pvboot_sub(file, 0, bz->kernel_off), text;
    struct pvboot_bytes kernel = pvboot_sub(file, bz->kernel_off, bz->kernel_bytes);
    struct {
        char magic[4];
        uint32_t size, size_total, setup_type_max;
    } info; /* boot.rst, "The kernel_info" */
    uint64_t off = h->kernel_version + (uint64_t)SECTOR;

    if (h->kernel_version && pvboot_has(setup, off, 1)) {
        text = pvboot_sub(setup, off, setup.len - off);
        pvb_escape(bz->kernel_version, sizeof(bz->kernel_version), text.p, strnlen((const char *)text.p, text.len));
    }
    if (!h->kernel_info_offset || !pvboot_get(kernel, h->kernel_info_offset, &info, sizeof(info)))
        return;
    bz->info_off = bz->kernel_off + h->kernel_info_offset;
    if (!memcmp(info.magic, "LToP", sizeof(info.magic)) && info.size >= sizeof(info))
        bz->setup_type_max = info.setup_type_max;
}

int pvb_bzimage_parse(struct pvboot_bzimage *bz, struct pvboot_bytes file, struct pvboot_error *e)
{
    struct setup_header h;
    int rc;

    rc = read_header(&h, bz, file, e);
    if (rc)
        return rc;
    bz->protocol = h.version;
    bz->loadflags = h.loadflags;
    bz->xloadflags = h.xloadflags;
    bz->code32_start = h.code32_start;
    bz->cmdline_max = h.cmdline_size ? h.cmdline_size : CMDLINE_OLD;
    if (bz->cmdline_max > PVBOOT_CMDLINE_MAX)
        bz->cmdline_max = PVBOOT_CMDLINE_MAX;
    bz->initrd_addr_max = h.initrd_addr_max ? h.initrd_addr_max : INITRD_MAX_OLD;
    rc = read_kernel_part(bz, &h, file, e);
    if (rc)
        return rc;
    rc = read_window(bz, &h, e);
    if (rc)
        return rc;
    rc = read_payload(bz, &h, file, e);
    if (rc)
        return rc;
    read_extras(bz, &h, file);
    return 0;
}

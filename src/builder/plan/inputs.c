/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a unified kernel image brings along, and what there is to say about inputs; the in-guest stub meets none of it. */
#include "plan.h"

static struct pvboot_bytes part(const struct pvboot_kernel *k, enum pvboot_part_id id)
{
    return pvboot_sub(k->whole, k->image.wrapper.part[id].off, k->image.wrapper.part[id].bytes);
}

static bool has_cmdline(const struct pvboot_request *req)
{
    return req->cmdline && req->cmdline[0];
}

/* As systemd-stub hands them over: microcode is looked for in front, and what is behind replaces what is before it. */
int pvboot_request_embedded(struct pvboot_request *req, const struct pvboot_kernel *k, struct pvboot_error *e)
{
    const struct pvboot_bytes own[] = { part(k, PVBOOT_PART_UCODE), part(k, PVBOOT_PART_INITRD) };
    const uint32_t all = sizeof(own) / sizeof(own[0]);
    uint32_t n = 0;

    for (uint32_t i = 0; i < all; i++)
        n += own[i].len != 0;
    if (req->n_ramdisks > PVBOOT_RAMDISKS_MAX - n)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%u ramdisks and %u in the kernel image: limit %u", req->n_ramdisks, n,
                        PVBOOT_RAMDISKS_MAX);
    memmove(req->ramdisk + n, req->ramdisk, req->n_ramdisks * sizeof(req->ramdisk[0]));
    memmove(req->ramdisk_from + n, req->ramdisk_from, req->n_ramdisks * sizeof(req->ramdisk_from[0]));
    req->n_ramdisks += n;
    for (uint32_t i = 0, at = 0; i < all; i++)
        if (own[i].len) {
            req->ramdisk_from[at] = (struct pvboot_source){ 0 };
            req->ramdisk[at++] = own[i];
        }
    if (!has_cmdline(req) && k->image.wrapper.cmdline[0])
        req->cmdline = k->image.wrapper.cmdline;
    return 0;
}

/* Linux takes a cpio archive, "newc" with or without checksum, packed by one of its decompressors or not. */
static bool is_initramfs(struct pvboot_bytes b)
{
    static const struct {
        size_t n;
        uint8_t magic[6];
    } known[] = {
        { 6, { '0', '7', '0', '7', '0', '1' } },
        { 6, { '0', '7', '0', '7', '0', '2' } },
        { 2, { 0x1f, 0x8b } },
        { 3, { 'B', 'Z', 'h' } },
        { 2, { 0x5d, 0x00 } },
        { 6, { 0xfd, '7', 'z', 'X', 'Z', 0x00 } },
        { 4, { 0x89, 'L', 'Z', 'O' } },
        { 4, { 0x02, 0x21, 0x4c, 0x18 } },
        { 4, { 0x28, 0xb5, 0x2f, 0xfd } },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (b.len >= known[i].n && !memcmp(b.p, known[i].magic, known[i].n))
            return true;
    return false;
}

#define HEAD_BYTES 6u /* the longest magic */

/* The first bytes of ramdisk @i; none where they cannot be had: the loader will say why. */
static struct pvboot_bytes ramdisk_head(const struct pvboot_request *req, uint32_t i, uint8_t head[HEAD_BYTES])
{
    const struct pvboot_source *from = &req->ramdisk_from[i];

    if (!from->get)
        return req->ramdisk[i];
    if (req->ramdisk[i].len < HEAD_BYTES || from->get(from, 0, head, HEAD_BYTES, NULL))
        return (struct pvboot_bytes){ NULL, 0 };
    return (struct pvboot_bytes){ head, HEAD_BYTES };
}

static void remark_ramdisks(struct pvboot_plan *plan, const struct pvboot_request *req)
{
    for (uint32_t i = 0; i < req->n_ramdisks; i++) {
        uint8_t head[HEAD_BYTES];
        struct pvboot_bytes b = ramdisk_head(req, i, head);

        if (b.p && b.len >= 4 && !is_initramfs(b))
            pvb_remark(
                plan,
                "ramdisk %u of %u is no cpio archive and of no known compression: starts with %02x %02x %02x %02x",
                i + 1, req->n_ramdisks, b.p[0], b.p[1], b.p[2], b.p[3]);
    }
}

void pvboot_plan_remark_inputs(struct pvboot_plan *plan, const struct pvboot_kernel *k,
                               const struct pvboot_request *req)
{
    const struct pvboot_wrapper *w = &k->image.wrapper;

    if (w->profiles)
        pvb_remark(plan, "a unified kernel image of %u profiles: the first is started", w->profiles);
    if (w->cmdline[0] && req->cmdline != w->cmdline)
        pvb_remark(plan, "the command line given replaces the kernel image's own");
    if (w->part[PVBOOT_PART_UCODE].bytes || w->part[PVBOOT_PART_INITRD].bytes)
        pvb_remark(plan, "the kernel image's own .ucode (%llu bytes) and .initrd (%llu) come before the ramdisks given",
                   (unsigned long long)w->part[PVBOOT_PART_UCODE].bytes,
                   (unsigned long long)w->part[PVBOOT_PART_INITRD].bytes);
    remark_ramdisks(plan, req);
}

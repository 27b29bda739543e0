/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * hardware_subarch: what the administrator asked for, unless this kernel is known to die of it.
 *
 * Until Linux 5.9 a 32-bit kernel with CONFIG_PARAVIRT picked its start from a table indexed by the field, before any
 * C code ran: 2.6.24 to 4.13 {PC, lguest, Xen PV, MID}, 4.14 to 5.8 {PC, Xen PV, PC}; beyond its end lay ud2.  A Xen PV
 * start in a PVH container finds no PV start_info and dies.  64-bit kernels never had such a table; they and 32-bit
 * kernels from 5.9 on read the field in C, arch/x86/kernel/platform-quirks.c (since 4.7).
 */
#include "../../startinfo/abi.h"
#include "plan.h"

#define SUBARCH_PC 0u
#define SUBARCH_XEN 2u
#define PROTOCOL_SUBARCH 0x0207u /* boot.rst: hardware_subarch exists from 2.07 on */
#define VERSION(a, b, c) ((uint32_t)(a) << 16 | (b) << 8 | (c))

/* Digits at @*p, at most 255: kernels never went beyond. False when there are none. */
static bool number(const char **p, uint32_t *value)
{
    const char *start = *p;

    *value = 0;
    for (; **p >= '0' && **p <= '9'; ++*p)
        *value = *value > 255 ? 255 : *value * 10 + (uint32_t)(**p - '0');
    *value = *value > 255 ? 255 : *value;
    return *p != start;
}

uint32_t pvb_kernel_version(const char *text)
{
    uint32_t major, minor, patch = 0;

    if (!number(&text, &major) || *text++ != '.' || !number(&text, &minor))
        return 0;
    if (*text == '.') {
        text++;
        (void)number(&text, &patch);
    }
    return VERSION(major, minor, patch);
}

/* vmlinux64 starts no other, which the ELF, when it is unpacked, has to show. */
static bool known_64bit(const struct pvboot_image *img, enum pvboot_path path)
{
    if (img->has_elf)
        return img->elf.is64;
    if (path == PVBOOT_PATH_VMLINUX64)
        return true;
    return img->has_bzimage && (img->bz.xloadflags & XLF_KERNEL_64);
}

/* What the start table of 32-bit kernel @version does with @subarch; NULL: it has no such table. */
static const char *table_effect(uint32_t version, uint32_t subarch)
{
    if (version >= VERSION(5, 9, 0))
        return NULL;
    if (version >= VERSION(4, 14, 0)) {
        if (subarch == 1)
            return "its start table takes that for Xen PV, which dies in a PVH container";
        return subarch == SUBARCH_XEN ? "its start table maps that to the PC start, and nothing else reads the field"
                                      : "that lies beyond its start table, where it stops on an invalid instruction";
    }
    if (subarch == SUBARCH_XEN)
        return "its start table takes that for Xen PV, which dies in a PVH container";
    if (subarch == 1)
        return "its start table takes that for lguest, which dies in a PVH container";
    return subarch == 3 ? "its start table takes that for Moorestown, which has no PC devices"
                        : "that lies beyond its start table, where it stops on an invalid instruction";
}

/* Why a 32-bit kernel must not see @subarch; NULL: it may. */
static const char *danger(const struct pvboot_image *img, uint32_t subarch)
{
    uint32_t version = pvb_kernel_version(img->bz.kernel_version);

    return version ? table_effect(version, subarch) : "it does not say its version, and before 5.9 it may die of it";
}

static void remark(struct pvboot_plan *plan, const struct pvboot_image *img)
{
    uint32_t version = img->has_bzimage ? pvb_kernel_version(img->bz.kernel_version) : 0;

    if (plan->subarch != SUBARCH_XEN)
        pvb_remark(plan, "subarch %u is not Xen's number (2): Linux skips what a PC has and that platform has not",
                   plan->subarch);
    else if (version && version < VERSION(4, 7, 0))
        pvb_remark(plan, "subarch 2: a 64-bit kernel before 4.7 does not look at it");
}

int pvb_choose_subarch(struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_request *req,
                       struct pvboot_error *e)
{
    const char *why;

    if (req->subarch == SUBARCH_PC)
        return 0;
    if (pvb_is_pvh(plan->path))
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                        "subarch %u through %s: a start info has no place for it, the kernel fills in 0 by itself",
                        req->subarch, pvboot_path_name(plan->path));
    if (img->has_bzimage && img->bz.protocol < PROTOCOL_SUBARCH)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "subarch %u: boot protocol %u.%02u has no such field, need 2.07",
                        req->subarch, img->bz.protocol >> 8, img->bz.protocol & 0xffu);
    plan->subarch = req->subarch;
    if (known_64bit(img, plan->path)) {
        remark(plan, img);
        return 0;
    }
    why = danger(img, req->subarch);
    if (why && !req->force_subarch)
        return pvb_fail_escaped(e, PVBOOT_E_UNSUPPORTED,
                                "subarch %u with 32-bit kernel '%.16s': %s; force_subarch overrides", req->subarch,
                                img->bz.kernel_version, why);
    if (why)
        pvb_remark(plan, "subarch %u was forced: %s", req->subarch, why);
    return 0;
}

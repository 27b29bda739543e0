/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which boot paths a kernel offers.  One row per path: what it takes, and where its first instruction is.
 */
#include "../../startinfo/abi.h"
#include "image.h"

#include <stdio.h>

#define LINUX32_PROTOCOL 0x0206u /* cmdline_size; what pvboot promises for startup_32 */
#define LINUX64_PROTOCOL 0x020cu /* xloadflags */
#define STARTUP_64_OFF 0x200u    /* boot.rst, "64-bit Boot Protocol" */

struct why {
    char *text;
    size_t bytes;
};

static bool no(struct why w, const char *fmt, ...) PVB_PRINTF(2, 3);
static bool no(struct why w, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (w.bytes)
        vsnprintf(w.text, w.bytes, fmt, ap);
    va_end(ap);
    return false;
}

static bool is_bzimage(const struct pvboot_image *img, unsigned protocol, struct why w)
{
    unsigned has = img->bz.protocol;

    if (!img->has_bzimage)
        return no(w, "an ELF file, not a bzImage");
    if (has < protocol)
        return no(w, "boot protocol %u.%02u, needs %u.%02u", has >> 8, has & 0xffu, protocol >> 8, protocol & 0xffu);
    return true;
}

static bool linux32(const struct pvboot_image *img, struct why w)
{
    if (!is_bzimage(img, LINUX32_PROTOCOL, w))
        return false;
    if (!img->bz.code32_start)
        return no(w, "code32_start is 0: it has 16-bit code alone");
    return true;
}

static bool linux64(const struct pvboot_image *img, struct why w)
{
    if (!is_bzimage(img, LINUX64_PROTOCOL, w))
        return false;
    if (!(img->bz.xloadflags & XLF_KERNEL_64))
        return no(w, "xloadflags 0x%x has no XLF_KERNEL_64", img->bz.xloadflags);
    if (img->bz.kernel_bytes <= STARTUP_64_OFF)
        return no(w, "the protected-mode part of %llu bytes ends before startup_64 at 0x%x",
                  (unsigned long long)img->bz.kernel_bytes, STARTUP_64_OFF);
    return true;
}

static bool has_elf(const struct pvboot_image *img, struct why w)
{
    const struct pvboot_bzimage *bz = &img->bz;

    if (img->has_elf)
        return true;
    if (!bz->payload_bytes)
        return no(w, "the setup header (boot protocol %u.%02u) names no payload, which needs 2.08", bz->protocol >> 8,
                  bz->protocol & 0xffu);
    return no(w, "its %s payload has not been unpacked", pvboot_codec_name(bz->codec));
}

static bool pvh(const struct pvboot_image *img, struct why w)
{
    if (!has_elf(img, w))
        return false;
    if (!img->elf.notes.has_phys32_entry)
        return no(w, "no PHYS32_ENTRY note%s", img->has_bzimage ? "; a zero-page entry needs none" : "");
    return true;
}

/*
 * RSI = zero page is Linux's own convention: a bzImage's payload is Linux by definition, a bare ELF must say so by
 * Xen's GUEST_OS note or by a note of owner "Linux".  Any other ELF, a unikernel or a hypervisor, would take the
 * zero page for something else.
 */
static bool vmlinux64(const struct pvboot_image *img, struct why w)
{
    const struct pvboot_elf *elf = &img->elf;

    if (!has_elf(img, w))
        return false;
    if (!elf->is64)
        return no(w, "32-bit ELF");
    if (!img->has_bzimage && strcmp(elf->notes.guest_os, "linux") && !elf->notes.linux_note)
        return no(w, "no note says that this ELF is Linux (GUEST_OS is \"%s\")", elf->notes.guest_os);
    if (!elf->entry_gpa)
        return no(w, "the ELF has no entry point");
    return true;
}

static bool stub(const struct pvboot_image *img, struct why w)
{
    if (img->has_bzimage || !img->has_elf || !img->elf.notes.pvboot_stub)
        return no(w, "not pvboot-stub.elf (no pvboot note), which starts kernels that have linux64 or linux32");
    return pvh(img, w);
}

/* Is there a byte of the file for what the kernel has at @va? */
static bool has_bytes_at(const struct pvboot_elf *elf, uint64_t va)
{
    const struct pvboot_pv_notes *pv = &elf->notes.pv;
    uint64_t linked = va - pv->virt_base + pv->paddr_offset;

    for (uint32_t i = 0; va >= pv->virt_base && i < elf->n_loads; i++)
        if (linked >= elf->load[i].gpa && linked - elf->load[i].gpa < elf->load[i].file_bytes)
            return true;
    return false;
}

/* What Xen's own tools ask of a kernel before they start it so; see elfnote.h for each. */
static bool pv_notes(const struct pvboot_notes *n, struct why w)
{
    bool generic = !strncmp(n->loader, "generic", strlen("generic"));

    if (strncmp(n->xen_version, "xen-3.0", strlen("xen-3.0")))
        return no(w, "no XEN_VERSION note says xen-3.0");
    if (!generic && strncmp(n->guest_os, "linux", strlen("linux")))
        return no(w, "neither is its LOADER note generic nor its GUEST_OS linux");
    if (n->pv.malformed)
        return no(w, "its Xen note %u is no number of 4 or 8 bytes", n->pv.malformed);
    if (!n->pv.has_entry && (!generic || n->has_phys32_entry))
        return no(w, "no ENTRY note: it has no PV start");
    if (n->pv.unmet[0])
        return no(w, "it requires '%s', which a PV domain does not have", n->pv.unmet);
    return true;
}

static bool pv(const struct pvboot_image *img, struct why w)
{
    const struct pvboot_elf *elf = &img->elf;
    const struct pvboot_pv_notes *n = &elf->notes.pv;

    if (!has_elf(img, w))
        return false;
    if (!elf->is64)
        return no(w, "32-bit ELF: PV domains of 32 bits are not made");
    if (!pv_notes(&elf->notes, w))
        return false;
    if (n->virt_base % PVB_PAGE || n->paddr_offset % PVB_PAGE || n->paddr_offset > elf->window.pref_gpa)
        return no(w, "VIRT_BASE 0x%llx and PADDR_OFFSET 0x%llx do not go with an ELF linked at 0x%llx",
                  (unsigned long long)n->virt_base, (unsigned long long)n->paddr_offset,
                  (unsigned long long)elf->window.pref_gpa);
    if (!has_bytes_at(elf, n->entry_va))
        return no(w, "its entry 0x%llx lies in no segment's bytes", (unsigned long long)n->entry_va);
    if (n->has_hypercall_page && (n->hypercall_page_va % PVB_PAGE || !has_bytes_at(elf, n->hypercall_page_va)))
        return no(w, "its HYPERCALL_PAGE 0x%llx is no page of a segment's bytes",
                  (unsigned long long)n->hypercall_page_va);
    return true;
}

/* The order is that of preference; auto never picks the others. */
static bool any(const struct pvboot_image *img, struct why w)
{
    if (linux64(img, w) || linux32(img, w) || pvh(img, w))
        return true;
    return no(w, "offers none of linux64, linux32 and pvh");
}

static uint64_t at_start(const struct pvboot_image *img, uint64_t kernel_gpa)
{
    (void)img;
    return kernel_gpa;
}

static uint64_t at_startup_64(const struct pvboot_image *img, uint64_t kernel_gpa)
{
    (void)img;
    return kernel_gpa + STARTUP_64_OFF;
}

static uint64_t at_elf_entry(const struct pvboot_image *img, uint64_t kernel_gpa)
{
    return img->elf.entry_gpa + (kernel_gpa - img->elf.window.pref_gpa);
}

static uint64_t at_phys32_entry(const struct pvboot_image *img, uint64_t kernel_gpa)
{
    return img->elf.notes.phys32_entry + (kernel_gpa - img->elf.window.pref_gpa);
}

/* Pseudo-physical: pages lie there, and are seen from VIRT_BASE on. */
static uint64_t at_pv_entry(const struct pvboot_image *img, uint64_t kernel_gpa)
{
    (void)kernel_gpa; /* it never moves */
    return img->elf.notes.pv.entry_va - img->elf.notes.pv.virt_base;
}

static const struct {
    bool (*offers)(const struct pvboot_image *img, struct why w);
    uint64_t (*entry)(const struct pvboot_image *img, uint64_t kernel_gpa);
    bool of_elf;
} paths[PVBOOT_PATHS] = {
    [PVBOOT_PATH_AUTO] = { any, NULL, false },
    [PVBOOT_PATH_PVH] = { pvh, at_phys32_entry, true },
    [PVBOOT_PATH_LINUX32] = { linux32, at_start, false },
    [PVBOOT_PATH_LINUX64] = { linux64, at_startup_64, false },
    [PVBOOT_PATH_VMLINUX64] = { vmlinux64, at_elf_entry, true },
    [PVBOOT_PATH_STUB] = { stub, at_phys32_entry, true },
    [PVBOOT_PATH_PV] = { pv, at_pv_entry, true },
};

bool pvboot_image_offers(const struct pvboot_image *img, enum pvboot_path path, char *why, size_t why_bytes)
{
    struct why w = { why, why_bytes };

    if (why_bytes)
        why[0] = 0;
    if ((unsigned)path >= PVBOOT_PATHS)
        return no(w, "no such path");
    if (!paths[path].offers(img, w))
        return false;
    if (why_bytes) /* what auto passed over is not a reason */
        why[0] = 0;
    return true;
}

bool pvboot_image_needs_elf(const struct pvboot_image *img, enum pvboot_path path)
{
    struct why w = { NULL, 0 };

    if (path == PVBOOT_PATH_AUTO)
        return !linux64(img, w) && !linux32(img, w);
    if (path == PVBOOT_PATH_STUB && img->has_bzimage)
        return false; /* it is none, whatever the payload holds */
    return (unsigned)path < PVBOOT_PATHS && paths[path].of_elf;
}

uint64_t pvboot_image_entry(const struct pvboot_image *img, enum pvboot_path path, uint64_t kernel_gpa)
{
    if ((unsigned)path >= PVBOOT_PATHS || !paths[path].entry)
        return 0;
    return paths[path].entry(img, kernel_gpa);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The entry point: which one, and the registers it expects.
 *
 * Specifications: Linux Documentation/arch/x86/boot.rst, 32-bit and 64-bit boot protocol; Xen docs/misc/pvh.pandoc.
 */
#include "../../startinfo/gdt.h"
#include "plan.h"

#include <stdio.h>

#define CR0_PE_ET 0x11u
#define CR0_PG 0x80000000u
#define CR4_PAE 0x20u
#define EFER_LME_LMA 0x500u

/* auto's order: the first that the kernel offers. */
static const enum pvboot_path preference[] = { PVBOOT_PATH_LINUX64, PVBOOT_PATH_LINUX32, PVBOOT_PATH_PVH };
#define PREFERENCES (sizeof(preference) / sizeof(preference[0]))

/* Append "@name: @why" to the list in @text. */
static void list_reason(char *text, size_t bytes, const char *name, const char *why)
{
    size_t used = strlen(text);

    snprintf(text + used, bytes - used, "%s%s: %s", used ? "; " : "", name, why);
}

static int choose_auto(struct pvboot_plan *plan, const struct pvboot_image *img, struct pvboot_error *e)
{
    char why[160];

    for (size_t i = 0; i < PREFERENCES; i++) {
        why[0] = '\0';
        if (pvboot_image_offers(img, preference[i], why, sizeof(why))) {
            plan->path = preference[i];
            list_reason(plan->path_why, sizeof(plan->path_why), pvboot_path_name(preference[i]),
                        i ? "the next one the kernel offers" : "the first choice, and the kernel offers it");
            return 0;
        }
        list_reason(plan->path_why, sizeof(plan->path_why), pvboot_path_name(preference[i]), why);
    }
    return pvb_fail_escaped(e, PVBOOT_E_UNSUPPORTED, "no entry of this kernel can be used: %s", plan->path_why);
}

int pvb_choose_path(struct pvboot_plan *plan, const struct pvboot_image *img, enum pvboot_path asked,
                    struct pvboot_error *e)
{
    char why[160] = "";

    if (!pvboot_path_name(asked))
        return pvb_fail(e, PVBOOT_E_USAGE, "path number %u does not exist", (unsigned int)asked);
    if (asked == PVBOOT_PATH_AUTO)
        return choose_auto(plan, img, e);
    if (!pvboot_image_offers(img, asked, why, sizeof(why)))
        return pvb_fail_escaped(e, PVBOOT_E_UNSUPPORTED, "the kernel cannot be started through %s: %s",
                                pvboot_path_name(asked), why);
    plan->path = asked;
    snprintf(plan->path_why, sizeof(plan->path_why), "%s: asked for", pvboot_path_name(asked));
    return 0;
}

void pvb_start_state(struct pvboot_plan *plan, const struct pvboot_image *img)
{
    const struct pvboot_segment *seg = plan->seg;
    struct pvboot_vcpu *v = &plan->vcpu;

    v->mode = pvb_is_long(plan->path) ? 64 : 32;
    v->rip = pvboot_image_entry(img, plan->path, plan->kernel_load_gpa);
    v->cr0 = CR0_PE_ET;
    if (pvb_is_pvh(plan->path)) {
        v->rbx = seg[PVBOOT_SEG_START_INFO].start;
        return; /* pvh.pandoc: flat segments, selectors and GDT are the guest's own business */
    }
    v->rsi = seg[PVBOOT_SEG_ZERO_PAGE].start;
    v->cs = PVB_BOOT_CS;
    v->ds = PVB_BOOT_DS;
    v->gdt_gpa = seg[PVBOOT_SEG_GDT].start;
    v->gdt_limit = (uint32_t)seg[PVBOOT_SEG_GDT].bytes - 1;
    if (v->mode == 64) {
        v->cr0 |= CR0_PG;
        v->cr3 = seg[PVBOOT_SEG_PAGE_TABLES].start;
        v->cr4 = CR4_PAE;
        v->efer = EFER_LME_LMA;
    }
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From a plan to guest memory.
 */
#ifndef PVBOOT_BUILD_H
#define PVBOOT_BUILD_H

#include <pvboot/guest.h>
#include <pvboot/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Write what @plan says through @g: kernel, ramdisk, command line, start info, zero page, setup_data, GDT, page
 * tables; ACPI tables where the machine has its own, for which the caller has populated pages.  Special pages are the
 * caller's to clear; those of a PV domain (the two rings) are zeroed here.  Every byte of a segment is written or zeroed,
 * but for the window behind a bzImage's bytes, which the kernel's own code clears.
 * Where @req wants digests for the hypervisor node, the kernel's file and the ramdisks are hashed as they are placed.
 * @plan has passed pvboot_plan_check().  Errors: those of @g, -INTERNAL when a structure outgrows its segment, -HOST.
 */
int pvboot_load(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel, const struct pvboot_request *req,
                struct pvboot_guest *g, struct pvboot_error *e);

/*
 * parse -> plan -> check -> load.  The whole of pvboot in one call; @kernel has been opened.
 * @plan: written on success, for the caller to start the vCPU from.
 */
int pvboot_build(struct pvboot_plan *plan, struct pvboot_kernel *kernel, const struct pvboot_machine *machine,
                 const struct pvboot_request *req, struct pvboot_guest *g, struct pvboot_error *e);

#ifdef __cplusplus
}
#endif

#endif

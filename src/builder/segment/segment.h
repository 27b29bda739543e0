/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Segments: their names, what they hold and how many bytes that is.  Below both the planner, which asks for sizes, and
 * the loader, which asks for the bytes.
 *
 * Promises to the planner: the start info structure, the page tables' root and the head of the setup_data chain lie
 * at the start of their segments; the hypervisor node, where there is one, is that head.  So rbx, cr3 and
 * handover_gpa are segment starts.
 */
#ifndef PVB_SEGMENT_H
#define PVB_SEGMENT_H

#include "../../startinfo/pv_tables.h"
#include "../base/base.h"
#include <pvboot/plan.h>

/*
 * How many bytes segment @id of @plan needs: the ramdisks joined, each at a multiple of 4 after zero bytes, which
 * initramfs archives may have between; or its structures.  0: this path has none, or somebody else fills it.
 *
 * Read from @plan: path, machine, e820.  No address matters but for page tables, an identity map of [0, 4 GiB) and of
 * every segment above it, in 2 MiB pages: what lies there must have been placed.  On the zero-page paths the start info
 * lies inside the hypervisor node, which kernels reserve.
 */
uint64_t pvb_segment_bytes(const struct pvboot_plan *plan, const struct pvboot_image *img,
                           const struct pvboot_request *req, enum pvboot_segment_id id);

/* Does segment @id consist of structures that pvb_segment_write() knows? */
bool pvb_segment_is_structure(enum pvboot_segment_id id);

/*
 * Write segment @id of @plan, one of those that consist of structures, into @buf, which has room for all of it and is
 * zeroed.  -INTERNAL: it outgrew its segment, or the plan contradicts what has to be emitted.
 */
int pvb_segment_write(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel,
                      const struct pvboot_request *req, enum pvboot_segment_id id, uint8_t *buf,
                      struct pvboot_error *e) PVB_CHECKED;

/*
 * pv.c: the same three of a PV guest, whose segments are others: rings and boot stack are among them, all zero.  Read from
 * @plan: machine, pv, and where page tables and p2m list begin.
 */
bool pvb_pv_is_structure(enum pvboot_segment_id id);
uint64_t pvb_pv_bytes(const struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_request *req,
                      enum pvboot_segment_id id);
int pvb_pv_write(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel, const struct pvboot_request *req,
                 enum pvboot_segment_id id, uint8_t *buf, struct pvboot_error *e) PVB_CHECKED;
#define PVB_PV_RINGS 2u /* pages: xenstore's, then the console's */

/* Its address space: the first mapping, and that of the p2m list where it is apart.  ->space points into it. */
struct pvb_pv_layout {
    struct pvb_pv_map map[2];
    struct pvb_pv_space space;
};
void pvb_pv_layout(struct pvb_pv_layout *l, const struct pvboot_plan *plan);

/* acpi.c: how many bytes the tables of @m need, and how far into them the RSDP lies, which the guest is told. */
uint64_t pvb_acpi_bytes(const struct pvboot_machine *m, uint64_t *rsdp_off);
/* The tables of @plan's machine into @buf, as pvb_segment_write(). */
int pvb_acpi_write(const struct pvboot_plan *plan, uint8_t *buf, struct pvboot_error *e) PVB_CHECKED;

/* Can a start info be written?  Not without Xen's headers at build time. */
bool pvb_can_start_info(void);

/* Will there be a hypervisor node?  Not on PVH paths, before protocol 2.09, or where strict forbids its type. */
bool pvb_has_handover(const struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_request *req);

#endif

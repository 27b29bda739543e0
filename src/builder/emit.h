/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The metadata a guest reads at entry, from plan to bytes: the bridge between plan.h and src/startinfo, which
 * knows no plan.
 *
 * Promises to the planner: the start info structure, the page tables' root and the head of the setup_data chain lie
 * at the start of their segments; the hypervisor node, where there is one, is that head.  So rbx, cr3 and
 * handover_gpa are segment starts.
 */
#ifndef PVB_EMIT_H
#define PVB_EMIT_H

#include "internal.h"
#include <pvboot/plan.h>

/*
 * How many bytes the setup_data chain and the start info of @plan will need, found by emitting them without a
 * buffer.  Read from @plan: path, machine, e820; no address matters.  0: this path has none.
 * On the zero-page paths the start info lies inside the hypervisor node, which kernels reserve.
 */
void pvb_emit_sizes(const struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_request *req,
                    uint64_t *setup_data_bytes, uint64_t *start_info_bytes);

/* Can a start info be written?  Not without Xen's headers at build time. */
bool pvb_emit_can_start_info(void);

/* Will there be a hypervisor node?  Not on PVH paths, before protocol 2.09, or where strict forbids its type. */
bool pvb_emit_has_handover(const struct pvboot_plan *plan, const struct pvboot_image *img,
                           const struct pvboot_request *req);

/*
 * How many bytes of page tables @plan needs: an identity map of [0, 4 GiB) and of every segment above it, in
 * 2 MiB pages.  Reads the segments that are placed so far, so page tables come last.  0: a 32-bit entry.
 */
uint64_t pvb_emit_page_tables_bytes(const struct pvboot_plan *plan);

/* The ramdisks joined: each starts at a multiple of 4 after zero bytes, which initramfs archives may have between. */
uint64_t pvb_emit_ramdisk_bytes(const struct pvboot_request *req);

/*
 * Write segment @id of @plan, one of those that consist of structures, into @buf, which has room for all of it and is
 * zeroed.  -INTERNAL: it outgrew its segment, or the plan contradicts what has to be emitted.
 */
int pvb_emit_segment(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel,
                     const struct pvboot_request *req, enum pvboot_segment_id id, uint8_t *buf,
                     struct pvboot_error *e) PVB_CHECKED;

/* Does segment @id consist of structures that pvb_emit_segment() knows? */
bool pvb_emit_knows(enum pvboot_segment_id id);

/* Bytes of the GDT: null, null, 0x10 code, 0x18 data. */
#define PVB_GDT_BYTES 32u

#endif

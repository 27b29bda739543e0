/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The metadata a guest reads at entry, from plan to bytes: the bridge between plan.h and src/startinfo, which
 * knows no plan.
 */
#ifndef PVB_EMIT_H
#define PVB_EMIT_H

#include <pvboot/plan.h>

/*
 * How many bytes the setup_data chain and the start info of @plan will need, found by emitting them without a
 * buffer.  Read from @plan: path, machine, e820; no address matters.  0: this path has none.
 * The planner gives the segments at least this room, in whole pages.
 */
void pvb_emit_sizes(const struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_request *req,
                    uint64_t *setup_data_bytes, uint64_t *start_info_bytes);

/*
 * How many bytes of page tables @plan needs: an identity map of [0, 4 GiB) and of every segment above it, in
 * 2 MiB pages.  Reads the segments that are placed so far, so page tables come last.  0: a 32-bit entry.
 */
uint64_t pvb_emit_page_tables_bytes(const struct pvboot_plan *plan);

#endif

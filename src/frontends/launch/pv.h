/* SPDX-License-Identifier: LGPL-2.1-only */
/* The Xen side of a PV domain.  Its guest memory is that of <pvboot/xen.h>, by frames. */
#ifndef PVB_LAUNCH_PV_H
#define PVB_LAUNCH_PV_H

#include "../../builder/base/base.h"

#include <pvboot/xen.h>

/*
 * Its RAM: @pages of it, the frame of each to @mfn, which has room for them.  As pvboot_xen_populate(), but without 1 GiB
 * extents, of which nothing of a PV guest gains.  -XEN
 */
int launch_xen_pv_populate(const struct pvboot_xen *x, uint64_t *mfn, uint64_t pages, bool claim,
                           struct pvboot_error *e) PVB_CHECKED;

/* Where Xen has the domain's shared_info, a machine address: start_info tells it.  -XEN */
int launch_xen_pv_shared_info(const struct pvboot_xen *x, uint64_t *ma, struct pvboot_error *e) PVB_CHECKED;

/*
 * What is left to do of a PV guest that lies in memory: hypercall page, no event before the guest is ready for one, its
 * page tables known to Xen as such, vCPU 0's state.  @x->mfn is that of @plan's machine.  The domain stays paused.  -XEN
 */
int launch_xen_pv_start(const struct pvboot_xen *x, const struct pvboot_plan *plan, struct pvboot_error *e) PVB_CHECKED;

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* A PV domain: where it is made in another way than a PVH one. */
#include "pv.h"
#include "launch.h"

#include <stdlib.h>

int launch_pv_memory(struct launch *l, struct pvboot_error *e)
{
    uint64_t pages = pvboot_memmap_bytes(&l->machine.map, PVBOOT_RAM) / PVB_PAGE;
    int rc;

    launch_pv_dispose(l);
    l->mfn = calloc(pages, sizeof(*l->mfn));
    if (!l->mfn)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for the frames of %llu pages", (unsigned long long)pages);
    rc = launch_xen_pv_populate(&l->xen, l->mfn, pages, true, e);
    if (!rc)
        rc = launch_xen_pv_shared_info(&l->xen, &l->machine.shared_info_ma, e);
    l->machine.mfn = l->xen.mfn = l->mfn;
    l->xen.n_mfn = pages;
    return rc;
}

int launch_pv_start(struct launch *l, struct pvboot_error *e)
{
    return launch_xen_pv_start(&l->xen, &l->plan, e);
}

uint64_t launch_frame(const struct launch *l, uint64_t gpa)
{
    return l->mfn ? l->mfn[gpa / PVB_PAGE] : gpa / PVB_PAGE;
}

void launch_pv_dispose(struct launch *l)
{
    free(l->mfn);
    l->mfn = NULL;
    l->machine.mfn = l->xen.mfn = NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* A plan, by the kind of domain that its path needs. */
#include "plan.h"

int pvboot_plan_possible(const struct pvboot_image *img, const struct pvboot_request *req, struct pvboot_error *e)
{
    return req->path == PVBOOT_PATH_PV ? pvb_pv_possible(img, req, e) : pvb_plan_possible(img, req, e);
}

int pvboot_plan_make(struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_machine *machine,
                     const struct pvboot_request *req, struct pvboot_error *e)
{
    int rc;

    if (req->path != PVBOOT_PATH_PV && !machine->pv)
        return pvb_plan_make(plan, img, machine, req, e);
    memset(plan, 0, sizeof(*plan));
    if (req->path != PVBOOT_PATH_PV)
        return pvb_fail(e, PVBOOT_E_USAGE, "a PV domain has no other entry than pv");
    rc = pvb_pv_make(plan, img, machine, req, e);
    if (rc)
        memset(plan, 0, sizeof(*plan));
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../base/base.h"

int pvboot_build(struct pvboot_plan *plan, struct pvboot_kernel *kernel, const struct pvboot_machine *machine,
                 const struct pvboot_request *req, struct pvboot_guest *g, struct pvboot_error *e)
{
    int rc = 0;

    if (pvboot_image_needs_elf(&kernel->image, req->path))
        rc = pvboot_kernel_unpack(kernel, e);
    if (!rc)
        rc = pvboot_plan_make(plan, &kernel->image, machine, req, e);
    if (!rc)
        rc = pvboot_plan_check(plan, &kernel->image, e);
    if (!rc)
        pvboot_plan_remark_inputs(plan, kernel, req);
    if (!rc)
        rc = pvboot_load(plan, kernel, req, g, e);
    return rc;
}

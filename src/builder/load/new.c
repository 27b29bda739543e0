/* SPDX-License-Identifier: LGPL-2.1-only */
/* The structures that may grow, for callers who were compiled when they were smaller. */
#include "../base/base.h"
#include <pvboot/record.h>

#include <stdlib.h>

struct pvboot_kernel *pvboot_kernel_new(void)
{
    return calloc(1, sizeof(struct pvboot_kernel));
}

void pvboot_kernel_free(struct pvboot_kernel *k)
{
    if (k)
        pvboot_kernel_dispose(k);
    free(k);
}

struct pvboot_request *pvboot_request_new(void)
{
    struct pvboot_request *req = calloc(1, sizeof(*req));

    if (req)
        pvboot_request_init(req);
    return req;
}

void pvboot_request_free(struct pvboot_request *req)
{
    if (req)
        explicit_bzero(req->rng_seed, sizeof(req->rng_seed));
    free(req);
}

struct pvboot_plan *pvboot_plan_new(void)
{
    return calloc(1, sizeof(struct pvboot_plan));
}

void pvboot_plan_free(struct pvboot_plan *plan)
{
    free(plan);
}

struct pvboot_record *pvboot_record_new(const struct pvboot_machine *machine, struct pvboot_guest *next)
{
    struct pvboot_record *r = calloc(1, sizeof(*r));

    if (r)
        pvboot_record_init(r, machine, next);
    return r;
}

void pvboot_record_free(struct pvboot_record *r)
{
    if (r)
        r->guest.ops->close(&r->guest);
    free(r);
}

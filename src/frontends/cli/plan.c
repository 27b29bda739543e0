/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../../builder/describe/describe.h"
#include "cli.h"

#include <pvboot/plan.h>
#include <pvboot/record.h>
#include <stdio.h>

static int make_plan(struct cli_guest *c, struct pvboot_error *e)
{
    int rc = 0;

    if (pvboot_image_needs_elf(&c->kernel.image, c->req.path))
        rc = pvboot_kernel_unpack(&c->kernel, e);
    if (!rc)
        rc = pvboot_plan_make(&c->plan, &c->kernel.image, &c->machine, &c->req, e);
    if (!rc)
        rc = pvboot_plan_check(&c->plan, &c->kernel.image, e);
    if (!rc)
        pvboot_plan_remark_inputs(&c->plan, &c->kernel, &c->req);
    return pvb_in_file(e, c->image, rc);
}

static int print_plan(const struct cli_guest *c, struct pvboot_error *e)
{
    if (c->json)
        return cli_print_json(pvb_describe_plan(&c->plan), e);
    cli_show_plan(&c->plan);
    return 0;
}

int cli_plan(int argc, char **argv, struct pvboot_error *e)
{
    static struct cli_guest c;
    int rc = cli_guest_open(&c, argc, argv, e);

    if (!rc && c.dir)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "-o is an option of 'pvboot dump'");
    if (!rc)
        rc = make_plan(&c, e);
    if (!rc)
        rc = print_plan(&c, e);
    cli_guest_dispose(&c);
    return rc;
}

int cli_dump(int argc, char **argv, struct pvboot_error *e)
{
    static struct cli_guest c;
    struct pvboot_record record = { 0 };
    int rc = cli_guest_open(&c, argc, argv, e);

    if (!rc && !c.dir)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "where to? -o DIR is missing");
    if (rc)
        goto out;
    pvboot_record_init(&record, &c.machine, NULL);
    rc = pvboot_build(&c.plan, &c.kernel, &c.machine, &c.req, &record.guest, e);
    if (!rc)
        rc = pvboot_record_dump(&record, &c.plan, &c.kernel.image, c.dir, e);
    pvb_in_file(e, c.image, rc);
    record.guest.ops->close(&record.guest);
    if (!rc)
        rc = print_plan(&c, e);
out:
    cli_guest_dispose(&c);
    return rc;
}

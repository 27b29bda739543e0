/* SPDX-License-Identifier: LGPL-2.1-only */
/* What can be refused while the config is read, so that no domain has to be made and taken back for it. */
#include "xl.h"

#include <stdlib.h>

/* These read the config of a domain that has its memory already; what lies in /boot by now must not be in its way. */
static bool wants_no_kernel(void)
{
    static const char *const command[] = { "restore", "save", "migrate", "migrate-receive" };

    for (size_t i = 0; i < sizeof(command) / sizeof(command[0]); i++)
        if (!strcmp(pvb_command(), command[i]))
            return true;
    return false;
}

/* The kernel that was looked at is the one to build with. */
static int try(const struct pvb_cfg *c, struct pvb_trial *t, struct pvboot_error *e)
{
    int rc = pvb_cfg_try(t, c, e);

    pvb_kernel_notes(&t->kernel);
    if (!rc && t->kernel.parsed.file.p)
        pvb_kernel_cache_put(t->domain.kernel, &t->kernel);
    pvb_trial_dispose(t);
    return rc;
}

int pvb_preflight(const struct pvb_cfg *c, struct pvboot_error *e)
{
    struct pvb_trial *t;
    int rc;

    if (pvb_refusal())
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "%s", pvb_refusal());
    rc = pvb_dry_run() ? 0 : pvb_store_check(e); /* that asks no xenstore */
    if (!rc)
        rc = pvb_stub_check(e);
    if (rc || !c->from_file || wants_no_kernel())
        return rc;
    t = calloc(1, sizeof(*t));
    if (!t)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a plan");
    t->helper = pvb_helper_path();
    t->look = !pvb_dry_run() && pvb_kernel_may_place(&c->req, &c->paths);
    rc = try(c, t, e);
    free(t);
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Stand-ins for config.c and check.c, where there was no libxlutil to build with. */
#include "cli.h"

static int without(struct pvboot_error *e)
{
    return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                    "this pvboot was built without Xen's headers, and so cannot read an xl.cfg");
}

int cli_config_open(struct cli_config *c, const char *path, struct pvboot_error *e)
{
    (void)c, (void)path;
    return without(e);
}

void cli_config_dispose(struct cli_config *c)
{
    (void)c;
}

int cli_check(int argc, char **argv, struct pvboot_error *e)
{
    (void)argc, (void)argv;
    return without(e);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "cli.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define BOOT "/boot"
#define STEM "vmlinuz-"

static int is_kernel(const struct dirent *d)
{
    return !strncmp(d->d_name, STEM, strlen(STEM));
}

int cli_latest_kernel(const struct cli_args *a, char *path, size_t n)
{
    struct dirent **all = NULL;
    int found, rc = 0;

    if (optind < a->argc)
        return pvb_fail(a->e, PVBOOT_E_USAGE, "--latest and '%s' are one too much", a->argv[optind]);
    found = scandir(BOOT, &all, is_kernel, versionsort);
    if (found <= 0)
        rc = pvb_fail(a->e, PVBOOT_E_UNREADABLE, "no %s* in %s", STEM, BOOT);
    else
        snprintf(path, n, "%s/%s", BOOT, all[found - 1]->d_name);
    for (int i = 0; i < found; i++)
        free(all[i]);
    free(all);
    return rc;
}

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

int cli_latest_kernel(char *path, size_t n, struct pvboot_error *e)
{
    struct dirent **all = NULL;
    int found = scandir(BOOT, &all, is_kernel, versionsort), rc = 0;

    if (found <= 0)
        rc = pvb_fail(e, PVBOOT_E_UNREADABLE, "no %s* in %s", STEM, BOOT);
    else
        snprintf(path, n, "%s/%s", BOOT, all[found - 1]->d_name);
    for (int i = 0; i < found; i++)
        free(all[i]);
    free(all);
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "cli.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int cli_sandbox_default(struct pvboot_request *req, struct pvboot_error *e)
{
    const char *value = getenv("PVBOOT_SANDBOX");

    return value ? pvboot_request_set(req, "sandbox", value, e) : 0;
}

void cli_helper(char *helper, size_t n)
{
    char self[PATH_MAX] = "";
    ssize_t got = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[got > 0 ? got : 0] = 0;
    pvboot_confine_helper(self, helper, n);
}

int cli_kernel_open(struct pvboot_kernel *k, const char *image, const struct pvboot_request *req,
                    struct pvboot_confine *c, struct pvboot_error *e)
{
    char helper[PATH_MAX + 32];
    int rc;

    cli_helper(helper, sizeof(helper));
    c->sandbox = req->sandbox;
    c->limits = req->limits;
    c->path = req->path;
    c->helper = helper;
    rc = pvboot_kernel_open_confined(k, image, c, e);
    c->helper = NULL; /* its name ends here */
    if (c->missing[0])
        fprintf(stderr, "pvboot: note: the kernel's parser ran without: %s\n", c->missing);
    return rc;
}

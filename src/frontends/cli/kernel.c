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

/* "-": all of standard input, whatever it is. */
static int read_stdin(struct pvboot_file *f, uint64_t max, struct pvboot_error *e)
{
    size_t n = 0, room = 1u << 20;
    uint8_t *p = malloc(room), *more = p;
    int rc = 0;

    for (size_t got = 1; more && got && n <= max; n += got) {
        if (n == room) {
            more = realloc(p, room *= 2);
            p = more ? more : p;
        }
        got = more ? fread(p + n, 1, room - n, stdin) : 0;
    }
    if (!more)
        rc = pvb_fail(e, PVBOOT_E_HOST, "no memory for standard input");
    else if (ferror(stdin))
        rc = pvb_fail(e, PVBOOT_E_UNREADABLE, "reading it failed");
    else if (!n)
        rc = pvb_fail(e, PVBOOT_E_UNREADABLE, "empty");
    else if (n > max)
        rc = pvb_fail(e, PVBOOT_E_LIMIT, "more than %llu bytes", (unsigned long long)max);
    else
        rc = pvboot_file_seal(f, (struct pvboot_bytes){ p, n }, e);
    free(p);
    return rc;
}

static int open_stdin(struct pvboot_kernel *k, struct pvboot_confine *c, struct pvboot_error *e)
{
    struct pvboot_file f = { 0 };
    int rc = read_stdin(&f, pvboot_limit(c->limits.kernel, PVBOOT_KERNEL_MAX), e);

    if (!rc)
        rc = pvboot_kernel_confine(k, &f, c, e);
    if (rc)
        pvboot_file_dispose(&f);
    else
        k->own_file = f;
    return pvb_in_file(e, "standard input", rc);
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
    rc = strcmp(image, "-") ? pvboot_kernel_open_confined(k, image, c, e) : open_stdin(k, c, e);
    c->helper = NULL; /* its name ends here */
    if (c->missing[0])
        fprintf(stderr, "pvboot: note: the kernel's parser ran without: %s\n", c->missing);
    return rc;
}

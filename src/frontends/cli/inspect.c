/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../../builder/describe/describe.h"
#include "cli.h"

#include <pvboot/plan.h>

struct inspect {
    bool json;
    const char *image;
    struct pvboot_request req; /* for its sandbox and limits */
};

static int parse_options(struct inspect *in, int argc, char **argv, struct pvboot_error *e)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "sandbox", required_argument, NULL, 'r' },
        { "kernel-max", required_argument, NULL, 'r' },
        { "unpacked-max", required_argument, NULL, 'r' },
        { 0 },
    };
    const struct cli_args args = { argc, argv, ":", options, e };
    const char *name;
    int opt, rc = 0;

    while (!rc && (opt = cli_getopt(&args, &name)) != -1) {
        if (opt == CLI_REFUSED)
            return -PVBOOT_E_USAGE;
        if (opt == 'j')
            in->json = true;
        else
            rc = cli_set_request(&in->req, name, optarg, e);
    }
    return rc ? rc : cli_operand(&args, "image", &in->image);
}

/* A payload that does not unpack still leaves the bzImage's entries to tell. */
int cli_inspect(int argc, char **argv, struct pvboot_error *e)
{
    struct pvboot_kernel kernel = { 0 };
    struct pvboot_confine c = { .unpack_always = true };
    struct inspect in = { 0 };
    json_t *o;
    int rc;

    pvboot_request_init(&in.req);
    rc = cli_sandbox_default(&in.req, e);
    if (!rc)
        rc = parse_options(&in, argc, argv, e);
    if (!rc)
        rc = cli_kernel_open(&kernel, in.image, &in.req, &c, e);
    if (!rc && c.unpack_error.code == PVBOOT_E_HOST) {
        *e = c.unpack_error;
        rc = pvb_in_file(e, in.image, -PVBOOT_E_HOST);
    }
    if (rc)
        goto out;
    o = pvb_describe_image(&kernel, c.unpack_error.text);
    if (in.json) {
        rc = cli_print_json(o, e);
    } else {
        cli_show_image(in.image, o);
        json_decref(o);
    }
out:
    pvboot_kernel_dispose(&kernel);
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../../builder/describe.h"
#include "cli.h"

static int parse_options(int argc, char **argv, bool *json, const char **image, struct pvboot_error *e)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
    const struct cli_args args = { argc, argv, ":", options, e };
    const char *name;
    int opt;

    while ((opt = cli_getopt(&args, &name)) != -1) {
        if (opt == CLI_REFUSED)
            return -PVBOOT_E_USAGE;
        *json = true;
    }
    return cli_operand(&args, "image", image);
}

/* A payload that does not unpack still leaves the bzImage's entries to tell. */
int cli_inspect(int argc, char **argv, struct pvboot_error *e)
{
    struct pvboot_kernel kernel = { 0 };
    struct pvboot_error elf_error = { 0 };
    const char *image = NULL;
    bool json = false;
    json_t *o;
    int rc = parse_options(argc, argv, &json, &image, e);

    if (!rc)
        rc = pvboot_kernel_open(&kernel, image, e);
    if (rc)
        goto out;
    if (pvboot_kernel_unpack(&kernel, &elf_error) == -PVBOOT_E_HOST) {
        *e = elf_error;
        rc = -PVBOOT_E_HOST;
        goto out;
    }
    o = pvb_describe_image(&kernel, elf_error.text);
    if (json) {
        rc = cli_print_json(o, e);
    } else {
        cli_show_image(image, o);
        json_decref(o);
    }
out:
    pvboot_kernel_dispose(&kernel);
    return rc;
}

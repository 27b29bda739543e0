/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../../builder/describe/describe.h"
#include "cli.h"

#include <limits.h>
#include <pvboot/plan.h>
#include <stdio.h>

struct inspect {
    bool json, latest;
    char **image;
    int n;
    char latest_path[PATH_MAX], *latest_image;
    struct pvboot_request req; /* for its sandbox and limits */
};

static int take_operands(struct inspect *in, const struct cli_args *args)
{
    if (!in->latest)
        return cli_operands(args, "image", &in->image, &in->n);
    in->latest_image = in->latest_path;
    in->image = &in->latest_image;
    in->n = 1;
    return cli_latest_kernel(args, in->latest_path, sizeof(in->latest_path));
}

static int parse_options(struct inspect *in, int argc, char **argv, struct pvboot_error *e)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "latest", no_argument, NULL, 'l' },
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
        in->json |= opt == 'j';
        in->latest |= opt == 'l';
        if (opt == 'r')
            rc = cli_set_request(&in->req, name, optarg, e);
    }
    return rc ? rc : take_operands(in, &args);
}

/* A payload that does not unpack still leaves the bzImage's entries to tell.  NULL: @e says why. */
static json_t *look_at(const struct inspect *in, const char *image, struct pvboot_error *e)
{
    struct pvboot_confine c = { .unpack_always = true };
    struct pvboot_kernel kernel = { 0 };
    json_t *o = NULL;
    int rc = cli_kernel_open(&kernel, image, &in->req, &c, e);

    if (!rc && c.unpack_error.code == PVBOOT_E_HOST) {
        *e = c.unpack_error;
        rc = pvb_in_file(e, image, -PVBOOT_E_HOST);
    }
    if (!rc)
        o = pvb_describe_image(&kernel, c.unpack_error.text);
    if (!rc && !o)
        pvb_fail(e, PVBOOT_E_HOST, "no memory to describe it");
    pvboot_kernel_dispose(&kernel);
    return o;
}

static int one(const struct inspect *in, struct pvboot_error *e)
{
    json_t *o = look_at(in, in->image[0], e);

    if (!o)
        return -e->code;
    if (in->json)
        return cli_print_json(o, e);
    cli_show_image(in->image[0], o);
    json_decref(o);
    return 0;
}

static void take_result(const char *image, json_t *o, const struct pvboot_error *failed, json_t *images)
{
    char shown[4 * PATH_MAX];

    pvb_escape(shown, sizeof(shown), image, strlen(image));
    if (!o)
        o = json_pack("{s:{s:s, s:i, s:s}}", "error", "class", pvboot_class_name(failed->code), "exit", failed->code,
                      "text", failed->text);
    json_object_set_new(o, "file", json_string(shown));
    json_array_append_new(images, o);
}

/* Each, whatever becomes of the others; the class is that of the first that failed. */
static int several(const struct inspect *in, struct pvboot_error *e)
{
    json_t *images = json_array();
    int rc = 0;

    for (int i = 0; i < in->n; i++) {
        char line[sizeof(e->file) + sizeof(e->text) + 64];
        struct pvboot_error failed = { 0 };
        json_t *o = look_at(in, in->image[i], &failed);

        if (!o)
            fprintf(stderr, "%s\n", pvboot_error_line(&failed, line, sizeof(line)));
        rc = rc ? rc : -failed.code;
        if (in->json) {
            take_result(in->image[i], o, &failed, images);
        } else if (o) {
            printf("%s", i ? "\n" : "");
            cli_show_image(in->image[i], o);
            json_decref(o);
        }
    }
    if (in->json && cli_print_json(json_pack("{s:O}", "images", images), e))
        rc = -e->code;
    json_decref(images);
    return rc;
}

int cli_inspect(int argc, char **argv, struct pvboot_error *e)
{
    static struct inspect in;
    int rc;

    pvboot_request_init(&in.req);
    rc = cli_sandbox_default(&in.req, e);
    if (!rc)
        rc = parse_options(&in, argc, argv, e);
    if (rc)
        return rc;
    return in.n == 1 ? one(&in, e) : several(&in, e);
}

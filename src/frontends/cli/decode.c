/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../../builder/describe/describe.h"
#include "cli.h"

#define RUNNING "/sys/kernel/boot_params" /* what Linux keeps of the page it was started with */
#define INPUT_MAX (1ull << 20)            /* a dump of metadata, bytes */

enum { OPT_JSON = 256, OPT_CHECK, OPT_BASE, OPT_TYPE, OPT_ZERO_PAGE, OPT_START_INFO, OPT_SETUP_DATA, OPT_RUNNING };

static const struct option options[] = {
    { "json", no_argument, NULL, OPT_JSON },
    { "check", no_argument, NULL, OPT_CHECK },
    { "base", required_argument, NULL, OPT_BASE },
    { "type", required_argument, NULL, OPT_TYPE },
    { "zero-page", required_argument, NULL, OPT_ZERO_PAGE },
    { "start-info", required_argument, NULL, OPT_START_INFO },
    { "setup-data", required_argument, NULL, OPT_SETUP_DATA },
    { "running", no_argument, NULL, OPT_RUNNING },
    { 0 },
};

struct decode {
    bool json, check, has_type;
    uint64_t base_gpa, type;
    int kind; /* the option that named the file; 0: none yet */
    const char *path;
};

static int take_option(struct decode *d, int opt, struct pvboot_error *e)
{
    switch (opt) {
    case OPT_JSON:
        d->json = true;
        return 0;
    case OPT_CHECK:
        d->check = true;
        return 0;
    case OPT_BASE:
        return cli_number("base", optarg, UINT64_MAX >> 1, &d->base_gpa, e);
    case OPT_TYPE:
        d->has_type = true;
        return cli_number("type", optarg, UINT32_MAX, &d->type, e);
    case OPT_RUNNING:
        optarg = (char *)RUNNING "/data";
        /* fall through */
    case OPT_ZERO_PAGE:
    case OPT_START_INFO:
    case OPT_SETUP_DATA:
        if (d->kind)
            return pvb_fail(e, PVBOOT_E_USAGE, "one file at a time");
        d->kind = opt;
        d->path = optarg;
        return 0;
    }
    return -PVBOOT_E_USAGE; /* refused, and @e says why */
}

static int parse_options(struct decode *d, int argc, char **argv, struct pvboot_error *e)
{
    const struct cli_args args = { argc, argv, ":", options, e };
    const char *name;
    int opt, rc = 0;

    while (!rc && (opt = cli_getopt(&args, &name)) != -1)
        rc = take_option(d, opt, e);
    if (!rc && optind < argc)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "'%s' is too much", argv[optind]);
    if (!rc && !d->kind)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "no file: one of --zero-page, --start-info, --setup-data, or --running");
    if (!rc && d->has_type && d->kind != OPT_SETUP_DATA)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "--type goes with --setup-data");
    if (!rc && d->kind == OPT_SETUP_DATA && !d->has_type && !d->base_gpa)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "--setup-data needs --base, where its first node lay, or --type");
    return rc;
}

static json_t *decode(const struct decode *d, struct pvboot_bytes b)
{
    if (d->kind == OPT_ZERO_PAGE || d->kind == OPT_RUNNING)
        return pvb_decode_zero_page(b, d->base_gpa);
    if (d->kind == OPT_START_INFO)
        return pvb_decode_start_info(b, d->base_gpa);
    if (d->has_type)
        return pvb_decode_setup_payload(b, (uint32_t)d->type, d->base_gpa);
    return pvb_decode_setup_data(b, d->base_gpa);
}

static int print(const struct decode *d, json_t *o, struct pvboot_error *e)
{
    const json_t *lint = json_object_get(o, "lint");
    const char *first = json_string_value(json_array_get(lint, 0));
    int rc = 0;

    if (d->check && first)
        rc = pvb_fail(e, PVBOOT_E_MALFORMED, "%s (%zu findings)", first, json_array_size(lint));
    if (d->json)
        return cli_print_json(o, e) ? -e->code : rc;
    cli_show_json(o);
    json_decref(o);
    return rc;
}

int cli_decode(int argc, char **argv, struct pvboot_error *e)
{
    struct decode d = { 0 };
    struct pvboot_file f = { 0 };
    int rc = parse_options(&d, argc, argv, e);

    if (!rc)
        rc = pvboot_file_read(&f, d.path, INPUT_MAX, e);
    if (!rc)
        rc = pvb_in_file(e, d.path, print(&d, decode(&d, f.bytes), e));
    pvboot_file_dispose(&f);
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "cli.h"

#include <pvboot/build.h>
#include <stdio.h>
#include <sys/random.h>

#define DEFAULT_MIB 1024u

enum {
    OPT_JSON = 256,
    OPT_LATEST,
    OPT_MEMORY,
    OPT_VCPUS,
    OPT_RAMDISK,
    OPT_CMDLINE,
    OPT_RNG_SEED,
    OPT_CONFIG,
    OPT_REQUEST
};

static const struct option options[] = {
    { "json", no_argument, NULL, OPT_JSON },
    { "latest", no_argument, NULL, OPT_LATEST },
    { "config", required_argument, NULL, OPT_CONFIG },
    { "memory", required_argument, NULL, OPT_MEMORY },
    { "vcpus", required_argument, NULL, OPT_VCPUS },
    { "ramdisk", required_argument, NULL, OPT_RAMDISK },
    { "cmdline", required_argument, NULL, OPT_CMDLINE },
    { "rng-seed", required_argument, NULL, OPT_RNG_SEED },
    /* The request's own keys: it knows their types. */
    { "entry", required_argument, NULL, OPT_REQUEST },
    { "subarch", required_argument, NULL, OPT_REQUEST },
    { "hypervisor", required_argument, NULL, OPT_REQUEST },
    { "digests", no_argument, NULL, OPT_REQUEST },
    { "strict", no_argument, NULL, OPT_REQUEST },
    { "sandbox", required_argument, NULL, OPT_REQUEST },
    { "kernel-max", required_argument, NULL, OPT_REQUEST },
    { "unpacked-max", required_argument, NULL, OPT_REQUEST },
    { "ramdisk-max", required_argument, NULL, OPT_REQUEST },
    { "force-subarch", no_argument, NULL, OPT_REQUEST },
    { 0 },
};

struct args {
    uint64_t memory_mib, vcpus;
    uint32_t n_ramdisks;
    const char *ramdisk[PVBOOT_RAMDISKS_MAX];
};

/* "no", "yes", or the seed itself as 64 hexadecimal digits. */
static int set_rng_seed(struct pvboot_request *req, const char *value, struct pvboot_error *e)
{
    size_t n = sizeof(req->rng_seed);

    if (strlen(value) != 2 * n || value[strspn(value, "0123456789abcdefABCDEF")]) {
        int rc = pvboot_request_set(req, "rng_seed", value, e);

        if (!rc && req->has_rng_seed && getrandom(req->rng_seed, n, 0) != (ssize_t)n)
            rc = pvb_fail(e, PVBOOT_E_HOST, "no random bytes from the kernel");
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned int byte = 0;

        sscanf(value + 2 * i, "%2x", &byte);
        req->rng_seed[i] = (uint8_t)byte;
    }
    req->has_rng_seed = true;
    return 0;
}

static int take_option(struct cli_guest *c, struct args *a, int opt, const char *name, struct pvboot_error *e)
{
    switch (opt) {
    case OPT_JSON:
        c->json = true;
        return 0;
    case OPT_LATEST:
        c->latest = true;
        return 0;
    case OPT_CONFIG:
        return 0; /* it has been read: take_config() */
    case 'o':
        c->dir = optarg;
        return 0;
    case OPT_MEMORY:
        return cli_number("memory", optarg, UINT64_MAX >> 20, &a->memory_mib, e);
    case OPT_VCPUS:
        return cli_number("vcpus", optarg, UINT32_MAX, &a->vcpus, e);
    case OPT_CMDLINE:
        c->req.cmdline = optarg;
        return 0;
    case OPT_RNG_SEED:
        return set_rng_seed(&c->req, optarg, e);
    case OPT_RAMDISK:
        if (a->n_ramdisks == PVBOOT_RAMDISKS_MAX)
            return pvb_fail(e, PVBOOT_E_LIMIT, "more than %u ramdisks", PVBOOT_RAMDISKS_MAX);
        a->ramdisk[a->n_ramdisks++] = optarg;
        return 0;
    default:
        return cli_set_request(&c->req, name, optarg, e);
    }
}

/* The last --config, before any other option: those count instead of what it says, wherever they stand. */
static int take_config(struct cli_guest *c, struct args *a, const struct cli_args *args)
{
    const char *name, *path = NULL;
    int opt, rc;

    while ((opt = cli_getopt(args, &name)) != -1 && opt != CLI_REFUSED)
        if (opt == OPT_CONFIG)
            path = optarg;
    optind = 1;
    if (opt == CLI_REFUSED || !path)
        return opt == CLI_REFUSED ? -PVBOOT_E_USAGE : 0;
    c->config.req = c->req;
    rc = cli_config_open(&c->config, path, args->e);
    if (rc)
        return rc;
    c->req = c->config.req;
    c->image = c->config.kernel;
    a->memory_mib = c->config.memory_mib;
    a->vcpus = c->config.vcpus;
    return 0;
}

static int take_options(struct cli_guest *c, struct args *a, const struct cli_args *args)
{
    const char *name;
    int opt, rc = take_config(c, a, args);

    while (!rc && (opt = cli_getopt(args, &name)) != -1)
        rc = opt == CLI_REFUSED ? -PVBOOT_E_USAGE : take_option(c, a, opt, name, args->e);
    if (rc)
        return rc;
    if (c->latest) {
        c->image = c->latest_path;
        return cli_latest_kernel(args, c->latest_path, sizeof(c->latest_path));
    }
    if (c->image && optind == args->argc)
        return 0;
    return cli_operand(args, "image", &c->image);
}

/* Those of the command line, or else those of the configuration. */
static void choose_ramdisks(const struct cli_config *config, struct args *a)
{
    if (a->n_ramdisks)
        return;
    a->n_ramdisks = config->n_ramdisks;
    memcpy(a->ramdisk, config->ramdisk, sizeof(a->ramdisk));
}

static int make_machine(struct cli_guest *c, const struct args *a, struct pvboot_error *e)
{
    if (c->req.path == PVBOOT_PATH_PV)
        return pvboot_machine_pv(&c->machine, a->memory_mib << 20, (uint32_t)a->vcpus, e);
    return pvboot_machine_default(&c->machine, a->memory_mib << 20, (uint32_t)a->vcpus, e);
}

int cli_guest_open(struct cli_guest *c, int argc, char **argv, struct pvboot_error *e)
{
    struct args a = { .memory_mib = DEFAULT_MIB, .vcpus = 1 };
    struct pvboot_confine as_needed = { 0 };
    int rc;

    pvboot_request_init(&c->req);
    rc = cli_sandbox_default(&c->req, e);
    if (rc)
        return rc;
    rc = take_options(c, &a, &(struct cli_args){ argc, argv, ":o:", options, e });
    choose_ramdisks(&c->config, &a);
    if (!rc)
        rc = make_machine(c, &a, e);
    if (!rc)
        rc = cli_kernel_open(&c->kernel, c->image, &c->req, &as_needed, e);
    if (!rc)
        rc = cli_read_ramdisks(c->ramdisk, &c->req, a.ramdisk, a.n_ramdisks, e);
    if (!rc)
        rc = pvb_in_file(e, c->image, pvboot_request_embedded(&c->req, &c->kernel, e));
    return rc;
}

void cli_guest_dispose(struct cli_guest *c)
{
    for (size_t i = 0; i < PVBOOT_RAMDISKS_MAX; i++)
        pvboot_file_dispose(&c->ramdisk[i]);
    pvboot_kernel_dispose(&c->kernel);
    cli_config_dispose(&c->config);
    explicit_bzero(c->req.rng_seed, sizeof(c->req.rng_seed));
}

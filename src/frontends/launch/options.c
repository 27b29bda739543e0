/* SPDX-License-Identifier: LGPL-2.1-only */
/* The command line of `launch`. */
#include "launch.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_MIB 1024u
#define LETTERS ":f:"

enum { OPT_GUEST = 256, OPT_FLAG, OPT_PAUSED, OPT_CONSOLE, OPT_WAIT, OPT_DRY_RUN, OPT_JSON, OPT_NO_XENSTORE };

static const struct option options[] = {
    { "paused", no_argument, NULL, OPT_PAUSED },
    { "console", no_argument, NULL, OPT_CONSOLE },
    { "wait", no_argument, NULL, OPT_WAIT },
    { "dry-run", no_argument, NULL, OPT_DRY_RUN },
    { "json", no_argument, NULL, OPT_JSON },
    { "no-xenstore", no_argument, NULL, OPT_NO_XENSTORE },
    { "name", required_argument, NULL, OPT_GUEST },
    { "uuid", required_argument, NULL, OPT_GUEST },
    { "memory", required_argument, NULL, OPT_GUEST },
    { "maxmem", required_argument, NULL, OPT_GUEST },
    { "vcpus", required_argument, NULL, OPT_GUEST },
    { "ramdisk", required_argument, NULL, OPT_GUEST },
    { "cmdline", required_argument, NULL, OPT_GUEST },
    { "seclabel", required_argument, NULL, OPT_GUEST },
    { "cpus", required_argument, NULL, OPT_GUEST },
    { "dump", required_argument, NULL, OPT_GUEST },
    { "on-poweroff", required_argument, NULL, OPT_GUEST },
    { "on-reboot", required_argument, NULL, OPT_GUEST },
    { "on-crash", required_argument, NULL, OPT_GUEST },
    { "on-watchdog", required_argument, NULL, OPT_GUEST },
    { "on-soft-reset", required_argument, NULL, OPT_GUEST },
    { "entry", required_argument, NULL, OPT_GUEST },
    { "stub-entry", required_argument, NULL, OPT_GUEST },
    { "subarch", required_argument, NULL, OPT_GUEST },
    { "hypervisor", required_argument, NULL, OPT_GUEST },
    { "rng-seed", required_argument, NULL, OPT_GUEST },
    { "sandbox", required_argument, NULL, OPT_GUEST },
    { "kernel-max", required_argument, NULL, OPT_GUEST },
    { "unpacked-max", required_argument, NULL, OPT_GUEST },
    { "ramdisk-max", required_argument, NULL, OPT_GUEST },
    { "timers", no_argument, NULL, OPT_FLAG },
    { "digests", no_argument, NULL, OPT_FLAG },
    { "strict", no_argument, NULL, OPT_FLAG },
    { "force-subarch", no_argument, NULL, OPT_FLAG },
    { 0 },
};

static int take_option(struct launch_config *c, int opt, const char *name, struct pvboot_error *e)
{
    switch (opt) {
    case OPT_PAUSED:
        c->paused = true;
        return 0;
    case OPT_CONSOLE:
        c->console = true;
        return 0;
    case OPT_WAIT:
        c->wait = true;
        return 0;
    case OPT_DRY_RUN:
        c->dry_run = true;
        return 0;
    case OPT_JSON:
        c->json = true;
        return 0;
    case OPT_NO_XENSTORE:
        c->no_xenstore = true;
        return 0;
    case OPT_FLAG:
        return launch_set(c, name, "yes", e);
    default:
        return launch_set(c, name, optarg, e);
    }
}

/* The file first, wherever it stands: the command line overrides. */
static int take_file(struct launch_config *c, int argc, char **argv, struct pvboot_error *e)
{
    const char *path = NULL;
    int opt;

    opterr = optind = 0;
    while ((opt = getopt_long(argc, argv, LETTERS, options, NULL)) != -1)
        if (opt == 'f' && path)
            return pvb_fail(e, PVBOOT_E_USAGE, "one file, please: '%s' is too much", optarg);
        else if (opt == 'f')
            path = optarg;
    return path ? launch_file(c, path, e) : 0;
}

static int take_options(struct launch_config *c, int argc, char **argv, struct pvboot_error *e)
{
    int opt, index = -1, rc = 0;
    bool from_file = c->n_ramdisks;

    optind = 0;
    while (!rc && (opt = getopt_long(argc, argv, LETTERS, options, &index)) != -1) {
        if (opt == '?')
            rc = pvb_fail(e, PVBOOT_E_USAGE, "option '%s' is unknown, ambiguous or takes no value", argv[optind - 1]);
        else if (opt == ':')
            rc = pvb_fail(e, PVBOOT_E_USAGE, "option '%s' needs a value", argv[optind - 1]);
        else if (opt != 'f' && from_file && !strcmp(options[index].name, "ramdisk"))
            from_file = (c->n_ramdisks = 0); /* these instead of those */
        if (!rc && opt != 'f')
            rc = take_option(c, opt, options[index].name, e);
    }
    if (!rc && optind + 1 < argc)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "one kernel, please: '%s' is too much", argv[optind + 1]);
    if (!rc && optind < argc)
        c->kernel = argv[optind];
    return rc;
}

/* What contradicts itself, and what would be of no effect; and what nobody has said. */
static int check(struct launch_config *c, struct pvboot_error *e)
{
    bool waits = c->wait || c->console, is_pv = c->req.path == PVBOOT_PATH_PV;

    if (!c->kernel)
        return pvb_fail(e, PVBOOT_E_USAGE, "no kernel given");
    if (c->paused && waits)
        return pvb_fail(e, PVBOOT_E_USAGE, "--paused leaves nothing to wait for: without --wait and --console");
    for (unsigned int i = 0; i < LAUNCH_ENDS; i++)
        if (c->action[i] == LAUNCH_RESTART && !waits)
            return pvb_fail(e, PVBOOT_E_USAGE, "restart needs somebody who waits: --wait or --console");
    if (c->type && strcmp(c->type, is_pv ? "pv" : "pvh"))
        return pvb_fail(e, PVBOOT_E_USAGE, "type=\"%s\" in the file contradicts entry %s", c->type,
                        pvboot_path_name(c->req.path));
    if (c->action[LAUNCH_SOFT_RESET] == LAUNCH_GO_ON && is_pv)
        return pvb_fail(e, PVBOOT_E_USAGE, "soft-reset: Xen resets no PV domain");
    if (c->action[LAUNCH_SOFT_RESET] == LAUNCH_GO_ON && !waits)
        return pvb_fail(e, PVBOOT_E_USAGE, "soft-reset needs somebody who waits: --wait or --console");
    if (c->action[LAUNCH_SOFT_RESET] == LAUNCH_UNSAID)
        c->action[LAUNCH_SOFT_RESET] = is_pv ? LAUNCH_DESTROY : LAUNCH_GO_ON; /* as under xl with the plugin */
    return 0;
}

int launch_options(struct launch_config *c, int argc, char **argv, struct pvboot_error *e)
{
    const char *sandbox = getenv("PVBOOT_SANDBOX");
    int rc = 0;

    c->memory_mib = DEFAULT_MIB;
    c->vcpus = 1;
    pvboot_request_init(&c->req);
    c->req.has_rng_seed = c->seed_by_default = true; /* as under xl */
    c->action[LAUNCH_SOFT_RESET] = LAUNCH_UNSAID;
    if (sandbox)
        rc = pvboot_request_set(&c->req, "sandbox", sandbox, e);
    if (!rc)
        rc = take_file(c, argc, argv, e);
    if (!rc)
        rc = take_options(c, argc, argv, e);
    if (!rc)
        rc = check(c, e);
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The command line of `launch`; options of the guest are also the keys of a configuration file. */
#include "launch.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_MIB 1024u

static int set_number(const char *name, const char *value, uint64_t max, uint64_t *n, struct pvboot_error *e)
{
    char *end;

    errno = 0;
    *n = strtoull(value, &end, 10);
    if (!isdigit((unsigned char)*value) || *end)
        return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.60s' is not a number", name, value);
    if (errno || *n > max)
        return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.60s' is over %llu", name, value, (unsigned long long)max);
    return 0;
}

static int set_memory(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    return set_number("memory", value, PVBOOT_MEMORY_MAX >> 20, &c->memory_mib, e);
}

static int set_maxmem(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    return set_number("maxmem", value, PVBOOT_MEMORY_MAX >> 20, &c->maxmem_mib, e);
}

static int set_vcpus(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    uint64_t n = 0;
    int rc = set_number("vcpus", value, PVBOOT_VCPUS_MAX, &n, e);

    c->vcpus = (uint32_t)n;
    return rc;
}

/* What xenstore takes as a value that tools print, and nothing that could be mistaken for a domain's number. */
static int set_name(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    size_t n = strlen(value);

    if (!n || n > LAUNCH_NAME_MAX || value[strspn(value, "0123456789")] == '\0' || value[0] == '-')
        return pvb_fail(e, PVBOOT_E_USAGE, "name '%.80s': want 1 to %u bytes, not all digits, no '-' in front", value,
                        LAUNCH_NAME_MAX);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)value[i]) && !strchr("-_.:+", value[i]))
            return pvb_fail(e, PVBOOT_E_USAGE, "name '%.80s': byte %zu is none of letters, digits and -_.:+", value,
                            i + 1);
    memcpy(c->name, value, n + 1);
    return 0;
}

static int set_uuid(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    size_t digits = 0;

    for (const char *p = value; *p; p++) {
        const char nibble[2] = { *p, 0 };

        if (*p == '-')
            continue;
        if (!isxdigit((unsigned char)*p) || digits == 2 * sizeof(c->uuid))
            return pvb_fail(e, PVBOOT_E_USAGE, "uuid '%.60s' is not 32 hexadecimal digits", value);
        c->uuid[digits / 2] = (uint8_t)(c->uuid[digits / 2] << 4 | strtoul(nibble, NULL, 16));
        digits++;
    }
    if (digits != 2 * sizeof(c->uuid))
        return pvb_fail(e, PVBOOT_E_USAGE, "uuid '%.60s' is not 32 hexadecimal digits", value);
    c->has_uuid = true;
    return 0;
}

static int set_ramdisk(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    if (c->n_ramdisks == PVBOOT_RAMDISKS_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "more than %u ramdisks", PVBOOT_RAMDISKS_MAX);
    c->ramdisk[c->n_ramdisks++] = value;
    return 0;
}

static int set_kernel(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    (void)e;
    c->kernel = value;
    return 0;
}

static int set_cmdline(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    (void)e;
    c->req.cmdline = value;
    return 0;
}

static int set_seclabel(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    (void)e;
    c->seclabel = value;
    return 0;
}

static int set_cpus(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    (void)e;
    c->cpus = value;
    return 0;
}

static int set_timers(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    if (strcmp(value, "0") && strcmp(value, "1") && strcmp(value, "yes") && strcmp(value, "no"))
        return pvb_fail(e, PVBOOT_E_USAGE, "timers '%.60s': want 0 or 1", value);
    c->timers = !strcmp(value, "1") || !strcmp(value, "yes");
    return 0;
}

static int set_action(struct launch_config *c, enum launch_end end, const char *value, struct pvboot_error *e)
{
    static const char *const name[] = {
        [LAUNCH_DESTROY] = "destroy", [LAUNCH_PRESERVE] = "preserve", [LAUNCH_RESTART] = "restart"
    };

    for (unsigned int i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        if (!strcmp(value, name[i])) {
            c->action[end] = (enum launch_action)i;
            return 0;
        }
    return pvb_fail(e, PVBOOT_E_USAGE, "action '%.60s': want destroy, preserve or restart", value);
}

static int set_on_poweroff(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    return set_action(c, LAUNCH_POWEROFF, value, e);
}

static int set_on_reboot(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    return set_action(c, LAUNCH_REBOOT, value, e);
}

static int set_on_crash(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    return set_action(c, LAUNCH_CRASH, value, e);
}

static int set_on_watchdog(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    return set_action(c, LAUNCH_WATCHDOG, value, e);
}

static const struct {
    const char *name;
    int (*set)(struct launch_config *c, const char *value, struct pvboot_error *e);
} guest_option[] = {
    { "name", set_name },           { "uuid", set_uuid },         { "memory", set_memory },
    { "maxmem", set_maxmem },       { "vcpus", set_vcpus },       { "kernel", set_kernel },
    { "ramdisk", set_ramdisk },     { "cmdline", set_cmdline },   { "seclabel", set_seclabel },
    { "cpus", set_cpus },           { "timers", set_timers },     { "on_poweroff", set_on_poweroff },
    { "on_reboot", set_on_reboot }, { "on_crash", set_on_crash }, { "on_watchdog", set_on_watchdog },
};

int launch_set(struct launch_config *c, const char *name, const char *value, struct pvboot_error *e)
{
    char key[32];

    snprintf(key, sizeof(key), "%s", name);
    for (char *p = key; *p; p++)
        if (*p == '-')
            *p = '_';
    for (size_t i = 0; i < sizeof(guest_option) / sizeof(guest_option[0]); i++)
        if (!strcmp(key, guest_option[i].name))
            return guest_option[i].set(c, value, e);
    return pvboot_request_set(&c->req, key, value, e);
}

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
    { "on-poweroff", required_argument, NULL, OPT_GUEST },
    { "on-reboot", required_argument, NULL, OPT_GUEST },
    { "on-crash", required_argument, NULL, OPT_GUEST },
    { "on-watchdog", required_argument, NULL, OPT_GUEST },
    { "entry", required_argument, NULL, OPT_GUEST },
    { "subarch", required_argument, NULL, OPT_GUEST },
    { "hypervisor", required_argument, NULL, OPT_GUEST },
    { "rng-seed", required_argument, NULL, OPT_GUEST },
    { "sandbox", required_argument, NULL, OPT_GUEST },
    { "kernel-max", required_argument, NULL, OPT_GUEST },
    { "unpacked-max", required_argument, NULL, OPT_GUEST },
    { "ramdisk-max", required_argument, NULL, OPT_GUEST },
    { "timers", no_argument, NULL, OPT_FLAG },
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

static int take_options(struct launch_config *c, int argc, char **argv, struct pvboot_error *e)
{
    int opt, index = -1, rc = 0;

    opterr = 0;
    while (!rc && (opt = getopt_long(argc, argv, ":", options, &index)) != -1) {
        if (opt == '?')
            rc = pvb_fail(e, PVBOOT_E_USAGE, "option '%s' is unknown, ambiguous or takes no value", argv[optind - 1]);
        else if (opt == ':')
            rc = pvb_fail(e, PVBOOT_E_USAGE, "option '%s' needs a value", argv[optind - 1]);
        else
            rc = take_option(c, opt, options[index].name, e);
    }
    if (!rc && optind + 1 < argc)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "one kernel, please: '%s' is too much", argv[optind + 1]);
    if (!rc && optind < argc)
        c->kernel = argv[optind];
    return rc;
}

/* What contradicts itself, and what would be of no effect. */
static int check(const struct launch_config *c, struct pvboot_error *e)
{
    bool waits = c->wait || c->console;

    if (!c->kernel)
        return pvb_fail(e, PVBOOT_E_USAGE, "no kernel given");
    if (c->paused && waits)
        return pvb_fail(e, PVBOOT_E_USAGE, "--paused leaves nothing to wait for: without --wait and --console");
    for (unsigned int i = 0; i < LAUNCH_ENDS; i++)
        if (c->action[i] == LAUNCH_RESTART && !waits)
            return pvb_fail(e, PVBOOT_E_USAGE, "restart needs somebody who waits: --wait or --console");
    return 0;
}

int launch_options(struct launch_config *c, int argc, char **argv, struct pvboot_error *e)
{
    const char *sandbox = getenv("PVBOOT_SANDBOX");
    int rc = 0;

    c->memory_mib = DEFAULT_MIB;
    c->vcpus = 1;
    pvboot_request_init(&c->req);
    if (sandbox)
        rc = pvboot_request_set(&c->req, "sandbox", sandbox, e);
    if (!rc)
        rc = take_options(c, argc, argv, e);
    if (!rc)
        rc = check(c, e);
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* One option of the command line, or key of a configuration file, as a typed value. */
#include "launch.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB_MAX (PVBOOT_MEMORY_MAX >> 20)

struct option_row;
typedef int set_value(void *field, const struct option_row *row, const char *value, struct pvboot_error *e);
struct option_row {
    const char *name;
    set_value *set;
    size_t off;   /* of the field in struct launch_config */
    uint64_t max; /* of a number; the last action */
};

static int set_u64(void *field, const struct option_row *row, const char *value, struct pvboot_error *e)
{
    uint64_t *n = field;
    char *end;

    errno = 0;
    *n = strtoull(value, &end, 10);
    if (!isdigit((unsigned char)*value) || *end)
        return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.60s' is not a number", row->name, value);
    if (errno || *n > row->max)
        return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.60s' is over %llu", row->name, value, (unsigned long long)row->max);
    return 0;
}

static int set_u32(void *field, const struct option_row *row, const char *value, struct pvboot_error *e)
{
    uint64_t n = 0;
    int rc = set_u64(&n, row, value, e);

    *(uint32_t *)field = (uint32_t)n;
    return rc;
}

static int set_text(void *field, const struct option_row *row, const char *value, struct pvboot_error *e)
{
    (void)row;
    (void)e;
    *(const char **)field = value;
    return 0;
}

static int set_flag(void *field, const struct option_row *row, const char *value, struct pvboot_error *e)
{
    bool on = !strcmp(value, "1") || !strcmp(value, "yes");

    if (!on && strcmp(value, "0") && strcmp(value, "no"))
        return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.60s': want 0 or 1", row->name, value);
    *(bool *)field = on;
    return 0;
}

/* What xenstore and terminals take as it is, and nothing that could be mistaken for a number or an option. */
static int set_name(void *field, const struct option_row *row, const char *value, struct pvboot_error *e)
{
    size_t n = strlen(value);

    if (!n || n > LAUNCH_NAME_MAX || !value[strspn(value, "0123456789")] || value[0] == '-')
        return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.80s': want 1 to %u bytes, not all digits, no '-' in front", row->name,
                        value, LAUNCH_NAME_MAX);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)value[i]) && !strchr("-_.:+", value[i]))
            return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.80s': byte %zu is none of letters, digits and -_.:+", row->name,
                            value, i + 1);
    memcpy(field, value, n + 1);
    return 0;
}

static int set_uuid(void *field, const struct option_row *row, const char *value, struct pvboot_error *e)
{
    struct launch_config *c = (void *)((char *)field - offsetof(struct launch_config, uuid));
    size_t digits = 0;
    const char *p = value;

    for (; *p && digits < 2 * sizeof(c->uuid); p++) {
        const char nibble[2] = { *p, 0 };

        if (*p == '-')
            continue;
        if (!isxdigit((unsigned char)*p))
            break;
        c->uuid[digits / 2] = (uint8_t)((unsigned int)c->uuid[digits / 2] << 4 | strtoul(nibble, NULL, 16));
        digits++;
    }
    if (*p || digits != 2 * sizeof(c->uuid))
        return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.60s' is not 32 hexadecimal digits", row->name, value);
    c->has_uuid = true;
    return 0;
}

static int add_ramdisk(void *field, const struct option_row *row, const char *value, struct pvboot_error *e)
{
    struct launch_config *c = (void *)((char *)field - offsetof(struct launch_config, ramdisk));

    if (c->n_ramdisks == PVBOOT_RAMDISKS_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%s: more than %u", row->name, PVBOOT_RAMDISKS_MAX);
    c->ramdisk[c->n_ramdisks++] = value;
    return 0;
}

static int set_action(void *field, const struct option_row *row, const char *value, struct pvboot_error *e)
{
    static const char *const name[] = {
        [LAUNCH_DESTROY] = "destroy",
        [LAUNCH_PRESERVE] = "preserve",
        [LAUNCH_RESTART] = "restart",
        [LAUNCH_GO_ON] = "soft-reset",
    };

    for (unsigned int i = 0; i <= row->max; i++)
        if (!strcmp(value, name[i])) {
            *(enum launch_action *)field = (enum launch_action)i;
            return 0;
        }
    return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.60s': want destroy, preserve%s", row->name, value,
                    row->max == LAUNCH_GO_ON ? ", restart or soft-reset" : " or restart");
}

#define FIELD(f) offsetof(struct launch_config, f)
static const struct option_row option[] = {
    { "name", set_name, FIELD(name), 0 },
    { "uuid", set_uuid, FIELD(uuid), 0 },
    { "memory", set_u64, FIELD(memory_mib), MIB_MAX },
    { "maxmem", set_u64, FIELD(maxmem_mib), MIB_MAX },
    { "vcpus", set_u32, FIELD(vcpus), PVBOOT_VCPUS_MAX },
    { "kernel", set_text, FIELD(kernel), 0 },
    { "ramdisk", add_ramdisk, FIELD(ramdisk), 0 },
    { "cmdline", set_text, FIELD(req.cmdline), 0 },
    { "seclabel", set_text, FIELD(seclabel), 0 },
    { "cpus", set_text, FIELD(cpus), 0 },
    { "dump", set_text, FIELD(dump_dir), 0 },
    { "timers", set_flag, FIELD(timers), 0 },
    { "on_poweroff", set_action, FIELD(action[LAUNCH_POWEROFF]), LAUNCH_RESTART },
    { "on_reboot", set_action, FIELD(action[LAUNCH_REBOOT]), LAUNCH_RESTART },
    { "on_crash", set_action, FIELD(action[LAUNCH_CRASH]), LAUNCH_RESTART },
    { "on_watchdog", set_action, FIELD(action[LAUNCH_WATCHDOG]), LAUNCH_RESTART },
    { "on_soft_reset", set_action, FIELD(action[LAUNCH_SOFT_RESET]), LAUNCH_GO_ON },
};

int launch_set(struct launch_config *c, const char *name, const char *value, struct pvboot_error *e)
{
    char key[32];

    snprintf(key, sizeof(key), "%s", name);
    for (char *p = key; *p; p++)
        if (*p == '-')
            *p = '_';
    for (size_t i = 0; i < sizeof(option) / sizeof(option[0]); i++)
        if (!strcmp(key, option[i].name))
            return option[i].set((char *)c + option[i].off, &option[i], value, e);
    if (!strcmp(key, "rng_seed"))
        c->seed_by_default = false;
    return pvboot_request_set(&c->req, key, value, e);
}

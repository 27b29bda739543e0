/* SPDX-License-Identifier: LGPL-2.1-only */
/* What xl and libxl make of the stock keys: tools/xl/xl_parse.c and tools/libs/light/libxl_create.c, 4.15 to 4.22. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#define DEFAULT_MIB 32u
#define NUMBER_MAX (PVBOOT_MEMORY_MAX >> 20) /* of MiB; of vCPUs it is far more than enough */

/* As libxlutil reads numbers, octal and hexadecimal ones too.  Absent: @value stays. */
static int number(const struct pvb_cfg *c, const char *key, uint64_t *value, const char **at, struct pvboot_error *e)
{
    const char *text = pvb_cfg_get(c, key);
    char *end = NULL;
    long n;

    if (!text)
        return 0;
    errno = 0;
    n = strtol(text, &end, 0);
    if (!errno && end != text && !*end && n >= 0 && (uint64_t)n <= NUMBER_MAX) {
        *value = (uint64_t)n;
        return 0;
    }
    *at = key;
    return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.60s' is not a number from 0 to %llu", key, text,
                    (unsigned long long)NUMBER_MAX);
}

/* maxmem counts where it is given: that is how large libxl makes the memory map. */
static int numbers(struct pvb_cfg_domain *d, const struct pvb_cfg *c, const char **key, struct pvboot_error *e)
{
    int rc;

    d->memory_mib = DEFAULT_MIB;
    d->vcpus = 1;
    d->memory_key = pvb_cfg_get(c, "maxmem") ? "maxmem" : "memory";
    d->vcpus_key = pvb_cfg_get(c, "maxvcpus") ? "maxvcpus" : "vcpus";
    rc = number(c, "memory", &d->memory_mib, key, e);
    if (!rc)
        rc = number(c, "maxmem", &d->memory_mib, key, e);
    if (!rc)
        rc = number(c, "vcpus", &d->vcpus, key, e);
    return rc ? rc : number(c, "maxvcpus", &d->vcpus, key, e);
}

/* xl lets cmdline= stand alone; else it joins root= and extra=. */
static int join_cmdline(struct pvb_cfg_domain *d, const struct pvb_cfg *c, struct pvboot_error *e)
{
    const char *cmdline = pvb_cfg_get(c, "cmdline"), *root = pvb_cfg_get(c, "root"), *extra = pvb_cfg_get(c, "extra");
    int n;

    if (cmdline)
        root = extra = NULL;
    n = asprintf(&d->cmdline, "%s%s%s%s%s", cmdline ? cmdline : "", root ? "root=" : "", root ? root : "",
                 root && extra ? " " : "", extra ? extra : "");
    if (n >= 0)
        return 0;
    d->cmdline = NULL;
    return pvb_fail(e, PVBOOT_E_HOST, "no memory for a command line");
}

static bool has_list(const struct pvb_cfg *c, const char *key)
{
    XLU_ConfigList *list;
    int n = 0;

    return !c->xlu->get_list(c->scratch, key, &list, &n, 1);
}

int pvb_cfg_domain(struct pvb_cfg_domain *d, const struct pvb_cfg *c, const char **key, struct pvboot_error *e)
{
    const char *bootloader = pvb_cfg_get(c, "bootloader");
    int rc;

    *d = (struct pvb_cfg_domain){ .kernel = pvb_cfg_get(c, "kernel"), .ramdisk = pvb_cfg_get(c, "ramdisk") };
    d->bootloader = bootloader && *bootloader;
    if (has_list(c, "vnuma")) {
        *key = "vnuma";
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "vnuma: memory in several virtual NUMA nodes is not built");
    }
    rc = numbers(d, c, key, e);
    return rc ? rc : join_cmdline(d, c, e);
}

void pvb_cfg_domain_dispose(struct pvb_cfg_domain *d)
{
    free(d->cmdline);
    *d = (struct pvb_cfg_domain){ 0 };
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The command line of pvboot-init-xenstore-domain: that of Xen's init-xenstore-domain, and --entry. */
#include "launch.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB_MAX (PVBOOT_MEMORY_MAX >> 20)

/* Its options; those of launch that they are. */
static const struct option options[] = {
    { "kernel", required_argument, NULL, 0 },   { "memory", required_argument, NULL, 0 },
    { "flask", required_argument, NULL, 'f' },  { "ramdisk", required_argument, NULL, 0 },
    { "param", required_argument, NULL, 'p' },  { "name", required_argument, NULL, 0 },
    { "maxmem", required_argument, NULL, 'M' }, { "entry", required_argument, NULL, 0 },
    { "verbose", no_argument, NULL, 'v' },      { 0 },
};

static int take(struct launch_config *c, int opt, const char *name, char **maxmem, struct pvboot_error *e)
{
    switch (opt) {
    case 'f':
        return launch_set(c, "seclabel", optarg, e);
    case 'p':
        c->param = optarg;
        return 0;
    case 'M':
        *maxmem = optarg;
        return 0;
    case 'v':
        c->verbose++;
        return 0;
    default:
        return launch_set(c, name, optarg, e);
    }
}

int launch_storedom_options(struct launch_config *c, int argc, char **argv, char **maxmem, struct pvboot_error *e)
{
    int opt, index = -1, rc = 0;

    opterr = optind = 0;
    while (!rc && (opt = getopt_long(argc, argv, ":v", options, &index)) != -1) {
        if (opt == '?')
            rc = pvb_fail(e, PVBOOT_E_USAGE, "option '%s' is unknown, ambiguous or takes no value", argv[optind - 1]);
        else if (opt == ':')
            rc = pvb_fail(e, PVBOOT_E_USAGE, "option '%s' needs a value", argv[optind - 1]);
        else
            rc = take(c, opt, opt ? "" : options[index].name, maxmem, e);
    }
    if (!rc && optind < argc)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "'%s' is too much", argv[optind]);
    if (!rc && !c->kernel)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "no --kernel given");
    if (!rc && !c->memory_mib)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "no --memory given");
    return rc;
}

/* One number of it, of which none is 0; where it ends. */
static bool number(const char **p, uint64_t *n)
{
    char *end;

    errno = 0;
    *n = strtoull(*p, &end, 10);
    if (!isdigit((unsigned char)**p) || !*n || errno || *n > MIB_MAX)
        return false;
    *p = end;
    return true;
}

int launch_storedom_maxmem(struct launch_config *c, const char *text, uint64_t host_bytes, struct pvboot_error *e)
{
    const char *p = text;
    uint64_t mib = 0, a = 0, b = 1, first;
    bool ok = number(&p, &first), fraction = ok && *p == '/';

    if (fraction) {
        a = first;
    } else {
        mib = first;
        if (ok && *p == ':') {
            p++;
            fraction = ok = number(&p, &a) && *p == '/';
        }
    }
    if (fraction) {
        p++;
        ok = number(&p, &b);
    }
    if (!ok || *p)
        return pvb_fail(e, PVBOOT_E_USAGE, "maxmem '%.60s': want MB, a/b or MB:a/b", text);
    a = (host_bytes >> 20) * a / b; /* numbers have 23 bits, host_bytes 52 */
    c->maxmem_mib = mib > a ? mib : a;
    if (c->maxmem_mib < c->memory_mib)
        c->maxmem_mib = 0;
    if (c->maxmem_mib > MIB_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "maxmem '%.60s' is over %llu MiB", text, (unsigned long long)MIB_MAX);
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The administrator's words, typed: one table for xl's configuration and the command line. */
#include "plan.h"

static int set_entry(struct pvboot_request *req, const char *value)
{
    enum pvboot_path path = pvboot_path_find(value);

    if (path == PVBOOT_PATHS)
        return -1;
    req->path = path;
    return 0;
}

/* The stub parses and unpacks nothing but setup headers. */
static int set_stub_entry(struct pvboot_request *req, const char *value)
{
    enum pvboot_path path = pvboot_path_find(value);

    if (path != PVBOOT_PATH_AUTO && path != PVBOOT_PATH_LINUX32 && path != PVBOOT_PATH_LINUX64)
        return -1;
    req->stub_path = path;
    return 0;
}

/* The value of one digit, or 16 for what is none. */
static unsigned int digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned int)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned int)(c - 'A') + 10;
    return 16;
}

/* Decimal, or hexadecimal after 0x; nothing before, between or behind; 0 on success. */
static int parse_u32(const char *s, uint32_t *value)
{
    unsigned int base = 10;
    uint64_t v = 0;

    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    if (!*s)
        return -1;
    for (; *s; s++) {
        if (digit(*s) >= base)
            return -1;
        v = v * base + digit(*s);
        if (v > UINT32_MAX)
            return -1;
    }
    *value = (uint32_t)v;
    return 0;
}

static int set_subarch(struct pvboot_request *req, const char *value)
{
    /* boot.rst, hardware_subarch */
    if (!strcmp(value, "pc"))
        req->subarch = 0;
    else if (!strcmp(value, "xen"))
        req->subarch = 2;
    else
        return parse_u32(value, &req->subarch);
    return 0;
}

static int set_hypervisor(struct pvboot_request *req, const char *value)
{
    if (!strcmp(value, "none"))
        req->hypervisor = PVBOOT_HYPERVISOR_NONE;
    else if (!strcmp(value, "xen"))
        req->hypervisor = PVBOOT_HYPERVISOR_XEN;
    else
        return -1;
    return 0;
}

static int parse_bool(const char *value, bool *b)
{
    bool yes = !strcmp(value, "1") || !strcmp(value, "yes");

    if (!yes && strcmp(value, "0") && strcmp(value, "no"))
        return -1;
    *b = yes;
    return 0;
}

static int set_digests(struct pvboot_request *req, const char *value)
{
    return parse_bool(value, &req->digests.wanted);
}

static int set_strict(struct pvboot_request *req, const char *value)
{
    return parse_bool(value, &req->strict);
}

static int set_force_subarch(struct pvboot_request *req, const char *value)
{
    return parse_bool(value, &req->force_subarch);
}

static int set_rng_seed(struct pvboot_request *req, const char *value)
{
    return parse_bool(value, &req->has_rng_seed);
}

static int set_sandbox(struct pvboot_request *req, const char *value)
{
    if (!strcmp(value, "strict"))
        req->sandbox = PVBOOT_SANDBOX_STRICT;
    else if (!strcmp(value, "best"))
        req->sandbox = PVBOOT_SANDBOX_BEST;
    else if (!strcmp(value, "off"))
        req->sandbox = PVBOOT_SANDBOX_OFF;
    else
        return -1;
    return 0;
}

/* MiB, from 1 to @most. */
static int parse_limit(const char *value, uint32_t most, uint64_t *limit)
{
    uint32_t mib;

    if (parse_u32(value, &mib) || !mib || mib > most)
        return -1;
    *limit = (uint64_t)mib << 20;
    return 0;
}

static int set_kernel_max(struct pvboot_request *req, const char *value)
{
    return parse_limit(value, PVBOOT_KERNEL_HARD_MAX >> 20, &req->limits.kernel);
}

static int set_unpacked_max(struct pvboot_request *req, const char *value)
{
    return parse_limit(value, PVBOOT_UNPACKED_HARD_MAX >> 20, &req->limits.unpacked);
}

static int set_ramdisk_max(struct pvboot_request *req, const char *value)
{
    return parse_limit(value, PVBOOT_RAMDISK_HARD_MAX >> 20, &req->limits.ramdisk);
}

static const struct {
    const char *key;
    int (*set)(struct pvboot_request *req, const char *value); /* 0, or -1: not of this type; NULL: the plugin's */
    const char *type;
} option[] = {
    { "entry", set_entry, "one of auto, pvh, linux32, linux64, vmlinux64, stub, pv" },
    { "stub_entry", set_stub_entry, "one of auto, linux32, linux64" },
    { "subarch", set_subarch, "pc, xen or a number below 4294967296" },
    { "hypervisor", set_hypervisor, "none or xen" },
    { "digests", set_digests, "0, 1, no or yes" },
    { "strict", set_strict, "0, 1, no or yes" },
    { "force_subarch", set_force_subarch, "0, 1, no or yes" },
    { "rng_seed", set_rng_seed, "0, 1, no or yes" },
    { "sandbox", set_sandbox, "strict, best or off" },
    { "kernel_max", set_kernel_max, "a number of MiB from 1 to 1024" },
    { "unpacked_max", set_unpacked_max, "a number of MiB from 1 to 1024" },
    { "ramdisk_max", set_ramdisk_max, "a number of MiB from 1 to 2047" },
    { "ramdisks", NULL, NULL },
    { "dump", NULL, NULL },
    { "cache", NULL, NULL },
};
#define OPTIONS (sizeof(option) / sizeof(option[0]))

static int unknown_key(const char *key, struct pvboot_error *e)
{
    size_t best = OPTIONS, least = PVB_DISTANCE_CLOSE + 1;

    for (size_t i = 0; i < OPTIONS; i++) {
        size_t d = pvb_distance(key, option[i].key);

        if (d < least) {
            least = d;
            best = i;
        }
    }
    if (best < OPTIONS)
        return pvb_fail(e, PVBOOT_E_USAGE, "unknown key '%s': did you mean '%s'?", key, option[best].key);
    return pvb_fail(e, PVBOOT_E_USAGE,
                    "unknown key '%.60s': there are entry, stub_entry, subarch, hypervisor, digests, strict, "
                    "force_subarch, rng_seed, sandbox, kernel_max, unpacked_max, ramdisk_max, ramdisks, dump, cache",
                    key);
}

int pvboot_request_set(struct pvboot_request *req, const char *key, const char *value, struct pvboot_error *e)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strcmp(key, option[i].key))
            continue;
        if (!option[i].set)
            return pvb_fail(e, PVBOOT_E_USAGE, "%s is an option of xl's plugin alone", key);
        if (option[i].set(req, value))
            return pvb_fail(e, PVBOOT_E_USAGE, "%s '%.60s' is not %s", key, value, option[i].type);
        return 0;
    }
    return unknown_key(key, e);
}

void pvboot_request_init(struct pvboot_request *req)
{
    memset(req, 0, sizeof(*req));
    req->path = PVBOOT_PATH_AUTO;
    req->stub_path = PVBOOT_PATH_AUTO;
    req->hypervisor = PVBOOT_HYPERVISOR_XEN;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Options travel in the stock pvshim_cmdline and pvshim_extra fields, which libxl types, stores and restores; the
 * guest's own command line stays clean.  On the wire: "pvboot key=value key=value".
 */
#include "config.h"

#include <stdlib.h>

bool pvb_shim_options_present(const char *cmdline)
{
    size_t n = strlen(PVB_SHIM_WORD);

    return cmdline && !strncmp(cmdline, PVB_SHIM_WORD, n) && (!cmdline[n] || cmdline[n] == ' ');
}

/* Up to @end.  It goes through a quoted string of an xl.cfg and between spaces, and xl prints it as it is. */
static bool is_path(const char *value, char end)
{
    for (const unsigned char *c = (const unsigned char *)value; *c && *c != end; c++)
        if (*c <= ' ' || *c == 0x7f || strchr("\"'\\", *c))
            return false;
    return value[0] == '/';
}

static int keep(char **kept, const char *value, struct pvboot_error *e)
{
    free(*kept);
    *kept = strdup(value);
    return *kept ? 0 : pvb_fail(e, PVBOOT_E_HOST, "no memory for a path of %zu bytes", strlen(value));
}

static int set_dump(const char *value, char **dump_dir, struct pvboot_error *e)
{
    if (!is_path(value, '\0'))
        return pvb_fail(e, PVBOOT_E_USAGE,
                        "dump=%s: want an absolute directory without spaces, quotes or control bytes", value);
    return keep(dump_dir, value, e);
}

static int set_ramdisks(const char *value, char **ramdisks, struct pvboot_error *e)
{
    for (const char *path = value - 1; path; path = strchr(path + 1, ','))
        if (!is_path(path + 1, ','))
            return pvb_fail(
                e, PVBOOT_E_USAGE,
                "ramdisks=%s: want absolute paths without spaces, quotes or control bytes, with commas between", value);
    return keep(ramdisks, value, e);
}

static int set_cache(const char *value, char **cache, struct pvboot_error *e)
{
    if (strcmp(value, "off") && !is_path(value, '\0'))
        return pvb_fail(e, PVBOOT_E_USAGE,
                        "cache=%s: want off, or an absolute directory without spaces, quotes or control bytes", value);
    return keep(cache, value, e);
}

void pvb_paths_dispose(struct pvb_paths *paths)
{
    free(paths->dump_dir);
    free(paths->ramdisks);
    free(paths->cache);
    *paths = (struct pvb_paths){ 0 };
}

int pvb_shim_option(const char *key, const char *value, struct pvboot_request *req, struct pvb_paths *paths,
                    struct pvboot_error *e)
{
    if (!strcmp(key, "dump"))
        return set_dump(value, &paths->dump_dir, e);
    if (!strcmp(key, "ramdisks"))
        return set_ramdisks(value, &paths->ramdisks, e);
    if (!strcmp(key, "cache"))
        return set_cache(value, &paths->cache, e);
    return pvboot_request_set(req, key, value, e);
}

/* Without allocation: whose a domain is must not depend on the host's memory. */
int pvb_shim_options_parse(const char *cmdline, struct pvboot_request *req, struct pvb_paths *paths,
                           struct pvboot_error *e)
{
    char words[PVB_SHIM_OPTIONS_MAX], *word, *save = NULL;
    const char *options = cmdline + strlen(PVB_SHIM_WORD);
    int rc = 0;

    if (strlen(options) >= sizeof(words))
        return pvb_fail(e, PVBOOT_E_LIMIT, "pvshim_extra: %zu bytes of options, limit %zu", strlen(options),
                        sizeof(words) - 1);
    strcpy(words, options);
    for (word = strtok_r(words, " ", &save); !rc && word; word = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(word, '=');

        if (eq)
            *eq++ = '\0';
        rc = eq ? pvb_shim_option(word, eq, req, paths, e)
                : pvb_fail(e, PVBOOT_E_USAGE, "pvshim_extra: \"%s\" is not key=value", word);
    }
    return rc;
}

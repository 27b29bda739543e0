/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Options travel in the stock pvshim_cmdline and pvshim_extra fields, which libxl types, stores and restores; the
 * guest's own command line stays clean.  On the wire: "pvboot key=value key=value".
 */
#include "xl.h"

#include <stdlib.h>

bool pvb_carrier_present(const char *cmdline)
{
    size_t n = strlen(PVB_CARRIER);

    return cmdline && !strncmp(cmdline, PVB_CARRIER, n) && (!cmdline[n] || cmdline[n] == ' ');
}

/* Where to write a dump is the plugin's own key: the request knows no files. */
static int set_dump(const char *value, char **dump_dir, struct pvboot_error *e)
{
    if (value[0] != '/' || strpbrk(value, " \"'\\\n"))
        return pvb_fail(e, PVBOOT_E_USAGE, "dump=%s: want an absolute directory without spaces or quotes", value);
    free(*dump_dir);
    *dump_dir = strdup(value);
    return *dump_dir ? 0 : pvb_fail(e, PVBOOT_E_HOST, "no memory for a directory name");
}

int pvb_carrier_option(const char *key, const char *value, struct pvboot_request *req, char **dump_dir,
                       struct pvboot_error *e)
{
    if (!strcmp(key, "dump"))
        return set_dump(value, dump_dir, e);
    return pvboot_request_set(req, key, value, e);
}

/* Without allocation: whose a domain is must not depend on the host's memory. */
int pvb_carrier_parse(const char *cmdline, struct pvboot_request *req, char **dump_dir, struct pvboot_error *e)
{
    char words[PVB_OPTIONS_MAX], *word, *save = NULL;
    const char *options = cmdline + strlen(PVB_CARRIER);
    int rc = 0;

    if (strlen(options) >= sizeof(words))
        return pvb_fail(e, PVBOOT_E_LIMIT, "pvshim_extra: %zu bytes of options, limit %zu", strlen(options),
                        sizeof(words) - 1);
    strcpy(words, options);
    for (word = strtok_r(words, " ", &save); !rc && word; word = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(word, '=');

        if (eq)
            *eq++ = '\0';
        rc = eq ? pvb_carrier_option(word, eq, req, dump_dir, e)
                : pvb_fail(e, PVBOOT_E_USAGE, "pvshim_extra: \"%s\" is not key=value", word);
    }
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int cli_getopt(const struct cli_args *a, const char **name)
{
    int index = -1, c;

    opterr = 0;
    c = getopt_long(a->argc, a->argv, a->letters, a->options, &index);
    *name = index >= 0 ? a->options[index].name : "";
    if (c == '?')
        pvb_fail(a->e, PVBOOT_E_USAGE, "option '%s' is unknown, ambiguous or takes no value", a->argv[optind - 1]);
    else if (c == ':')
        pvb_fail(a->e, PVBOOT_E_USAGE, "option '%s' needs a value", a->argv[optind - 1]);
    else
        return c;
    return CLI_REFUSED;
}

int cli_operands(const struct cli_args *a, const char *what, char ***operands, int *n)
{
    if (optind >= a->argc)
        return pvb_fail(a->e, PVBOOT_E_USAGE, "no %s given", what);
    *operands = a->argv + optind;
    *n = a->argc - optind;
    return 0;
}

int cli_operand(const struct cli_args *a, const char *what, const char **operand)
{
    if (optind >= a->argc)
        return pvb_fail(a->e, PVBOOT_E_USAGE, "no %s given", what);
    if (optind + 1 < a->argc)
        return pvb_fail(a->e, PVBOOT_E_USAGE, "one %s, please: '%s' is too much", what, a->argv[optind + 1]);
    *operand = a->argv[optind];
    return 0;
}

int cli_number(const char *option, const char *text, uint64_t max, uint64_t *value, struct pvboot_error *e)
{
    bool hex = !strncmp(text, "0x", 2);
    const char *digits = hex ? text + 2 : text;
    char *end = NULL;

    errno = 0;
    if (digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")] == '\0' && *digits)
        *value = strtoull(digits, &end, hex ? 16 : 10);
    if (!end)
        return pvb_fail(e, PVBOOT_E_USAGE, "--%s '%.60s' is not a number", option, text);
    if (errno || *value > max)
        return pvb_fail(e, PVBOOT_E_USAGE, "--%s '%.60s' is over %" PRIu64, option, text, max);
    return 0;
}

int cli_set_request(struct pvboot_request *req, const char *name, const char *value, struct pvboot_error *e)
{
    char key[32];

    snprintf(key, sizeof(key), "%s", name);
    for (char *c = key; *c; c++)
        if (*c == '-')
            *c = '_';
    return pvboot_request_set(req, key, value ? value : "yes", e);
}

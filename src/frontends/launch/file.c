/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A configuration file, as libxlutil reads xl's own.  What launch does not do is refused and not passed over: a domain
 * without the disk that its file names would be another domain.
 */
#include "launch.h"

#include <libxlutil.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX (1ull << 20)

static const char prefix[] = "pvboot_";
#define RAMDISKS "pvboot_ramdisks"
#define WANT_PATHS "want a list of paths without commas, or one string with a comma between two"

/* Keys whose values are an option of the same name. */
static const char *const same[] = {
    "name",     "uuid", "memory",      "maxmem",    "vcpus",    "kernel",      "ramdisk",
    "seclabel", "cpus", "on_poweroff", "on_reboot", "on_crash", "on_watchdog", "on_soft_reset",
};

static const char *value_of(const struct launch_config *c, const char *key)
{
    const char *value = NULL;

    return xlu_cfg_get_string(c->file, key, &value, 1) ? NULL : value;
}

static int set_words(struct launch_config *c, const char *words, struct pvboot_error *e)
{
    char *word, *save = NULL;
    int rc = 0;

    c->ramdisks = strdup(words);
    if (!c->ramdisks)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for the names of ramdisks");
    for (word = strtok_r(c->ramdisks, ",", &save); !rc && word; word = strtok_r(NULL, ",", &save))
        rc = launch_set(c, "ramdisk", word, e);
    return rc;
}

static int set_list(struct launch_config *c, const XLU_ConfigList *list, int entries, struct pvboot_error *e)
{
    int rc = 0;

    for (int i = 0; !rc && i < entries; i++) {
        const char *path = xlu_cfg_get_listitem(list, i);

        rc = path && !strchr(path, ',') ? launch_set(c, "ramdisk", path, e) : pvb_fail(e, PVBOOT_E_USAGE, WANT_PATHS);
    }
    return rc;
}

/* pvboot_ramdisks="/a,/b" or ["/a", "/b"], as for xl: behind the one of ramdisk=. */
static int set_ramdisks(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    XLU_ConfigList *list;
    int entries = 0, rc = 0;

    if (!c->n_ramdisks && value_of(c, "ramdisk"))
        rc = launch_set(c, "ramdisk", value_of(c, "ramdisk"), e);
    if (rc || value)
        return rc ? rc : set_words(c, value, e);
    if (xlu_cfg_get_list(c->file, RAMDISKS, &list, &entries, 1))
        return pvb_fail(e, PVBOOT_E_USAGE, WANT_PATHS);
    return set_list(c, list, entries, e);
}

/* As xl joins them: cmdline= stands alone, else root= and extra=. */
static int set_cmdline(struct launch_config *c, struct pvboot_error *e)
{
    const char *cmdline = value_of(c, "cmdline"), *root = value_of(c, "root"), *extra = value_of(c, "extra");

    if (cmdline && (root || extra))
        return pvb_fail(e, PVBOOT_E_USAGE, "cmdline contradicts root and extra");
    if (cmdline || (!root && !extra))
        return cmdline ? launch_set(c, "cmdline", cmdline, e) : 0;
    free(c->cmdline);
    if (asprintf(&c->cmdline, "%s%s%s%s", root ? "root=" : "", root ? root : "", root && extra ? " " : "",
                 extra ? extra : "") < 0) {
        c->cmdline = NULL;
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a command line");
    }
    return launch_set(c, "cmdline", c->cmdline, e);
}

static bool is_same(const char *key)
{
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        if (!strcmp(key, same[i]))
            return true;
    return false;
}

static int take_own(struct launch_config *c, const char *key, const char *value, struct pvboot_error *e)
{
    if (is_same(key))
        return pvb_fail(e, PVBOOT_E_USAGE, "without %s in front", prefix);
    return launch_set(c, key, value, e);
}

static bool is_cmdline(const char *key)
{
    return !strcmp(key, "cmdline") || !strcmp(key, "root") || !strcmp(key, "extra");
}

static int take_builder(const char *value, struct pvboot_error *e)
{
    return strcmp(value, "pvboot") ? pvb_fail(e, PVBOOT_E_USAGE, "\"%.60s\": want \"pvboot\"", value) : 0;
}

/* Whether the entry agrees is seen when the command line has said its word. */
static int take_type(struct launch_config *c, const char *value, struct pvboot_error *e)
{
    if (strcmp(value, "pvh") && strcmp(value, "pv"))
        return pvb_fail(e, PVBOOT_E_USAGE, "\"%.60s\": want \"pvh\" or \"pv\"", value);
    c->type = value;
    return 0;
}

static int take(struct launch_config *c, const char *key, struct pvboot_error *e)
{
    const char *value = value_of(c, key);
    bool is_type = !strcmp(key, "type"), is_builder = !strcmp(key, "builder");
    bool own = !strncmp(key, prefix, strlen(prefix));

    if (!own && !is_type && !is_builder && !is_same(key) && !is_cmdline(key))
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "launch has no such thing; xl create has");
    if (!strcmp(key, RAMDISKS))
        return set_ramdisks(c, value, e);
    if (!value)
        return pvb_fail(e, PVBOOT_E_USAGE, "want one string or number");
    if (own)
        return take_own(c, key + strlen(prefix), value, e);
    if (is_cmdline(key))
        return set_cmdline(c, e);
    if (is_type || is_builder)
        return is_type ? take_type(c, value, e) : take_builder(value, e);
    if (!strcmp(key, "ramdisk") && c->n_ramdisks)
        return 0; /* pvboot_ramdisks came first and has seen to it */
    return launch_set(c, key, value, e);
}

static int take_all(struct launch_config *c, struct pvboot_bytes text, struct pvboot_error *e)
{
    struct pvb_cfg_statement st;
    unsigned int line = 1;
    size_t at = 0;
    int rc = 0;

    while (!rc && pvb_cfg_scan(text, &at, &line, &st)) {
        struct pvboot_error inner = { 0 };

        rc = take(c, st.key, &inner);
        if (rc)
            pvb_fail(e, (enum pvboot_class)inner.code, "line %u: %s: %s", st.line, st.key, inner.text);
    }
    return rc;
}

static int complain(const char *path, const char *said, struct pvboot_error *e)
{
    if (!strncmp(said, path, strlen(path)) && said[strlen(path)] == ':')
        said += strlen(path) + 1;
    return pvb_fail(e, PVBOOT_E_USAGE, "line %.*s", (int)strcspn(said, "\n"), said);
}

/* libxlutil tells a stream what is wrong: its first line is ours. */
static int parse(struct launch_config *c, const char *path, struct pvboot_bytes text, struct pvboot_error *e)
{
    char *said = NULL;
    size_t n = 0;
    FILE *report = open_memstream(&said, &n);
    int rc = 0;

    c->file = report ? xlu_cfg_init(report, path) : NULL;
    if (!c->file)
        rc = pvb_fail(e, PVBOOT_E_HOST, "no memory to read a configuration");
    else if (xlu_cfg_readdata(c->file, (const char *)text.p, (int)text.len) && !fflush(report))
        rc = complain(path, n ? said : "not understood", e);
    c->report = report;
    c->said = said;
    return rc;
}

int launch_file(struct launch_config *c, const char *path, struct pvboot_error *e)
{
    struct pvboot_file f = { 0 };
    int rc = pvboot_file_read(&f, path, FILE_MAX, e);

    if (!rc)
        rc = parse(c, path, f.bytes, e);
    if (!rc)
        rc = take_all(c, f.bytes, e);
    pvboot_file_dispose(&f);
    return pvb_in_file(e, path, rc);
}

void launch_file_dispose(struct launch_config *c)
{
    if (c->file)
        xlu_cfg_destroy(c->file);
    if (c->report)
        fclose(c->report);
    free(c->said);
    free(c->ramdisks);
    free(c->cmdline);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The pvboot_ keys of a config: each known, of the right type, there once; and what contradicts builder="pvboot". */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>

#define KEY_STEM "pvboot_"

const char *pvb_cfg_get(const struct pvb_cfg *c, const char *key)
{
    const char *value = NULL;

    return c->xlu->get_string(c->scratch, key, &value, 1) ? NULL : value;
}

int pvb_cfg_parse(struct pvb_cfg *c, struct pvboot_bytes text)
{
    c->scratch = c->xlu->init(c->report, c->source);
    return c->scratch ? c->xlu->readdata(c->scratch, (const char *)text.p, (int)text.len) : ENOMEM;
}

bool pvb_cfg_is_ours(const struct pvb_cfg *c)
{
    const char *builder = pvb_cfg_get(c, "builder");

    return builder && !strcmp(builder, PVB_BUILDER);
}

bool pvb_cfg_is_option(const char *key)
{
    return !strncmp(key, KEY_STEM, strlen(KEY_STEM));
}

/* The file as it stands, or what xl has appended from its own command line, where a key may be said once more. */
struct part {
    struct pvboot_bytes text;
    bool overrides;
};

struct where {
    char text[sizeof(((struct pvb_cfg_statement *)0)->key) + 20];
};

static struct where where(const struct part *part, const struct pvb_cfg_statement *st)
{
    struct where w;

    if (part->overrides)
        snprintf(w.text, sizeof(w.text), "command line: %s", st->key);
    else
        snprintf(w.text, sizeof(w.text), "line %u: %s", st->line, st->key);
    return w;
}

static int fail_at(const struct part *part, const struct pvb_cfg_statement *st, struct pvboot_error *e,
                   const char *what)
{
    return pvb_fail(e, PVBOOT_E_USAGE, "%s%s", where(part, st).text, what);
}

static const struct pvb_cfg_key *find_said(const struct pvb_cfg *c, const char *key)
{
    for (size_t i = 0; i < c->n_said; i++)
        if (!strcmp(c->said[i].name, key))
            return &c->said[i];
    return NULL;
}

/* The next word of what the shim's options will be. */
static int add_word(struct pvb_cfg *c, const char *key, const char *value, bool overrides)
{
    size_t left = sizeof(c->words) - c->words_bytes;
    int n = snprintf(c->words + c->words_bytes, left, " %s=%s", key, value);

    if (n < 0 || (size_t)n >= left || c->n_said == PVB_CFG_KEYS_MAX || strlen(key) >= sizeof(c->said[0].name))
        return -1;
    c->words_bytes += (size_t)n;
    strcpy(c->said[c->n_said].name, key);
    c->said[c->n_said++].overrides = overrides;
    return 0;
}

/* One pvboot_ statement: is its key known, its value of the right type, and is it there only once? */
static int take_statement(struct pvb_cfg *c, const struct part *part, const struct pvb_cfg_statement *st,
                          struct pvboot_error *e)
{
    const char *key = st->key + strlen(KEY_STEM), *value = pvb_cfg_get(c, st->key);
    const struct pvb_cfg_key *said = find_said(c, key);
    struct pvboot_error inner = { 0 };
    char list[PVB_SHIM_OPTIONS_MAX];

    if (said && (said->overrides != part->overrides || !c->from_file))
        return 0; /* overridden; in a merged text by what comes last, which is the value we got */
    if (said)
        return fail_at(part, st, e, " is set twice");
    if (!value && !strcmp(key, "ramdisks"))
        value = pvb_cfg_list(c, st->key, list, sizeof(list));
    if (!value)
        return fail_at(part, st, e, ": want one string or number");
    if (pvb_shim_option(key, value, &c->req, &c->paths, &inner))
        return pvb_fail_escaped(e, (enum pvboot_class)inner.code, "%s: %s", where(part, st).text, inner.text);
    if (add_word(c, key, value, part->overrides))
        return pvb_fail(e, PVBOOT_E_LIMIT, "%s: more options than pvshim_extra can hold", where(part, st).text);
    return 0;
}

/* The last statement counts: it is @st if this part has one. */
static int check_type(const struct pvb_cfg *c, const struct part *part, const struct pvb_cfg_statement *st,
                      struct pvboot_error *e)
{
    const char *type = pvb_cfg_get(c, "type");
    char what[128];

    if (!type || !strcmp(type, "pvh"))
        return 0;
    snprintf(what, sizeof(what), "=\"%s\" contradicts builder=\"" PVB_BUILDER "\": want \"pvh\"", type);
    return fail_at(part, st, e, what);
}

static int take_part(struct pvb_cfg *c, struct part part, struct pvboot_error *e)
{
    struct pvb_cfg_statement st, type = { 0 };
    unsigned int line = 1;
    size_t at = 0;
    int rc = 0;

    while (!rc && pvb_cfg_scan(part.text, &at, &line, &st)) {
        if (pvb_cfg_is_option(st.key))
            rc = take_statement(c, &part, &st, e);
        else if (!strncmp(st.key, "pvshim", strlen("pvshim")))
            rc = fail_at(&part, &st, e, " contradicts builder=\"" PVB_BUILDER "\"");
        else if (!strcmp(st.key, "type"))
            type = st;
        if (rc && !part.overrides)
            c->line = st.line;
    }
    if (rc || !type.key[0])
        return rc;
    rc = check_type(c, &part, &type, e);
    if (rc && !part.overrides)
        c->line = type.line;
    return rc;
}

/*
 * How much of @text is the file's; of /dev/null, nothing.  Text that a domain brings (a saved one, or what
 * `xl config-update` has merged) has a name in angle brackets and no second part.
 */
static size_t file_bytes(struct pvb_cfg *c, struct pvboot_bytes text)
{
    struct stat st;

    c->from_file = c->source[0] != '<';
    if (!c->from_file)
        return text.len;
    return !stat(c->source, &st) && S_ISREG(st.st_mode) && (uint64_t)st.st_size <= text.len ? (size_t)st.st_size : 0;
}

int pvb_cfg_options(struct pvb_cfg *c, struct pvboot_bytes text, struct pvboot_error *e)
{
    size_t n = file_bytes(c, text);
    int rc = take_part(c, (struct part){ .text = pvboot_sub(text, n, text.len - n), .overrides = true }, e);

    return rc ? rc : take_part(c, (struct part){ .text = pvboot_sub(text, 0, n) }, e);
}

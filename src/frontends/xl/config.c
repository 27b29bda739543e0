/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * builder="pvboot" and pvboot_*= in an xl.cfg: checked here, then carried in stock, typed, persisted fields
 * (type, pvshim*).  A config that does not say builder="pvboot" is handed on byte for byte.
 */
#include "../../builder/load/load.h"
#include "xl.h"

#include <errno.h>
#include <libxlutil.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BUILDER "pvboot"
#define KEY_STEM "pvboot_"
#define EXPORT __attribute__((visibility("default")))

/* Which file the config being read came from; xl reads one at a time. */
static _Thread_local char config_name[PATH_MAX];

struct options {
    FILE *quiet;     /* where the scratch parse's complaints go */
    XLU_Config *cfg; /* a scratch parse of the same text, to ask it for values */
    struct pvboot_request req;
    struct pvb_paths paths;
    bool from_file; /* and not text that xl has, of a domain that exists already */
    size_t extra_bytes;
    char extra[PVB_OPTIONS_MAX]; /* " entry=linux64 subarch=xen" */
};

static const char *get(const struct options *o, const char *key)
{
    const char *value = NULL;

    return PVB_STOCK(xlu_cfg_get_string)(o->cfg, key, &value, 1) ? NULL : value;
}

/* The file as it stands, or what xl has appended from its own command line, where a key may be said once more. */
struct part {
    struct pvboot_bytes text;
    bool overrides;
    size_t first; /* where its options begin in options.extra */
};

struct where {
    char text[sizeof(((struct pvb_statement *)0)->key) + 20];
};

static struct where where(const struct part *part, const struct pvb_statement *st)
{
    struct where w;

    if (part->overrides)
        snprintf(w.text, sizeof(w.text), "command line: %s", st->key);
    else
        snprintf(w.text, sizeof(w.text), "line %u: %s", st->line, st->key);
    return w;
}

static int fail_at(const struct part *part, const struct pvb_statement *st, struct pvboot_error *e, const char *what)
{
    return pvb_fail(e, PVBOOT_E_USAGE, "%s%s", where(part, st).text, what);
}

/* One pvboot_ statement: is its key known, its value of the right type, and is it there only once? */
static int take_statement(struct options *o, const struct part *part, const struct pvb_statement *st,
                          struct pvboot_error *e)
{
    const char *key = st->key + strlen(KEY_STEM), *value = get(o, st->key), *said;
    struct pvboot_error inner = { 0 };
    char word[80];

    snprintf(word, sizeof(word), " %s=", key);
    said = strstr(o->extra, word);
    if (said && (said < o->extra + part->first || !o->from_file))
        return 0; /* overridden; in a merged text by what comes last, which is the value we got */
    if (said)
        return fail_at(part, st, e, " is set twice");
    if (!value)
        return fail_at(part, st, e, ": want one string or number");
    if (pvb_carrier_option(key, value, &o->req, &o->paths, &inner))
        return pvb_fail_escaped(e, (enum pvboot_class)inner.code, "%s: %s", where(part, st).text, inner.text);
    if (strlen(word) + strlen(value) >= sizeof(o->extra) - o->extra_bytes)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%s: more options than the carrier can hold", where(part, st).text);
    o->extra_bytes +=
        (size_t)snprintf(o->extra + o->extra_bytes, sizeof(o->extra) - o->extra_bytes, "%s%s", word, value);
    return 0;
}

/* The last statement counts: it is @st if this part has one. */
static int check_type(const struct options *o, const struct part *part, const struct pvb_statement *st,
                      struct pvboot_error *e)
{
    const char *type = get(o, "type");
    char what[128];

    if (!type || !strcmp(type, "pvh"))
        return 0;
    snprintf(what, sizeof(what), "=\"%s\" contradicts builder=\"" BUILDER "\": want \"pvh\"", type);
    return fail_at(part, st, e, what);
}

static int take_part(struct options *o, struct part part, struct pvboot_error *e)
{
    struct pvb_statement st, type = { 0 };
    unsigned int line = 1;
    size_t at = 0;
    int rc = 0;

    part.first = o->extra_bytes;
    while (!rc && pvb_scan(part.text, &at, &line, &st)) {
        if (!strncmp(st.key, KEY_STEM, strlen(KEY_STEM)))
            rc = take_statement(o, &part, &st, e);
        else if (!strncmp(st.key, "pvshim", strlen("pvshim")))
            rc = fail_at(&part, &st, e, " contradicts builder=\"" BUILDER "\"");
        else if (!strcmp(st.key, "type"))
            type = st;
    }
    return rc || !type.key[0] ? rc : check_type(o, &part, &type, e);
}

/*
 * How much of @text is the file's; of /dev/null, nothing.  Text that a domain brings (a saved one, or what
 * `xl config-update` has merged) has a name in angle brackets and no second part.
 */
static size_t file_bytes(struct options *o, struct pvboot_bytes text)
{
    struct stat st;

    o->from_file = config_name[0] != '<';
    if (!o->from_file)
        return text.len;
    return !stat(config_name, &st) && S_ISREG(st.st_mode) && (uint64_t)st.st_size <= text.len ? (size_t)st.st_size : 0;
}

static int take_options(struct options *o, struct pvboot_bytes text, struct pvboot_error *e)
{
    size_t n = file_bytes(o, text);
    int rc = take_part(o, (struct part){ .text = pvboot_sub(text, n, text.len - n), .overrides = true }, e);

    return rc ? rc : take_part(o, (struct part){ .text = pvboot_sub(text, 0, n) }, e);
}

/* What else the config says that cannot go together with us. */
static int check_config(const struct options *o, struct pvboot_error *e)
{
    int rc;

    if (pvb_refusal())
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "%s", pvb_refusal());
    if (o->paths.ramdisks && o->req.path == PVBOOT_PATH_STUB)
        return pvb_fail(e, PVBOOT_E_USAGE, "pvboot_ramdisks contradicts pvboot_entry=\"stub\": libxl hands over one");
    if (o->paths.dump_dir && o->req.path == PVBOOT_PATH_STUB)
        return pvb_fail(e, PVBOOT_E_USAGE, "pvboot_dump contradicts pvboot_entry=\"stub\": the guest fills the page");
    rc = pvb_stub_check(e);
    return rc ? rc : pvb_digest_ready(e);
}

/* These read the config of a domain that has its memory already; what lies in /boot by now must not be in its way. */
static bool wants_no_kernel(void)
{
    static const char *const command[] = { "restore", "save", "migrate", "migrate-receive" };

    for (size_t i = 0; i < sizeof(command) / sizeof(command[0]); i++)
        if (!strcmp(pvb_command(), command[i]))
            return true;
    return false;
}

/*
 * What the kernel's header alone can refuse is refused before a domain exists.  What needs the unpacked kernel or
 * the domain's own memory map waits for the build, and so does a kernel that cannot be read.  A missing kernel= is xl's
 * to complain about.
 */
static int preflight(const struct options *o, struct pvboot_error *e)
{
    const char *path = get(o, "kernel");
    struct pvb_looked_at w = { 0 };
    int rc;

    if (!path || !o->from_file || wants_no_kernel() || get(o, "bootloader") || o->req.path == PVBOOT_PATH_STUB)
        return 0;
    rc = pvboot_file_read(&w.file, path, pvboot_limit(o->req.limits.kernel, PVBOOT_KERNEL_MAX), e);
    if (rc == -PVBOOT_E_UNREADABLE) {
        *e = (struct pvboot_error){ 0 };
        return 0;
    }
    if (!rc)
        rc = pvb_kernel_parse(&w, &o->req, PVBOOT_PATH_LINUX64, e); /* a path that unpacks nothing */
    if (!rc && (o->req.path != PVBOOT_PATH_AUTO || w.parsed.image.has_elf ||
                !pvboot_image_needs_elf(&w.parsed.image, o->req.path)))
        rc = pvboot_plan_possible(&w.parsed.image, &o->req, e);
    if (rc)
        pvb_looked_at_dispose(&w);
    else
        pvb_keep(path, &w);
    return pvb_in_file(e, path, rc);
}

/* A guest of ours always has a command line, be it an empty one: recognise.c knows it by that. */
static const char *own_cmdline(const struct options *o)
{
    return get(o, "cmdline") || get(o, "root") || get(o, "extra") ? "" : "cmdline=\"\"\n";
}

/* By length: libxlutil steps over a NUL in a remark, and what stands behind it counts. */
static int rewrite(struct pvboot_bytes *rewritten, struct pvboot_bytes text, const struct options *o,
                   struct pvboot_error *e)
{
    char *ours = NULL, *all = NULL;
    int n = asprintf(&ours,
                     "\ntype=\"pvh\"\npvshim=1\npvshim_path=\"%s\"\npvshim_cmdline=\"" PVB_CARRIER
                     "\"\npvshim_extra=\"%s\"\n%s",
                     pvb_stub_path(), o->extra[0] ? o->extra + 1 : "", own_cmdline(o));

    if (n >= 0)
        all = malloc(text.len + (size_t)n);
    if (all) {
        memcpy(all, text.p, text.len);
        memcpy(all + text.len, ours, (size_t)n);
        *rewritten = (struct pvboot_bytes){ (const uint8_t *)all, text.len + (size_t)n };
    }
    if (n >= 0)
        free(ours);
    return all ? 0 : pvb_fail(e, PVBOOT_E_HOST, "no memory for a config of %zu bytes", text.len);
}

static int read_ours(XLU_Config *cfg, struct options *o, struct pvboot_bytes text)
{
    struct pvboot_bytes rewritten = { 0 };
    struct pvboot_error e = { 0 };
    int rc, r;

    pvboot_request_init(&o->req);
    rc = take_options(o, text, &e);
    if (!rc)
        rc = check_config(o, &e);
    if (!rc)
        rc = rewrite(&rewritten, text, o, &e);
    if (rc)
        pvb_in_file(&e, config_name, rc);
    else
        rc = preflight(o, &e);
    if (rc)
        pvb_report(&e);
    r = rc ? EINVAL : PVB_STOCK(xlu_cfg_readdata)(cfg, (const char *)rewritten.p, (int)rewritten.len);
    free((void *)rewritten.p);
    return r;
}

/*
 * Parse @text on the side, in silence, since the stock parse makes the complaints.  A text that does not parse is not
 * ours; where the host is at fault we say so, and xl refuses a builder that it does not know.
 */
static bool is_ours(struct options *o, struct pvboot_bytes text)
{
    struct pvboot_error e = { 0 };
    const char *builder;
    int r = ENOMEM;

    o->quiet = fopen("/dev/null", "we");
    if (o->quiet)
        o->cfg = PVB_STOCK(xlu_cfg_init)(o->quiet, config_name);
    if (o->cfg)
        r = PVB_STOCK(xlu_cfg_readdata)(o->cfg, (const char *)text.p, (int)text.len);
    if (r == ENOMEM) {
        pvb_in_file(&e, config_name,
                    pvb_fail(&e, PVBOOT_E_HOST, "no memory or descriptor to look for builder=\"" BUILDER "\""));
        pvb_report(&e);
    }
    builder = r ? NULL : get(o, "builder");
    return builder && !strcmp(builder, BUILDER);
}

EXPORT XLU_Config *xlu_cfg_init(FILE *report, const char *report_filename)
{
    (void)pvb_refusal(); /* if the program has opened libxl by now, this is the time to register */
    snprintf(config_name, sizeof(config_name), "%s", report_filename);
    return PVB_STOCK(xlu_cfg_init)(report, report_filename);
}

EXPORT int xlu_cfg_readdata(XLU_Config *cfg, const char *data, int length)
{
    struct pvboot_bytes text = { (const uint8_t *)data, (size_t)(length > 0 ? length : 0) };
    struct options o = { 0 };
    int r;

    if (memmem(text.p, text.len, BUILDER, strlen(BUILDER)) && is_ours(&o, text))
        r = read_ours(cfg, &o, text);
    else
        r = PVB_STOCK(xlu_cfg_readdata)(cfg, data, length);
    if (o.cfg)
        PVB_STOCK(xlu_cfg_destroy)(o.cfg);
    if (o.quiet)
        fclose(o.quiet);
    pvb_paths_dispose(&o.paths);
    return r;
}

/* xl refuses a builder it does not know: hide ours, but only in a config that has been rewritten. */
EXPORT int xlu_cfg_get_string(const XLU_Config *cfg, const char *n, const char **value_r, int dont_warn)
{
    __typeof__(&xlu_cfg_get_string) stock = PVB_STOCK(xlu_cfg_get_string);
    const char *carrier = NULL;
    int r = stock(cfg, n, value_r, dont_warn);

    if (!r && !strcmp(n, "builder") && !strcmp(*value_r, BUILDER) && !stock(cfg, "pvshim_cmdline", &carrier, 1) &&
        !strcmp(carrier, PVB_CARRIER))
        r = ESRCH;
    return r;
}

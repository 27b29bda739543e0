/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * builder="pvboot" and pvboot_*= in an xl.cfg: checked here, then carried in stock, typed, persisted fields
 * (type, pvshim*).  A config that does not say builder="pvboot" is handed on byte for byte.
 */
#include "xl.h"

#include <errno.h>
#include <libxlutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BUILDER "pvboot"
#define KEY_STEM "pvboot_"
#define EXPORT __attribute__((visibility("default")))
#define STOCK(f) ((__typeof__(&f))pvb_next(#f))

/* Which file the config being read came from; xl reads one at a time. */
static _Thread_local char source[160];

struct options {
    XLU_Config *cfg; /* a scratch parse of the same text, to ask it for values */
    struct pvboot_request req;
    char *dump_dir;
    char *extra; /* "entry=linux64 subarch=xen" */
    size_t extra_bytes;
};

static const char *get(const struct options *o, const char *key)
{
    const char *value = NULL;

    return STOCK(xlu_cfg_get_string)(o->cfg, key, &value, 1) ? NULL : value;
}

/* One pvboot_ statement: is its key known, its value of the right type, and is it there only once? */
static int take_statement(struct options *o, FILE *extra, const struct pvb_statement *st, struct pvboot_error *e)
{
    const char *key = st->key + strlen(KEY_STEM), *value = get(o, st->key);
    char word[80];
    int rc;

    snprintf(word, sizeof(word), " %s=", key);
    fflush(extra);
    if (o->extra && strstr(o->extra, word))
        return pvb_fail(e, PVBOOT_E_USAGE, "line %u: %s is set twice", st->line, st->key);
    if (!value)
        return pvb_fail(e, PVBOOT_E_USAGE, "line %u: %s: want one string or number", st->line, st->key);
    rc = pvb_carrier_option(key, value, &o->req, &o->dump_dir, e);
    if (rc) {
        struct pvboot_error inner = *e;

        *e = (struct pvboot_error){ 0 };
        return pvb_fail(e, (enum pvboot_class)inner.code, "line %u: " KEY_STEM "%s", st->line, inner.text);
    }
    fprintf(extra, "%s%s", word, value);
    return 0;
}

static int take_options(struct options *o, struct pvboot_bytes text, struct pvboot_error *e)
{
    FILE *extra = open_memstream(&o->extra, &o->extra_bytes);
    struct pvb_statement st;
    unsigned int line = 1;
    size_t at = 0;
    int rc = 0;

    if (!extra)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for options");
    while (!rc && pvb_scan(text, &at, &line, &st)) {
        if (!strncmp(st.key, KEY_STEM, strlen(KEY_STEM)))
            rc = take_statement(o, extra, &st, e);
        else if (!strncmp(st.key, "pvshim", strlen("pvshim")))
            rc = pvb_fail(e, PVBOOT_E_USAGE, "line %u: %s contradicts builder=\"" BUILDER "\"", st.line, st.key);
    }
    if (fclose(extra) && !rc)
        rc = pvb_fail(e, PVBOOT_E_HOST, "no memory for options");
    return rc;
}

/* What else the config says that cannot go together with us. */
static int check_config(const struct options *o, struct pvboot_error *e)
{
    const char *type = get(o, "type");

    if (pvb_refusal())
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "%s", pvb_refusal());
    if (type && strcmp(type, "pvh"))
        return pvb_fail(e, PVBOOT_E_USAGE, "type=\"%s\" contradicts builder=\"" BUILDER "\": want \"pvh\"", type);
    if (access(pvb_stub_path(), R_OK))
        return pvb_fail(e, PVBOOT_E_HOST, "%s, which belongs beside the plugin, is not readable: errno %d",
                        pvb_stub_path(), errno);
    return 0;
}

/*
 * What the kernel's header alone can refuse is refused before a domain exists.  What needs the unpacked kernel or
 * the domain's own memory map waits for the build; a missing kernel= is xl's to complain about.
 */
static int preflight(const struct options *o, struct pvboot_error *e)
{
    const char *path = get(o, "kernel");
    struct pvboot_kernel k = { 0 };
    int rc;

    if (!path || get(o, "bootloader") || o->req.path == PVBOOT_PATH_STUB)
        return 0;
    rc = pvboot_kernel_open(&k, path, e);
    if (!rc && !pvboot_image_needs_elf(&k.image, o->req.path))
        rc = pvb_in_file(e, path, pvboot_plan_possible(&k.image, &o->req, e));
    pvboot_kernel_dispose(&k);
    return rc;
}

static int read_rewritten(XLU_Config *cfg, struct pvboot_bytes text, const char *extra)
{
    char *rewritten = NULL;
    int n, r;

    n = asprintf(&rewritten,
                 "%.*s\ntype=\"pvh\"\npvshim=1\npvshim_path=\"%s\"\npvshim_cmdline=\"" PVB_CARRIER
                 "\"\npvshim_extra=\"%s\"\n",
                 (int)text.len, (const char *)text.p, pvb_stub_path(), extra[0] ? extra + 1 : "");
    if (n < 0)
        return ENOMEM;
    r = STOCK(xlu_cfg_readdata)(cfg, rewritten, n);
    free(rewritten);
    return r;
}

static int read_ours(XLU_Config *cfg, struct options *o, struct pvboot_bytes text)
{
    struct pvboot_error e = { 0 };
    int rc;

    pvboot_request_init(&o->req);
    rc = take_options(o, text, &e);
    if (!rc)
        rc = check_config(o, &e);
    if (rc)
        pvb_in_file(&e, source, rc);
    else
        rc = preflight(o, &e);
    if (rc)
        pvb_report(&e);
    return rc ? EINVAL : read_rewritten(cfg, text, o->extra);
}

EXPORT XLU_Config *xlu_cfg_init(FILE *report, const char *report_filename)
{
    snprintf(source, sizeof(source), "%s", report_filename);
    return STOCK(xlu_cfg_init)(report, report_filename);
}

EXPORT int xlu_cfg_readdata(XLU_Config *cfg, const char *data, int length)
{
    struct pvboot_bytes text = { (const uint8_t *)data, (size_t)(length > 0 ? length : 0) };
    struct options o = { 0 };
    FILE *quiet = NULL;
    const char *builder;
    int r = -1;

    if (memmem(text.p, text.len, BUILDER, strlen(BUILDER)))
        quiet = fopen("/dev/null", "w"); /* the stock parse below makes the complaints */
    if (quiet)
        o.cfg = STOCK(xlu_cfg_init)(quiet, source);
    if (o.cfg && !STOCK(xlu_cfg_readdata)(o.cfg, data, length)) {
        builder = get(&o, "builder");
        if (builder && !strcmp(builder, BUILDER))
            r = read_ours(cfg, &o, text);
    }
    if (r < 0)
        r = STOCK(xlu_cfg_readdata)(cfg, data, length);
    if (o.cfg)
        STOCK(xlu_cfg_destroy)(o.cfg);
    if (quiet)
        fclose(quiet);
    free(o.extra);
    free(o.dump_dir);
    return r;
}

/* xl refuses a builder it does not know: hide ours, but only in a config that has been rewritten. */
EXPORT int xlu_cfg_get_string(const XLU_Config *cfg, const char *n, const char **value_r, int dont_warn)
{
    __typeof__(&xlu_cfg_get_string) stock = STOCK(xlu_cfg_get_string);
    const char *carrier = NULL;
    int r = stock(cfg, n, value_r, dont_warn);

    if (!r && !strcmp(n, "builder") && !strcmp(*value_r, BUILDER) && !stock(cfg, "pvshim_cmdline", &carrier, 1) &&
        !strcmp(carrier, PVB_CARRIER))
        r = ESRCH;
    return r;
}

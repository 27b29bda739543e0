/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * builder="pvboot" and pvboot_*= in an xl.cfg: checked here, then carried in stock, typed, persisted fields
 * (type, pvshim*).  A config that does not say builder="pvboot" is handed on byte for byte.
 */
#include "xl.h"

#include <errno.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

/* Each symbol is looked for once; the table is on the caller's side, so that no two threads write one. */
static struct pvb_xlu stock_xlu(void)
{
    return (struct pvb_xlu){
        .init = PVB_STOCK(xlu_cfg_init),
        .destroy = PVB_STOCK(xlu_cfg_destroy),
        .readdata = PVB_STOCK(xlu_cfg_readdata),
        .get_string = PVB_STOCK(xlu_cfg_get_string),
        .get_list = PVB_STOCK(xlu_cfg_get_list),
        .get_listitem = PVB_STOCK(xlu_cfg_get_listitem),
    };
}

/* A guest of ours always has a command line, be it an empty one: owner.c knows it by that. */
static const char *own_cmdline(const struct pvb_cfg *c)
{
    return pvb_cfg_get(c, "cmdline") || pvb_cfg_get(c, "root") || pvb_cfg_get(c, "extra") ? "" : "cmdline=\"\"\n";
}

/* By length: libxlutil steps over a NUL in a remark, and what stands behind it counts. */
static int rewrite(struct pvboot_bytes *rewritten, struct pvboot_bytes text, const struct pvb_cfg *c,
                   struct pvboot_error *e)
{
    char *ours = NULL, *all = NULL;
    int n = asprintf(&ours,
                     "\ntype=\"pvh\"\npvshim=1\npvshim_path=\"%s\"\npvshim_cmdline=\"" PVB_SHIM_WORD
                     "\"\npvshim_extra=\"%s\"\n%s",
                     pvb_stub_path(), c->words[0] ? c->words + 1 : "", own_cmdline(c));

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

static int read_ours(XLU_Config *cfg, struct pvb_cfg *c, struct pvboot_bytes text)
{
    struct pvboot_bytes rewritten = { 0 };
    struct pvboot_error e = { 0 };
    int rc, r;

    pvboot_request_init(&c->req);
    rc = pvb_cfg_options(c, text, &e);
    if (!rc)
        rc = pvb_preflight(c, &e);
    if (!rc)
        rc = rewrite(&rewritten, text, c, &e);
    if (pvb_in_file(&e, c->source, rc))
        pvb_report(&e);
    r = rc ? EINVAL : PVB_STOCK(xlu_cfg_readdata)(cfg, (const char *)rewritten.p, (int)rewritten.len);
    free((void *)rewritten.p);
    return r;
}

/*
 * Parse @text on the side, in silence, since the stock parse makes the complaints.  A text that does not parse is not
 * ours; where the host is at fault we say so, and xl refuses a builder that it does not know.
 */
static bool look(struct pvb_cfg *c, struct pvboot_bytes text)
{
    struct pvboot_error e = { 0 };
    int r = ENOMEM;

    c->report = fopen("/dev/null", "we");
    if (c->report)
        r = pvb_cfg_parse(c, text);
    if (r == ENOMEM) {
        pvb_in_file(&e, c->source,
                    pvb_fail(&e, PVBOOT_E_HOST, "no memory or descriptor to look for builder=\"" PVB_BUILDER "\""));
        pvb_report(&e);
    }
    return !r;
}

/* A domain that means us and does not say so is built by stock code, as it has to be; its owner wants to know. */
static void warn_of_stray(const struct pvb_cfg *c, struct pvboot_bytes text)
{
    struct pvboot_error e = { 0 };
    struct pvb_cfg_statement st;
    unsigned int line = 1;
    size_t at = 0;

    while (pvb_cfg_scan(text, &at, &line, &st)) {
        if (!pvb_cfg_is_option(st.key))
            continue;
        pvb_in_file(&e, c->source, pvb_fail(&e, PVBOOT_E_USAGE, "line %u: %s", st.line, st.key));
        fprintf(stderr, "pvboot: note: %s: %s does nothing without builder=\"" PVB_BUILDER "\"\n", e.file, e.text);
        return;
    }
}

EXPORT XLU_Config *xlu_cfg_init(FILE *report, const char *report_filename)
{
    XLU_Config *cfg;

    (void)pvb_refusal(); /* if the program has opened libxl by now, this is the time to register */
    cfg = PVB_STOCK(xlu_cfg_init)(report, report_filename);
    if (cfg && !pvb_cfg_source_set(cfg, report_filename)) {
        PVB_STOCK(xlu_cfg_destroy)(cfg);
        cfg = NULL;
    }
    return cfg;
}

EXPORT void xlu_cfg_destroy(XLU_Config *cfg)
{
    pvb_cfg_source_drop(cfg);
    PVB_STOCK(xlu_cfg_destroy)(cfg);
}

EXPORT int xlu_cfg_readdata(XLU_Config *cfg, const char *data, int length)
{
    struct pvboot_bytes text = { (const uint8_t *)data, (size_t)(length > 0 ? length : 0) };
    const struct pvb_xlu xlu = stock_xlu();
    struct pvb_cfg c = { .xlu = &xlu, .source = pvb_cfg_source(cfg) };
    bool looked = memmem(text.p, text.len, PVB_BUILDER, strlen(PVB_BUILDER)) && look(&c, text);
    int r;

    if (looked && pvb_cfg_is_ours(&c)) {
        r = read_ours(cfg, &c, text);
    } else {
        r = PVB_STOCK(xlu_cfg_readdata)(cfg, data, length);
        if (looked && !r)
            warn_of_stray(&c, text);
    }
    if (c.scratch)
        PVB_STOCK(xlu_cfg_destroy)(c.scratch);
    if (c.report)
        fclose(c.report);
    pvb_paths_dispose(&c.paths);
    return r;
}

/* xl refuses a builder it does not know: hide ours, but only in a config that has been rewritten. */
EXPORT int xlu_cfg_get_string(const XLU_Config *cfg, const char *n, const char **value_r, int dont_warn)
{
    __typeof__(&xlu_cfg_get_string) stock = PVB_STOCK(xlu_cfg_get_string);
    const char *shim = NULL;
    int r = stock(cfg, n, value_r, dont_warn);

    if (!r && !strcmp(n, "builder") && !strcmp(*value_r, PVB_BUILDER) && !stock(cfg, "pvshim_cmdline", &shim, 1) &&
        !strcmp(shim, PVB_SHIM_WORD))
        r = ESRCH;
    return r;
}

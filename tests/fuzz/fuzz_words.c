/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Everything an administrator can write: keys and values, the carrier, an xl.cfg, the guest's command line.
 * The oracle for an xl.cfg is libxlutil: a key that it knows, our scanner has seen, and the other way round.
 */
#include "builder/plan/plan.h"
#include "config/config.h"
#include "fuzz.h"

#include <libxlutil.h>
#include <stdlib.h>

/* libxlutil forgets what it has read of a text that does not parse. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libxlutil";
}

static void option(char *key)
{
    struct pvboot_error e = { 0 };
    struct pvboot_request req, before;
    char *value = strchr(key, '=');
    int rc;

    if (value)
        *value++ = 0;
    pvboot_request_init(&req);
    before = req;
    rc = pvboot_request_set(&req, key, value ? value : "", &e);
    fuzz_judge(rc, &e);
    FUZZ_MUST(!rc || (rc == -PVBOOT_E_USAGE && !memcmp(&req, &before, sizeof(req))));
    FUZZ_MUST(rc || (pvboot_path_name(req.path) && req.sandbox <= PVBOOT_SANDBOX_OFF));
    FUZZ_MUST(pvb_distance(key, key) == (strlen(key) > 15 ? SIZE_MAX : 0));
    FUZZ_MUST(pvb_distance(key, "entry") == pvb_distance("entry", key));
}

static void carrier(const char *text)
{
    struct pvboot_error e = { 0 };
    struct pvboot_request req;
    struct pvb_paths paths = { 0 };

    pvboot_request_init(&req);
    if (pvb_shim_options_present(text))
        fuzz_judge(pvb_shim_options_parse(text, &req, &paths, &e), &e);
    pvb_paths_dispose(&paths);
}

/* A longer one is refused; of a shorter one no control byte gets through. */
static void cmdline(const char *text, unsigned int max)
{
    struct pvboot_image img = { .has_bzimage = true, .bz.cmdline_max = max };
    struct pvboot_error e = { 0 };
    int rc = pvb_check_cmdline(&img, PVBOOT_PATH_LINUX64, text, &e);
    bool plain = true;

    fuzz_judge(rc, &e);
    for (const char *c = text; *c; c++)
        plain &= (uint8_t)*c >= ' ' && *c != 0x7f;
    FUZZ_MUST((rc == -PVBOOT_E_LIMIT) == (strlen(text) > max));
    FUZZ_MUST(!rc == (plain && strlen(text) <= max));
    (void)pvb_kernel_version(text);
}

static bool scanned(struct pvboot_bytes text, const char *key)
{
    struct pvb_cfg_statement st;
    unsigned int line = 1;
    size_t at = 0;

    while (pvb_cfg_scan(text, &at, &line, &st))
        if (!strcmp(st.key, key))
            return true;
    return false;
}

static bool known(const XLU_Config *cfg, const char *key)
{
    const char *value;
    XLU_ConfigList *list;
    int n;

    return !xlu_cfg_get_string(cfg, key, &value, 1) || !xlu_cfg_get_list(cfg, key, &list, &n, 1);
}

/* Each statement that counts is one to both. */
static void config(struct pvboot_bytes text)
{
    static const char *const key[] = { "pvboot_entry", "pvboot_dump", "pvshim", "kernel", "a" };
    static FILE *quiet;
    struct pvb_cfg_statement st;
    XLU_Config *cfg;
    unsigned int line = 1, lines = 1;
    size_t at = 0, before;

    for (size_t i = 0; i < text.len; i++)
        lines += text.p[i] == '\n';
    if (!quiet)
        quiet = fopen("/dev/null", "w");
    cfg = xlu_cfg_init(quiet, "fuzz");
    FUZZ_MUST(quiet && cfg);
    /* libxlutil's lexer ends the process when a string holds a NUL: xl's users have no such files */
    if (!memchr(text.p, 0, text.len) && !xlu_cfg_readdata(cfg, (const char *)text.p, (int)text.len)) {
        for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++)
            FUZZ_MUST(known(cfg, key[i]) == scanned(text, key[i]));
    }
    for (before = 0; pvb_cfg_scan(text, &at, &line, &st); before = at)
        FUZZ_MUST(at > before && at <= text.len && st.key[0] && line <= lines);
    xlu_cfg_destroy(cfg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pvboot_bytes in = { data, size };
    unsigned int what = fuzz_byte(&in) % 4, max = fuzz_byte(&in) * 16u + 1;
    char *text = malloc(in.len + 1);

    if (in.len)
        memcpy(text, in.p, in.len);
    text[in.len] = 0;
    if (what == 0)
        option(text);
    else if (what == 1)
        carrier(text);
    else if (what == 2)
        cmdline(text, max > PVBOOT_CMDLINE_MAX ? PVBOOT_CMDLINE_MAX : max);
    else
        config(in);
    free(text);
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* `check`: would xl create, with the plugin, build what these files describe?  A line for each, and no Xen. */
#include "../../builder/describe/describe.h"
#include "xlcfg.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct check {
    bool json;
    json_t *files; /* with --json: what is to be printed */
    char helper[PATH_MAX + 32];
};

/* One file under examination. */
struct subject {
    const char *path;
    struct xlcfg x;
    struct pvb_trial trial;
    bool ours;
    unsigned int line; /* of what was refused; 0: none */
    struct pvboot_error e;
};

static bool passed_over(const struct subject *s)
{
    return !s->ours && !s->e.code;
}

static void examine(struct subject *s)
{
    struct pvb_cfg *cfg = &s->x.cfg;
    int rc;

    pvboot_request_init(&cfg->req);
    rc = cli_sandbox_default(&cfg->req, &s->e);
    if (!rc)
        rc = xlcfg_open(&s->x, s->path, &s->e);
    s->ours = !rc && pvb_cfg_is_ours(cfg);
    if (s->ours)
        rc = pvb_cfg_options(cfg, s->x.file.bytes, &s->e);
    if (s->ours && !rc) {
        rc = pvb_cfg_try(&s->trial, cfg, &s->e);
        if (!rc && !s->trial.domain.kernel && !s->trial.domain.bootloader)
            rc = pvb_fail(&s->e, PVBOOT_E_USAGE, "neither kernel nor bootloader");
        s->line = rc && s->trial.key ? xlcfg_line(&s->x, s->trial.key) : 0;
    }
    if (rc && !s->line)
        s->line = cfg->line;
}

/* Where the sentence names the line already, it need not be said twice. */
static const char *sentence(const struct subject *s)
{
    char prefix[32];

    snprintf(prefix, sizeof(prefix), "line %u: ", s->line);
    return s->line && !strncmp(s->e.text, prefix, strlen(prefix)) ? s->e.text + strlen(prefix) : s->e.text;
}

/* The file that the sentence is about, if it is another one; "": the config. */
static const char *other_file(const struct subject *s, const char *shown)
{
    return strcmp(s->e.file, shown) ? s->e.file : "";
}

static void describe_guest(const struct subject *s, char *text, size_t n)
{
    const struct pvb_cfg_domain *d = &s->trial.domain;

    if (passed_over(s))
        snprintf(text, n, "not ours: stock xl builds it, and nothing has been looked at");
    else if (s->trial.planned)
        snprintf(text, n, "%s, %" PRIu64 " MiB, %" PRIu64 " vCPU%s", pvboot_path_name(s->trial.plan.path),
                 d->memory_mib, d->vcpus, d->vcpus == 1 ? "" : "s");
    else
        snprintf(text, n, "%s, so the kernel has not been looked at",
                 d->bootloader ? "a bootloader finds the kernel" : "the stub starts the kernel inside the guest");
}

/* The statements that nobody reads. */
static void warn(const struct subject *s, const char *shown, json_t *warnings)
{
    static const char text[] = "without builder=\"" PVB_BUILDER "\" nobody reads it";
    struct pvb_cfg_statement st;
    unsigned int line = 1;
    size_t at = 0;

    while (passed_over(s) && pvb_cfg_scan(s->x.file.bytes, &at, &line, &st)) {
        if (!pvb_cfg_is_option(st.key))
            continue;
        if (warnings)
            json_array_append_new(warnings,
                                  json_pack("{s:i, s:s, s:s}", "line", (int)st.line, "key", st.key, "text", text));
        else
            printf("%s:%u: warning: %s: %s\n", shown, st.line, st.key, text);
    }
}

static void print_text(const struct subject *s)
{
    const char *other, *verdict = s->e.code ? pvboot_class_name(s->e.code) : "ok";
    char shown[4 * PATH_MAX], guest[128];

    pvb_escape(shown, sizeof(shown), s->path, strlen(s->path));
    printf("%s", shown);
    if (s->line)
        printf(":%u", s->line);
    other = other_file(s, shown);
    describe_guest(s, guest, sizeof(guest));
    if (s->e.code)
        printf(": %s: %s%s%s\n", verdict, other, *other ? ": " : "", sentence(s));
    else
        printf(": %s: %s\n", verdict, guest);
    for (size_t i = 0; s->trial.planned && i < sizeof(s->trial.plan.notes) / sizeof(s->trial.plan.notes[0]); i++)
        if (s->trial.plan.notes[i][0])
            printf("%s: note: %s\n", shown, s->trial.plan.notes[i]);
    warn(s, shown, NULL);
}

static json_t *describe_notes(const struct pvboot_plan *plan)
{
    json_t *notes = json_array();

    for (size_t i = 0; i < sizeof(plan->notes) / sizeof(plan->notes[0]); i++)
        if (plan->notes[i][0])
            json_array_append_new(notes, json_string(plan->notes[i]));
    return notes;
}

static json_t *describe(const struct subject *s)
{
    char shown[4 * PATH_MAX], guest[128];
    json_t *o = json_object(), *warnings = json_array();

    pvb_escape(shown, sizeof(shown), s->path, strlen(s->path));
    describe_guest(s, guest, sizeof(guest));
    json_object_set_new(o, "file", json_string(shown));
    json_object_set_new(o, "verdict", json_string(s->e.code ? pvboot_class_name(s->e.code) : "ok"));
    json_object_set_new(o, "exit", json_integer(s->e.code));
    json_object_set_new(o, "line", s->line ? json_integer(s->line) : json_null());
    json_object_set_new(o, "about", json_string(s->e.code && *other_file(s, shown) ? s->e.file : shown));
    json_object_set_new(o, "text", json_string(s->e.code ? sentence(s) : guest));
    json_object_set_new(o, "ours", json_boolean(s->ours));
    json_object_set_new(o, "entry", s->trial.planned ? json_string(pvboot_path_name(s->trial.plan.path)) : json_null());
    json_object_set_new(o, "notes", describe_notes(&s->trial.plan));
    warn(s, shown, warnings);
    json_object_set_new(o, "warnings", warnings);
    return o;
}

static int check_file(const struct check *c, const char *path, struct pvboot_error *e)
{
    struct subject *s = calloc(1, sizeof(*s));
    int rc;

    if (!s)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a plan");
    s->path = path;
    s->trial.helper = c->helper;
    examine(s);
    if (s->trial.kernel.missing[0])
        fprintf(stderr, "pvboot: note: the kernel's parser ran without: %s\n", s->trial.kernel.missing);
    if (c->json)
        json_array_append_new(c->files, describe(s));
    else
        print_text(s);
    rc = -s->e.code;
    pvb_trial_dispose(&s->trial);
    xlcfg_close(&s->x);
    free(s);
    return rc;
}

static int parse_options(struct check *c, int argc, char **argv, struct pvboot_error *e)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
    const struct cli_args args = { argc, argv, ":", options, e };
    const char *name;
    int opt;

    while ((opt = cli_getopt(&args, &name)) != -1) {
        if (opt == CLI_REFUSED)
            return -PVBOOT_E_USAGE;
        c->json = true;
    }
    return optind < argc ? 0 : pvb_fail(e, PVBOOT_E_USAGE, "no configuration given");
}

int cli_check(int argc, char **argv, struct pvboot_error *e)
{
    static struct check c;
    int rc = parse_options(&c, argc, argv, e), worst = 0;

    if (rc)
        return rc;
    cli_helper(c.helper, sizeof(c.helper));
    c.files = json_array();
    for (int i = optind; i < argc && !e->code; i++) {
        rc = check_file(&c, argv[i], e);
        worst = worst ? worst : rc;
    }
    if (c.json && !e->code)
        (void)!cli_print_json(json_pack("{s:O}", "files", c.files), e);
    json_decref(c.files);
    return e->code ? -e->code : worst;
}

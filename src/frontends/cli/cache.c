/* SPDX-License-Identifier: LGPL-2.1-only */
/* The verb that fills the cache of unpacked kernels and looks after it; a build only reads there. */
#include "../../cache/cache.h"
#include "cli.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define MIB_SHIFT 20
#define MIB_MAX (UINT64_MAX >> MIB_SHIFT)

enum { OPT_CACHE = 256, OPT_MAX, OPT_ALL, OPT_JSON, OPT_REQUEST };

struct cache {
    struct pvb_cache_job job;
    bool json, all;
    char **kernel;
    int n;
    json_t *said; /* an array, for --json */
    char helper[PATH_MAX + 32];
};

struct cache_verb {
    const char *name,
        *letters; /* c: --cache, m: --max, l: the parser's limits, a: --all, j: --json, k: wants kernels */
    int (*run)(struct cache *c, struct pvboot_error *e);
};

static int add(struct cache *c, struct pvboot_error *e)
{
    int rc = 0;

    for (int i = 0; !rc && i < c->n; i++) {
        char shown[4 * PATH_MAX];
        bool had = false;

        rc = pvb_cache_add(&c->job, c->kernel[i], &had, e);
        pvb_escape(shown, sizeof(shown), c->kernel[i], strlen(c->kernel[i]));
        if (!rc)
            printf("%s: %s\n", shown, had ? "there already" : "added");
    }
    return rc;
}

static json_t *hex(const uint8_t sha256[32])
{
    char text[65];

    for (size_t i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", sha256[i]);
    return json_string(text);
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *describe(const struct pvb_cache_fact *f, const char *shown)
{
    json_t *o = json_pack("{s:s, s:s, s:o, s:o}", "path", shown, "state", f->state, "odd", text_or_null(f->odd),
                          "kernel_version", text_or_null(f->version));

    if (!o || !f->known)
        return o;
    json_object_set_new(o, "sha256", hex(f->file_sha256));
    json_object_set_new(o, "elf_sha256", hex(f->elf_sha256));
    json_object_set_new(o, "elf_bytes", json_integer((json_int_t)f->elf_bytes));
    json_object_set_new(o, "disk_bytes", json_integer((json_int_t)f->disk_bytes));
    json_object_set_new(o, "used", json_integer(f->used_s));
    json_object_set_new(o, "unpacked_again", json_boolean(f->unpacked_again));
    return o;
}

static void show(const struct pvb_cache_fact *f, const char *shown)
{
    char used[32] = "";
    time_t t = (time_t)f->used_s;
    struct tm tm;

    printf("%s  %s", shown, f->state);
    if (f->known && gmtime_r(&t, &tm) && strftime(used, sizeof(used), "%Y-%m-%d", &tm))
        printf(", %" PRIu64 " MiB, %" PRIu64 " MiB on disk, used %s", f->elf_bytes >> MIB_SHIFT,
               f->disk_bytes >> MIB_SHIFT, used);
    if (f->unpacked_again)
        printf(", unpacks to the same");
    if (f->odd)
        printf(": %s", f->odd);
    printf("\n");
}

static void tell(const struct pvb_cache_fact *fact, void *closure)
{
    char shown[4 * PATH_MAX];
    struct cache *c = closure;

    pvb_escape(shown, sizeof(shown), fact->path, strlen(fact->path));
    if (c->json)
        json_array_append_new(c->said, describe(fact, shown));
    else
        show(fact, shown);
}

/* What has been told is printed also when some of it is bad. */
static int print(struct cache *c, int rc, struct pvboot_error *e)
{
    struct pvboot_error *failed = rc ? NULL : e;
    int printed;

    if (!c->json)
        return rc;
    printed = cli_print_json(json_pack("{s:O}", "entries", c->said), failed);
    return rc ? rc : printed;
}

static int list(struct cache *c, struct pvboot_error *e)
{
    return print(c, pvb_cache_list(&c->job, tell, c, e), e);
}

static int verify(struct cache *c, struct pvboot_error *e)
{
    return print(c, pvb_cache_verify(&c->job, c->kernel, c->n, tell, c, e), e);
}

static int drop(struct cache *c, struct pvboot_error *e)
{
    int rc = 0;

    if (c->all == (c->n > 0))
        return pvb_fail(e, PVBOOT_E_USAGE, "which? Want kernels or --all");
    if (c->all)
        return pvb_cache_drop(&c->job, NULL, e);
    for (int i = 0; !rc && i < c->n; i++)
        rc = pvb_cache_drop(&c->job, c->kernel[i], e);
    return rc;
}

static const struct cache_verb verbs[] = {
    { "add", "cmlk", add },
    { "list", "cj", list },
    { "verify", "cjlk", verify },
    { "drop", "cak", drop },
};

static int take_option(struct cache *c, struct pvboot_request *limits, int opt, const char *name,
                       struct pvboot_error *e)
{
    uint64_t mib;
    int rc;

    switch (opt) {
    case OPT_CACHE:
        c->job.dir = optarg;
        return 0;
    case OPT_ALL:
        c->all = true;
        return 0;
    case OPT_JSON:
        c->json = true;
        return 0;
    case OPT_MAX:
        rc = cli_number("max", optarg, MIB_MAX, &mib, e);
        if (!rc && !mib)
            rc = pvb_fail(e, PVBOOT_E_USAGE, "--max 0: want a MiB at least");
        c->job.bytes_max = rc ? 0 : mib << MIB_SHIFT;
        return rc;
    default:
        return cli_set_request(limits, name, optarg, e);
    }
}

/* Those that @v has. */
static int options_of(const struct cache_verb *v, struct option *options)
{
    static const struct {
        char letter;
        struct option option;
    } known[] = {
        { 'c', { "cache", required_argument, NULL, OPT_CACHE } },
        { 'm', { "max", required_argument, NULL, OPT_MAX } },
        { 'l', { "kernel-max", required_argument, NULL, OPT_REQUEST } },
        { 'l', { "unpacked-max", required_argument, NULL, OPT_REQUEST } },
        { 'a', { "all", no_argument, NULL, OPT_ALL } },
        { 'j', { "json", no_argument, NULL, OPT_JSON } },
    };
    int n = 0;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strchr(v->letters, known[i].letter))
            options[n++] = known[i].option;
    options[n] = (struct option){ 0 };
    return n;
}

static int parse(struct cache *c, const struct cache_verb *v, int argc, char **argv, struct pvboot_error *e)
{
    struct option options[8];
    const struct cli_args args = { argc, argv, ":", options, e };
    struct pvboot_request limits;
    const char *name;
    int opt, rc = 0;

    options_of(v, options);
    pvboot_request_init(&limits);
    while (!rc && (opt = cli_getopt(&args, &name)) != -1)
        rc = opt == CLI_REFUSED ? -PVBOOT_E_USAGE : take_option(c, &limits, opt, name, e);
    c->job.limits = limits.limits;
    c->kernel = argv + optind;
    c->n = argc - optind;
    if (!rc && c->n && !strchr(v->letters, 'k'))
        rc = pvb_fail(e, PVBOOT_E_USAGE, "'%s' is too much", argv[optind]);
    if (!rc && !c->n && v->run == add)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "no kernel given");
    return rc;
}

static int run(const struct cache_verb *v, int argc, char **argv, struct pvboot_error *e)
{
    struct cache c = { .job.dir = pvb_cache_dir(NULL) };
    char self[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    int rc;

    self[n > 0 ? n : 0] = 0;
    c.job.helper = pvboot_confine_helper(self, c.helper, sizeof(c.helper));
    rc = parse(&c, v, argc, argv, e);
    if (rc)
        return rc;
    c.said = json_array();
    rc = c.said ? v->run(&c, e) : pvb_fail(e, PVBOOT_E_HOST, "no memory for JSON");
    json_decref(c.said);
    return rc;
}

int cli_cache(int argc, char **argv, struct pvboot_error *e)
{
    const char *name = argc > 1 ? argv[1] : "";

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (!strcmp(name, verbs[i].name))
            return run(&verbs[i], argc - 1, argv + 1, e);
    return pvb_fail(e, PVBOOT_E_USAGE, "cache: want add, list, verify or drop, not '%s'", name);
}

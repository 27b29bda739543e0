/* SPDX-License-Identifier: LGPL-2.1-only */
/* `diff`: two zero pages field by field, or two dumps by their manifests and zero pages. */
#include "../../builder/describe/describe.h"
#include "cli.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_MAX (1ull << 24) /* a manifest or a zero page, bytes */
#define KEY_MAX 256

struct diff {
    bool json;
    json_t *found; /* [{"key", "a", "b"}] */
};

static void compare(struct diff *d, const char *key, json_t *a, json_t *b);

static void compare_objects(struct diff *d, const char *key, json_t *a, json_t *b)
{
    const char *name;
    char longer[KEY_MAX];
    json_t *v;

    json_object_foreach(a, name, v)
    {
        snprintf(longer, sizeof(longer), "%s%s%s", key, *key ? "." : "", name);
        compare(d, longer, v, json_object_get(b, name));
    }
    json_object_foreach(b, name, v) if (!json_object_get(a, name))
    {
        snprintf(longer, sizeof(longer), "%s%s%s", key, *key ? "." : "", name);
        compare(d, longer, NULL, v);
    }
}

static void compare_arrays(struct diff *d, const char *key, json_t *a, json_t *b)
{
    size_t n = json_array_size(a) > json_array_size(b) ? json_array_size(a) : json_array_size(b);
    char longer[KEY_MAX];

    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(a, i), "name"));

        if (name)
            snprintf(longer, sizeof(longer), "%s[%s]", key, name);
        else
            snprintf(longer, sizeof(longer), "%s[%zu]", key, i);
        compare(d, longer, json_array_get(a, i), json_array_get(b, i));
    }
}

/* Depth is what describe and decode make; a manifest that somebody made deeper is cut short by jansson's own limit. */
static void compare(struct diff *d, const char *key, json_t *a, json_t *b)
{
    if (json_is_object(a) && json_is_object(b))
        compare_objects(d, key, a, b);
    else if (json_is_array(a) && json_is_array(b))
        compare_arrays(d, key, a, b);
    else if (!json_equal(a, b))
        json_array_append_new(d->found, json_pack("{s:s, s:O?, s:O?}", "key", key, "a", a, "b", b));
}

static int read_page(json_t **page, const char *path, struct pvboot_error *e)
{
    struct pvboot_file f = { 0 };
    int rc = pvboot_file_read(&f, path, INPUT_MAX, e);

    if (!rc)
        *page = pvb_decode_zero_page(f.bytes, 0);
    if (!rc && !json_object_size(json_object_get(*page, "fields")))
        rc = pvb_in_file(e, path, pvb_fail(e, PVBOOT_E_MALFORMED, "%zu bytes, no zero page", f.bytes.len));
    pvboot_file_dispose(&f);
    return rc;
}

static int read_manifest(json_t **manifest, const char *path, struct pvboot_error *e)
{
    struct pvboot_file f = { 0 };
    int rc = pvboot_file_read(&f, path, INPUT_MAX, e);

    if (!rc)
        *manifest = json_loadb((const char *)f.bytes.p, f.bytes.len, JSON_REJECT_DUPLICATES, NULL);
    if (!rc && !json_is_object(*manifest))
        rc = pvb_in_file(e, path, pvb_fail(e, PVBOOT_E_MALFORMED, "no manifest of a dump"));
    pvboot_file_dispose(&f);
    return rc;
}

static bool is_directory(const char *path)
{
    struct stat st;

    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int compare_files(struct diff *d, const char *prefix,
                         int (*read)(json_t **, const char *, struct pvboot_error *), const char *a, const char *b,
                         struct pvboot_error *e)
{
    json_t *ja = NULL, *jb = NULL;
    int rc = read(&ja, a, e);

    if (!rc)
        rc = read(&jb, b, e);
    if (!rc && read == read_page)
        compare(d, prefix, json_object_get(ja, "fields"), json_object_get(jb, "fields"));
    else if (!rc)
        compare(d, prefix, ja, jb);
    json_decref(ja);
    json_decref(jb);
    return rc;
}

/* A dump without a zero page has been made for an entry that needs none. */
static int compare_dumps(struct diff *d, const char *a, const char *b, struct pvboot_error *e)
{
    char pa[PATH_MAX], pb[PATH_MAX];
    struct stat st;
    int rc;

    snprintf(pa, sizeof(pa), "%s/manifest.json", a);
    snprintf(pb, sizeof(pb), "%s/manifest.json", b);
    rc = compare_files(d, "", read_manifest, pa, pb, e);
    snprintf(pa, sizeof(pa), "%s/zero-page", a);
    snprintf(pb, sizeof(pb), "%s/zero-page", b);
    return rc || stat(pa, &st) || stat(pb, &st) ? rc : compare_files(d, "zero_page", read_page, pa, pb, e);
}

static void show(const struct diff *d)
{
    json_t *o;
    size_t i;

    json_array_foreach(d->found, i, o)
    {
        char *a = json_dumps(json_object_get(o, "a"), JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
        char *b = json_dumps(json_object_get(o, "b"), JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);

        const char *key = json_string_value(json_object_get(o, "key"));
        char shown[4 * KEY_MAX];

        pvb_escape(shown, sizeof(shown), key, strlen(key));
        printf("%s: %s, %s\n", shown, a ? a : "-", b ? b : "-");
        free(a);
        free(b);
    }
}

int cli_diff(int argc, char **argv, struct pvboot_error *e)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
    const struct cli_args args = { argc, argv, ":", options, e };
    struct diff d = { 0 };
    const char *name;
    int opt, rc;

    while ((opt = cli_getopt(&args, &name)) != -1) {
        if (opt == CLI_REFUSED)
            return -PVBOOT_E_USAGE;
        d.json = true;
    }
    if (optind + 2 != argc)
        return pvb_fail(e, PVBOOT_E_USAGE, "two zero pages or two dumps, please: there are %d", argc - optind);
    d.found = json_array();
    rc = is_directory(argv[optind]) ? compare_dumps(&d, argv[optind], argv[optind + 1], e)
                                    : compare_files(&d, "", read_page, argv[optind], argv[optind + 1], e);
    if (!rc && d.json)
        rc = cli_print_json(json_pack("{s:O}", "differences", d.found), e);
    else if (!rc)
        show(&d);
    if (!rc)
        rc = json_array_size(d.found) != 0;
    json_decref(d.found);
    return rc;
}

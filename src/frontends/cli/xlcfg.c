/* SPDX-License-Identifier: LGPL-2.1-only */
#include "xlcfg.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define CONFIG_MAX (1ull << 20)
#define NEWEST 22u /* minor versions of Xen 4 whose libxlutil is known to us */
#define OLDEST 15u

static int find(void *library, const char *name, void *slot, struct pvboot_error *e)
{
    void *found = dlsym(library, name);

    if (!found)
        return pvb_fail(e, PVBOOT_E_HOST, "libxlutil has no %s", name);
    memcpy(slot, &found, sizeof(found));
    return 0;
}

/* It stays loaded: it is wanted once a run, by a program that ends soon. */
static int find_xlu(struct pvb_xlu *xlu, struct pvboot_error *e)
{
    const struct {
        const char *name;
        void *slot;
    } want[] = {
        { "xlu_cfg_init", &xlu->init },         { "xlu_cfg_destroy", &xlu->destroy },
        { "xlu_cfg_readdata", &xlu->readdata }, { "xlu_cfg_get_string", &xlu->get_string },
        { "xlu_cfg_get_list", &xlu->get_list }, { "xlu_cfg_get_listitem", &xlu->get_listitem },
    };
    void *library = NULL;
    char name[32];
    int rc = 0;

    for (unsigned int minor = NEWEST; !library && minor >= OLDEST; minor--) {
        snprintf(name, sizeof(name), "libxlutil.so.4.%u", minor);
        library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
    if (!library)
        return pvb_fail(e, PVBOOT_E_HOST,
                        "xl's own library reads configurations, and there is no libxlutil.so.4.%u to 4.%u (Debian "
                        "12: libxenmisc4.17, 13: libxenmisc4.20)",
                        OLDEST, NEWEST);
    for (size_t i = 0; !rc && i < sizeof(want) / sizeof(want[0]); i++)
        rc = find(library, want[i].name, want[i].slot, e);
    return rc;
}

/* "FILE:3: config parsing error near `x': ..." becomes line and sentence. */
static int complain(struct xlcfg *x, struct pvboot_error *e)
{
    size_t n = strlen(x->cfg.source);
    const char *said = x->said ? x->said : "";
    char *end;

    fflush(x->cfg.report);
    said = x->said ? x->said : said;
    if (!strncmp(said, x->cfg.source, n) && said[n] == ':') {
        x->cfg.line = (unsigned int)strtoul(said + n + 1, &end, 10);
        said = end + strspn(end, ": ");
    }
    return pvb_fail(e, PVBOOT_E_USAGE, "%.*s", (int)strcspn(said, "\n"), *said ? said : "not understood");
}

static int parse(struct xlcfg *x, const char *path, struct pvboot_error *e)
{
    x->cfg.xlu = &x->xlu;
    x->cfg.source = path;
    x->cfg.report = open_memstream(&x->said, &x->said_bytes);
    if (!x->cfg.report)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory to read a configuration");
    return pvb_cfg_parse(&x->cfg, x->file.bytes) ? complain(x, e) : 0;
}

int xlcfg_open(struct xlcfg *x, const char *path, struct pvboot_error *e)
{
    int rc = find_xlu(&x->xlu, e);

    if (!rc)
        rc = pvboot_file_read(&x->file, path, CONFIG_MAX, e);
    if (!rc)
        rc = parse(x, path, e);
    return pvb_in_file(e, path, rc);
}

void xlcfg_close(struct xlcfg *x)
{
    if (x->cfg.scratch)
        x->xlu.destroy(x->cfg.scratch);
    if (x->cfg.report)
        fclose(x->cfg.report);
    free(x->said);
    pvb_paths_dispose(&x->cfg.paths);
    pvboot_file_dispose(&x->file);
    *x = (struct xlcfg){ 0 };
}

unsigned int xlcfg_line(const struct xlcfg *x, const char *key)
{
    unsigned int line = 1, last = 0;
    struct pvb_cfg_statement st;
    size_t at = 0;

    while (pvb_cfg_scan(x->file.bytes, &at, &line, &st))
        if (!strcmp(st.key, key))
            last = st.line;
    return last;
}

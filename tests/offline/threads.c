/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * threads CALLS LIBXLUTIL OTHER: a threaded program that opens libxlutil in a scope of its own.  Two threads call functions
 * that the plugin stands in front of, one opens and closes OTHER, one walks the list of what is loaded, CALLS times each.
 * Ends with SIGALRM when they stand still.
 */
#include <dlfcn.h>
#include <err.h>
#include <libxlutil.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS 60

static unsigned long calls;
static const char *other;

/* As the plugin's callers find them: through the scope of a library that is opened late. */
static struct {
    XLU_Config *(*init)(FILE *report, const char *name);
    int (*readdata)(XLU_Config *cfg, const char *data, int length);
    int (*get_string)(const XLU_Config *cfg, const char *key, const char **value, int dont_warn);
    void (*destroy)(XLU_Config *cfg);
} xlu;

static void *symbol(void *lib, const char *name)
{
    void *p = dlsym(RTLD_DEFAULT, name); /* the plugin's, which is loaded before */

    p = p ? p : dlsym(lib, name);
    if (!p)
        errx(70, "%s", dlerror());
    return p;
}

static void *parse(void *unused)
{
    static const char text[] = "name=\"guest\"\n";

    for (unsigned long i = 0; i < calls; i++) {
        XLU_Config *cfg = xlu.init(stderr, "guest.cfg");
        const char *value = "";

        if (xlu.readdata(cfg, text, sizeof(text) - 1) || xlu.get_string(cfg, "name", &value, 0) ||
            strcmp(value, "guest"))
            errx(1, "misread");
        xlu.destroy(cfg);
    }
    return unused;
}

static void *reopen(void *unused)
{
    for (unsigned long i = 0; i < calls; i++) {
        void *lib = dlopen(other, RTLD_NOW | RTLD_LOCAL);

        if (!lib)
            errx(70, "%s", dlerror());
        dlclose(lib);
    }
    return unused;
}

static int look(struct dl_phdr_info *info, size_t bytes, void *count)
{
    (void)bytes;
    *(size_t *)count += strlen(info->dlpi_name);
    return 0;
}

static void *walk(void *unused)
{
    size_t count = 0;

    for (unsigned long i = 0; i < calls; i++)
        dl_iterate_phdr(look, &count);
    return unused;
}

int main(int argc, char **argv)
{
    void *(*const run[])(void *) = { parse, parse, reopen, walk };
    pthread_t thread[sizeof(run) / sizeof(run[0])];
    void *lib = argc == 4 ? dlopen(argv[2], RTLD_NOW | RTLD_LOCAL) : NULL;

    if (!lib)
        errx(64, "threads CALLS LIBXLUTIL OTHER");
    calls = strtoul(argv[1], NULL, 10);
    other = argv[3];
    xlu.init = symbol(lib, "xlu_cfg_init");
    xlu.readdata = symbol(lib, "xlu_cfg_readdata");
    xlu.get_string = symbol(lib, "xlu_cfg_get_string");
    xlu.destroy = symbol(lib, "xlu_cfg_destroy");
    alarm(SECONDS);
    for (size_t i = 0; i < sizeof(run) / sizeof(run[0]); i++)
        if (pthread_create(&thread[i], NULL, run[i], NULL))
            errx(70, "pthread_create");
    for (size_t i = 0; i < sizeof(run) / sizeof(run[0]); i++)
        pthread_join(thread[i], NULL);
    return 0;
}

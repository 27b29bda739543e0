/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Getting into a stock xl and no further: registers with libxenguest's own registry when that library is there and
 * is one whose structures we know, and then takes itself out of LD_PRELOAD so that no child inherits it.  A program
 * without that library is passed through in silence: Debian's /usr/sbin/xl is a shell script in front of the real one.
 */
#include "xl.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>

#define STUB_FILE "pvboot-stub.elf"

static const char *command = "";
static char self_path[PATH_MAX], stub_path[PATH_MAX], helper_path[PATH_MAX], refusal[256];

const char *pvb_stub_path(void)
{
    return stub_path;
}

const char *pvb_helper_path(void)
{
    return helper_path;
}

const char *pvb_command(void)
{
    return command;
}

const char *pvb_refusal(void)
{
    return refusal[0] ? refusal : NULL;
}

struct search {
    const char *symbol;
    void *found;
};

/* Look into one object that is loaded already, if it is one of the two libraries we stand in front of. */
static int look_into(struct dl_phdr_info *info, size_t bytes, void *ctx)
{
    struct search *s = ctx;
    void *lib;

    (void)bytes;
    if (!strstr(info->dlpi_name, "/libxlutil.so.") && !strstr(info->dlpi_name, "/libxenguest.so."))
        return 0;
    lib = dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
    if (!lib)
        return 0;
    s->found = dlsym(lib, s->symbol);
    dlclose(lib); /* it stays: its caller has it open */
    return !!s->found;
}

/* A program that opens libxl as a plugin of its own (RTLD_LOCAL) has it in no scope that RTLD_NEXT sees. */
void *pvb_next(const char *symbol)
{
    struct search s = { symbol, dlsym(RTLD_NEXT, symbol) };

    if (!s.found)
        dl_iterate_phdr(look_into, &s);
    if (!s.found) {
        fprintf(stderr, "pvboot: internal: %s: no %s behind the plugin\n", self_path, symbol);
        abort(); /* we stand in front of a function that is not there: its caller cannot exist */
    }
    return s.found;
}

int pvb_report(const struct pvboot_error *e)
{
    char line[640];

    fprintf(stderr, "%s\n", pvboot_error_line(e, line, sizeof(line)));
    return -1;
}

int pvb_xen_calls(struct pvboot_xen_calls *calls, struct pvboot_error *e)
{
    const struct {
        const char *name;
        void *slot;
    } want[] = {
#define X(f) { #f, &calls->f },
        PVBOOT_XEN_CALLS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        void *p = dlsym(RTLD_DEFAULT, want[i].name);

        if (!p)
            return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "this libxenctrl has no %s", want[i].name);
        memcpy(want[i].slot, &p, sizeof(p));
    }
    return 0;
}

/*
 * struct xc_dom_image has one layout from 4.15 to 4.21; before, it embeds another structure, later it is unknown.
 * The version is the library's SONAME.
 */
static bool layout_known(void *symbol, char *why, size_t n)
{
    static const char stem[] = "libxenguest.so.4.";
    const char *name;
    Dl_info info;
    long minor;

    if (!dladdr(symbol, &info) || !info.dli_fname) {
        snprintf(why, n, "which domain builder this program has cannot be told");
        return false;
    }
    name = strstr(info.dli_fname, stem);
    minor = name ? strtol(name + strlen(stem), NULL, 10) : 0;
    if (minor >= 15 && minor <= 21)
        return true;
    snprintf(why, n, "%s: its domain builder is not one of 4.15 to 4.21", info.dli_fname);
    return false;
}

/* Remove our own entry from LD_PRELOAD: qemu, hotplug scripts and bootloaders are no place for us. */
static void leave_environment(void)
{
    const char *value = getenv("LD_PRELOAD");
    char *rest = value ? calloc(1, strlen(value) + 1) : NULL, *copy = value ? strdup(value) : NULL, *save = NULL;

    if (rest && copy) {
        for (char *item = strtok_r(copy, ": ", &save); item; item = strtok_r(NULL, ": ", &save)) {
            const char *base = strrchr(item, '/');

            if (!strcmp(base ? base + 1 : item, "pvboot-xl.so"))
                continue;
            if (rest[0])
                strcat(rest, ":");
            strcat(rest, item);
        }
        if (rest[0])
            setenv("LD_PRELOAD", rest, 1);
        else
            unsetenv("LD_PRELOAD");
    }
    free(copy);
    free(rest);
}

static void find_self(void)
{
    Dl_info info;
    char *slash;

    if (!dladdr((void *)find_self, &info) || !realpath(info.dli_fname, self_path))
        return;
    slash = strrchr(self_path, '/');
    snprintf(stub_path, sizeof(stub_path), "%.*s/%s", (int)(slash - self_path), self_path, STUB_FILE);
    pvboot_confine_helper(self_path, helper_path, sizeof(helper_path));
}

static void find_command(int argc, char **argv)
{
    for (int i = argc - 1; i > 0; i--)
        if (argv[i][0] != '-')
            command = argv[i];
}

/* Runs after libxenguest's own constructors, so our loader is asked first. glibc gives constructors main()'s arguments. */
__attribute__((constructor)) static void pvboot_xl_init(int argc, char **argv)
{
    void (*hooks)(struct xc_dom_arch *) = NULL;
    void (*loader)(struct xc_dom_loader *) = NULL;
    void *p = dlsym(RTLD_DEFAULT, "xc_dom_register_loader"), *q = dlsym(RTLD_DEFAULT, "xc_dom_register_arch_hooks");

    find_self();
    find_command(argc, argv);
    if (!p || !q) {
        snprintf(refusal, sizeof(refusal), "this program has no libxenguest to register a domain builder with");
        return;
    }
    leave_environment();
    if (!layout_known(p, refusal, sizeof(refusal)))
        return;
    pvboot_confine_prepare(helper_path);
    memcpy(&loader, &p, sizeof(p));
    memcpy(&hooks, &q, sizeof(q));
    loader(&pvb_loader);
    hooks(&pvb_arch_hooks);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Finding the stock functions: those we stand in front of, and those of Xen's libraries that we call.
 *
 * A program that opens libxl as a plugin of its own (RTLD_LOCAL, as libvirt's driver) has it in no scope that RTLD_NEXT
 * or RTLD_DEFAULT sees: then the libraries that are loaded are asked by name.  They are opened after dl_iterate_phdr()
 * and not in its callback, which would take ld.so's two locks in the order opposite to dlopen()'s.
 */
#include "xl.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>

/* Looking for the name of the library that comes after so many others of Xen's. */
struct search {
    unsigned int skip;
    char name[PATH_MAX];
};

static int take_name(struct dl_phdr_info *info, size_t bytes, void *ctx)
{
    static const char *const stem[] = { "/libxlutil.so.", "/libxenguest.so.", "/libxenctrl.so.", "/libxenlight.so.",
                                        "/libxenstore.so." };
    struct search *s = ctx;

    (void)bytes;
    for (size_t i = 0; i < sizeof(stem) / sizeof(stem[0]); i++) {
        if (!strstr(info->dlpi_name, stem[i]))
            continue;
        if (s->skip--)
            return 0;
        snprintf(s->name, sizeof(s->name), "%s", info->dlpi_name);
        return 1;
    }
    return 0;
}

/* What is found stays loaded: its handle is kept, so that who closes the library and opens it again gets the same. */
static void *find_loaded(const char *symbol)
{
    void *found = NULL;

    for (unsigned int i = 0; !found; i++) {
        struct search s = { .skip = i };
        void *lib;

        if (!dl_iterate_phdr(take_name, &s))
            return NULL;
        lib = dlopen(s.name, RTLD_LAZY | RTLD_NOLOAD);
        found = lib ? dlsym(lib, symbol) : NULL;
        if (lib && !found)
            dlclose(lib);
    }
    return found;
}

/* A global scope may be closed as well. */
static void pin(void *function)
{
    Dl_info info;

    if (dladdr(function, &info) && info.dli_fname)
        (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

static void *find(void *scope, const char *symbol)
{
    void *found = dlsym(scope, symbol);

    if (!found)
        return find_loaded(symbol);
    pin(found);
    return found;
}

void *pvb_symbol_find(struct pvb_symbol *s)
{
    void *found = atomic_load_explicit(&s->found, memory_order_acquire);

    if (found)
        return found;
    found = find(RTLD_DEFAULT, s->name);
    atomic_store_explicit(&s->found, found, memory_order_release);
    return found;
}

void *pvb_symbol_next(struct pvb_symbol *s)
{
    void *found = atomic_load_explicit(&s->found, memory_order_acquire);

    if (found)
        return found;
    found = find(RTLD_NEXT, s->name);
    if (!found) {
        struct pvboot_error e = { 0 };

        pvb_fail(&e, PVBOOT_E_INTERNAL, "no %s behind the plugin", s->name);
        pvb_report(&e);
        abort(); /* we stand in front of a function that is not there: its caller cannot exist */
    }
    atomic_store_explicit(&s->found, found, memory_order_release);
    return found;
}

/* @want[] to @slot[], which are of one length. */
static int find_calls(struct pvb_symbol *want, void *const *slot, size_t n, struct pvboot_error *e)
{
    for (size_t i = 0; i < n; i++) {
        void *p = pvb_symbol_find(&want[i]);

        if (!p)
            return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "Xen's libraries here have no %s", want[i].name);
        memcpy(slot[i], &p, sizeof(p));
    }
    return 0;
}

#define WANT(f) { .name = #f },
#define SLOT(f) &calls->f,

int pvb_xen_calls(struct pvboot_xen_calls *calls, struct pvboot_error *e)
{
    static struct pvb_symbol want[] = { PVBOOT_XEN_CALLS(WANT) };
    void *const slot[] = { PVBOOT_XEN_CALLS(SLOT) };

    return find_calls(want, slot, sizeof(want) / sizeof(want[0]), e);
}

int pvb_reset_calls(struct pvboot_reset_calls *calls, struct pvboot_error *e)
{
    static struct pvb_symbol want[] = { PVBOOT_RESET_CALLS(WANT) };
    void *const slot[] = { PVBOOT_RESET_CALLS(SLOT) };

    return find_calls(want, slot, sizeof(want) / sizeof(want[0]), e);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Puts itself between libxenguest and the plugin's loader and hooks, so that requests made by the plugin can be told
 * from libxenguest's own.  Registering finds the plugin: libxenguest's lists are last in, first out.
 */
#include "build.h"

#include <errno.h>
#include <string.h>

/* Exported by libxenguest, declared in no installed header since Xen 4.15. */
struct xc_dom_loader {
    const char *name;
    int (*probe)(struct xc_dom_image *dom);
    int (*parser)(struct xc_dom_image *dom);
    int (*loader)(struct xc_dom_image *dom);
    struct xc_dom_loader *next;
};
extern void xc_dom_register_loader(struct xc_dom_loader *loader);

static struct xc_dom_loader real_loader;
static struct xc_dom_arch real_hooks;

static int gated(int (*f)(struct xc_dom_image *dom), struct xc_dom_image *dom)
{
    int rc;

    fault_enter();
    rc = f(dom);
    fault_leave();
    return rc;
}

#define GATE(name, real)                      \
    static int name(struct xc_dom_image *dom) \
    {                                         \
        return gated(real, dom);              \
    }
GATE(probe, real_loader.probe)
GATE(parser, real_loader.parser)
GATE(loader, real_loader.loader)
GATE(meminit, real_hooks.meminit)
GATE(alloc_magic_pages, real_hooks.alloc_magic_pages)
GATE(bootearly, real_hooks.bootearly)
GATE(bootlate, real_hooks.bootlate)
GATE(vcpu, real_hooks.vcpu)

static int nobodys(struct xc_dom_image *dom)
{
    (void)dom;
    return -EINVAL;
}

static struct xc_dom_loader finder = { .name = "finder", .probe = nobodys };
static struct xc_dom_arch hook_finder = { .guest_type = "" };

bool offline_gate_plugin(void)
{
    xc_dom_register_loader(&finder);
    xc_dom_register_arch_hooks(&hook_finder);
    if (!finder.next || strcmp(finder.next->name, "pvboot") || !hook_finder.next ||
        strcmp(hook_finder.next->guest_type, "hvm-3.0-x86_64"))
        return false;
    real_loader = *finder.next;
    real_hooks = *hook_finder.next;
    finder.next->probe = probe;
    finder.next->parser = parser;
    finder.next->loader = loader;
    hook_finder.next->meminit = meminit;
    hook_finder.next->alloc_magic_pages = alloc_magic_pages;
    hook_finder.next->bootearly = bootearly;
    hook_finder.next->bootlate = bootlate;
    hook_finder.next->vcpu = vcpu;
    return true;
}

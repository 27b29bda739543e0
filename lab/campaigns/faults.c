/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded into the real xl of a real dom0, in front of the plugin: makes one request of a build fail
 * (tests/fake/fault.h).
 *
 * PVBOOT_FAIL=site:n:errno, or site:n:-signal; PVBOOT_FAIL_TRACE=FILE gets a line for each request.  What counts are the
 * plugin's own requests, or, for a stock xl, everybody's while libxenguest builds.
 */
#include "../../tests/fake/fault.h"

#include <dlfcn.h>
#include <err.h>
#include <libxlutil.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xenguest.h>

#define EXPORT __attribute__((visibility("default")))
#define NEXT(f) ((__typeof__(&f))dlsym(RTLD_NEXT, #f))

bool offline_gate_plugin(void); /* tests/offline/gate.c */

/* Whose requests count: with a plugin to tell apart, its own alone. */
static bool everybody;

/* A request to Xen: the real function, unless it is this one's turn to fail. */
#define XEN(type, failed, f, parameters, arguments)                   \
    EXPORT type f parameters                                          \
    {                                                                 \
        return fault_now(FAULT_XEN, #f) ? failed : NEXT(f) arguments; \
    }

XEN(int, -1, xc_domain_claim_pages, (xc_interface * xch, uint32_t domid, unsigned long n), (xch, domid, n))
XEN(int, -1, xc_domain_populate_physmap,
    (xc_interface * xch, uint32_t domid, unsigned long n, unsigned int order, unsigned int flags, xen_pfn_t *gfn),
    (xch, domid, n, order, flags, gfn))
XEN(int, -1, xc_domain_set_pod_target,
    (xc_interface * xch, uint32_t domid, uint64_t n, uint64_t *tot, uint64_t *cache, uint64_t *entries),
    (xch, domid, n, tot, cache, entries))
XEN(int, -1, xc_clear_domain_pages, (xc_interface * xch, uint32_t domid, unsigned long gfn, int n),
    (xch, domid, gfn, n))
XEN(int, -1, xc_hvm_param_set, (xc_interface * xch, uint32_t domid, uint32_t param, uint64_t value),
    (xch, domid, param, value))
XEN(int, -1, xc_domain_hvm_getcontext, (xc_interface * xch, uint32_t domid, uint8_t *buf, uint32_t n),
    (xch, domid, buf, n))
XEN(int, -1, xc_domain_hvm_setcontext, (xc_interface * xch, uint32_t domid, uint8_t *buf, uint32_t n),
    (xch, domid, buf, n))
XEN(void *, NULL, xenforeignmemory_map,
    (xenforeignmemory_handle * fmem, uint32_t domid, int prot, size_t n, const xen_pfn_t gfn[], int error[]),
    (fmem, domid, prot, n, gfn, error))
XEN(int, -1, xenforeignmemory_unmap, (xenforeignmemory_handle * fmem, void *p, size_t n), (fmem, p, n))

static void arm(const char *spec)
{
    unsigned long nth;
    char site[16];
    int error;

    if (!spec)
        return;
    if (sscanf(spec, "%15[a-z]:%lu:%d", site, &nth, &error) != 3)
        errx(64, "PVBOOT_FAIL=%s: want site:n:errno", spec);
    for (enum fault_site s = 0; s < FAULT_SITES; s++)
        if (!strcmp(fault_site_name(s), site))
            fault_arm(s, nth, error);
}

/* Debian's /usr/sbin/xl is a shell script; only the program behind it is meant, and none of its children. */
__attribute__((constructor)) static void begin(void)
{
    const char *trace = getenv("PVBOOT_FAIL_TRACE");

    if (!dlsym(RTLD_DEFAULT, "xc_dom_allocate"))
        return;
    unsetenv("LD_PRELOAD");
    signal(SIGINT, SIG_DFL); /* what a shell starts in the background ignores it */
    signal(SIGHUP, SIG_DFL);
    fault_signal_to(getpid()); /* not to a child that reads or loads for it */
    arm(getenv("PVBOOT_FAIL"));
    fault_trace(trace);
}

/* The plugin's part before there is a domain: the config, and the kernel it names. */
EXPORT int xlu_cfg_readdata(XLU_Config *cfg, const char *data, int length)
{
    int r;

    fault_enter();
    r = NEXT(xlu_cfg_readdata)(cfg, data, length);
    fault_leave();
    return r;
}

EXPORT struct xc_dom_image *xc_dom_allocate(xc_interface *xch, const char *cmdline, const char *features)
{
    static bool gated;

    if (!everybody && !gated) {
        gated = offline_gate_plugin();
        everybody = !gated;
    }
    if (everybody)
        fault_enter();
    return NEXT(xc_dom_allocate)(xch, cmdline, features);
}

EXPORT void xc_dom_release(struct xc_dom_image *dom)
{
    if (everybody)
        fault_leave();
    NEXT(xc_dom_release)(dom);
}

EXPORT int xc_dom_module_file(struct xc_dom_image *dom, const char *file, const char *cmdline)
{
    int r;

    fault_enter();
    r = NEXT(xc_dom_module_file)(dom, file, cmdline);
    fault_leave();
    return r;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded into the stock xl of this machine, so that `xl create -n` runs without a hypervisor: what libxl asks Xen
 * and xenstore while it reads a config.  Must stand before the plugin in LD_PRELOAD.
 *
 * PVBOOT_FAIL=site:n:errno makes the n-th request of a kind fail while xl's config is being read (fault.h), and
 * PVBOOT_FAIL_COUNT=FILE gets how many there were.  With PVBOOT_FAR nothing is known of any file without asking its
 * file system, so that a process apart reads each.  PVBOOT_STORE=FILE: what is noted of who serves
 * xenstore; PVBOOT_LIVES=N: beside dom0 there is domain N, PVBOOT_LIVES=N:FLAGS in that state.
 */
#include "../fake/fault.h"
#include "child.h"

#include <dlfcn.h>
#include <errno.h>
#include <libxlutil.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenstore.h>

#include <xen/version.h>

#define XEN_4_17 0x40011
#define GIB_PAGES (1ul << 18)

#define NEXT(f) ((__typeof__(&f))dlsym(RTLD_NEXT, #f))

long syscall(long number, ...)
{
    static __typeof__(&syscall) next;
    long a[6];
    va_list ap;

    if (number == SYS_openat2 && getenv("PVBOOT_FAR")) {
        errno = EAGAIN; /* as RESOLVE_CACHED has it */
        return -1;
    }
    va_start(ap, number);
    for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (!next)
        next = NEXT(syscall);
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild, unsigned int flags)
{
    start_child();
    return NEXT(xc_interface_open)(logger, dombuild, flags | XC_OPENFLAG_DUMMY);
}

struct xs_handle *xs_open(unsigned long flags)
{
    static int handle;

    (void)flags;
    return (struct xs_handle *)&handle;
}

void xs_close(struct xs_handle *xs)
{
    (void)xs;
}

static const char caps[] = "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";

/* There is nothing in the store; the real one would take our handle for its own. */
void *xs_read(struct xs_handle *xs, xs_transaction_t transaction, const char *path, unsigned int *n)
{
    (void)xs, (void)transaction, (void)path, (void)n;
    errno = ENOENT;
    return NULL;
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
    (void)xch;
    if (cmd == XENVER_version)
        return XEN_4_17;
    if (cmd == XENVER_pagesize)
        return 4096;
    if (cmd == XENVER_capabilities)
        memcpy(arg, caps, sizeof(caps));
    return 0;
}

/* How libxl asks for texts since Xen 4.18; whoever asks frees them. An older header and library know none of these. */
#define XENVER_TEXT(what, text)                \
    char *xc_xenver_##what(xc_interface *xch); \
    char *xc_xenver_##what(xc_interface *xch)  \
    {                                          \
        (void)xch;                             \
        return strdup(text);                   \
    }
XENVER_TEXT(capabilities, caps)
XENVER_TEXT(extraversion, "")
XENVER_TEXT(changeset, "")
XENVER_TEXT(commandline, "")
XENVER_TEXT(buildid, "")

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
    (void)xch;
    *info = (xc_physinfo_t){
        .threads_per_core = 1,
        .cores_per_socket = 4,
        .nr_cpus = 4,
        .max_cpu_id = 3,
        .nr_nodes = 1,
        .total_pages = 16 * GIB_PAGES,
        .free_pages = 16 * GIB_PAGES,
        .capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_hap,
    };
    return 0;
}

int xc_get_max_cpus(xc_interface *xch)
{
    (void)xch;
    return 4;
}

long xc_sharing_freed_pages(xc_interface *xch)
{
    (void)xch;
    return 0;
}

long xc_sharing_used_frames(xc_interface *xch)
{
    (void)xch;
    return 0;
}

/* Xen's answer: the first from @first on. */
int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int most, xc_domaininfo_t *info)
{
    const char *text = getenv("PVBOOT_LIVES");
    unsigned int lives = 0, flags = 0;

    (void)xch;
    if (text)
        sscanf(text, "%u:%i", &lives, (int *)&flags);
    if (!most || first > lives)
        return 0;
    *info = (xc_domaininfo_t){ .domain = (domid_t)(first ? lives : 0), .flags = first ? flags : 0 };
    return 1;
}

static enum fault_site site_named(const char *name, size_t n)
{
    enum fault_site s = 0;

    while (s < FAULT_SITES && (strlen(fault_site_name(s)) != n || strncmp(fault_site_name(s), name, n)))
        s++;
    if (s == FAULT_SITES)
        errx(64, "PVBOOT_FAIL: no site %.*s", (int)n, name);
    return s;
}

static void arm(const char *spec)
{
    const char *colon = spec ? strchr(spec, ':') : NULL;
    unsigned long nth;
    int error;

    if (!colon)
        return;
    if (sscanf(colon, ":%lu:%d", &nth, &error) != 2)
        errx(64, "PVBOOT_FAIL=%s: want site:n:errno", spec);
    fault_arm(site_named(spec, (size_t)(colon - spec)), nth, error);
}

static void write_counts(const char *path)
{
    FILE *f = path ? fopen(path, "we") : NULL;

    if (!f)
        return;
    for (enum fault_site s = 0; s < FAULT_SITES; s++)
        fprintf(f, "%s %lu\n", fault_site_name(s), fault_count(s));
    fclose(f);
}

/* The plugin's own version of this function is the next one: faults count in there. */
int xlu_cfg_readdata(XLU_Config *cfg, const char *data, int length)
{
    int r;

    arm(getenv("PVBOOT_FAIL"));
    fault_enter();
    r = NEXT(xlu_cfg_readdata)(cfg, data, length);
    fault_leave();
    write_counts(getenv("PVBOOT_FAIL_COUNT"));
    return r;
}

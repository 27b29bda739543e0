/* SPDX-License-Identifier: LGPL-2.1-only */
/* A domain's making and end. */
#include "launch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xenevtchn.h>
#include <xenguest.h>

struct fake_launch fake_launch;

static int handle;

void fake_launch_begin(const struct fake_setup *setup)
{
    fake_begin(setup);
    memset(&fake_launch, 0, sizeof(fake_launch));
}

/* A request about the domain, which there has to be. */
static bool about(const char *name, uint32_t domid, uint64_t a, uint64_t b)
{
    if (!fake_asked(name, domid, a, b, 0))
        return false;
    if (!fake_launch.exists)
        return !fake_error(ESRCH);
    return true;
}

/* And one that comes too late once the guest runs. */
static int before_start(const char *name, uint32_t domid, uint64_t a, uint64_t b)
{
    if (!about(name, domid, a, b))
        return -1;
    return fake_launch.running ? fake_breach("a change to a domain that runs") : 0;
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild, unsigned int flags)
{
    (void)logger;
    (void)dombuild;
    if (!fake_asked(__func__, FAKE_DOMID, flags, 0, 0))
        return NULL;
    fake_launch.handles++;
    return (xc_interface *)&handle;
}

int xc_interface_close(xc_interface *xch)
{
    fake_launch.handles -= xch != NULL;
    return 0;
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
    (void)xch;
    info->total_pages = 1 << 20;
    info->capabilities =
        XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_gnttab_v2;
    return fake_asked(__func__, FAKE_DOMID, 0, 0, 0) ? 0 : -1;
}

int xc_get_max_cpus(xc_interface *xch)
{
    (void)xch;
    return fake_asked(__func__, FAKE_DOMID, 0, 0, 0) ? 4 : -1;
}

xc_cpumap_t xc_cpumap_alloc(xc_interface *xch)
{
    (void)xch;
    return fake_asked(__func__, FAKE_DOMID, 0, 0, 0) ? calloc(1, 8) : NULL;
}

int xc_flask_context_to_sid(xc_interface *xch, char *buf, uint32_t size, uint32_t *sid)
{
    (void)xch;
    (void)buf;
    (void)sid;
    return fake_asked(__func__, FAKE_DOMID, size, 0, 0) ? fake_error(ENOSYS) : -1;
}

/* xen/arch/x86/domain.c, emulation_flags_ok(): two sets, for a domain that is not dom0. */
int xc_domain_create(xc_interface *xch, uint32_t *domid, struct xen_domctl_createdomain *c)
{
    bool allowed = c->arch.emulation_flags == XEN_X86_EMU_LAPIC ||
                   c->arch.emulation_flags == (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI);

    if (!(c->flags & XEN_DOMCTL_CDF_hvm))
        allowed = !c->arch.emulation_flags && !(c->flags & XEN_DOMCTL_CDF_hap);

    (void)xch;
    if (!fake_asked(__func__, FAKE_DOMID, *domid, c->flags, c->arch.emulation_flags))
        return -1;
    if (*domid || !c->max_vcpus || !allowed || fake_launch.exists)
        return fake_breach("a domain that Xen would not make");
    *domid = FAKE_DOMID;
    fake_launch.exists = true;
    fake_launch.flags = c->flags;
    fake_launch.emulation_flags = c->arch.emulation_flags;
    fake_launch.create = *c;
    return 0;
}

int xc_domain_destroy(xc_interface *xch, uint32_t domid)
{
    (void)xch;
    if (!about(__func__, domid, 0, 0))
        return -1;
    fake_launch.exists = fake_launch.running = false;
    return 0;
}

int xc_domain_max_vcpus(xc_interface *xch, uint32_t domid, unsigned int max)
{
    (void)xch;
    return before_start(__func__, domid, max, 0);
}

int xc_vcpu_setaffinity(xc_interface *xch, uint32_t domid, int vcpu, xc_cpumap_t hard, xc_cpumap_t soft, uint32_t flags)
{
    (void)xch;
    (void)hard;
    (void)soft;
    return before_start(__func__, domid, (uint64_t)vcpu, flags);
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid, uint64_t kib)
{
    (void)xch;
    if (before_start(__func__, domid, kib, 0))
        return -1;
    fake.setup.max_pages = kib / 4;
    return 0;
}

int xc_set_paging_mempool_size(xc_interface *xch, uint32_t domid, uint64_t bytes)
{
    (void)xch;
    return before_start(__func__, domid, bytes, 0);
}

int xc_domain_pause(xc_interface *xch, uint32_t domid)
{
    (void)xch;
    if (!about(__func__, domid, 0, 0))
        return -1;
    fake_launch.pauses++;
    fake_launch.running = false;
    return 0;
}

/* xen/common/domain.c, domain_soft_reset(), and evtchn_reset(): who has shut down, and is paused by its controller. */
int xc_domain_soft_reset(xc_interface *xch, uint32_t domid)
{
    (void)xch;
    if (!about(__func__, domid, 0, 0))
        return -1;
    if (!fake_launch.shut_down || !fake_launch.pauses)
        return fake_error(EINVAL);
    fake_launch.shut_down = false;
    fake_launch.resets++;
    fake_launch.ports = 0;
    return 0;
}

xc_evtchn_port_or_error_t xc_evtchn_alloc_unbound(xc_interface *xch, uint32_t domid, uint32_t remote)
{
    (void)xch;
    return about(__func__, domid, remote, 0) ? (int)++fake_launch.ports : -1;
}

/* Bound as soon as it runs, by one that does not end at once. */
int xc_evtchn_status(xc_interface *xch, xc_evtchn_status_t *status)
{
    (void)xch;
    if (!fake_asked(__func__, FAKE_DOMID, status->port, 0, 0))
        return -1;
    status->status = fake_launch.running && !fake_launch.ends && status->port == FAKE_XENBUS_PORT
                         ? EVTCHNSTAT_interdomain
                         : EVTCHNSTAT_unbound;
    return 0;
}

int xc_domain_set_virq_handler(xc_interface *xch, uint32_t domid, int virq)
{
    (void)xch;
    if (before_start(__func__, domid, (uint64_t)virq, 0))
        return -1;
    fake_launch.virq = (uint32_t)virq;
    return 0;
}

int xc_domain_set_tsc_info(xc_interface *xch, uint32_t domid, uint32_t mode, uint64_t ns, uint32_t khz, uint32_t inc)
{
    (void)xch;
    (void)ns;
    (void)khz;
    (void)inc;
    return before_start(__func__, domid, mode, 0);
}

int xc_cpuid_apply_policy(xc_interface *xch, uint32_t domid, bool restore, const uint32_t *featureset, unsigned int n,
                          bool pae, bool itsc, bool nested, const struct xc_xend_cpuid *xend, const struct xc_msr *msr)
{
    (void)xch;
    (void)featureset;
    (void)xend;
    (void)msr;
    return before_start(__func__, domid, (uint64_t)pae << 2 | (uint64_t)itsc << 1 | nested, restore + n) ? -errno : 0;
}

int xc_domain_set_memory_map(xc_interface *xch, uint32_t domid, struct e820entry *map, uint32_t n)
{
    (void)xch;
    if (before_start(__func__, domid, n, 0))
        return -1;
    if (n > 8)
        return fake_breach("a memory map that does not fit");
    fake_launch.n_e820 = n;
    for (uint32_t i = 0; i < n; i++) {
        fake_launch.e820_start[i] = map[i].addr;
        fake_launch.e820_end[i] = map[i].addr + map[i].size;
        fake_launch.e820_type[i] = map[i].type;
    }
    return 0;
}

int xc_dom_gnttab_seed(xc_interface *xch, uint32_t domid, bool hvm, xen_pfn_t console, xen_pfn_t store,
                       uint32_t console_domid, uint32_t store_domid)
{
    (void)xch;
    (void)console_domid;
    (void)store_domid;
    if (hvm != !!(fake_launch.flags & XEN_DOMCTL_CDF_hvm))
        fake_breach("the grants of another kind of domain");
    return before_start(__func__, domid, console, store);
}

int xc_domain_unpause(xc_interface *xch, uint32_t domid)
{
    (void)xch;
    if (before_start(__func__, domid, 0, 0))
        return -1;
    fake_launch.running = true;
    return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int n, xc_domaininfo_t *info)
{
    (void)xch;
    if (!fake_asked(__func__, FAKE_DOMID, first, n, 0))
        return -1;
    *info = (xc_domaininfo_t){ .domain = first ? FAKE_DOMID : 0 };
    if (first > FAKE_DOMID || (first && !fake_launch.exists))
        return 0;
    fake_launch.shut_down |= first && fake_launch.running && fake_launch.resets < fake_launch.kexecs;
    if (first && fake_launch.shut_down)
        info->flags = XEN_DOMINF_shutdown | SHUTDOWN_soft_reset << XEN_DOMINF_shutdownshift;
    else if (first && fake_launch.running && fake_launch.ends && !(fake_launch.stays && fake_launch.stays()))
        info->flags = XEN_DOMINF_shutdown; /* SHUTDOWN_poweroff is 0 */
    if (first && fake_launch.exists && !(fake_launch.flags & XEN_DOMCTL_CDF_hvm))
        info->shared_info_frame = fake_shared_info();
    if (first && fake_launch.exists && (fake_launch.flags & XEN_DOMCTL_CDF_xs_domain))
        info->flags |= XEN_DOMINF_xs_domain;
    return 1;
}

xenevtchn_handle *xenevtchn_open(xentoollog_logger *logger, unsigned int flags)
{
    (void)logger;
    if (!fake_asked(__func__, FAKE_DOMID, flags, 0, 0))
        return NULL;
    fake_launch.handles++;
    return (xenevtchn_handle *)&handle;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
    fake_launch.handles -= xce != NULL;
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid, evtchn_port_t port)
{
    (void)xce;
    if (!about(__func__, domid, port, 0))
        return -1;
    fake_launch.bound = port;
    return 1;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
    (void)xce;
    return -1; /* which poll() passes over */
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
    (void)xce;
    return fake_asked(__func__, FAKE_DOMID, port, 0, 0) ? 0 : -1;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
    (void)xce;
    return -1;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
    (void)xce;
    (void)port;
    return 0;
}

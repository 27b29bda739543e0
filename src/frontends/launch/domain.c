/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The domain, step by step.  Parameters are those of Xen 4.17's libxl for type="pvh" and "pv" (libxl_create.c, libxl_dom.c,
 * libxl_x86.c, libxl_cpuid.c), so that a guest finds the usual.
 */
#include "launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <xen/hvm/params.h>

#define KIB_PER_MIB 1024u
#define SLACK_KIB 1024u /* LIBXL_MAXMEM_CONSTANT: special pages, ACPI */
#define EVTCHN_PORT_MAX 1023
#define GRANT_VERSION_2 2u
#define GRANT_VERSION_1 1u
#define PAGES_PER_VCPU 256u   /* of the pool for page tables, and a page for each MiB of memory */
#define TIMER_MODE_NO_DELAY 1 /* HVMPTM_no_delay_for_missed_ticks */
#define IOPORTS_FROM_B000 1
#define DEFAULT_LABEL "system_u:system_r:domU_t" /* as initial SID domU has it */
/* All that Xen emulates; the only other set it allows for a domain that is not dom0. */
#define ALL_DEVICES (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI)

static int xen_fails(const struct launch *l, const char *what, struct pvboot_error *e)
{
    return l->exists ? pvb_fail(e, PVBOOT_E_XEN, "%s of domain %u: errno %d", what, l->xen.domid, errno)
                     : pvb_fail(e, PVBOOT_E_XEN, "%s: errno %d", what, errno);
}

/* Without FLASK no label means anything, and only one that was asked for is missed. */
static int take_label(const struct launch *l, uint32_t *sid, struct pvboot_error *e)
{
    const char *label = l->cfg->seclabel ? l->cfg->seclabel : DEFAULT_LABEL;
    char text[256];

    if ((size_t)snprintf(text, sizeof(text), "%s", label) >= sizeof(text))
        return pvb_fail(e, PVBOOT_E_USAGE, "seclabel of more than %zu bytes", sizeof(text) - 1);
    if (!xc_flask_context_to_sid(l->xen.xch, text, (uint32_t)strlen(text), sid) || !l->cfg->seclabel)
        return 0;
    return pvb_fail(e, errno == ENOSYS || errno == EOPNOTSUPP ? PVBOOT_E_UNSUPPORTED : PVBOOT_E_USAGE,
                    "seclabel '%s': errno %d (does this host run XSM FLASK?)", label, errno);
}

/*
 * As the stock helper for xenstored's domain has it: any number of event channels, grants of others' for 32768 domains,
 * and few of its own, of the version that Mini-OS knows.
 */
static void serve_all(struct xen_domctl_createdomain *create)
{
    create->flags |= XEN_DOMCTL_CDF_xs_domain;
    create->max_evtchn_port = UINT32_MAX;
    create->max_grant_frames = 4;
    create->max_maptrack_frames = 128;
    create->grant_opts = XEN_DOMCTL_GRANT_version(GRANT_VERSION_1);
}

static int make(struct launch *l, struct pvboot_error *e)
{
    xc_physinfo_t host = { 0 };
    struct xen_domctl_createdomain create = {
        .max_vcpus = l->cfg->vcpus,
        .max_evtchn_port = EVTCHN_PORT_MAX,
        .max_grant_frames = -1, /* Xen's own limits */
        .max_maptrack_frames = -1,
    };
    uint32_t domid = 0; /* the next free one */
    int rc = take_label(l, &create.ssidref, e);

    if (rc)
        return rc;
    if (!l->machine.pv) {
        create.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
        create.arch.emulation_flags = l->cfg->timers ? ALL_DEVICES : XEN_X86_EMU_LAPIC;
    }
    if (xc_physinfo(l->xen.xch, &host))
        return xen_fails(l, "asking what the host can do", e);
    if (l->machine.pv && !(host.capabilities & XEN_SYSCTL_PHYSCAP_pv))
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "this host's Xen runs no PV domains");
    if (!l->machine.pv && !(host.capabilities & XEN_SYSCTL_PHYSCAP_hap))
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "this host has no hardware assisted paging");
    create.grant_opts =
        XEN_DOMCTL_GRANT_version(host.capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v2 ? GRANT_VERSION_2 : GRANT_VERSION_1);
    if (l->cfg->serves_xenstore)
        serve_all(&create);
    memcpy(create.handle, l->cfg->uuid, sizeof(create.handle));
    if (xc_domain_create(l->xen.xch, &domid, &create))
        return xen_fails(l, "making a domain", e);
    l->xen.domid = domid;
    l->exists = true;
    return 0;
}

static int give_vcpus(struct launch *l, struct pvboot_error *e)
{
    if (xc_domain_max_vcpus(l->xen.xch, l->xen.domid, l->cfg->vcpus))
        return xen_fails(l, "giving vCPUs", e);
    for (uint32_t i = 0; l->cpus && i < l->cfg->vcpus; i++)
        if (xc_vcpu_setaffinity(l->xen.xch, l->xen.domid, (int)i, l->cpus, NULL, XEN_VCPUAFFINITY_HARD))
            return xen_fails(l, "binding a vCPU", e);
    return 0;
}

static uint64_t max_mib(const struct launch *l)
{
    return l->cfg->maxmem_mib ? l->cfg->maxmem_mib : l->cfg->memory_mib;
}

/* Xenstored's domain takes by itself what it may have; others are given more by a toolstack. */
static int limit_memory(struct launch *l, struct pvboot_error *e)
{
    uint64_t mib = l->cfg->serves_xenstore ? max_mib(l) : l->cfg->memory_mib;

    if (xc_domain_setmaxmem(l->xen.xch, l->xen.domid, mib * KIB_PER_MIB + SLACK_KIB))
        return xen_fails(l, "limiting the memory", e);
    if (l->machine.pv)
        return 0;
    if (xc_set_paging_mempool_size(l->xen.xch, l->xen.domid, PVB_PAGE * (PAGES_PER_VCPU * l->cfg->vcpus + max_mib(l))))
        return xen_fails(l, "sizing the page table pool", e);
    return 0;
}

static int open_ports(struct launch *l, struct pvboot_error *e)
{
    int port = 0;

    if (l->xs)
        port = xc_evtchn_alloc_unbound(l->xen.xch, l->xen.domid, l->store_domid);
    if (port < 0)
        return xen_fails(l, "opening xenstore's event channel", e);
    l->rings.xenstore_evtchn = (uint32_t)port;
    l->rings.no_xenstore = !l->xs;
    port = xc_evtchn_alloc_unbound(l->xen.xch, l->xen.domid, l->console_domid);
    if (port < 0)
        return xen_fails(l, "opening the console's event channel", e);
    l->rings.console_evtchn = (uint32_t)port;
    l->machine.xenstore_evtchn = l->rings.xenstore_evtchn;
    if (!l->xs)
        l->machine.xenstore_gpa = 0;
    l->machine.console_evtchn = l->rings.console_evtchn;
    return 0;
}

static int set_timers(struct launch *l, struct pvboot_error *e)
{
    const struct pvboot_xen *x = &l->xen;

    if (!l->machine.pv && x->call.xc_hvm_param_set(x->xch, x->domid, HVM_PARAM_TIMER_MODE, TIMER_MODE_NO_DELAY))
        return xen_fails(l, "setting the timer mode", e);
    if (l->cfg->timers &&
        x->call.xc_hvm_param_set(x->xch, x->domid, HVM_PARAM_ACPI_IOPORTS_LOCATION, IOPORTS_FROM_B000))
        return xen_fails(l, "placing the PM timer", e);
    if (xc_domain_set_tsc_info(x->xch, x->domid, 0, 0, 0, 0))
        return xen_fails(l, "setting the TSC mode", e);
    return 0;
}

static int set_cpuid(struct launch *l, struct pvboot_error *e)
{
    /* PAE: yes; invariant TSC, nested virtualisation: no. */
    int r = xc_cpuid_apply_policy(l->xen.xch, l->xen.domid, false, NULL, 0, true, false, false, NULL, NULL);

    if (!r)
        return 0;
    errno = r < -1 ? -r : errno;
    return xen_fails(l, "setting the CPUID policy", e);
}

static int give_memory(struct launch *l, struct pvboot_error *e)
{
    if (l->machine.pv)
        return launch_pv_memory(l, e);
    return pvboot_xen_populate(&l->xen, &l->machine.map, l->cfg->memory_mib * KIB_PER_MIB * 1024 / PVB_PAGE, true, e);
}

static int give_acpi_memory(struct launch *l, struct pvboot_error *e)
{
    const struct pvboot_segment *s = &l->plan.seg[PVBOOT_SEG_ACPI];

    for (uint64_t gpa = s->start; gpa < s->end; gpa += PVB_PAGE) {
        xen_pfn_t gfn = gpa / PVB_PAGE;
        int given = l->xen.call.xc_domain_populate_physmap(l->xen.xch, l->xen.domid, 1, 0, 0, &gfn);

        if (given < 0)
            return xen_fails(l, "giving a page for ACPI tables", e);
        if (!given) /* and errno is of something else */
            return pvb_fail(e, PVBOOT_E_XEN, "domain %u: Xen has no page left for ACPI tables", l->xen.domid);
    }
    return 0;
}

/* What XENMEM_memory_map tells the guest; Xen takes at most E820MAX entries, and these are five. */
static int tell_memory(struct launch *l, struct pvboot_error *e)
{
    const struct pvboot_memmap *m = &l->machine.map;
    struct e820entry e820[8];

    if (m->n > sizeof(e820) / sizeof(e820[0]))
        return pvb_fail(e, PVBOOT_E_INTERNAL, "a memory map of %zu entries", m->n);
    for (size_t i = 0; i < m->n; i++)
        e820[i] = (struct e820entry){ m->r[i].start, m->r[i].end - m->r[i].start, m->r[i].type };
    if (l->machine.pv) /* as libxl has it: up to where it may grow */
        e820[0].size = max_mib(l) * KIB_PER_MIB * 1024;
    if (xc_domain_set_memory_map(l->xen.xch, l->xen.domid, e820, (uint32_t)m->n))
        return xen_fails(l, "setting the memory map", e);
    return 0;
}

/* Planned once more, since the hypervisor node tells the event channels, which are known by now. */
static int load(struct launch *l, struct pvboot_error *e)
{
    struct pvboot_xen_guest guest;
    int rc = pvboot_plan_make(&l->plan, &l->kernel.image, &l->machine, &l->cfg->req, e);

    if (!rc)
        rc = pvboot_plan_check(&l->plan, &l->kernel.image, e);
    if (rc)
        return rc;
    if (l->machine.pv) {
        l->machine.console_gpa = l->plan.machine.console_gpa;
        l->machine.xenstore_gpa = l->plan.machine.xenstore_gpa;
    }
    pvboot_xen_guest_init(&guest, &l->xen);
    return launch_load(l, &guest.guest, e);
}

static int give_special(struct launch *l, struct pvboot_error *e)
{
    int rc = l->machine.pv ? 0 : pvboot_xen_special_pages(&l->xen, &l->machine, &l->rings, e);

    if (rc)
        return rc;
    if (xc_dom_gnttab_seed(l->xen.xch, l->xen.domid, !l->machine.pv, launch_frame(l, l->machine.console_gpa),
                           l->xs ? launch_frame(l, l->machine.xenstore_gpa) : (xen_pfn_t)-1, l->console_domid,
                           l->store_domid))
        return xen_fails(l, "granting the rings", e);
    return 0;
}

static int set_start(struct launch *l, struct pvboot_error *e)
{
    if (l->machine.pv)
        return launch_pv_start(l, e);
    return pvboot_xen_start_state(&l->xen, &l->plan.vcpu, l->cfg->vcpus, e);
}

static int nodes(struct launch *l, struct pvboot_error *e)
{
    int rc = launch_store_nodes(l, e);

    if (!rc && !l->cfg->console)
        rc = launch_store_console(l, e);
    return rc ? rc : launch_store_introduce(l, e);
}

static int (*const step[])(struct launch *l, struct pvboot_error *e) = {
    make,
    give_vcpus,
    limit_memory,
    open_ports,
    set_timers,
    set_cpuid,
    give_memory,
    tell_memory,
    give_acpi_memory,
    launch_hand_over_xenbus,
    load,
    give_special,
    set_start,
    nodes,
    launch_hand_over_virq,
};

int launch_create(struct launch *l, struct pvboot_error *e)
{
    int rc = launch_seed(l->cfg, e);

    for (size_t i = 0; !rc && i < sizeof(step) / sizeof(step[0]); i++) {
        rc = launch_interrupted(e);
        if (!rc)
            rc = step[i](l, e);
    }
    if (!rc)
        rc = launch_interrupted(e);
    if (rc)
        launch_undo(l);
    return rc;
}

int launch_unpause(const struct launch *l, struct pvboot_error *e)
{
    return xc_domain_unpause(l->xen.xch, l->xen.domid) ? xen_fails(l, "starting", e) : 0;
}

int launch_soft_reset(struct launch *l, struct pvboot_error *e)
{
    const struct pvboot_reset r = {
        .call = {
#define X(f) .f = f,
            PVBOOT_RESET_CALLS(X)
#undef X
        },
        .xch = l->xen.xch,
        .xs = l->xs,
        .domid = l->xen.domid,
        .own_console = l->cfg->console,
    };

    return pvboot_xen_soft_reset(&r, &l->rings, e);
}

int launch_destroy(struct launch *l, struct pvboot_error *e)
{
    int rc = 0;

    if (!l->exists)
        return 0;
    if (xc_domain_destroy(l->xen.xch, l->xen.domid) && errno != ESRCH)
        rc = xen_fails(l, "destroying", e);
    launch_store_remove(l);
    l->exists = rc != 0;
    return rc;
}

void launch_undo(struct launch *l)
{
    struct pvboot_error e = { 0 };

    if (launch_destroy(l, &e))
        fprintf(stderr, "pvboot: note: domain %u is left: %s\n", l->xen.domid, e.text);
}

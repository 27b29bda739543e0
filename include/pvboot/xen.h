/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The Xen side of a build: populate memory, special pages, write memory, start the vCPU; and of a guest's soft reset.
 *
 * Xen is a table of functions, filled by dlsym (the plugin, whose host program brought its own libxenctrl) or by
 * fakes (tests).  Every return value is looked at: what stock libxenguest ignores (HVM params, special pages) is an
 * error here.
 *
 * Specifications: Xen docs/misc/pvh.pandoc, xen/include/public/{memory,hvm/params,arch-x86/hvm/save}.h.
 */
#ifndef PVBOOT_XEN_H
#define PVBOOT_XEN_H

#include <pvboot/guest.h>
#include <pvboot/plan.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xenstore.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every call a build makes through handles that its caller has opened; the types are those of the installed headers. */
#define PVBOOT_XEN_CALLS(X)       \
    X(xc_domain_claim_pages)      \
    X(xc_domain_set_pod_target)   \
    X(xc_domain_populate_physmap) \
    X(xc_clear_domain_pages)      \
    X(xc_hvm_param_set)           \
    X(xc_domain_hvm_getcontext)   \
    X(xc_domain_hvm_setcontext)   \
    X(xenforeignmemory_map)       \
    X(xenforeignmemory_unmap)

#ifdef __cplusplus
#define PVBOOT_XEN_CALL(f) ::f /* in a struct whose member is called f as well */
#else
#define PVBOOT_XEN_CALL(f) f
#endif

struct pvboot_xen_calls {
#define X(f) __typeof__(&PVBOOT_XEN_CALL(f)) f;
    PVBOOT_XEN_CALLS(X)
#undef X
};

struct pvboot_xen {
    struct pvboot_xen_calls call;
    xc_interface *xch;
    xenforeignmemory_handle *fmem;
    uint32_t domid;
    const uint64_t *mfn; /* of a PV domain: the frame of each pseudo-physical page; NULL: a gpa's page is its frame */
    uint64_t n_mfn;
};

/*
 * Back every RAM byte of @map with memory: 1 GiB, then 2 MiB, then 4 KiB extents, retrying smaller what Xen could
 * not give.  Where @target_pages are fewer than that, the guest gets so many, on demand, and is expected to balloon
 * down to them.  With @claim the whole amount is claimed first, so that a host short of memory says so at once;
 * no claim outlives the call.  -XEN: what was asked for, where, errno.
 */
int pvboot_xen_populate(const struct pvboot_xen *x, const struct pvboot_memmap *map, uint64_t target_pages, bool claim,
                        struct pvboot_error *e);

/* Who talks to the guest through the console and xenstore pages. */
struct pvboot_xen_rings {
    uint32_t console_evtchn, xenstore_evtchn;
    bool no_xenstore; /* there is none: the guest finds STORE_PFN 0 */
};

/*
 * The eight special pages where stock libxenguest has them (migration relies on the HVM params that name them),
 * zeroed, and the identity page table that Intel hosts without unrestricted guest need while CR0.PG is 0.
 */
int pvboot_xen_special_pages(const struct pvboot_xen *x, const struct pvboot_machine *m,
                             const struct pvboot_xen_rings *rings, struct pvboot_error *e);

/* Give vCPU 0 @cpu's state and every vCPU default write-back MTRRs, in one hypercall. The domain stays paused. */
int pvboot_xen_start_state(const struct pvboot_xen *x, const struct pvboot_vcpu *cpu, uint32_t vcpus,
                           struct pvboot_error *e);

/* Guest memory through foreign mappings that live only as long as each verb. */
struct pvboot_xen_guest {
    struct pvboot_guest guest; /* first member */
    const struct pvboot_xen *xen;
};
void pvboot_xen_guest_init(struct pvboot_xen_guest *g, const struct pvboot_xen *x);

/*
 * A guest's soft reset: its kernel has shut down with reason soft_reset, to go on as another one (kexec, kdump).
 *
 * Memory, registers, special pages and HVM params stay.  Event channels, the shared info page and what vCPUs have
 * registered go; the two channels that the toolstack makes are made anew, and xenconsoled is told of its own.  xenstored
 * releases the domain and is introduced to it once more: watches, transactions and messages of the old kernel are gone,
 * and the nodes that it owned, but for those that toolstacks make, which are as these make them; permissions are as before.
 *
 * Specifications: Xen xen/include/public/sched.h (SHUTDOWN_soft_reset), domctl.h (XEN_DOMCTL_soft_reset),
 * docs/misc/xenstore.txt (XS_RELEASE, XS_INTRODUCE).
 */
#define PVBOOT_RESET_CALLS(X)  \
    X(xc_domain_pause)         \
    X(xc_domain_soft_reset)    \
    X(xc_evtchn_alloc_unbound) \
    X(xc_hvm_param_set)        \
    X(xs_read)                 \
    X(xs_write)                \
    X(xs_rm)                   \
    X(xs_directory)            \
    X(xs_get_permissions)      \
    X(xs_set_permissions)      \
    X(xs_transaction_start)    \
    X(xs_transaction_end)      \
    X(xs_release_domain)       \
    X(xs_introduce_domain)

struct pvboot_reset_calls {
#define X(f) __typeof__(&PVBOOT_XEN_CALL(f)) f;
    PVBOOT_RESET_CALLS(X)
#undef X
};

struct pvboot_reset {
    struct pvboot_reset_calls call;
    xc_interface *xch;
    struct xs_handle *xs; /* NULL: there is no xenstore */
    uint32_t domid;
    bool own_console; /* it is read in this domain, by who calls, and xenstore knows nothing of it */
};

/*
 * Reset domain @r->domid, which has shut down for that.  It is left paused once, for the caller to unpause; so it is on
 * failure, and is then good for nothing but to be destroyed.  @rings: set to the new channels.  Who destroys it meanwhile
 * finds it gone: no node comes into being after that.
 * -XEN: what was asked for, errno; a node of xenstore that is not there.  -UNSUPPORTED: /libxl/DOMID/device has another
 * device than the first console; the other ends of devices are not told.  -LIMIT: more nodes than are looked at.
 * -HOST: no memory.
 */
int pvboot_xen_soft_reset(const struct pvboot_reset *r, struct pvboot_xen_rings *rings, struct pvboot_error *e);

#ifdef __cplusplus
}
#endif

#endif

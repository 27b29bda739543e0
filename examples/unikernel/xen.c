/* SPDX-License-Identifier: LGPL-2.1-only */
/* Hypercalls.  Spec: Xen public xen.h, sched.h, event_channel.h, memory.h, hvm/hvm_op.h, arch-x86/cpuid.h. */
#include "unikernel.h"

#include <xen/arch-x86/cpuid.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define PAGE 4096u
#define LEAVES 0x100u /* between the places where a hypervisor may have its leaves */
#define PLACES 0x100u

static void cpuid(uint32_t leaf, uint32_t r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

/* Have Xen fill the hypercall page, then put the page with the event channels' bits where ours is. */
bool xen_init(void)
{
    struct xen_add_to_physmap shared = { .domid = DOMID_SELF,
                                         .space = XENMAPSPACE_shared_info,
                                         .gpfn = (xen_pfn_t)shared_page / PAGE };
    uint32_t base = XEN_CPUID_FIRST_LEAF, r[4] = { 0 };

    for (uint32_t i = 0; i < PLACES; i++, base += LEAVES) {
        cpuid(base, r);
        if (r[1] == XEN_CPUID_SIGNATURE_EBX && r[2] == XEN_CPUID_SIGNATURE_ECX && r[3] == XEN_CPUID_SIGNATURE_EDX)
            break;
    }
    if (r[1] != XEN_CPUID_SIGNATURE_EBX)
        return false;
    cpuid(base + 2, r);
    __asm__ volatile("wrmsr" : : "c"(r[1]), "a"(hypercall_page), "d"(0) : "memory");
    return !hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &shared);
}

uint64_t xen_param(uint32_t index)
{
    struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index };

    return hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, &p) ? 0 : p.value;
}

void xen_notify(uint32_t port)
{
    const struct evtchn_send send = { .port = port };

    hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send);
}

/* Until an event has come since the last time; it is taken. */
void xen_wait(uint32_t port)
{
    struct shared_info *s = (void *)shared_page;
    evtchn_port_t p = port;
    struct sched_poll poll = { .nr_ports = 1 };

    set_xen_guest_handle(poll.ports, &p);
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
    __atomic_and_fetch(&s->evtchn_pending[port / 32], ~(1ul << port % 32), __ATOMIC_SEQ_CST);
}

void xen_poweroff(void)
{
    const struct sched_shutdown down = { .reason = SHUTDOWN_poweroff };

    for (;;)
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &down);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Processor and hypervisor.  Hypercalls are made by the instruction itself rather than through a hypercall page, which
 * would have to be writable and executable: Xen docs/guest-guide/x86/hypercall-abi.rst.
 */
#include "stub.h"

#define __XEN_INTERFACE_VERSION__ 0x00030101 /* without a version, sched_op is that of 2005 */

#include <xen/arch-x86/cpuid.h>
#include <xen/xen.h>

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>

_Static_assert(__HYPERVISOR_sched_op == 29, "the one whose argument says why");

#define CONSOLE_PORT 0xe9u /* Xen xen/arch/x86/hvm/hvm.c: hvm_print_line() */
#define CPUID_HYPERVISOR (1u << 31)
#define CPUID_EXTENDED 0x80000000u
#define CPUID_LONG_MODE (1u << 29)
#define XEN_LEAF_FIRST 0x40000000u
#define XEN_LEAF_LAST 0x4000ff00u
#define XEN_LEAF_STEP 0x100u

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf)
{
    struct cpuid r;

    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
    return r;
}

bool pvb_has_long_mode(void)
{
    return cpuid(CPUID_EXTENDED).eax > CPUID_EXTENDED && (cpuid(CPUID_EXTENDED + 1).edx & CPUID_LONG_MODE);
}

/* With Viridian extensions on, Xen's leaves are not the first of the hypervisor's. */
bool pvb_on_xen(void)
{
    if (!(cpuid(1).ecx & CPUID_HYPERVISOR))
        return false;
    for (uint32_t leaf = XEN_LEAF_FIRST; leaf <= XEN_LEAF_LAST; leaf += XEN_LEAF_STEP) {
        struct cpuid r = cpuid(leaf);

        if (r.ebx == XEN_CPUID_SIGNATURE_EBX && r.ecx == XEN_CPUID_SIGNATURE_ECX && r.edx == XEN_CPUID_SIGNATURE_EDX)
            return true;
    }
    return false;
}

/* AMD and Hygon have VMMCALL, everybody else VMCALL. */
static int32_t hypercall(uint32_t number, uint32_t op, void *arg)
{
    uint32_t vendor = cpuid(0).ebx;
    int32_t rc;

    if (vendor == 0x68747541 /* "Auth" */ || vendor == 0x6f677948 /* "Hygo" */)
        __asm__ volatile("vmmcall" : "=a"(rc), "+b"(op), "+c"(arg) : "a"(number) : "memory", "edx", "esi", "edi");
    else
        __asm__ volatile("vmcall" : "=a"(rc), "+b"(op), "+c"(arg) : "a"(number) : "memory", "edx", "esi", "edi");
    return rc;
}

/* 0: Xen does not say. */
static uint64_t hvm_param(uint32_t index)
{
    struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index };

    return hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, &p) ? 0 : p.value;
}

struct pvb_rings pvb_ask_rings(void)
{
    return (struct pvb_rings){
        .console_gfn = hvm_param(HVM_PARAM_CONSOLE_PFN),
        .store_gfn = hvm_param(HVM_PARAM_STORE_PFN),
        .console_port = (uint32_t)hvm_param(HVM_PARAM_CONSOLE_EVTCHN),
        .store_port = (uint32_t)hvm_param(HVM_PARAM_STORE_EVTCHN),
    };
}

static void out_e9(const char *s)
{
    for (; *s; s++)
        __asm__ volatile("outb %0, %1" : : "a"(*s), "Nd"((uint16_t)CONSOLE_PORT));
}

void pvb_say(const char *line)
{
    out_e9(line);
    out_e9("\n");
}

/* As a crash, so that xl sees it and on_crash= decides; without Xen, standing still is all there is. */
void pvb_give_up(void)
{
    struct sched_shutdown crash = { .reason = SHUTDOWN_crash };

    if (pvb_on_xen())
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &crash);
    for (;;)
        __asm__ volatile("cli; hlt");
}

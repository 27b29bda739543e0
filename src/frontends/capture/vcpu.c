/* SPDX-License-Identifier: LGPL-2.1-only */
/* Registers: HVM containers from their save record (xen/arch-x86/hvm/save.h), PV guests from their vCPU context. */
#include "capture.h"

#include <errno.h>
#include <xen/hvm/save.h>

struct reg {
    const char *name;
    size_t off, bytes;
};

#define HVM(r) PVB_ROW(#r, offsetof(struct hvm_hw_cpu, r), sizeof(((struct hvm_hw_cpu *)0)->r))
#define SEGMENT(s) HVM(s##_sel), HVM(s##_base), HVM(s##_limit), HVM(s##_arbytes)
static const struct reg hvm[] = {
    HVM(rip),
    HVM(rflags),
    HVM(rax),
    HVM(rbx),
    HVM(rcx),
    HVM(rdx),
    HVM(rsi),
    HVM(rdi),
    HVM(rbp),
    HVM(rsp),
    HVM(r8),
    HVM(r9),
    HVM(r10),
    HVM(r11),
    HVM(r12),
    HVM(r13),
    HVM(r14),
    HVM(r15),
    HVM(cr0),
    HVM(cr2),
    HVM(cr3),
    HVM(cr4),
    HVM(dr6),
    HVM(dr7),
    HVM(gdtr_base),
    HVM(gdtr_limit),
    HVM(idtr_base),
    HVM(idtr_limit),
    SEGMENT(cs),
    SEGMENT(ds),
    SEGMENT(es),
    SEGMENT(fs),
    SEGMENT(gs),
    SEGMENT(ss),
    SEGMENT(tr),
    SEGMENT(ldtr),
    { "efer", offsetof(struct hvm_hw_cpu, msr_efer), sizeof(uint64_t) },
};

#define PV(r) PVB_ROW(#r, offsetof(vcpu_guest_context_t, user_regs.r), sizeof(((vcpu_guest_context_t *)0)->user_regs.r))
#define PV_CR(n) \
    PVB_ROW("cr" #n, offsetof(vcpu_guest_context_t, ctrlreg) + n * sizeof(unsigned long), sizeof(unsigned long))
static const struct reg pv[] = {
    PV(rip), PV(rflags), PV(rax), PV(rbx), PV(rcx), PV(rdx), PV(rsi), PV(rdi), PV(rbp),  PV(rsp),  PV(r8),   PV(r9),
    PV(r10), PV(r11),    PV(r12), PV(r13), PV(r14), PV(r15), PV(cs),  PV(ss),  PV_CR(0), PV_CR(3), PV_CR(4),
};

static void put(json_t *o, const struct reg *r, size_t n, const void *context)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t value = 0;

        memcpy(&value, (const uint8_t *)context + r[i].off, r[i].bytes);
        json_object_set_new(o, r[i].name, pvb_json_u64(value));
    }
}

int capture_vcpu(const struct capture *c, json_t *o, uint64_t *rsi, struct pvboot_error *e)
{
    struct hvm_hw_cpu cpu = { 0 };
    vcpu_guest_context_any_t any = { 0 };

    if (c->pv) {
        if (xc_vcpu_getcontext(c->xch, c->domid, 0, &any))
            return pvb_fail(e, PVBOOT_E_XEN, "reading the context of domain %u's vCPU 0: errno %d", c->domid, errno);
        put(o, pv, sizeof(pv) / sizeof(pv[0]), &any.c);
        *rsi = any.c.user_regs.rsi;
        return 0;
    }
    if (xc_domain_hvm_getcontext_partial(c->xch, c->domid, HVM_SAVE_CODE(CPU), 0, &cpu, sizeof(cpu)))
        return pvb_fail(e, PVBOOT_E_XEN, "reading the HVM record of domain %u's vCPU 0: errno %d", c->domid, errno);
    put(o, hvm, sizeof(hvm) / sizeof(hvm[0]), &cpu);
    *rsi = cpu.rsi;
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The register state as an HVM save stream.  Xen takes every vCPU down once per stream, so one stream carries the
 * header, all MTRR records and vCPU 0.  Spec: xen/include/public/arch-x86/hvm/save.h; Intel SDM 3A for the bits.
 */
#include "../base/base.h"

#include <errno.h>
#include <pvboot/xen.h>
#include <stdlib.h>
#include <xen/hvm/save.h>

/* Attribute bytes as VMX and SVM store them: G D L AVL in bits 11..8, P DPL S type below. */
#define ATTR_CODE32 0xc9bu
#define ATTR_CODE64 0xa9bu
#define ATTR_DATA 0xc93u
#define ATTR_TSS_BUSY 0x8bu
#define TSS_LIMIT 0x67u
#define DR6_RESET 0xffff0ff0u
#define DR7_RESET 0x400u
#define MTRR_ENABLE_WB 0x806u /* E, default type write-back */

/* Append one record: its descriptor and its body. Returns the end. */
static uint8_t *append(uint8_t *p, unsigned int code, unsigned int instance, const void *body, size_t bytes)
{
    struct hvm_save_descriptor d = { .typecode = (uint16_t)code,
                                     .instance = (uint16_t)instance,
                                     .length = (uint32_t)bytes };

    memcpy(p, &d, sizeof(d));
    memcpy(p + sizeof(d), body, bytes);
    return p + sizeof(d) + bytes;
}

static void fill_cpu(HVM_SAVE_TYPE(CPU) * c, const struct pvboot_vcpu *v)
{
    bool long_mode = v->mode == 64;

    memset(c, 0, sizeof(*c));
    c->rip = v->rip;
    c->rsi = v->rsi;
    c->rbx = v->rbx;
    c->rflags = 2; /* the bit that always reads 1; interrupts off */
    c->cr0 = v->cr0;
    c->cr3 = v->cr3;
    c->cr4 = v->cr4;
    c->msr_efer = v->efer;
    c->dr6 = DR6_RESET;
    c->dr7 = DR7_RESET;
    c->gdtr_base = v->gdt_gpa;
    c->gdtr_limit = v->gdt_limit;
    c->cs_sel = v->cs;
    c->ds_sel = c->es_sel = c->ss_sel = v->ds;
    c->cs_limit = c->ds_limit = c->es_limit = c->ss_limit = ~0u;
    c->cs_arbytes = long_mode ? ATTR_CODE64 : ATTR_CODE32;
    c->ds_arbytes = c->es_arbytes = c->ss_arbytes = ATTR_DATA;
    c->tr_limit = TSS_LIMIT;
    c->tr_arbytes = ATTR_TSS_BUSY;
}

/* The record of type @code, vCPU @instance in the stream Xen gave us; NULL when it is not there. */
static const void *find_record(struct pvboot_bytes s, unsigned int code, unsigned int instance, size_t bytes)
{
    struct hvm_save_descriptor d;

    for (size_t off = 0; pvboot_get(s, off, &d, sizeof(d)); off += sizeof(d) + d.length)
        if (d.typecode == code && d.instance == instance && d.length >= bytes &&
            pvboot_has(s, off + sizeof(d), d.length))
            return s.p + off + sizeof(d);
    return NULL;
}

static int get_context(const struct pvboot_xen *x, uint8_t **buf, struct pvboot_bytes *s, struct pvboot_error *e)
{
    int n = x->call.xc_domain_hvm_getcontext(x->xch, x->domid, NULL, 0);

    *buf = NULL;
    if (n <= 0)
        return pvb_fail(e, PVBOOT_E_XEN, "asking the size of domain %u's HVM context: errno %d", x->domid, errno);
    *buf = calloc(1, (size_t)n);
    if (!*buf)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for %d bytes of HVM context", n);
    n = x->call.xc_domain_hvm_getcontext(x->xch, x->domid, *buf, (uint32_t)n);
    if (n <= 0)
        return pvb_fail(e, PVBOOT_E_XEN, "reading domain %u's HVM context: errno %d", x->domid, errno);
    *s = (struct pvboot_bytes){ *buf, (size_t)n };
    return 0;
}

/* Assemble the stream into @out, which has room for @vcpus MTRR records. Returns its bytes. */
static size_t assemble(uint8_t *out, const void *header, const void *mtrr, const struct pvboot_vcpu *v, uint32_t vcpus)
{
    HVM_SAVE_TYPE(MTRR) m;
    HVM_SAVE_TYPE(CPU) c;
    uint8_t *p = append(out, HVM_SAVE_CODE(HEADER), 0, header, HVM_SAVE_LENGTH(HEADER));

    memcpy(&m, mtrr, sizeof(m));
    m.msr_mtrr_def_type = MTRR_ENABLE_WB;
    for (uint32_t i = 0; i < vcpus; i++)
        p = append(p, HVM_SAVE_CODE(MTRR), i, &m, sizeof(m));
    fill_cpu(&c, v);
    p = append(p, HVM_SAVE_CODE(CPU), 0, &c, sizeof(c));
    p = append(p, HVM_SAVE_CODE(END), 0, "", 0);
    return (size_t)(p - out);
}

int pvboot_xen_start_state(const struct pvboot_xen *x, const struct pvboot_vcpu *cpu, uint32_t vcpus,
                           struct pvboot_error *e)
{
    size_t room = HVM_SAVE_LENGTH(HEADER) + vcpus * HVM_SAVE_LENGTH(MTRR) + HVM_SAVE_LENGTH(CPU) +
                  (vcpus + 3) * sizeof(struct hvm_save_descriptor);
    size_t n;
    uint8_t *have = NULL, *want = NULL;
    const void *header, *mtrr;
    struct pvboot_bytes s;
    int rc;

    rc = get_context(x, &have, &s, e);
    if (rc)
        goto out;
    header = find_record(s, HVM_SAVE_CODE(HEADER), 0, HVM_SAVE_LENGTH(HEADER));
    mtrr = find_record(s, HVM_SAVE_CODE(MTRR), 0, HVM_SAVE_LENGTH(MTRR));
    if (!header || !mtrr) {
        rc =
            pvb_fail(e, PVBOOT_E_XEN, "domain %u's HVM context has no %s record", x->domid, header ? "MTRR" : "HEADER");
        goto out;
    }
    want = calloc(1, room);
    if (!want) {
        rc = pvb_fail(e, PVBOOT_E_HOST, "no memory for %zu bytes of HVM context", room);
        goto out;
    }
    n = assemble(want, header, mtrr, cpu, vcpus);
    if (x->call.xc_domain_hvm_setcontext(x->xch, x->domid, want, (uint32_t)n))
        rc = pvb_fail(e, PVBOOT_E_XEN, "Xen refuses the start state of domain %u (%zu bytes of HVM context): errno %d",
                      x->domid, n, errno);
out:
    free(want);
    free(have);
    return rc;
}

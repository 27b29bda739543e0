/* SPDX-License-Identifier: LGPL-2.1-only */
/* The HVM save stream: written as a fresh domain's, read back with the checks of hvm_load() and hvm_load_cpu_ctxt(). */
#include "fake.h"

#include <errno.h>
#include <string.h>

#define CR0_PE 1ull
#define CR0_ET 0x10ull
#define CR0_PG 0x80000000ull
#define CR0_KNOWN 0xe005003full
#define CR4_KNOWN 0x3fffffull
#define EFER_LME 0x100ull
#define EFER_LMA 0x400ull
#define EFER_KNOWN 0xd01ull
#define PHYSICAL_BITS 46
#define HEADER_CHANGESET 0x1122334455667788ull

struct stream {
    uint8_t *p;
    size_t cap, used;
};

static bool put(struct stream *s, unsigned int type, unsigned int instance, const void *body, size_t n)
{
    struct hvm_save_descriptor d = { .typecode = (uint16_t)type,
                                     .instance = (uint16_t)instance,
                                     .length = (uint32_t)n };

    if (s->cap - s->used < sizeof(d) + n)
        return false;
    memcpy(s->p + s->used, &d, sizeof(d));
    if (n)
        memcpy(s->p + s->used + sizeof(d), body, n);
    s->used += sizeof(d) + n;
    return true;
}

/* Reset state, with marks in what a builder has to hand back unchanged: the header and the MTRR record. */
static bool write_all(struct stream *s)
{
    struct hvm_save_header header = { .magic = HVM_FILE_MAGIC,
                                      .version = HVM_FILE_VERSION,
                                      .changeset = HEADER_CHANGESET,
                                      .cpuid = 0x800f12,
                                      .gtsc_khz = 2500000 };
    HVM_SAVE_TYPE(CPU) cpu = { .rip = 0xfff0, .rflags = 2, .cr0 = CR0_ET };
    HVM_SAVE_TYPE(MTRR) mtrr = { .msr_pat_cr = 0x0007040600070406ull, .msr_mtrr_cap = 0x508 };
    struct hvm_hw_pmtimer timer = { 0 };
    bool ok = put(s, HVM_SAVE_CODE(HEADER), 0, &header, sizeof(header));

    for (unsigned int i = 0; i < fake.setup.vcpus; i++)
        ok = ok && put(s, HVM_SAVE_CODE(CPU), i, &cpu, sizeof(cpu));
    ok = ok && put(s, HVM_SAVE_CODE(PMTIMER), 0, &timer, sizeof(timer));
    for (unsigned int i = 0; i < fake.setup.vcpus; i++) {
        mtrr.msr_mtrr_def_type = i; /* told apart, and not what a booting guest wants */
        ok = ok && put(s, HVM_SAVE_CODE(MTRR), i, &mtrr, sizeof(mtrr));
    }
    return ok && put(s, HVM_SAVE_CODE(END), 0, NULL, 0);
}

/* Without a buffer Xen answers with an upper bound. */
static int upper_bound(void)
{
    return (int)(4096 + fake.setup.vcpus * (sizeof(HVM_SAVE_TYPE(CPU)) + sizeof(HVM_SAVE_TYPE(MTRR)) + 64));
}

int xc_domain_hvm_getcontext(xc_interface *xch, uint32_t domid, uint8_t *buf, uint32_t size)
{
    struct stream s = { .p = buf, .cap = size };

    (void)xch;
    if (!fake_asked(__func__, domid, buf != NULL, size, 0))
        return -1;
    if (!buf)
        return upper_bound();
    if (!write_all(&s))
        return fake_error(ENOSPC);
    return (int)s.used;
}

static bool sane_registers(const HVM_SAVE_TYPE(CPU) * c)
{
    bool lma = c->msr_efer & EFER_LMA;

    return !c->pad0 && !(c->cr0 & ~CR0_KNOWN) && (c->cr0 & CR0_ET) && (!(c->cr0 & CR0_PG) || (c->cr0 & CR0_PE)) &&
           !(c->cr4 & ~CR4_KNOWN) && !(c->msr_efer & ~EFER_KNOWN) &&
           (!lma || ((c->msr_efer & EFER_LME) && (c->cr0 & CR0_PG))) && !(c->cr3 >> PHYSICAL_BITS) &&
           !(c->flags & ~XEN_X86_FPU_INITIALISED) && c->msr_tsc_aux == (uint32_t)c->msr_tsc_aux;
}

static int load(const struct hvm_save_descriptor *d, const uint8_t *body)
{
    struct fake_cpu *v = d->instance < fake.setup.vcpus ? &fake.vcpu[d->instance] : NULL;
    HVM_SAVE_TYPE(CPU) cpu;

    if (!v)
        return fake_breach("a record of a vCPU that does not exist");
    if (d->typecode == HVM_SAVE_CODE(MTRR) && d->length == sizeof(v->mtrr)) {
        memcpy(&v->mtrr, body, sizeof(v->mtrr));
        v->has_mtrr = true;
        return 0;
    }
    if (d->typecode != HVM_SAVE_CODE(CPU) || d->length != sizeof(cpu))
        return fake_breach("a record of unknown type or length");
    memcpy(&cpu, body, sizeof(cpu));
    if (!sane_registers(&cpu))
        return fake_breach("a CPU record Xen refuses");
    v->cpu = cpu;
    v->up = true;
    return 0;
}

static bool same_header(const uint8_t *body)
{
    struct hvm_save_header h;

    memcpy(&h, body, sizeof(h));
    return h.magic == HVM_FILE_MAGIC && h.version == HVM_FILE_VERSION && h.changeset == HEADER_CHANGESET;
}

int xc_domain_hvm_setcontext(xc_interface *xch, uint32_t domid, uint8_t *buf, uint32_t size)
{
    struct hvm_save_descriptor d;
    int r = 0;

    (void)xch;
    if (!fake_asked(__func__, domid, size, 0, 0))
        return -1;
    fake.contexts_set++;
    for (size_t at = 0; !r; at += sizeof(d) + d.length) {
        if (size - at < sizeof(d))
            return fake_breach("a save stream without end");
        memcpy(&d, buf + at, sizeof(d));
        if (d.length > size - at - sizeof(d))
            return fake_breach("a record beyond the end of its stream");
        if (at && !d.typecode)
            return 0;
        if (at) {
            r = load(&d, buf + at + sizeof(d));
            continue;
        }
        if (d.typecode != HVM_SAVE_CODE(HEADER) || d.length != sizeof(struct hvm_save_header) ||
            !same_header(buf + sizeof(d)))
            return fake_breach("a save stream that does not begin with Xen's own header");
        for (unsigned int i = 0; i < FAKE_VCPUS; i++)
            fake.vcpu[i].up = false;
    }
    return r;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The processor as it was handed over.  Intel SDM vol. 3 for the bits. */
#include "probe.h"

#define __XEN_INTERFACE_VERSION__ 0x00030101 /* without a version, sched_op is that of 2005 */

#include <xen/xen.h>

#include <xen/sched.h>

_Static_assert(__HYPERVISOR_sched_op == 29, "the one whose argument says why");

#define EFER 0xc0000080u
#define MTRR_DEF_TYPE 0x2ffu
#define CR0_PG 0x80000000u
#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define ENTRY_LARGE 0x80u
#define ENTRY_PRESENT 1u
#define ENTRY_FLAGS 0xf9full /* without accessed and dirty, which the processor sets */

extern unsigned long probe_saved[17];

static void report_general(void)
{
#ifdef __x86_64__
    static const char *const name[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",   "r8",
                                        "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rflags" };
#else
    static const char *const name[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "rflags" };
#endif

    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        fact(name[i], probe_saved[i]);
}

static uint64_t msr(uint32_t number)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

static void report_control(void)
{
    unsigned long v;

    __asm__ volatile("mov %%cr0, %0" : "=r"(v));
    fact("cr0", v);
    __asm__ volatile("mov %%cr3, %0" : "=r"(v));
    fact("cr3", v);
    __asm__ volatile("mov %%cr4, %0" : "=r"(v));
    fact("cr4", v);
    fact("efer", msr(EFER));
    fact("mtrr_def_type", msr(MTRR_DEF_TYPE));
}

/* The selector, and what its descriptor in the GDT says now, which need not be what the processor has cached. */
static void report_segment(const char *name, uint32_t selector)
{
    uint32_t limit, rights;
    uint8_t has_limit, has_rights;

    __asm__("lsl %2, %0; setz %1" : "=r"(limit), "=q"(has_limit) : "r"(selector) : "cc");
    __asm__("lar %2, %0; setz %1" : "=r"(rights), "=q"(has_rights) : "r"(selector) : "cc");
    fact_begin(name);
    put_hex(selector);
    if (has_limit && has_rights) {
        put(",");
        put_hex(limit);
        put(",");
        put_hex(rights >> 8 & 0xf0ff);
    }
    put("\n");
}

static void report_segments(void)
{
    uint16_t v;

#define SEGMENT(r)                                      \
    do {                                                \
        __asm__ volatile("mov %%" #r ", %0" : "=r"(v)); \
        report_segment(#r, v);                          \
    } while (0)
    SEGMENT(cs);
    SEGMENT(ds);
    SEGMENT(es);
    SEGMENT(fs);
    SEGMENT(gs);
    SEGMENT(ss);
#undef SEGMENT
    __asm__ volatile("str %0" : "=r"(v));
    fact("tr", v);
    __asm__ volatile("sldt %0" : "=r"(v));
    fact("ldtr", v);
}

struct table_register {
    uint16_t limit;
    unsigned long base;
} __attribute__((packed));

static void report_table(const char *name, const struct table_register *t)
{
    fact_begin(name);
    put_hex(t->base);
    put(",");
    put_hex(t->limit);
    put("\n");
}

void report_registers(void)
{
    struct table_register t;

    report_general();
    report_control();
    report_segments();
    __asm__ volatile("sgdt %0" : "=m"(t));
    report_table("gdtr", &t);
    if (t.base && t.limit < 0x1000)
        dump("gdt", t.base, t.limit + 1u);
    __asm__ volatile("sidt %0" : "=m"(t));
    report_table("idtr", &t);
}

#ifdef __x86_64__
/* A run of pages that follow each other in both address spaces. */
struct run {
    uint64_t va, gpa, bytes, flags;
};

static void end_run(const struct run *r)
{
    if (!r->bytes)
        return;
    fact_begin("map");
    put_hex(r->va);
    put(",");
    put_hex(r->va + r->bytes);
    put(",");
    put_hex(r->gpa);
    put(",");
    put_hex(r->flags);
    put("\n");
}

static void walk(struct run *r, uint64_t table_gpa, uint64_t va, unsigned int shift)
{
    const uint64_t *table = (const uint64_t *)(uintptr_t)table_gpa;

    for (uint64_t i = 0; i < 512; i++) {
        uint64_t e = table[i], bytes = 1ull << shift, here = va + (i << shift);
        uint64_t gpa = e & ENTRY_ADDRESS & ~(bytes - 1);

        if (!(e & ENTRY_PRESENT))
            continue;
        if (shift > 12 && !(e & ENTRY_LARGE)) {
            walk(r, e & ENTRY_ADDRESS, here, shift - 9);
            continue;
        }
        if (r->va + r->bytes == here && r->gpa + r->bytes == gpa && r->flags == (e & ENTRY_FLAGS)) {
            r->bytes += bytes;
            continue;
        }
        end_run(r);
        *r = (struct run){ here, gpa, bytes, e & ENTRY_FLAGS };
    }
}

void report_paging(void)
{
    struct run r = { 0 };
    unsigned long cr0, cr3;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    fact("paging", !!(cr0 & CR0_PG));
    walk(&r, cr3 & ENTRY_ADDRESS, 0, 39);
    end_run(&r);
}
#else
void report_paging(void)
{
    unsigned long cr0;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    fact("paging", !!(cr0 & CR0_PG));
}
#endif

static int on_xen(void)
{
    return (cpuid(1).ecx >> 31) && cpuid(0x40000000).ebx == 0x566e6558;
}

/* Xen is asked to power off; QEMU has a port for it (isa-debug-exit, iobase=0xf4). */
void end(void)
{
    struct sched_shutdown off = { .reason = SHUTDOWN_poweroff };
    unsigned long number = __HYPERVISOR_sched_op, op = SCHEDOP_shutdown;

    put("@probe done=1\n");
    if (on_xen()) {
#ifdef __x86_64__
#define HYPERCALL(insn) __asm__ volatile(insn : "+a"(number) : "D"(op), "S"(&off) : "memory", "r11")
#else
#define HYPERCALL(insn) __asm__ volatile(insn : "+a"(number) : "b"(op), "c"(&off) : "memory")
#endif
        if (cpuid(0).ebx == 0x68747541 || cpuid(0).ebx == 0x6f677948) /* AMD, Hygon */
            HYPERCALL("vmmcall");
        else
            HYPERCALL("vmcall");
    }
    outb(0xf4, 0);
    for (;;)
        __asm__ volatile("cli; hlt");
}

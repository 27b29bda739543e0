/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A kernel that only tells what it found.  Output on port 0xe9, one fact per line, so that nothing has to be taken in
 * at the far end but lines:
 *     @probe KEY=VALUE            a key that comes more than once makes a list
 *     @probe-hex NAME OFF BYTES   a piece of a dump, both hexadecimal
 * `@probe done=1` is the last line; without it the report is cut off.  probe.py reads this.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stddef.h>
#include <stdint.h>

/* out.c */
void put(const char *s);
void put_hex(uint64_t v);
void fact(const char *key, uint64_t v);
void fact_text(const char *key, const char *v);
/* The start of a fact whose value has several parts, separated by commas; ends with put("\n"). */
void fact_begin(const char *key);
void dump(const char *name, uint64_t gpa, uint64_t bytes);
/* What is there cannot be read: above 4 GiB, for 32-bit code. */
const uint8_t *at(uint64_t gpa, uint64_t bytes);

/* cpu.c */
void report_registers(void);
void report_paging(void);
void end(void) __attribute__((noreturn));

/* boot.c */
void report_start_info(uint64_t gpa);
void report_zero_page(uint64_t gpa);

/* smp.c */
void report_processors(uint64_t rsdp_gpa);

static inline void outb(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf)
{
    struct cpuid r;

    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
    return r;
}

#endif

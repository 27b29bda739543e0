/* SPDX-License-Identifier: LGPL-2.1-only */
/* What CPUID says on each processor of a guest: a line "processor leaf subleaf eax ebx ecx edx" for each. */
#include <cpuid.h>
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define SUBLEAVES 64u /* at most, of one leaf */
#define LEAVES 256u   /* at most, of one range: what the highest is comes from what is looked at */

/* Intel's and AMD's manuals, Xen's public arch-x86/cpuid.h. */
static unsigned int subleaves(unsigned int leaf)
{
    static const struct {
        unsigned int leaf, n;
    } known[] = { { 0x4, 8 }, { 0x7, 3 }, { 0xb, 3 }, { 0xd, SUBLEAVES }, { 0x8000001d, 8 }, { 0x40000003, 1 } };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].leaf == leaf)
            return known[i].n;
    return 1;
}

static void range(long cpu, unsigned int first)
{
    unsigned int a, b, c, d, last;

    __cpuid(first, last, b, c, d);
    for (unsigned int leaf = first; leaf <= last && leaf - first < LEAVES; leaf++)
        for (unsigned int sub = 0; sub < subleaves(leaf); sub++) {
            __cpuid_count(leaf, sub, a, b, c, d);
            if (!sub || a || b || c || d)
                printf("%ld %08x %02x %08x %08x %08x %08x\n", cpu, leaf, sub, a, b, c, d);
        }
}

int main(void)
{
    static const unsigned int first[] = { 0, 0x40000000, 0x80000000 };

    for (long cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++) {
        cpu_set_t one;

        CPU_ZERO(&one);
        CPU_SET((size_t)cpu, &one);
        if (sched_setaffinity(0, sizeof(one), &one))
            err(1, "processor %ld", cpu);
        for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
            range(cpu, first[i]);
    }
    return 0;
}

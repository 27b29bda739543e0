/* SPDX-License-Identifier: LGPL-2.1-only */
/* The stub's way through: what it was given, what is asked for, where it goes, and off. */
#include <pvboot/error.h>
#include <stdint.h>

void pvb_stub_main(uint32_t start_info_gpa);

static void out_e9(const char *s)
{
    for (; *s; s++)
        __asm__ volatile("outb %0, %1" : : "a"(*s), "Nd"((uint16_t)0xe9));
}

void pvb_stub_main(uint32_t start_info_gpa)
{
    (void)start_info_gpa;
    out_e9("pvboot: unsupported: stub: this build starts no kernel\n");
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The stub's way through: what it was given, where that goes, and off. */
#include "stub.h"

#include <stdio.h>

void pvb_stub_main(uint32_t start_info_gpa) __attribute__((noreturn));

static struct pvb_stub stub; /* zeroed, and too large for the stack */

static void describe_xen(struct pvb_stub *s)
{
    struct pvb_rings rings;

    if (!pvb_on_xen()) {
        s->req.hypervisor = PVBOOT_HYPERVISOR_NONE;
        return;
    }
    rings = pvb_ask_rings();
    s->machine.console_gpa = rings.console_gfn * PVB_PAGE;
    s->machine.console_evtchn = rings.console_port;
    s->machine.xenstore_gpa = rings.store_gfn * PVB_PAGE;
    s->machine.xenstore_evtchn = rings.store_port;
}

static void announce(const struct pvb_stub *s)
{
    const struct pvboot_segment *seg = s->plan.seg;
    char line[256];

    snprintf(line, sizeof(line), "pvboot: stub: %s, kernel at 0x%llx, ramdisk at 0x%llx, zero page at 0x%llx",
             pvboot_path_name(s->plan.path), (unsigned long long)s->plan.kernel_load_gpa,
             (unsigned long long)seg[PVBOOT_SEG_RAMDISK].start, (unsigned long long)seg[PVBOOT_SEG_ZERO_PAGE].start);
    pvb_say(line);
    for (size_t i = 0; i < sizeof(s->plan.notes) / sizeof(s->plan.notes[0]) && s->plan.notes[i][0]; i++) {
        snprintf(line, sizeof(line), "pvboot: stub: %s", s->plan.notes[i]);
        pvb_say(line);
    }
}

static __attribute__((noreturn)) void refuse(const struct pvboot_error *e)
{
    char line[sizeof(*e)];

    snprintf(line, sizeof(line), "pvboot: %s: stub: %s", pvboot_class_name(e->code), e->text);
    pvb_say(line);
    pvb_give_up();
}

/* The code goes to the page that no move touches; from there on nothing of the stub is needed. */
static __attribute__((noreturn)) void depart(struct pvb_departure *d)
{
    memcpy(d->code, pvb_depart_code, (size_t)(pvb_depart_code_end - pvb_depart_code));
    __asm__ volatile("jmp *%0" : : "r"(d->code), "a"(d) : "memory");
    __builtin_unreachable();
}

void pvb_stub_main(uint32_t start_info_gpa)
{
    struct pvboot_error e = { 0 };
    int rc;

    stub.memory_bytes = SIZE_MAX; /* at address 0, as far as pointers go */
    stub.start_gpa = (uintptr_t)pvb_stub_start;
    stub.end_gpa = (uintptr_t)pvb_stub_end;
    stub.long_mode = pvb_has_long_mode();
    rc = pvb_stub_read(&stub, start_info_gpa, &e);
    if (!rc) {
        describe_xen(&stub);
        rc = pvb_stub_prepare(&stub, &e);
    }
    if (rc)
        refuse(&e);
    announce(&stub);
    depart(stub.departure);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The in-guest stub: a PVH kernel that receives a bzImage and an initrd as modules and starts it like the toolstack
 * would have.  It is the toolstack's own code, compiled a second time: option table, setup header parser, planner,
 * emitter; 32 KiB have no room for the check of the plan, which the toolstack makes of the same code.  Its own part is
 * small: read the start info (input.c), find out which move of bytes must come before which (prepare.c), and do them
 * from a page that none of them overwrites (head.S).
 *
 * input.c and prepare.c know no machine, only a buffer that is guest memory: tests run them on the host.
 */
#ifndef PVB_STUB_H
#define PVB_STUB_H

#include "../builder/base/base.h"
#include "departure.h"

struct pvb_stub {
    /* What the machine says: set by the caller. */
    uint8_t *memory; /* guest memory from address 0 on */
    size_t memory_bytes;
    uint64_t start_gpa, end_gpa; /* where the stub itself lies */
    bool long_mode;              /* does the CPU have it? */

    /* What the start info says: pvb_stub_read(). */
    struct pvboot_machine machine;
    struct pvboot_request req; /* already the kernel's own: path is what the stub is to start */
    struct pvboot_kernel kernel;
    uint64_t kernel_gpa, ramdisk_gpa;
    char cmdline[PVBOOT_CMDLINE_MAX + 1];

    /* What comes of it: pvb_stub_prepare(). */
    struct pvboot_plan plan;
    struct pvb_departure *departure; /* in guest memory */
};

/*
 * Take in the start info at @gpa: memory map, options, modules.  Nothing is believed before it is known to lie in
 * RAM.  -MALFORMED, -UNSUPPORTED, -LIMIT, -USAGE.
 */
int pvb_stub_read(struct pvb_stub *s, uint64_t gpa, struct pvboot_error *e) PVB_CHECKED;

/*
 * Plan and emit all structures into free memory; the moves and the state to leave with go to s->departure.
 * Nothing that is in use is written to.  Errors of the planner; -NOFIT.
 */
int pvb_stub_prepare(struct pvb_stub *s, struct pvboot_error *e) PVB_CHECKED;

/* Sort @move so that none destroys what a later one reads; false when there is no such order. */
bool pvb_stub_order(struct pvb_move *move, uint32_t n);

/* Xen's names for them clash with the planner's. */
struct pvb_rings {
    uint64_t console_gfn, store_gfn; /* 0: none */
    uint32_t console_port, store_port;
};

/* machine.c: the processor and the hypervisor.  None of these returns an error: who asks can live without. */
bool pvb_has_long_mode(void);
bool pvb_on_xen(void);
struct pvb_rings pvb_ask_rings(void);
void pvb_say(const char *line); /* to port 0xe9, which is Xen's log */
__attribute__((noreturn)) void pvb_give_up(void);

/* head.S */
extern const uint8_t pvb_depart_code[], pvb_depart_code_end[], pvb_stub_start[], pvb_stub_end[];

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * pvboot-capture: what a paused domain is about to start with.  It reads registers and memory and interprets neither,
 * but for a PV guest's start info, which no other tool of ours knows: Xen's public xen.h.
 */
#ifndef PVB_CAPTURE_H
#define PVB_CAPTURE_H

#include "../../builder/describe/describe.h"

#include <jansson.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>

struct capture {
    xc_interface *xch;
    xenforeignmemory_handle *fmem;
    uint32_t domid;
    bool pv; /* addresses are virtual ones of vCPU 0, as a PV guest has no other kind at its first instruction */
    const char *dir; /* where files go; NULL: none asked for */
};

/* NAME=ADDRESS:BYTES of the command line. */
struct range {
    char name[64];
    uint64_t address, bytes;
};

/* vcpu.c: registers of vCPU 0, RSI also as a number. -XEN. */
int capture_vcpu(const struct capture *c, json_t *o, uint64_t *rsi, struct pvboot_error *e) PVB_CHECKED;

/* memory.c */

/*
 * @r into the file NAME.bin, its description into @list.  A range may run past what the guest has: then it is cut
 * there, and "bytes" says where.  -XEN when not even its first page is there; -HOST.
 */
int capture_range(const struct capture *c, const struct range *r, json_t *list, struct pvboot_error *e) PVB_CHECKED;
/* The first @bytes at @address into @buf; all of them. -XEN. */
int capture_read(const struct capture *c, uint64_t address, void *buf, size_t bytes,
                 struct pvboot_error *e) PVB_CHECKED;

/* start_info.c: a PV guest's start info at virtual address @address, decoded. */
int capture_start_info(const struct capture *c, uint64_t address, json_t *o, struct pvboot_error *e) PVB_CHECKED;

#endif

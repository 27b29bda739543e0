/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A hypervisor with one domain, in memory: what the domain has, what was asked for and what is still held.
 *
 * The fakes carry the names and prototypes of libxenctrl's and libxenforeignmemory's functions, so a test program that
 * defines them stands in front of the libraries.  They follow the hypervisor's rules, not the builder's formulas:
 * xen/common/memory.c and page_alloc.c (extents, claims), xen/arch/x86/hvm/hvm.c and save.c (params, save stream).
 * Pages are full of FAKE_SCRUB until somebody writes them, as on a debug Xen.
 */
#ifndef FAKE_H
#define FAKE_H

#include "fault.h"
#include "frames.h"

#include <stddef.h>
#include <stdint.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>

#include <xen/hvm/params.h>
#include <xen/hvm/save.h>

#define FAKE_VCPUS 128u
#define FAKE_CALLS 65536u

struct fake_setup {
    uint64_t max_pages, host_pages; /* what the domain may have, what the host has */
    unsigned int max_order;         /* the largest extent the host still has in one piece: 18 is 1 GiB */
    unsigned long per_call;         /* extents one call gives at most; 0: any number */
    uint64_t p2m_pages;             /* what the domain's paging pool can describe; 0: anything */
    uint32_t vcpus;
    uint64_t frames_from;    /* a PV domain's pages get frames so much above their own numbers */
    const char *memory_path; /* guest memory as a sparse file; NULL: anonymous */
};

struct fake_call {
    const char *name;
    uint64_t a, b, c;
};

struct fake_cpu {
    bool up, has_mtrr;
    HVM_SAVE_TYPE(CPU) cpu;
    HVM_SAVE_TYPE(MTRR) mtrr;
};

struct fake_domain {
    struct fake_setup setup;
    uint64_t tot_pages, host_free, claim;
    uint64_t pod_target, promised; /* pages the domain has for what is populated on demand; pages so populated */
    uint64_t param[HVM_NR_PARAMS];
    bool param_set[HVM_NR_PARAMS];
    struct fake_cpu vcpu[FAKE_VCPUS];
    unsigned int contexts_set;
    vcpu_guest_context_t context; /* of a PV domain */
    uint64_t pinned_frame, hypercall_frame;
    unsigned int maps, maps_max, handles; /* held now, held at most at one time, foreign memory handles */
    const char *broken;                   /* the first request no correct builder makes; NULL: none */
    size_t n_calls;
    struct fake_call call[FAKE_CALLS];
};
extern _Thread_local struct fake_domain fake; /* each thread has a host to itself */

void fake_begin(const struct fake_setup *setup);
void fake_end(void);

/* Order of the extent @gfn came in; -1: no memory there. */
int fake_order(uint64_t gfn);
/* Was @gfn ever written or mapped? */
bool fake_touched(uint64_t gfn);
/* Of all touched pages: where they are and what is in them. */
uint64_t fake_digest(void);
/* Guest bytes as the guest would read them; false outside its memory. */
bool fake_read(uint64_t gpa, void *dst, size_t n);
/* As the guest would write them, into a page that is there and touched; false: it is not. */
bool fake_write(uint64_t gpa, const void *src, size_t n);

/* How many calls of @name there were. */
size_t fake_count(const char *name);

/* For the fakes: note a call. False: it is to fail, errno is set. */
bool fake_asked(const char *name, uint32_t domid, uint64_t a, uint64_t b, uint64_t c);
int fake_error(int error); /* sets errno, returns -1 */
int fake_breach(const char *what);
void *fake_map(const xen_pfn_t *gfn, size_t n); /* NULL and errno when one has no memory */
int fake_unmap(void *p, size_t n);
bool fake_add(uint64_t gfn, unsigned int order);
uint64_t fake_shared_info(void);                     /* the frame it lives in is Xen's own: there is always one */
bool fake_promise(uint64_t gfn, unsigned int order); /* memory on demand: counted when it is touched, so never here */

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a launcher asks for beyond a build: the domain's own making and end, its event channels, xenstore.  The rules
 * are those of Xen's domctl.c and of xenstored; the domain is fake.h's, of which there is at most one.
 */
#ifndef FAKE_LAUNCH_H
#define FAKE_LAUNCH_H

#include "fake.h"

#define FAKE_NODES 256u
#define FAKE_FILES 4u
#define FAKE_XENBUS_PORT 21
#define FAKE_CROWDED "/local/domain/7/hidden"

struct fake_node {
    char path[128], value[128];
    uint32_t owner;
    bool guest_reads;
};

struct fake_launch {
    bool absent;           /* no xenstored answers */
    bool served;           /* by another domain, which is there from the start */
    bool noted;            /* a domain that serves xenstore, or did */
    bool talked;           /* the kernel has talked to a xenstored */
    unsigned long lost_at; /* xenstored's n-th answer, from 1, does not come, nor any after it; 0: all come */
    bool ends;             /* the guest powers off as soon as it runs, */
    bool (*stays)(void);   /* or, at a look at it, as soon as this says no */
    unsigned int kexecs;   /* before that, it goes on so many times as another kernel */
    bool shut_down;        /* all its vCPUs wait for what the toolstack will do */
    unsigned int between;  /* so many transactions find at their end that somebody else has come in between */
    unsigned int crowd;    /* FAKE_CROWDED has so many entries more when it is listed, and none is there afterwards */
    const char *rival;     /* dom0 takes this name as soon as there is a transaction */
    bool orphans;          /* nodes of a domain that is released are kept, as dom0's */
    unsigned int sleeps;
    bool destroys; /* who does, destroys the domain: its nodes are gone */
    /* what came of it */
    bool exists, running, introduced;
    unsigned int pauses, resets, introduced_port;
    int handles;         /* of any kind, held */
    unsigned long asked; /* of xenstored */
    bool in_transaction;
    unsigned int ports, bound;
    uint32_t flags, emulation_flags, handed_to, virq;
    struct xen_domctl_createdomain create;
    size_t n_file;
    struct {
        char path[128], value[256];
    } file[FAKE_FILES];
    size_t n_e820, n_node, n_kept;
    uint32_t e820_type[8];
    uint64_t e820_start[8], e820_end[8];
    struct fake_node node[FAKE_NODES], kept[FAKE_NODES]; /* now; before the transaction */
};
extern struct fake_launch fake_launch;

/* A host with @setup's memory and no domain. */
void fake_launch_begin(const struct fake_setup *setup);
const struct fake_node *fake_find(const char *path);

#endif

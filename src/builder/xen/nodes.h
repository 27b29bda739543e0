/* SPDX-License-Identifier: LGPL-2.1-only */
/* The nodes of a domain that xenstored takes away or closes when it releases the domain, to be given back. */
#ifndef PVB_XEN_NODES_H
#define PVB_XEN_NODES_H

#include "../base/base.h"

#include <pvboot/xen.h>

struct pvb_node {
    char *path;
    bool owned;                  /* by the guest: goes, whatever xenstored does with it */
    bool guests;                 /* of those, a toolstack's: made anew, with @value in it */
    char value[16];              /* as the toolstack has it */
    unsigned int n_perm;         /* 0: nothing is to be done about it */
    struct xs_permissions *perm; /* those with which it is given back */
};

struct pvb_nodes {
    struct pvb_node *at;
    size_t n, room;
    uint32_t console_domid; /* whose xenconsoled has the other end of the console */
};

/*
 * What there is now of domain @r->domid, whose vCPUs do not run.  Of the nodes that the guest owns only those that
 * toolstacks make are taken, with what those write there: what the guest has written, it does not get back.
 * -XEN: what was asked for, errno; -LIMIT: more nodes than are looked at; -HOST: no memory.  pvb_nodes_dispose() either way.
 */
int pvb_nodes_read(struct pvb_nodes *nodes, const struct pvboot_reset *r, struct pvboot_error *e) PVB_CHECKED;
/* In transaction @t, whose owner sees to it that the domain is still there.  No other node comes into being by it. */
int pvb_nodes_give_back(const struct pvb_nodes *nodes, const struct pvboot_reset *r, xs_transaction_t t,
                        struct pvboot_error *e) PVB_CHECKED;
void pvb_nodes_dispose(struct pvb_nodes *nodes);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The guard over a domain that serves xenstore, between xenstored.c and guard.c. */
#ifndef PVB_LAUNCH_GUARD_H
#define PVB_LAUNCH_GUARD_H

#include "launch.h"

#include <pthread.h>
#include <stdatomic.h>

struct launch_guard {
    uint32_t domid;
    xc_interface *xch; /* its own: a handle is for one thread */
    int xs_fd, nowhere, stop[2];
    pthread_t asker, thread;
    atomic_bool lost, noticed;
    bool told; /* to the user; the asker's */
};

int launch_guard_start(struct launch *l, uint32_t domid, struct pvboot_error *e) PVB_CHECKED;
void launch_guard_stop(struct launch *l); /* idempotent */

#endif

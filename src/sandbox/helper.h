/* SPDX-License-Identifier: LGPL-2.1-only */
/* The helper as a process: started, listened to, ended. */
#ifndef PVB_HELPER_H
#define PVB_HELPER_H

#include "sandbox.h"

#include <spawn.h>
#include <sys/wait.h>

struct pvb_child {
    pid_t pid;
    int pidfd;     /* -1: it has ended already, and somebody else has reaped it */
    int answer;    /* our end of its pipe */
    siginfo_t end; /* what waitid() said; si_pid 0: somebody else reaped it, so nobody knows how it ended */
};

/* Start @run's helper.  -SANDBOX, -HOST; then there is no child. */
int pvb_child_start(struct pvb_child *c, const struct pvb_run *run, struct pvboot_error *e) PVB_CHECKED;
/* Kill it if it still runs, reap it, close what is open. */
void pvb_child_end(struct pvb_child *c, bool kill);

#endif

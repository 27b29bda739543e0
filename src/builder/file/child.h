/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One child that answers through a pipe: listened to, and ended.  Made for somebody else's program: libxl's SIGCHLD
 * handler only writes to a pipe of its own; it reaps from its event loop, which does not run while we wait here.
 * Another thread's might: then the status is lost to us, but not the end itself, which the pidfd tells.
 *
 * What can fail here returns 0 or an errno, and who asked, and knows what for, makes a sentence of it.
 */
#ifndef PVB_CHILD_H
#define PVB_CHILD_H

#include "../base/base.h"

#include <sys/uio.h>
#include <sys/wait.h>

struct pvb_child {
    pid_t pid;
    int pidfd;     /* -1: it has ended already, and somebody else has reaped it */
    int answer;    /* our end of its pipe */
    siginfo_t end; /* what waitid() said; si_pid 0: somebody else reaped it, so nobody knows how it ended */
};

/* What a child does that is this very program: a copy of its caller. */
struct pvb_child_job {
    const char *name; /* the process's */
    bool allocates;   /* other threads are let finish with the heap first, and the program's handlers for fork() run */
    bool (*run)(const struct pvb_child_job *job, int answer); /* false: it has not answered */
};
/*
 * Start one that dies with the thread that called, takes no signals, and answers by messages on a socket, which may bring a
 * descriptor.  It is watched already.
 */
int pvb_child_fork(struct pvb_child *c, const struct pvb_child_job *job) PVB_CHECKED;

/* A pipe whose ends are @lowest at least: clear of the descriptors a child is given. */
int pvb_child_pipe(int end[2], int lowest) PVB_CHECKED;
/* @c->pid has been started and is to be watched.  If that fails it is killed, and @c->answer closed. */
int pvb_child_watch(struct pvb_child *c) PVB_CHECKED;
/* The moment @ms from now, for the next two. */
uint64_t pvb_deadline(unsigned int ms);
#define PVB_NO_DEADLINE UINT64_MAX /* of who waits for nothing that this process would not wait for itself */
/* What it says until it closes its pipe or has said @n bytes; ETIME at @deadline.  *@got bytes are in @buf. */
int pvb_child_listen(const struct pvb_child *c, uint64_t deadline, void *buf, size_t n, size_t *got) PVB_CHECKED;
/* The same of a socket, with one message of its; *@fd is the descriptor that came with it, closed on exec, or -1. */
int pvb_child_hear(const struct pvb_child *c, uint64_t deadline, struct iovec *into, size_t *got, int *fd) PVB_CHECKED;
/* Until it has ended; ETIME at @deadline. */
int pvb_child_wait(const struct pvb_child *c, uint64_t deadline) PVB_CHECKED;
/*
 * Kill it if asked to, reap it, close what is open.  The kernel may not let it end: it waits, until the mount goes, for a
 * FUSE server that has read a request and does not answer.  Then it is reaped when the next child is watched after that.
 */
void pvb_child_end(struct pvb_child *c, bool kill);

#endif

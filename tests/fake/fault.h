/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Counts what the code under test asks of Xen and of the host, and makes the n-th request of a kind fail.
 *
 * Only requests made inside fault_enter()..fault_leave() count: those are the plugin's, stock libraries' own ones are
 * not.  A child that is made without exec counts with its parent.  Inside the fakes themselves fault_pause() keeps their needs out of it.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <sys/types.h>

enum fault_site {
    FAULT_XEN,
    FAULT_ALLOC,
    FAULT_OPEN, /* and mkdir, unlinkat, renameat, access */
    FAULT_READ, /* and fstat, getrandom */
    FAULT_WRITE,
    FAULT_MEMORY,  /* memfd_create, ftruncate, fcntl, mmap */
    FAULT_PROCESS, /* pipe2, _Fork, posix_spawn, pidfd_open, poll, waitid */
    FAULT_SITES
};

const char *fault_site_name(enum fault_site site);

/*
 * Start over: fail request number @nth (from 1) of @site with @error; 0: count only.  A negative @error is a signal, which
 * the process is sent just before that request.
 */
void fault_arm(enum fault_site site, unsigned long nth, int error);
/* From now on a signal goes to @pid, also where it is a child of its that makes the request. */
void fault_signal_to(pid_t pid);
/* Let every later request of that site fail too, as when the domain is destroyed meanwhile; after fault_arm(). */
void fault_persist(void);
void fault_enter(void);
void fault_leave(void);
void fault_pause(void);
void fault_resume(void);
bool fault_inside(void);
/* Append a line "site number name" for each request to @file. */
void fault_trace(const char *file);

/* One request. True: it is the one to fail, and errno is set. @what names it. */
bool fault_now(enum fault_site site, const char *what);

unsigned long fault_count(enum fault_site site);
int fault_error(void); /* what fault_now() puts into errno */
/* The request that was failed, and the process that made it; NULL and 0: none so far. */
const char *fault_hit(void);
pid_t fault_hit_by(void);

/* host.c, process.c: heap blocks and mappings that were made and not given back. */
long fault_live_blocks(void);
long fault_live_mappings(void);

#endif

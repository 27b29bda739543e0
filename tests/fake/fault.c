/* SPDX-License-Identifier: LGPL-2.1-only */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local struct {
    int inside, paused;
    const char *trace;
} here;

/* Seen by our children as well; what @hit points to lies at the same place there. */
struct fault {
    enum fault_site site;
    unsigned long nth, count[FAULT_SITES];
    int error;
    bool persist;
    const char *hit;
    pid_t hit_by, signalled; /* 0: whoever makes the request */
};

static struct fault *fault;

__attribute__((constructor(101))) static void share(void)
{
    fault = (void *)syscall(SYS_mmap, NULL, sizeof(*fault), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

const char *fault_site_name(enum fault_site site)
{
    static const char *const name[FAULT_SITES] = {
        [FAULT_XEN] = "xen",     [FAULT_ALLOC] = "alloc",   [FAULT_OPEN] = "open",       [FAULT_READ] = "read",
        [FAULT_WRITE] = "write", [FAULT_MEMORY] = "memory", [FAULT_PROCESS] = "process",
    };

    return name[site];
}

void fault_arm(enum fault_site site, unsigned long nth, int error)
{
    fault->site = site;
    fault->nth = nth;
    fault->error = error;
    fault->persist = false;
    fault->hit = NULL;
    fault->hit_by = 0;
    for (int i = 0; i < FAULT_SITES; i++)
        fault->count[i] = 0;
}

void fault_signal_to(pid_t pid)
{
    fault->signalled = pid;
}

void fault_persist(void)
{
    fault->persist = true;
}

void fault_enter(void)
{
    here.inside++;
}

void fault_leave(void)
{
    here.inside--;
}

void fault_pause(void)
{
    here.paused++;
}

void fault_resume(void)
{
    here.paused--;
}

bool fault_inside(void)
{
    return here.inside && !here.paused;
}

void fault_trace(const char *file)
{
    here.trace = file;
}

/* Opened each time: a child closes what it does not know. */
static void trace(enum fault_site site, unsigned long n, const char *what)
{
    int fd;

    fault_pause();
    fd = open(here.trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dprintf(fd, "%s %lu %s\n", fault_site_name(site), n, what);
    close(fd);
    fault_resume();
}

bool fault_now(enum fault_site site, const char *what)
{
    unsigned long n;

    if (!fault_inside())
        return false;
    n = ++fault->count[site];
    if (here.trace)
        trace(site, n, what);
    if (site != fault->site || !fault->nth || (fault->persist ? n < fault->nth : n != fault->nth))
        return false;
    if (!fault->hit) {
        fault->hit = what;
        fault->hit_by = (pid_t)syscall(SYS_getpid);
    }
    if (fault->error < 0) {
        if (!fault->signalled || kill(fault->signalled, -fault->error))
            raise(-fault->error);
        return false;
    }
    errno = fault->error;
    return true;
}

unsigned long fault_count(enum fault_site site)
{
    return fault->count[site];
}

const char *fault_hit(void)
{
    return fault->hit;
}

pid_t fault_hit_by(void)
{
    return fault->hit_by;
}

int fault_error(void)
{
    return fault->error;
}

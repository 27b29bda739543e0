/* SPDX-License-Identifier: LGPL-2.1-only */
#include "fault.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>

static struct {
    enum fault_site site;
    unsigned long nth, count[FAULT_SITES];
    int error, inside, paused, trace;
    bool persist;
    const char *hit;
} fault;

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
    fault.site = site;
    fault.nth = nth;
    fault.error = error;
    fault.persist = false;
    fault.hit = NULL;
    for (int i = 0; i < FAULT_SITES; i++)
        fault.count[i] = 0;
}

void fault_persist(void)
{
    fault.persist = true;
}

void fault_enter(void)
{
    fault.inside++;
}

void fault_leave(void)
{
    fault.inside--;
}

void fault_pause(void)
{
    fault.paused++;
}

void fault_resume(void)
{
    fault.paused--;
}

bool fault_inside(void)
{
    return fault.inside && !fault.paused;
}

void fault_trace(int fd)
{
    fault.trace = fd;
}

static void trace(enum fault_site site, unsigned long n, const char *what)
{
    fault_pause();
    dprintf(fault.trace, "%s %lu %s\n", fault_site_name(site), n, what);
    fault_resume();
}

bool fault_now(enum fault_site site, const char *what)
{
    unsigned long n;

    if (!fault_inside())
        return false;
    n = ++fault.count[site];
    if (fault.trace)
        trace(site, n, what);
    if (site != fault.site || !fault.nth || (fault.persist ? n < fault.nth : n != fault.nth))
        return false;
    if (!fault.hit)
        fault.hit = what;
    if (fault.error < 0) {
        raise(-fault.error);
        return false;
    }
    errno = fault.error;
    return true;
}

unsigned long fault_count(enum fault_site site)
{
    return fault.count[site];
}

const char *fault_hit(void)
{
    return fault.hit;
}

int fault_error(void)
{
    return fault.error;
}

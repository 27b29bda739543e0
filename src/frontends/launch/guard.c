/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A thread that looks, now and then, whether the domain that serves xenstore still lives.  Once it does not, the file that
 * libxenstore reads from is exchanged for one that ends, and a signal wakes who waits in the old one: libxenstore reads on
 * after a signal, and finds the end.
 */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_MS 200
#define WAKE SIGUSR1
#define FD_MAX 1024 /* descriptors that are looked at */

static void woken(int signo)
{
    (void)signo;
}

static void cut(struct launch_guard *g)
{
    if (!atomic_load(&g->lost) && dup2(g->nowhere, g->xs_fd) >= 0)
        atomic_store(&g->lost, true);
    /* until it has been noticed: it may have been about to wait when the first signal came */
    if (atomic_load(&g->lost) && !atomic_load(&g->noticed))
        pthread_kill(g->asker, WAKE);
}

static void *watch(void *arg)
{
    struct launch_guard *g = arg;
    struct pollfd p = { .fd = g->stop[0], .events = POLLIN };

    while (!poll(&p, 1, LOOK_MS))
        if (!launch_domain_lives(g->xch, g->domid))
            cut(g);
    return NULL;
}

/* The program's signals are for the thread that undoes things. */
static int start_thread(struct launch_guard *g)
{
    sigset_t all, was;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    r = pthread_create(&g->thread, NULL, watch, g);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return r;
}

static void dispose(struct launch_guard *g)
{
    if (g->xch)
        xc_interface_close(g->xch);
    for (size_t i = 0; i < 3; i++) {
        int fd = i < 2 ? g->stop[i] : g->nowhere;

        if (fd >= 0)
            close(fd);
    }
    free(g);
}

/* libxenstore keeps it to itself: /proc tells which of ours is the kernel's device. */
static int device_fd(void)
{
    char path[32], target[64];

    for (int fd = 0; fd < FD_MAX; fd++) {
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n = readlink(path, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = 0;
        if (!strcmp(target, "/dev/xen/xenbus") || !strcmp(target, "/proc/xen/xenbus"))
            return fd;
    }
    return -1;
}

int launch_guard_start(struct launch *l, uint32_t domid, struct pvboot_error *e)
{
    struct sigaction sa = { .sa_handler = woken }; /* no SA_RESTART */
    struct launch_guard *g = calloc(1, sizeof(*g));

    if (!g)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory to look after xenstore");
    *g = (struct launch_guard){ .domid = domid, .asker = pthread_self(), .xs_fd = device_fd(), .stop = { -1, -1 } };
    g->nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    g->xch = xc_interface_open(NULL, NULL, 0);
    if (g->xs_fd >= 0 && g->nowhere >= 0 && g->xch && !pipe2(g->stop, O_CLOEXEC) && !sigaction(WAKE, &sa, NULL) &&
        !start_thread(g)) {
        l->guard = g;
        return 0;
    }
    dispose(g);
    return pvb_fail(e, PVBOOT_E_HOST, "looking after the domain that serves xenstore, %u: errno %d", domid, errno);
}

void launch_guard_stop(struct launch *l)
{
    if (!l->guard)
        return;
    close(l->guard->stop[1]); /* the other end sees that */
    l->guard->stop[1] = -1;
    pthread_join(l->guard->thread, NULL);
    dispose(l->guard);
    l->guard = NULL;
}

bool launch_store_lost(const struct launch *l)
{
    bool lost = l->guard && atomic_load(&l->guard->lost);

    if (lost)
        atomic_store(&l->guard->noticed, true);
    return lost;
}

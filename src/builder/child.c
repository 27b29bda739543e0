/* SPDX-License-Identifier: LGPL-2.1-only */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#define DYING_MS 1000 /* what is killed is gone by then, or stuck in the kernel */

int pvb_child_pipe(int end[2], int lowest)
{
    int low[2], err;

    if (pipe2(low, O_CLOEXEC))
        return errno;
    end[0] = fcntl(low[0], F_DUPFD_CLOEXEC, lowest);
    end[1] = end[0] < 0 ? -1 : fcntl(low[1], F_DUPFD_CLOEXEC, lowest);
    err = errno;
    close(low[0]);
    close(low[1]);
    if (end[1] >= 0)
        return 0;
    if (end[0] >= 0)
        close(end[0]);
    return err;
}

int pvb_child_watch(struct pvb_child *c, struct pvboot_error *e)
{
    int err;

    c->pidfd = pidfd_open(c->pid, 0);
    if (c->pidfd >= 0 || errno == ESRCH)
        return 0;
    err = errno;
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    close(c->answer);
    return pvb_fail(e, PVBOOT_E_HOST, "no descriptor of a child process: %s", strerror(err));
}

uint64_t pvb_deadline(unsigned int ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u + ms;
}

/* Until @fd has something to tell: 0; ETIME when @deadline came first; or errno. */
static int wait_for(int fd, uint64_t deadline)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    for (;;) {
        uint64_t now = pvb_deadline(0);
        int r = now < deadline ? poll(&p, 1, (int)(deadline - now)) : 0;

        if (r >= 0 || errno != EINTR)
            return r > 0 ? 0 : r ? errno : ETIME;
    }
}

int pvb_child_listen(const struct pvb_child *c, uint64_t deadline, void *buf, size_t n, size_t *got)
{
    for (*got = 0; *got < n;) {
        int err = wait_for(c->answer, deadline);
        ssize_t r;

        if (err)
            return err;
        r = read(c->answer, (uint8_t *)buf + *got, n - *got);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r ? errno : 0;
        *got += (size_t)r;
    }
    return 0;
}

int pvb_child_wait(const struct pvb_child *c, uint64_t deadline)
{
    return c->pidfd < 0 ? 0 : wait_for(c->pidfd, deadline);
}

void pvb_child_end(struct pvb_child *c, bool kill_it)
{
    int r;

    close(c->answer);
    if (c->pidfd < 0)
        return;
    if (kill_it)
        pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
    if (!kill_it || !wait_for(c->pidfd, pvb_deadline(DYING_MS))) {
        do
            r = waitid(P_PIDFD, (id_t)c->pidfd, &c->end, WEXITED);
        while (r && errno == EINTR);
        if (r)
            c->end = (siginfo_t){ 0 };
    }
    close(c->pidfd);
}

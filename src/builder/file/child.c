/* SPDX-License-Identifier: LGPL-2.1-only */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DYING_MS 1000 /* what is killed is gone by then, or stuck in the kernel */
#define LOOK_MS 10
#define STUCK_MAX 16

/* Killed, and not yet ended; more of them than this stay zombies until the process ends. */
static struct {
    pthread_mutex_t lock;
    int pidfd[STUCK_MAX];
    size_t n;
} stuck = { .lock = PTHREAD_MUTEX_INITIALIZER };

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

/* All signals are blocked here, as the caller's handlers are still in place. */
static _Noreturn void run_child(const struct pvb_child_job *job, int answer, pid_t caller)
{
    pid_t parent;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    parent = getppid();
    if (parent && parent != caller) /* 0: in another namespace */
        _exit(1);
    prctl(PR_SET_NAME, job->name);
    _exit(!job->run(job, answer));
}

int pvb_child_fork(struct pvb_child *c, const struct pvb_child_job *job)
{
    pid_t caller = getpid();
    sigset_t all, old;
    int end[2], err;

    *c = (struct pvb_child){ 0 };
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, end))
        return errno;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    c->pid = job->allocates ? fork() : _Fork();
    if (!c->pid)
        run_child(job, end[1], caller);
    err = errno;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    close(end[1]);
    c->answer = end[0];
    if (c->pid > 0)
        return pvb_child_watch(c);
    close(end[0]);
    return err;
}

/* True: @pidfd has ended, and who it was is known from @end, unless somebody else has reaped it. */
static bool reap(int pidfd, int how, siginfo_t *end)
{
    int r;

    *end = (siginfo_t){ 0 };
    do
        r = waitid(P_PIDFD, (id_t)pidfd, end, WEXITED | how);
    while (r && errno == EINTR);
    return r || end->si_pid;
}

static void reap_stuck(void)
{
    siginfo_t end;

    pthread_mutex_lock(&stuck.lock);
    for (size_t i = stuck.n; i--;)
        if (reap(stuck.pidfd[i], WNOHANG, &end)) {
            close(stuck.pidfd[i]);
            stuck.pidfd[i] = stuck.pidfd[--stuck.n];
        }
    pthread_mutex_unlock(&stuck.lock);
}

/* Takes @pidfd. */
static void leave_stuck(int pidfd)
{
    pthread_mutex_lock(&stuck.lock);
    if (stuck.n < STUCK_MAX)
        stuck.pidfd[stuck.n++] = pidfd;
    else
        close(pidfd);
    pthread_mutex_unlock(&stuck.lock);
}

int pvb_child_watch(struct pvb_child *c)
{
    int err;

    reap_stuck();
    c->pidfd = pidfd_open(c->pid, 0);
    if (c->pidfd >= 0 || errno == ESRCH)
        return 0;
    err = errno;
    kill(c->pid, SIGKILL);
    for (int ms = 0; ms < DYING_MS && !waitpid(c->pid, NULL, WNOHANG); ms += LOOK_MS)
        nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000 }, NULL);
    close(c->answer);
    return err;
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
        int r = now < deadline ? poll(&p, 1, deadline == PVB_NO_DEADLINE ? -1 : (int)(deadline - now)) : 0;

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

int pvb_child_hear(const struct pvb_child *c, uint64_t deadline, struct iovec *into, size_t *got, int *fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } with;
    struct msghdr m = { .msg_iov = into, .msg_iovlen = 1, .msg_control = &with, .msg_controllen = sizeof(with) };
    struct cmsghdr *h;
    ssize_t r;
    int err;

    *got = 0;
    *fd = -1;
    do {
        err = wait_for(c->answer, deadline);
        if (err)
            return err;
        r = recvmsg(c->answer, &m, MSG_CMSG_CLOEXEC);
    } while (r < 0 && errno == EINTR);
    if (r < 0)
        return errno;
    *got = (size_t)r;
    h = CMSG_FIRSTHDR(&m);
    if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(fd, CMSG_DATA(h), sizeof(*fd));
    return 0;
}

int pvb_child_wait(const struct pvb_child *c, uint64_t deadline)
{
    return c->pidfd < 0 ? 0 : wait_for(c->pidfd, deadline);
}

void pvb_child_end(struct pvb_child *c, bool kill_it)
{
    close(c->answer);
    if (c->pidfd < 0)
        return;
    if (kill_it)
        pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
    if (kill_it && wait_for(c->pidfd, pvb_deadline(DYING_MS))) {
        leave_stuck(c->pidfd);
        return;
    }
    reap(c->pidfd, 0, &c->end);
    close(c->pidfd);
}

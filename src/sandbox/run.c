/* SPDX-License-Identifier: LGPL-2.1-only */
/* One run of the helper: its answer, or how it died. */
#include "helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

/* Until @fd has something to tell: 0; ETIME when @deadline came first; or errno. */
static int wait_for(int fd, uint64_t deadline)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    for (;;) {
        uint64_t now = now_ms();
        int r = now < deadline ? poll(&p, 1, (int)(deadline - now)) : 0;

        if (r >= 0 || errno != EINTR)
            return r > 0 ? 0 : r ? errno : ETIME;
    }
}

/* What the child says until it closes its pipe, or has said more than an answer: 0, ETIME or errno. */
static int listen_to(const struct pvb_child *c, uint64_t deadline, void *buf, size_t n, size_t *got)
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

static int died(int sig, struct pvboot_error *e)
{
    static const struct {
        int sig;
        const char *why;
    } known[] = {
        { SIGSYS, "seccomp stopped a system call it has no use for" },
        { SIGXCPU, "limits: over its processor time" },
        { SIGXFSZ, "limits: it tried to make a file grow" },
        { SIGKILL, "somebody killed it, maybe for want of memory" },
        { SIGBUS, "it ran off the end of its memory" },
        { SIGSEGV, "it crashed" },
        { SIGABRT, "it gave up" },
    };
    const char *why = "it crashed";

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].sig == sig)
            why = known[i].why;
    return pvb_fail(e, PVBOOT_E_SANDBOX, "the confined parser died of SIG%s: %s",
                    sigabbrev_np(sig) ? sigabbrev_np(sig) : "?", why);
}

static int judge(const struct pvb_child *c, const struct pvb_answer *a, size_t got, struct pvboot_error *e)
{
    bool known = c->end.si_pid != 0; /* not reaped by somebody else */

    if (got > sizeof(*a))
        return pvb_fail(e, PVBOOT_E_SANDBOX, "the confined parser said more than one answer");
    if (known && (c->end.si_code == CLD_KILLED || c->end.si_code == CLD_DUMPED))
        return died(c->end.si_status, e);
    if (got != sizeof(*a) || a->magic != PVB_ANSWER_MAGIC || a->bytes != sizeof(*a))
        return pvb_fail(e, PVBOOT_E_SANDBOX, "the confined parser ended with code %d and %zu bytes of answer, not %zu",
                        known ? c->end.si_status : -1, got, sizeof(*a));
    if (strncmp(a->version, PVBOOT_VERSION, sizeof(a->version)))
        return pvb_fail(e, PVBOOT_E_SANDBOX, "the confined parser is of version %.*s, its caller of %s",
                        (int)sizeof(a->version), a->version, PVBOOT_VERSION);
    return 0;
}

int pvb_run(const struct pvb_run *run, struct pvb_answer *a, struct pvboot_error *e)
{
    union {
        struct pvb_answer a;
        uint8_t longer[sizeof(struct pvb_answer) + 1];
    } said;
    uint64_t deadline = now_ms() + run->wall_ms;
    struct pvb_child c;
    size_t got;
    bool chatty;
    int rc, err;

    rc = pvb_child_start(&c, run, e);
    if (rc)
        return rc;
    err = listen_to(&c, deadline, &said, sizeof(said), &got);
    chatty = got > sizeof(said.a);
    if (!err && !chatty && c.pidfd >= 0)
        err = wait_for(c.pidfd, deadline);
    pvb_child_end(&c, err || chatty);
    if (err == ETIME)
        return pvb_fail(e, PVBOOT_E_SANDBOX, "the confined parser was killed: over its wall-clock limit of %u ms",
                        run->wall_ms);
    if (err)
        return pvb_fail(e, PVBOOT_E_HOST, "listening to the confined parser: %s", strerror(err));
    rc = judge(&c, &said.a, got, e);
    if (!rc)
        *a = said.a;
    return rc;
}

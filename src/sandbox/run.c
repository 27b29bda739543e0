/* SPDX-License-Identifier: LGPL-2.1-only */
/* One run of the helper: its answer, or how it died. */
#include "helper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

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
    if (known && c->end.si_status)
        return pvb_fail(e, PVBOOT_E_SANDBOX, "the confined parser gave a whole answer and ended with code %d",
                        c->end.si_status);
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
    uint64_t deadline = pvb_deadline(run->wall_ms);
    struct pvb_child c;
    size_t got;
    bool chatty;
    int rc, err;

    rc = pvb_helper_start(&c, run, e);
    if (rc)
        return rc;
    err = pvb_child_listen(&c, deadline, &said, sizeof(said), &got);
    chatty = got > sizeof(said.a);
    if (!err && !chatty)
        err = pvb_child_wait(&c, deadline);
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

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Until a guest has ended.  Xen is asked now and then: its own notice, VIRQ_DOM_EXC, is for one listener, which is
 * xenstored, and there may be none.
 */
#include "launch.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define ASK_MS 200
#define PATIENCE_S 5 /* for looks that fail: dom0 may be short of memory for a moment */

/* @over: it has ended, like @end. -XEN */
static int look(const struct launch *l, bool *over, enum launch_end *end, struct pvboot_error *e)
{
    xc_domaininfo_t info;
    int n = xc_domain_getinfolist(l->xen.xch, l->xen.domid, 1, &info);
    unsigned int code;

    if (n < 0 && errno != ESRCH)
        return pvb_fail(e, PVBOOT_E_XEN, "asking about domain %u: errno %d", l->xen.domid, errno);
    *end = LAUNCH_GONE;
    *over = n <= 0 || info.domain != l->xen.domid || (info.flags & XEN_DOMINF_dying);
    if (*over || !(info.flags & XEN_DOMINF_shutdown))
        return 0;
    code = (info.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;
    *end = code < LAUNCH_GONE ? (enum launch_end)code : LAUNCH_CRASH;
    *over = true;
    return 0;
}

/* As look(), but a failure counts only when none has succeeded for a while; @since: seconds, 0 while all is well. */
static int look_patiently(const struct launch *l, time_t *since, bool *over, enum launch_end *end,
                          struct pvboot_error *e)
{
    struct pvboot_error failed = { 0 };
    int rc = look(l, over, end, &failed);
    struct timespec now = { 0 };

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!rc || !*since)
        *since = rc ? now.tv_sec : 0;
    if (!rc || now.tv_sec - *since < PATIENCE_S)
        return 0;
    *e = failed;
    return rc;
}

int launch_wait(struct launch *l, struct launch_console *c, enum launch_end *end, bool *left, struct pvboot_error *e)
{
    time_t since = 0;
    bool over = false;
    int rc;

    for (*left = false; !*left;) {
        rc = look_patiently(l, &since, &over, end, e);
        if (!rc && !over)
            rc = launch_interrupted(e);
        if (rc || over)
            break;
        if (c)
            *left = launch_console_carry(c, ASK_MS);
        else
            poll(NULL, 0, ASK_MS);
    }
    if (c && !*left)
        launch_console_carry(c, 0); /* its last words */
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Until a guest has ended.  Xen is asked now and then: its own notice, VIRQ_DOM_EXC, is for one listener, which is
 * xenstored, and there may be none.
 */
#include "launch.h"

#include <poll.h>

#define ASK_MS 200

/* True: it has ended, like that. */
static bool ended(const struct launch *l, enum launch_end *end)
{
    xc_domaininfo_t info;
    uint32_t next = l->xen.domid;
    unsigned int code;

    if (!launch_next_domain(l->xen.xch, &next, &info) || info.domain != l->xen.domid ||
        (info.flags & XEN_DOMINF_dying)) {
        *end = LAUNCH_GONE;
        return true;
    }
    if (!(info.flags & XEN_DOMINF_shutdown))
        return false;
    code = (info.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;
    *end = code < LAUNCH_GONE ? (enum launch_end)code : LAUNCH_CRASH;
    return true;
}

int launch_wait(struct launch *l, struct launch_console *c, enum launch_end *end, bool *left, struct pvboot_error *e)
{
    int rc = 0;

    *left = false;
    while (!rc && !ended(l, end)) {
        rc = launch_interrupted(e);
        if (rc)
            return rc;
        if (!c || *left) {
            poll(NULL, 0, ASK_MS);
        } else if (launch_console_carry(c, ASK_MS)) {
            *left = true;
            if (!l->cfg->wait)
                return 0;
        }
    }
    if (c && !*left)
        launch_console_carry(c, 0); /* its last words */
    return rc;
}

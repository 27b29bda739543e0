/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Until a xenstored that has just been started answers.  First it binds the port that it was given; nobody asks it anything
 * before, because this kernel keeps a request that is not answered, and then takes no other xenstored.  Then one request
 * through the kernel's device, which can be waited for without waiting in it.  Meanwhile its console is read, which nobody
 * else does yet: a Linux whose ring is full spins.
 */
#include "launch.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define LOOK_MS 100

static int look(const struct launch *l, struct pvboot_error *e)
{
    if (!launch_domain_lives(l->xen.xch, l->xen.domid))
        return pvb_fail(e, PVBOOT_E_XEN, "domain %u has ended before a xenstored in it answered%s", l->xen.domid,
                        l->cfg->verbose ? "" : ": -v shows its console");
    return launch_interrupted(e);
}

static int look_at_port(const struct launch *l, bool *bound, struct pvboot_error *e)
{
    xc_evtchn_status_t s = { .dom = DOMID_SELF, .port = l->xenbus_port };

    if (xc_evtchn_status(l->xen.xch, &s))
        return pvb_fail(e, PVBOOT_E_XEN, "asking about event channel %u: errno %d", l->xenbus_port, errno);
    *bound = s.status == EVTCHNSTAT_interdomain;
    return 0;
}

static int wait_for_answer(const struct launch *l, struct launch_console *console, struct pvboot_error *e)
{
    struct pollfd p = { .fd = launch_xenbus_ask(), .events = POLLIN };
    int rc = 0;

    if (p.fd < 0)
        return pvb_fail(e, PVBOOT_E_XEN, "asking for xenstore at /dev/xen/xenbus: errno %d", errno);
    while (!rc && poll(&p, 1, 0) <= 0) {
        launch_console_carry(console, LOOK_MS);
        rc = look(l, e);
    }
    close(p.fd);
    return rc;
}

int launch_storedom_wait(struct launch *l, struct pvboot_error *e)
{
    struct launch_console *console = NULL;
    bool bound = false;
    int rc = launch_console_open(&console, l, e);

    if (!rc)
        rc = launch_unpause(l, e);
    while (!rc && !bound) {
        launch_console_carry(console, LOOK_MS);
        rc = look(l, e);
        if (!rc)
            rc = look_at_port(l, &bound, e);
    }
    if (!rc)
        rc = wait_for_answer(l, console, e);
    launch_console_close(console);
    return rc;
}

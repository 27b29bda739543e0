/* SPDX-License-Identifier: LGPL-2.1-only */
/* What makes a domain the one that serves xenstore: this kernel's end of it, and Xen's notice of domains that end. */
#include "launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int launch_event_cmdline(struct launch_config *c, uint32_t port, struct pvboot_error *e)
{
    free(c->cmdline);
    if (asprintf(&c->cmdline, "--event %u%s%s", port, c->param ? " " : "", c->param ? c->param : "") < 0) {
        c->cmdline = NULL;
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a command line");
    }
    c->req.cmdline = c->cmdline;
    return 0;
}

/* The kernel takes only one, and refuses once xenstored has answered it. */
int launch_hand_over_xenbus(struct launch *l, struct pvboot_error *e)
{
    int port;

    if (!l->cfg->serves_xenstore)
        return 0;
    port = launch_xenbus_setup(l->xen.domid);
    l->xenbus_port = (uint32_t)port;
    if (port >= 0)
        return launch_event_cmdline(l->cfg, l->xenbus_port, e);
    if (errno == EEXIST)
        return pvb_fail(e, PVBOOT_E_XEN,
                        "this kernel has talked to a xenstored already, and takes no other until it "
                        "is booted anew");
    return pvb_fail(e, PVBOOT_E_XEN,
                    "giving domain %u this kernel's end of xenstore, by /dev/xen/xenbus_backend: errno "
                    "%d",
                    l->xen.domid, errno);
}

int launch_hand_over_virq(struct launch *l, struct pvboot_error *e)
{
    if (!l->cfg->serves_xenstore || !xc_domain_set_virq_handler(l->xen.xch, l->xen.domid, VIRQ_DOM_EXC))
        return 0;
    return pvb_fail(e, PVBOOT_E_XEN, "having domain %u told of domains that end: errno %d", l->xen.domid, errno);
}

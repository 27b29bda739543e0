/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xenstored in a domain of its own that has ended: dom0's kernel waits for its answers for ever, and so does libxl, from
 * its first look into xenstore on.  A config is read before that.
 */
#include "xl.h"

/* False also where that cannot be told. */
static bool has_ended(uint32_t domid)
{
    __typeof__(&xc_interface_open) open_xen = PVB_FIND(xc_interface_open);
    __typeof__(&xc_interface_close) close_xen = PVB_FIND(xc_interface_close);
    __typeof__(&xc_domain_getinfolist) list = PVB_FIND(xc_domain_getinfolist);
    xc_interface *xch = open_xen && close_xen && list ? open_xen(NULL, NULL, 0) : NULL;
    xc_domaininfo_t d;
    int n = -1;

    if (xch) {
        n = list(xch, domid, 1, &d);
        close_xen(xch);
    }
    return !n || (n == 1 && (d.domain != domid || (d.flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown))));
}

int pvb_store_check(struct pvboot_error *e)
{
    uint32_t domid;

    if (!pvb_store_noted(&domid) || !has_ended(domid))
        return 0;
    return pvb_fail(e, PVBOOT_E_XEN, "domain %u, which served xenstore, has ended", domid);
}

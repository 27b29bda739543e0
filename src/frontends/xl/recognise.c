/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Is a domain ours?  It is when libxl loads its shim by the very name that config.c writes into pvshim_path, and its
 * shim command line is our carrier, unless the stub itself is to run in the guest: then the stock loader is the right
 * one, as long as it survives.
 *
 * A domain without a shim has its kernel and its command line in the same places, and both may be a tenant's, as a
 * bootloader's are, which come from the guest's disk: our stub's bytes, or a symbolic link to it, and "pvboot
 * dump=/etc/..." would then ask dom0 for something.  So no file is looked into; what counts is the name alone.
 */
#include "xl.h"

/* Does the carrier ask for the in-guest stub? An unreadable carrier is ours, to be refused with a reason. */
static bool wants_stub(const char *cmdline)
{
    struct pvboot_request req;
    struct pvboot_error e = { 0 };
    struct pvb_paths paths = { 0 };
    int rc;

    pvboot_request_init(&req);
    rc = pvb_carrier_parse(cmdline, &req, &paths, &e);
    pvb_paths_dispose(&paths);
    return (!rc || rc == -PVBOOT_E_HOST) && req.path == PVBOOT_PATH_STUB;
}

/* Stock libxenguest asserts that the guest's command line is no longer than this: xl would be gone, the domain not. */
static bool stock_would_abort(const struct xc_dom_image *dom)
{
    const char *cmdline = dom->num_modules ? dom->modules[0].cmdline : NULL;

    return cmdline && strlen(cmdline) > PVBOOT_STOCK_CMDLINE_MAX;
}

bool pvb_is_ours(const struct xc_dom_image *dom)
{
    const struct pvb_domain *d = pvb_domain_find(dom);

    return d && d->has_our_shim && dom->container_type == XC_DOM_HVM_CONTAINER && pvb_carrier_present(dom->cmdline) &&
           (!wants_stub(dom->cmdline) || stock_would_abort(dom));
}

__attribute__((visibility("default"))) int xc_dom_kernel_file(struct xc_dom_image *dom, const char *filename)
{
    __typeof__(&xc_dom_kernel_file) stock = (__typeof__(&xc_dom_kernel_file))pvb_next("xc_dom_kernel_file");
    struct pvboot_error e = { 0 };
    struct pvb_domain *d;

    if (pvb_refusal() || strcmp(filename, pvb_stub_path()))
        return stock(dom, filename);
    d = pvb_domain_get(dom);
    if (!d) {
        pvb_fail(&e, PVBOOT_E_HOST, "no memory for a domain's description");
        return pvb_report(&e);
    }
    d->has_our_shim = true;
    return stock(dom, filename);
}

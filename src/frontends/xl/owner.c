/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Is a domain ours?  Three marks make it so, and a host's administrator sets each: libxl loads the file that config.c
 * writes into pvshim_path, by that very name; the command line it allocates the domain with begins with our word; and
 * the first module has a command line.
 *
 * The third is there because a domain without a shim has its kernel and its command line in the same places as a
 * shim's, and both may be a tenant's.  libxl__domain_firmware() (4.15 to 4.22) gives module 0 a command line for a
 * domain with a shim alone, whose module 0 is the kernel; without one module 0 is the ramdisk, and has none.  A domain
 * with a device model has its boot ROM there, called "ipxe", and is never ours.
 *
 * A guest of ours that has lost the third mark (a config in stock words without cmdline=, a bootloader that says
 * nothing) looks like a tenant's stub with a ramdisk.  It is refused, and built as neither.
 */
#include "xl.h"

/* Do the options ask for the in-guest stub? Unreadable ones are ours, to be refused with a reason. */
static bool wants_stub(const char *cmdline)
{
    struct pvboot_request req;
    struct pvboot_error e = { 0 };
    struct pvb_paths paths = { 0 };
    int rc;

    pvboot_request_init(&req);
    rc = pvb_shim_options_parse(cmdline, &req, &paths, &e);
    pvb_paths_dispose(&paths);
    return (!rc || rc == -PVBOOT_E_HOST) && req.path == PVBOOT_PATH_STUB;
}

/* The two marks that a tenant's kernel and command line can have as well. */
static bool names_us(const struct xc_dom_image *dom)
{
    const struct pvb_domain *d = pvb_domain_find(dom);

    return d && d->stub_is_first && dom->container_type == XC_DOM_HVM_CONTAINER && !dom->device_model &&
           pvb_shim_options_present(dom->cmdline);
}

/* Stock libxenguest asserts that the guest's command line is no longer than this: xl would be gone, the domain not. */
static bool stock_would_abort(const char *guest_cmdline)
{
    return strlen(guest_cmdline) > PVBOOT_STOCK_CMDLINE_MAX;
}

enum pvb_owner pvb_owner(const struct xc_dom_image *dom)
{
    if (!dom->num_modules)
        return PVB_OWNER_STOCK;
    return pvb_owner_by_cmdline(dom, dom->modules[0].cmdline);
}

enum pvb_owner pvb_owner_by_cmdline(const struct xc_dom_image *dom, const char *guest_cmdline)
{
    if (!names_us(dom) || (wants_stub(dom->cmdline) && !(guest_cmdline && stock_would_abort(guest_cmdline))))
        return PVB_OWNER_STOCK;
    return guest_cmdline ? PVB_OWNER_PVBOOT : PVB_OWNER_UNMARKED;
}

bool pvb_owner_is_stub(const struct xc_dom_image *dom)
{
    return names_us(dom) && dom->num_modules && dom->modules[0].cmdline && pvb_owner(dom) == PVB_OWNER_STOCK;
}

__attribute__((visibility("default"))) int xc_dom_kernel_file(struct xc_dom_image *dom, const char *filename)
{
    __typeof__(&xc_dom_kernel_file) stock = PVB_STOCK(xc_dom_kernel_file);
    struct pvboot_error e = { 0 };
    struct pvb_domain *d;

    if (strcmp(filename, pvb_stub_path()) || pvb_refusal())
        return stock(dom, filename);
    d = pvb_domain_get(dom);
    if (!d) {
        pvb_fail(&e, PVBOOT_E_HOST, "no memory for a domain's description");
        return pvb_report(&e);
    }
    d->stub_is_first = true;
    return stock(dom, filename);
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Is a domain ours?  It is when its shim is our stub and its shim command line our carrier, unless the stub itself
 * is to run in the guest: then the stock loader is the right one, as long as it survives.  Looking changes nothing.
 *
 * A bootloader's kernel comes from the guest's disk, and with it the command line: a guest could bring our stub and
 * write a carrier of its own, "pvboot dump=/etc/...".  But such a kernel is handed over as memory (xc_dom_kernel_mem),
 * while the shim is what the administrator named, and libxenguest maps its file.
 */
#include "xl.h"

#include <stdlib.h>

static bool is_mapped_file(const struct xc_dom_image *dom)
{
    for (const struct xc_dom_mem *m = dom->memblocks; m; m = m->next)
        if (m->type == XC_DOM_MEM_TYPE_MMAP && m->ptr == dom->kernel_blob)
            return true;
    return false;
}

/* On a host without memory for an answer it is: then what comes next refuses, instead of a stock loader going on. */
static bool is_stub(const struct xc_dom_image *dom)
{
    struct pvboot_bytes blob = { dom->kernel_blob, dom->kernel_size };
    struct pvboot_kernel k = { 0 };
    struct pvboot_error e = { 0 };
    int rc = pvboot_kernel_parse(&k, blob, &e);
    bool stub = rc == -PVBOOT_E_HOST || (!rc && k.image.has_elf && k.image.elf.notes.pvboot_stub);

    pvboot_kernel_dispose(&k);
    return stub;
}

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

/* Stock libxenguest asserts that the guest's command line is shorter than this: xl would be gone, the domain not. */
static bool stock_would_abort(const struct xc_dom_image *dom)
{
    const char *cmdline = dom->num_modules ? dom->modules[0].cmdline : NULL;

    return cmdline && strlen(cmdline) >= PVB_STOCK_CMDLINE_MAX;
}

bool pvb_is_ours(const struct xc_dom_image *dom)
{
    return dom->container_type == XC_DOM_HVM_CONTAINER && pvb_carrier_present(dom->cmdline) && dom->kernel_blob &&
           is_mapped_file(dom) && is_stub(dom) && (!wants_stub(dom->cmdline) || stock_would_abort(dom));
}

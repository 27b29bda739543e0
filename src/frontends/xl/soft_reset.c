/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * In front of libxl_domain_soft_reset(), which from 4.17 to 4.22 gives no PVH guest what it shut down for: a domain of
 * ours goes on into its next kernel; any other domain's request is libxl's.
 *
 * Whose it is, the configuration tells that libxl keeps of the domain.  It is asked for as JSON, since the structure has
 * another layout in each release.
 */
#include "xl.h"

#include <jansson.h>
#include <libxl.h>
#include <stdlib.h>
#include <xenstore.h>

/*
 * libxl writes a tenant's bytes (the command line, a name) as they are.  Where they are no UTF-8, which JSON has to be,
 * the marks can still be read with those bytes replaced; what a mark is made of is ASCII, or no mark of ours.
 */
static json_t *parse(char *json)
{
    json_t *root = json_loads(json, 0, NULL);

    if (root)
        return root;
    for (char *p = json; *p; p++)
        if (*p & 0x80)
            *p = '?';
    return json_loads(json, 0, NULL);
}

/* The marks of owner.c that a configuration has; none of these can a tenant set. */
static bool is_ours(char *json)
{
    json_t *root = json ? parse(json) : NULL;
    const char *path = NULL, *word = NULL, *shim = NULL;
    bool ours = root &&
                !json_unpack(root, "{s:{s:{s:s, s:s, s:s}}}", "b_info", "type.pvh", "pvshim", &shim, "pvshim_path",
                             &path, "pvshim_cmdline", &word) &&
                !strcmp(shim, "True") && !strcmp(path, pvb_stub_path()) && pvb_shim_options_present(word);

    json_decref(root);
    return ours;
}

static bool config_is_ours(libxl_ctx *ctx, libxl_domain_config *config)
{
    __typeof__(&libxl_domain_config_to_json) to_json = PVB_FIND(libxl_domain_config_to_json);
    char *json = to_json ? to_json(ctx, config) : NULL;
    bool ours = is_ours(json);

    free(json);
    return ours;
}

static int reset(struct pvboot_reset *r, struct pvboot_error *e)
{
    __typeof__(&xc_interface_open) open_xen = PVB_FIND(xc_interface_open);
    __typeof__(&xc_interface_close) close_xen = PVB_FIND(xc_interface_close);
    __typeof__(&xs_open) open_store = PVB_FIND(xs_open);
    __typeof__(&xs_close) close_store = PVB_FIND(xs_close);
    struct pvboot_xen_rings rings = { 0 };
    int rc = pvb_reset_calls(&r->call, e);

    if (!rc && !(open_xen && close_xen && open_store && close_store))
        rc = pvb_fail(e, PVBOOT_E_UNSUPPORTED, "no libxenctrl or libxenstore to reset domain %u with", r->domid);
    if (rc)
        return rc;
    r->xch = open_xen(NULL, NULL, 0);
    r->xs = open_store(0);
    if (!r->xch || !r->xs)
        rc = pvb_fail(e, PVBOOT_E_XEN, "opening Xen's or xenstored's interface to reset domain %u", r->domid);
    else
        rc = pvboot_xen_soft_reset(r, &rings, e);
    if (r->xs)
        close_store(r->xs);
    if (r->xch)
        close_xen(r->xch);
    return rc;
}

__attribute__((visibility("default"))) int libxl_domain_soft_reset(libxl_ctx *ctx, libxl_domain_config *d_config,
                                                                   uint32_t domid, const libxl_asyncop_how *ao_how,
                                                                   const libxl_asyncprogress_how *aop_console_how)
{
    struct pvboot_reset r = { .domid = domid };
    struct pvboot_error e = { 0 };

    if (ao_how || pvb_refusal() || !config_is_ours(ctx, d_config))
        return PVB_STOCK(libxl_domain_soft_reset)(ctx, d_config, domid, ao_how, aop_console_how);
    if (!reset(&r, &e))
        return 0;
    pvb_report(&e);
    return ERROR_FAIL;
}

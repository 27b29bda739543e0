/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A soft reset, for a domain whose only devices are the two rings that the toolstack makes.
 *
 * xenstored releases the domain and is then introduced to it, as libxl does it for HVM guests.  Introducing alone would
 * do for a guest that means well; but of a domain that it knows C xenstored keeps the connection, frees a message that
 * it has half read, and goes on using it (domain_conn_reset()).  A connection that it has made anew holds no message.
 * What the release takes away of the domain's nodes is given back (nodes_xen.c).
 *
 * The ring is mapped anew, by its grant.  A guest that has spoilt the entry is refused by xenstored.
 */
#include "nodes.h"

#include <errno.h>
#include <pvboot/xen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/hvm/params.h>

#define PATH_BYTES 80u
#define TRIES 100u /* of a transaction that others come in between */

/* The number at @path; @absent where there is none, if that is no failure. */
static int read_number(const struct pvboot_reset *r, const char *path, const uint32_t *absent, uint32_t *value,
                       struct pvboot_error *e)
{
    unsigned int n;
    char *text = r->call.xs_read(r->xs, XBT_NULL, path, &n), *end = NULL;
    unsigned long long number = text ? strtoull(text, &end, 10) : 0;
    bool good = text && end != text && !*end && number <= UINT32_MAX;

    if (good)
        *value = (uint32_t)number;
    free(text);
    if (good)
        return 0;
    if (!text && errno == ENOENT && absent) {
        *value = *absent;
        return 0;
    }
    return text ? pvb_fail(e, PVBOOT_E_XEN, "xenstore: %s is no number", path)
                : pvb_fail(e, PVBOOT_E_XEN, "xenstore: reading %s: errno %d", path, errno);
}

static int channel(const struct pvboot_reset *r, uint32_t remote, uint32_t param, uint32_t *port,
                   struct pvboot_error *e)
{
    int made = r->call.xc_evtchn_alloc_unbound(r->xch, r->domid, remote);

    if (made < 0)
        return pvb_fail(e, PVBOOT_E_XEN, "an event channel from domain %u to domain %u: errno %d", r->domid, remote,
                        errno);
    *port = (uint32_t)made;
    if (r->call.xc_hvm_param_set(r->xch, r->domid, param, *port))
        return pvb_fail(e, PVBOOT_E_XEN, "setting HVM param %u of domain %u to 0x%x: errno %d", param, r->domid, *port,
                        errno);
    return 0;
}

/* Who serves a ring is dom0, or whom xenstore names. */
static int channels(const struct pvboot_reset *r, struct pvboot_xen_rings *rings, struct pvboot_error *e)
{
    const uint32_t dom0 = 0;
    uint32_t remote = 0;
    int rc = 0;

    rings->xenstore_evtchn = 0;
    rings->no_xenstore = !r->xs;
    if (r->xs)
        rc = read_number(r, "/tool/xenstored/domid", &dom0, &remote, e);
    if (!rc && r->xs)
        rc = channel(r, remote, HVM_PARAM_STORE_EVTCHN, &rings->xenstore_evtchn, e);
    remote = 0;
    if (!rc && r->xs && !r->own_console)
        rc = read_number(r, "/tool/xenconsoled/domid", &dom0, &remote, e);
    if (!rc)
        rc = channel(r, remote, HVM_PARAM_CONSOLE_EVTCHN, &rings->console_evtchn, e);
    return rc;
}

/* A watch on it has xenconsoled look at the console again. */
static int write_port(const struct pvboot_reset *r, xs_transaction_t t, const char *ring, uint32_t port,
                      struct pvboot_error *e)
{
    char path[PATH_BYTES], text[16];
    int n = snprintf(text, sizeof(text), "%u", port);

    snprintf(path, sizeof(path), "/local/domain/%u/%s/port", r->domid, ring);
    if (!r->call.xs_write(r->xs, t, path, text, (unsigned int)n))
        return pvb_fail(e, PVBOOT_E_XEN, "xenstore: writing %s: errno %d", path, errno);
    return 0;
}

/* Who destroys the domain meanwhile has its nodes removed: then none must come into being again. */
static int is_there(const struct pvboot_reset *r, xs_transaction_t t, struct pvboot_error *e)
{
    char path[PATH_BYTES], *value;
    unsigned int n;

    snprintf(path, sizeof(path), "/local/domain/%u", r->domid);
    value = r->call.xs_read(r->xs, t, path, &n);
    if (!value)
        return pvb_fail(e, PVBOOT_E_XEN, "xenstore: reading %s: errno %d", path, errno);
    free(value);
    return 0;
}

static int give_back(const struct pvboot_reset *r, const struct pvb_nodes *nodes, const struct pvboot_xen_rings *rings,
                     struct pvboot_error *e)
{
    for (unsigned int i = 0; i < TRIES; i++) {
        xs_transaction_t t = r->call.xs_transaction_start(r->xs);
        int rc;

        if (t == XBT_NULL)
            return pvb_fail(e, PVBOOT_E_XEN, "xenstore: a transaction for domain %u: errno %d", r->domid, errno);
        rc = is_there(r, t, e);
        if (!rc)
            rc = pvb_nodes_give_back(nodes, r, t, e);
        if (!rc)
            rc = write_port(r, t, "store", rings->xenstore_evtchn, e);
        if (!rc && !r->own_console)
            rc = write_port(r, t, "console", rings->console_evtchn, e);
        if (r->call.xs_transaction_end(r->xs, t, rc != 0) || rc)
            return rc;
        if (errno != EAGAIN)
            break;
    }
    return pvb_fail(e, PVBOOT_E_XEN, "xenstore: the nodes of domain %u: errno %d", r->domid, errno);
}

static int introduce_anew(const struct pvboot_reset *r, const struct pvb_nodes *nodes,
                          const struct pvboot_xen_rings *rings, struct pvboot_error *e)
{
    char path[PATH_BYTES];
    uint32_t gfn = 0;
    int rc;

    snprintf(path, sizeof(path), "/local/domain/%u/store/ring-ref", r->domid);
    rc = read_number(r, path, NULL, &gfn, e);
    if (rc)
        return rc;
    if (!r->call.xs_release_domain(r->xs, r->domid))
        return pvb_fail(e, PVBOOT_E_XEN, "having xenstored release domain %u: errno %d", r->domid, errno);
    rc = give_back(r, nodes, rings, e);
    if (!rc && !r->call.xs_introduce_domain(r->xs, r->domid, gfn, rings->xenstore_evtchn))
        rc = pvb_fail(e, PVBOOT_E_XEN, "introducing domain %u to xenstored once more: errno %d", r->domid, errno);
    return rc;
}

/* All that @dir of the toolstack's notes has, if it is there, is @allowed. */
static int has_only(const struct pvboot_reset *r, const char *dir, const char *allowed, struct pvboot_error *e)
{
    char path[PATH_BYTES], **name;
    unsigned int n = 0;
    int rc = 0;

    snprintf(path, sizeof(path), "/libxl/%u/%s", r->domid, dir);
    name = r->call.xs_directory(r->xs, XBT_NULL, path, &n);
    if (!name && errno != ENOENT)
        return pvb_fail(e, PVBOOT_E_XEN, "xenstore: listing %s: errno %d", path, errno);
    for (unsigned int i = 0; name && !rc && i < n; i++)
        if (strcmp(name[i], allowed))
            rc = pvb_fail(e, PVBOOT_E_UNSUPPORTED, "domain %u has a device %s/%s, which no soft reset takes along",
                          r->domid, path, name[i]);
    free(name);
    return rc;
}

static int reset(const struct pvboot_reset *r, struct pvb_nodes *nodes, struct pvboot_xen_rings *rings,
                 struct pvboot_error *e)
{
    int rc = 0;

    if (r->call.xc_domain_pause(r->xch, r->domid))
        return pvb_fail(e, PVBOOT_E_XEN, "pausing domain %u: errno %d", r->domid, errno);
    if (r->xs)
        rc = has_only(r, "device", "console", e);
    if (r->xs && !rc)
        rc = has_only(r, "device/console", "0", e);
    if (r->xs && !rc)
        rc = pvb_nodes_read(nodes, r, e);
    if (rc)
        return rc;
    if (r->call.xc_domain_soft_reset(r->xch, r->domid))
        return pvb_fail(e, PVBOOT_E_XEN, "the soft reset of domain %u: errno %d", r->domid, errno);
    rc = channels(r, rings, e);
    return rc || !r->xs ? rc : introduce_anew(r, nodes, rings, e);
}

int pvboot_xen_soft_reset(const struct pvboot_reset *r, struct pvboot_xen_rings *rings, struct pvboot_error *e)
{
    struct pvb_nodes nodes = { 0 };
    int rc = reset(r, &nodes, rings, e);

    pvb_nodes_dispose(&nodes);
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A soft reset, for a domain whose only devices are the two rings that the toolstack makes.
 *
 * xenstored is not asked to release the domain, as libxl asks for HVM guests: it would take the nodes that the guest owns
 * along.  Introducing it once more makes C xenstored forget watches and transactions of the old kernel, and listen to the
 * new channel; half a message of the old kernel it frees and goes on using, so callers do this for guests that are trusted; resuming makes it tell of the next shutdown.  Neither maps the ring anew, so what the guest
 * may have done to its grant entries does not matter.
 */
#include "../base/base.h"

#include <errno.h>
#include <pvboot/xen.h>
#include <stdio.h>
#include <stdlib.h>
#include <xen/hvm/params.h>

#define PATH_BYTES 80u

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
static int write_port(const struct pvboot_reset *r, const char *ring, uint32_t port, struct pvboot_error *e)
{
    char path[PATH_BYTES], text[16];
    int n = snprintf(text, sizeof(text), "%u", port);

    snprintf(path, sizeof(path), "/local/domain/%u/%s/port", r->domid, ring);
    if (!r->call.xs_write(r->xs, XBT_NULL, path, text, (unsigned int)n))
        return pvb_fail(e, PVBOOT_E_XEN, "xenstore: writing %s: errno %d", path, errno);
    return 0;
}

static int tell_xenstored(const struct pvboot_reset *r, uint32_t port, struct pvboot_error *e)
{
    char path[PATH_BYTES];
    uint32_t gfn = 0;
    int rc;

    snprintf(path, sizeof(path), "/local/domain/%u/store/ring-ref", r->domid);
    rc = read_number(r, path, NULL, &gfn, e);
    if (rc)
        return rc;
    if (!r->call.xs_introduce_domain(r->xs, r->domid, gfn, port))
        return pvb_fail(e, PVBOOT_E_XEN, "introducing domain %u to xenstored once more: errno %d", r->domid, errno);
    if (!r->call.xs_resume_domain(r->xs, r->domid))
        return pvb_fail(e, PVBOOT_E_XEN, "telling xenstored that domain %u goes on: errno %d", r->domid, errno);
    return 0;
}

int pvboot_xen_soft_reset(const struct pvboot_reset *r, struct pvboot_xen_rings *rings, struct pvboot_error *e)
{
    int rc;

    if (r->call.xc_domain_pause(r->xch, r->domid))
        return pvb_fail(e, PVBOOT_E_XEN, "pausing domain %u: errno %d", r->domid, errno);
    if (r->call.xc_domain_soft_reset(r->xch, r->domid))
        return pvb_fail(e, PVBOOT_E_XEN, "the soft reset of domain %u: errno %d", r->domid, errno);
    rc = channels(r, rings, e);
    if (rc || !r->xs)
        return rc;
    rc = write_port(r, "store", rings->xenstore_evtchn, e);
    if (!rc && !r->own_console)
        rc = write_port(r, "console", rings->console_evtchn, e);
    if (!rc)
        rc = tell_xenstored(r, rings->xenstore_evtchn, e);
    return rc;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* What Xen's init-xenstore-domain leaves once xenstored answers: nodes, libxl's file about the domain, the pid file. */
#include "../../builder/describe/describe.h"
#include "../../config/config.h"
#include "launch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_BYTES 128
#define CONSOLE_LIMIT "1048576"
#define INITIALISING "1" /* XenbusStateInitialising */

static int put(const struct launch *l, struct pvboot_error *e, const char *value, const char *fmt, ...)
    PVB_PRINTF(4, 5) PVB_CHECKED;
static int put(const struct launch *l, struct pvboot_error *e, const char *value, const char *fmt, ...)
{
    char path[PATH_BYTES];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    if (xs_write(l->xs, XBT_NULL, path, value, (unsigned int)strlen(value)))
        return 0;
    if (launch_store_lost(l))
        return launch_store_gone(l, e);
    return pvb_fail(e, PVBOOT_E_XEN, "xenstore refuses %s: errno %d", path, errno);
}

static int put_number(const struct launch *l, struct pvboot_error *e, uint64_t value, const char *node)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    return put(l, e, text, "/local/domain/%u/%s", l->xen.domid, node);
}

static int domain_nodes(const struct launch *l, struct pvboot_error *e)
{
    const struct launch_config *c = l->cfg;
    char number[16];
    int rc;

    snprintf(number, sizeof(number), "%u", l->xen.domid);
    rc = put(l, e, number, "/tool/xenstored/domid");
    if (!rc)
        rc = put(l, e, number, "/local/domain/%u/domid", l->xen.domid);
    if (!rc)
        rc = put(l, e, c->name, "/local/domain/%u/name", l->xen.domid);
    if (!rc)
        rc = put_number(l, e, c->memory_mib << 10, "memory/target");
    if (!rc)
        rc = put_number(l, e, (c->maxmem_mib ? c->maxmem_mib : c->memory_mib) << 10, "memory/static-max");
    return rc;
}

static int console_nodes(const struct launch *l, struct pvboot_error *e)
{
    uint32_t domid = l->xen.domid;
    char front[PATH_BYTES], back[PATH_BYTES], number[16];
    const struct {
        const char *dir, *node, *value;
    } row[] = {
        { back, "frontend-id", number },
        { back, "frontend", front },
        { back, "online", "1" },
        { back, "state", INITIALISING },
        { back, "protocol", "vt100" },
        { front, "backend", back },
        { front, "backend-id", "0" },
        { front, "limit", CONSOLE_LIMIT },
        { front, "type", "xenconsoled" },
        { front, "output", "pty" },
        { front, "tty", "" },
    };
    int rc = 0;

    snprintf(number, sizeof(number), "%u", domid);
    snprintf(front, sizeof(front), "/local/domain/%u/console", domid);
    snprintf(back, sizeof(back), "/local/domain/0/backend/console/%u/0", domid);
    for (size_t i = 0; !rc && i < sizeof(row) / sizeof(row[0]); i++)
        rc = put(l, e, row[i].value, "%s/%s", row[i].dir, row[i].node);
    if (!rc)
        rc = put_number(l, e, l->rings.console_evtchn, "console/port");
    if (!rc)
        rc = put_number(l, e, l->machine.console_gpa / PVB_PAGE, "console/ring-ref");
    return rc;
}

/* By which `xl list -l` and others know what kind of domain it is; with the NUL that libxl's have. */
static int libxl_file(const struct launch *l, struct pvboot_error *e)
{
    char path[PATH_BYTES], uuid[LAUNCH_UUID_TEXT], *text;
    json_t *o = json_pack("{s:{s:s}, s:{s:{}}}", "c_info", "type", "pvh", "b_info", "type.pvh");
    int rc;

    text = o ? json_dumps(o, JSON_INDENT(4)) : NULL;
    launch_uuid_text(l->cfg->uuid, uuid);
    snprintf(path, sizeof(path), "/var/lib/xen/userdata-d.%u.%s.libxl-json", l->xen.domid, uuid);
    rc = text ? launch_note(path, text, strlen(text) + 1, 0600, e) : pvb_fail(e, PVBOOT_E_HOST, "no memory for JSON");
    free(text);
    json_decref(o);
    return rc;
}

static int pid_file(const struct launch *l, struct pvboot_error *e)
{
    char text[32];

    snprintf(text, sizeof(text), "domid:%u\n", l->xen.domid);
    return launch_note(PVB_STORE_PIDFILE, text, strlen(text), 0666, e);
}

int launch_storedom_note(struct launch *l, struct pvboot_error *e)
{
    int rc = libxl_file(l, e);

    if (!rc)
        rc = launch_store_connect_to(l, l->xen.domid, e);
    if (!rc)
        rc = domain_nodes(l, e);
    if (!rc)
        rc = console_nodes(l, e);
    return rc ? rc : pid_file(l, e);
}

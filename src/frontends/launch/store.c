/* SPDX-License-Identifier: LGPL-2.1-only */
/* Xenstore as libxl leaves it for a PVH domain: nodes, owners, permissions (libxl_create.c, libxl_dom.c, libxl_console.c). */
#include "launch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_BYTES 128
#define CONSOLE_LIMIT "1048576"
#define INITIALISING "1" /* XenbusStateInitialising */

enum mode {
    AS_PARENT,
    HIDDEN,   /* dom0's alone */
    READABLE, /* by the guest */
    WRITABLE, /* the guest's own */
};

struct put {
    const struct launch *l;
    xs_transaction_t t;
    bool failed, taken;    /* taken: the name, by another domain */
    char path[PATH_BYTES]; /* of the last node */
};

static void put(struct put *p, enum mode mode, const char *value, const char *fmt, ...) PVB_PRINTF(4, 5);
static void put(struct put *p, enum mode mode, const char *value, const char *fmt, ...)
{
    struct xs_handle *xs = p->l->xs;
    uint32_t domid = p->l->xen.domid;
    struct xs_permissions perm[2] = { { .id = mode == WRITABLE ? domid : 0, .perms = XS_PERM_NONE },
                                      { .id = domid, .perms = XS_PERM_READ } };
    va_list ap;

    if (p->failed)
        return;
    va_start(ap, fmt);
    vsnprintf(p->path, sizeof(p->path), fmt, ap);
    va_end(ap);
    p->failed = !xs_write(xs, p->t, p->path, value, (unsigned int)strlen(value)) ||
                (mode != AS_PARENT && !xs_set_permissions(xs, p->t, p->path, perm, mode == READABLE ? 2 : 1));
}

static void put_number(struct put *p, uint64_t value, const char *node)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    put(p, AS_PARENT, text, "/local/domain/%u/%s", p->l->xen.domid, node);
}

/* @make's nodes in one transaction, once more when somebody came in between. */
static int transact(const struct launch *l, void (*make)(struct put *p), struct pvboot_error *e)
{
    struct put p = { .l = l };

    do {
        p.t = xs_transaction_start(l->xs);
        p.failed = p.t == XBT_NULL;
        snprintf(p.path, sizeof(p.path), "a transaction");
        if (!p.failed)
            make(&p);
        if (p.failed) {
            int r = errno;

            if (launch_store_lost(l))
                return launch_store_gone(l, e);
            if (p.t != XBT_NULL)
                xs_transaction_end(l->xs, p.t, true);
            return p.taken ? pvb_fail(e, PVBOOT_E_USAGE, "there is a domain '%s' already", l->cfg->name)
                           : pvb_fail(e, PVBOOT_E_XEN, "xenstore refuses %s: errno %d", p.path, r);
        }
        if (xs_transaction_end(l->xs, p.t, false))
            return 0;
    } while (errno == EAGAIN && !launch_signalled());
    if (launch_store_lost(l))
        return launch_store_gone(l, e);
    return pvb_fail(e, PVBOOT_E_XEN, "xenstore refuses the nodes of domain %u: errno %d", l->xen.domid, errno);
}

/* Who destroys a domain has its nodes removed: then none must come into being again. */
static bool is_gone(struct put *p)
{
    unsigned int n;
    char *value;

    snprintf(p->path, sizeof(p->path), "/local/domain/%u", p->l->xen.domid);
    value = xs_read(p->l->xs, p->t, p->path, &n);
    p->failed = !value;
    free(value);
    return p->failed;
}

/*
 * By another domain that lives, since launch_open() looked.  Who takes it behind our back makes the transaction fail,
 * and it is made again.
 */
static bool is_taken(const struct put *p)
{
    struct xs_handle *xs = p->l->xs;
    unsigned int n = 0, bytes;
    char **domid = xs_directory(xs, p->t, "/local/domain", &n);
    bool found = false;

    for (unsigned int i = 0; i < n && domid && !found; i++) {
        char path[PATH_BYTES], *name;

        snprintf(path, sizeof(path), "/local/domain/%.32s/name", domid[i]);
        name = xs_read(xs, p->t, path, &bytes);
        found = name && !strcmp(name, p->l->cfg->name) &&
                launch_domain_lives(p->l->xen.xch, (uint32_t)strtoul(domid[i], NULL, 10));
        free(name);
    }
    free(domid);
    return found;
}

static const struct {
    const char *node;
    enum mode mode;
    const char *value;
} fixed[] = {
    { "cpu", READABLE, "" },
    { "memory", READABLE, "" },
    { "device", READABLE, "" },
    { "device/suspend/event-channel", WRITABLE, "" },
    { "control", READABLE, "" },
    { "control/shutdown", WRITABLE, "" },
    { "control/feature-poweroff", WRITABLE, "" },
    { "control/feature-reboot", WRITABLE, "" },
    { "control/feature-suspend", WRITABLE, "" },
    { "control/sysrq", WRITABLE, "" },
    { "data", WRITABLE, "" },
    { "drivers", WRITABLE, "" },
    { "feature", WRITABLE, "" },
    { "attr", WRITABLE, "" },
    { "error", WRITABLE, "" },
    { "control/platform-feature-multiprocessor-suspend", AS_PARENT, "1" },
    { "control/platform-feature-xs_reset_watches", AS_PARENT, "1" },
};

static void domain_nodes(struct put *p)
{
    const struct launch *l = p->l;
    const struct launch_config *c = l->cfg;
    uint32_t domid = l->xen.domid;
    char uuid[LAUNCH_UUID_TEXT], text[PATH_BYTES];

    p->taken = p->failed = is_taken(p);
    if (p->taken)
        return;
    launch_uuid_text(c->uuid, uuid);
    snprintf(text, sizeof(text), "/vm/%s", uuid);
    put(p, READABLE, "", "/local/domain/%u", domid);
    put(p, READABLE, "", "/vm/%s", uuid);
    put(p, HIDDEN, "", "/libxl/%u", domid);
    put(p, HIDDEN, "", "/libxl/%u/device", domid);
    put(p, AS_PARENT, text, "/local/domain/%u/vm", domid);
    put(p, AS_PARENT, c->name, "/local/domain/%u/name", domid);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        put(p, fixed[i].mode, fixed[i].value, "/local/domain/%u/%s", domid, fixed[i].node);
    put(p, AS_PARENT, uuid, "/vm/%s/uuid", uuid);
    put(p, AS_PARENT, c->name, "/vm/%s/name", uuid);
    put(p, AS_PARENT, l->machine.pv ? "pv" : "pvh", "/libxl/%u/type", domid);
    put(p, HIDDEN, PVBOOT_VERSION, "/libxl/%u/pvboot", domid); /* whose it is */

    put_number(p, (c->maxmem_mib ? c->maxmem_mib : c->memory_mib) << 10, "memory/static-max");
    put_number(p, c->memory_mib << 10, "memory/target");
    put_number(p, 0, "memory/videoram");
    put_number(p, domid, "domid");
    put_number(p, l->rings.xenstore_evtchn, "store/port");
    put_number(p, launch_frame(l, l->machine.xenstore_gpa), "store/ring-ref");
    for (uint32_t i = 0; i < c->vcpus; i++)
        put(p, AS_PARENT, "online", "/local/domain/%u/cpu/%u/availability", domid, i);
}

/* Of a back end, and of libxl's note of it in a place that no guest sees. */
static void back_end_nodes(struct put *p, enum mode mode, const char *front, const char *dir)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", p->l->xen.domid);
    put(p, mode, "", "%s", dir);
    put(p, AS_PARENT, front, "%s/frontend", dir);
    put(p, AS_PARENT, number, "%s/frontend-id", dir);
    put(p, AS_PARENT, "1", "%s/online", dir);
    put(p, AS_PARENT, INITIALISING, "%s/state", dir);
    put(p, AS_PARENT, "vt100", "%s/protocol", dir);
}

static void console_nodes(struct put *p)
{
    const struct launch *l = p->l;
    uint32_t domid = l->xen.domid, daemon = l->console_domid;
    char front[PATH_BYTES], back[PATH_BYTES], note[PATH_BYTES], number[16];

    if (is_gone(p))
        return;
    snprintf(front, sizeof(front), "/local/domain/%u/console", domid);
    snprintf(back, sizeof(back), "/local/domain/%u/backend/console/%u/0", daemon, domid);
    snprintf(note, sizeof(note), "/libxl/%u/device/console/0", domid);
    snprintf(number, sizeof(number), "%u", daemon);
    back_end_nodes(p, HIDDEN, front, note);
    put(p, AS_PARENT, back, "%s/backend", note);
    back_end_nodes(p, READABLE, front, back);
    put(p, READABLE, "", "%s", front);
    put(p, AS_PARENT, back, "%s/backend", front);
    put(p, AS_PARENT, number, "%s/backend-id", front);
    put(p, AS_PARENT, CONSOLE_LIMIT, "%s/limit", front);
    put(p, AS_PARENT, "xenconsoled", "%s/type", front);
    put(p, AS_PARENT, "pty", "%s/output", front);
    put(p, AS_PARENT, "", "%s/tty", front);
    put_number(p, l->rings.console_evtchn, "console/port");
    put_number(p, launch_frame(l, l->machine.console_gpa), "console/ring-ref");
}

int launch_store_nodes(const struct launch *l, struct pvboot_error *e)
{
    return l->xs ? transact(l, domain_nodes, e) : 0;
}

int launch_store_console(const struct launch *l, struct pvboot_error *e)
{
    return l->xs ? transact(l, console_nodes, e) : 0;
}

int launch_store_introduce(struct launch *l, struct pvboot_error *e)
{
    if (!l->xs)
        return 0;
    if (!xs_introduce_domain(l->xs, l->xen.domid, launch_frame(l, l->machine.xenstore_gpa), l->rings.xenstore_evtchn))
        return launch_store_lost(l)
                   ? launch_store_gone(l, e)
                   : pvb_fail(e, PVBOOT_E_XEN, "xenstored refuses domain %u: errno %d", l->xen.domid, errno);
    l->introduced = true;
    return 0;
}

/* Of a domain that we have made ourselves it is known; of another, xenstore says it. */
static void vm_path(const struct launch *l, char path[PATH_BYTES])
{
    char *vm = l->cfg ? NULL : launch_store_read(l, l->xen.domid, "vm"), uuid[LAUNCH_UUID_TEXT];

    if (l->cfg)
        launch_uuid_text(l->cfg->uuid, uuid);
    snprintf(path, PATH_BYTES, "%s%s", l->cfg ? "/vm/" : vm ? vm : "", l->cfg ? uuid : "");
    free(vm);
}

/* Directories that were made for a first console go with the last, as libxl has it; in one piece with the look. */
static void prune(const struct launch *l, char *path)
{
    char *slash = strrchr(path, '/');

    for (int i = 0; i < 2 && slash; i++, slash = strrchr(path, '/')) {
        xs_transaction_t t = xs_transaction_start(l->xs);
        unsigned int n = 1;
        char **in;

        *slash = 0;
        if (t == XBT_NULL)
            return;
        in = xs_directory(l->xs, t, path, &n);
        free(in);
        if (in && !n)
            xs_rm(l->xs, t, path);
        if (!xs_transaction_end(l->xs, t, !in || n) || !in || n)
            return;
    }
}

void launch_store_remove(const struct launch *l)
{
    char path[4][PATH_BYTES];

    if (!l->xs || launch_store_lost(l))
        return;
    vm_path(l, path[0]);
    snprintf(path[1], sizeof(path[1]), "/local/domain/%u/backend/console/%u", l->console_domid, l->xen.domid);
    snprintf(path[2], sizeof(path[2]), "/libxl/%u", l->xen.domid);
    snprintf(path[3], sizeof(path[3]), "/local/domain/%u", l->xen.domid);
    if (l->introduced)
        xs_release_domain(l->xs, l->xen.domid);
    for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
        if (!strncmp(path[i], "/vm/", 4) || i)
            xs_rm(l->xs, XBT_NULL, path[i]); /* absent: nothing to remove */
    prune(l, path[1]);
}

char *launch_store_read(const struct launch *l, uint32_t domid, const char *node)
{
    char path[PATH_BYTES];
    unsigned int n;

    if (!l->xs)
        return NULL;
    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, node);
    return xs_read(l->xs, XBT_NULL, path, &n);
}

bool launch_store_ours(const struct launch *l, uint32_t domid)
{
    char path[PATH_BYTES], *text;
    unsigned int n;

    if (!l->xs)
        return false;
    snprintf(path, sizeof(path), "/libxl/%u/pvboot", domid);
    text = xs_read(l->xs, XBT_NULL, path, &n);
    free(text);
    return text != NULL;
}

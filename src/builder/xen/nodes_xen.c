/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What releasing a domain does to its nodes, undone.  xenstored deletes those that the guest owns, and what is below
 * them, or (--keep-orphans) makes them dom0's, so that they are removed here; and to the domain that is introduced next under the same number, permissions from before mean nothing: C
 * xenstored compares their ages (domain_adjust_node_perms()), OCaml xenstored takes them away (Store.reset_permissions).
 * So every node that the guest may read has to be given its permissions once more.
 */
#include "nodes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 8192u /* libxl makes 40, and 1 for each vCPU; a guest may have 1000 of its own */

/*
 * What libxl__domain_make() gives the guest, empty (tools/libs/light/libxl_create.c, 4.15 to 4.22), but for HVM guests;
 * and by it, pvboot launch.  device: with xend_suspend_evtchn_compat; the last two: with driver_domain.
 */
static const char *const guests_own[] = {
    "control/feature-poweroff",
    "control/feature-reboot",
    "control/feature-suspend",
    "control/shutdown",
    "control/sysrq",
    "data",
    "device",
    "device/suspend/event-channel",
    "drivers",
    "error",
    "feature",
    "attr",
    "libxl",
    "device-model",
};

/* And what libxl__device_console_add() does (libxl_console.c): whose the other end is, who may read it. */
#define BACKEND_ID "console/backend-id"
#define BACKEND_PLACE "/local/domain/"

static int no_memory(struct pvboot_error *e)
{
    return pvb_fail(e, PVBOOT_E_HOST, "no memory for the nodes of a domain");
}

/* Takes @path, which is NULL where there was no memory for it. */
static int add(struct pvb_nodes *nodes, char *path, const struct pvboot_reset *r, struct pvboot_error *e)
{
    size_t room = nodes->room ? 2 * nodes->room : 64;
    struct pvb_node *at = nodes->at;

    if (path && nodes->n == NODES_MAX) {
        free(path);
        return pvb_fail(e, PVBOOT_E_LIMIT, "xenstore: domain %u has more than %u nodes", r->domid, NODES_MAX);
    }
    if (path && nodes->n == nodes->room) {
        at = realloc(nodes->at, room * sizeof(*at));
        if (at) {
            nodes->at = at;
            nodes->room = room;
        }
    }
    if (!path || !at) {
        free(path);
        return no_memory(e);
    }
    nodes->at[nodes->n++] = (struct pvb_node){ .path = path };
    return 0;
}

static char *below(const char *dir, const char *name)
{
    size_t n = strlen(dir) + 1 + strlen(name) + 1;
    char *path = malloc(n);

    if (path)
        snprintf(path, n, "%s/%s", dir, name);
    return path;
}

/* A node that the guest owns. */
static int take_guests(struct pvb_node *node, const struct pvb_nodes *nodes, uint32_t domid, struct pvboot_error *e)
{
    const char *name = node->path, *root = nodes->at[0].path;
    size_t n = strlen(root);

    if (strncmp(name, root, n) || name[n] != '/')
        return 0;
    name += n + 1;
    for (size_t i = 0; !node->n_perm && i < sizeof(guests_own) / sizeof(guests_own[0]); i++)
        node->n_perm = !strcmp(name, guests_own[i]) ? 1 : 0;
    if (!strcmp(name, BACKEND_ID)) {
        snprintf(node->value, sizeof(node->value), "%u", nodes->console_domid);
        node->n_perm = 2;
    }
    if (!node->n_perm)
        return 0;
    node->guests = true;
    node->perm = calloc(2, sizeof(*node->perm));
    if (!node->perm)
        return no_memory(e);
    node->perm[0] = (struct xs_permissions){ .id = domid, .perms = XS_PERM_NONE };
    node->perm[1] = (struct xs_permissions){ .id = nodes->console_domid, .perms = XS_PERM_READ };
    return 0;
}

static int add_children(struct pvb_nodes *nodes, size_t i, const struct pvboot_reset *r, struct pvboot_error *e)
{
    unsigned int n = 0;
    char **name = r->call.xs_directory(r->xs, XBT_NULL, nodes->at[i].path, &n);
    int rc = 0;

    if (!name && errno != ENOENT)
        return pvb_fail(e, PVBOOT_E_XEN, "xenstore: listing %s: errno %d", nodes->at[i].path, errno);
    for (unsigned int k = 0; name && !rc && k < n; k++)
        rc = add(nodes, below(nodes->at[i].path, name[k]), r, e);
    free(name);
    return rc;
}

/* A node may be gone by now, except the first, which is the domain's. */
static int look(struct pvb_nodes *nodes, size_t i, const struct pvboot_reset *r, struct pvboot_error *e)
{
    struct pvb_node *node = &nodes->at[i];
    unsigned int n = 0;
    struct xs_permissions *perm = r->call.xs_get_permissions(r->xs, XBT_NULL, node->path, &n);
    bool reads = false;

    if (!perm || !n) {
        free(perm);
        if (!perm && errno == ENOENT && i)
            return 0;
        return pvb_fail(e, PVBOOT_E_XEN, "xenstore: whose %s is: errno %d", node->path, errno);
    }
    node->owned = perm[0].id == r->domid;
    if (node->owned) { /* and the guest's is all that is below it, and whom it lets in */
        free(perm);
        return take_guests(node, nodes, r->domid, e);
    }
    node->perm = perm;
    for (unsigned int k = 1; k < n; k++)
        reads = reads || perm[k].id == r->domid;
    node->n_perm = reads ? n : 0;
    return add_children(nodes, i, r, e);
}

/* Is @path where xenconsoled has its end of the console?  A domain that it runs in may write what it likes there. */
static bool is_back_end(const char *path, uint32_t domid, uint32_t *daemon)
{
    char wanted[80];

    *daemon = (uint32_t)strtoul(path + strlen(BACKEND_PLACE), NULL, 10);
    snprintf(wanted, sizeof(wanted), BACKEND_PLACE "%u/backend/console/%u/0", *daemon, domid);
    return !strcmp(path, wanted);
}

/* What a node of the domain's, which is not the guest's to write, names in another place. */
static int add_named(struct pvb_nodes *nodes, const char *name, const char *place, const struct pvboot_reset *r,
                     struct pvboot_error *e)
{
    char *path = below(nodes->at[0].path, name), *value;
    unsigned int n;
    int rc = 0;

    if (!path)
        return no_memory(e);
    value = r->call.xs_read(r->xs, XBT_NULL, path, &n);
    if (value && !strncmp(value, place, strlen(place)))
        rc = add(nodes, strdup(value), r, e);
    else if (!value && errno != ENOENT)
        rc = pvb_fail(e, PVBOOT_E_XEN, "xenstore: reading %s: errno %d", path, errno);
    free(value);
    free(path);
    return rc;
}

int pvb_nodes_read(struct pvb_nodes *nodes, const struct pvboot_reset *r, struct pvboot_error *e)
{
    char root[32];
    size_t named;
    int rc;

    snprintf(root, sizeof(root), "/local/domain/%u", r->domid);
    *nodes = (struct pvb_nodes){ 0 };
    rc = add(nodes, strdup(root), r, e);
    if (!rc)
        rc = add_named(nodes, "vm", "/vm/", r, e);
    named = nodes->n;
    if (!rc)
        rc = add_named(nodes, "console/backend", BACKEND_PLACE, r, e);
    if (nodes->n > named && !is_back_end(nodes->at[named].path, r->domid, &nodes->console_domid))
        rc = pvb_fail(e, PVBOOT_E_XEN, "xenstore: the back end of domain %u's console is elsewhere: %.80s", r->domid,
                      nodes->at[named].path);
    for (size_t i = 0; !rc && i < nodes->n; i++)
        rc = look(nodes, i, r, e);
    return rc;
}

int pvb_nodes_give_back(const struct pvb_nodes *nodes, const struct pvboot_reset *r, xs_transaction_t t,
                        struct pvboot_error *e)
{
    for (size_t i = 0; i < nodes->n; i++) {
        const struct pvb_node *node = &nodes->at[i];

        if (node->owned && !r->call.xs_rm(r->xs, t, node->path) && errno != ENOENT)
            return pvb_fail(e, PVBOOT_E_XEN, "xenstore: removing %s: errno %d", node->path, errno);
        if (!node->n_perm)
            continue;
        if (node->guests && !r->call.xs_write(r->xs, t, node->path, node->value, (unsigned int)strlen(node->value)))
            return pvb_fail(e, PVBOOT_E_XEN, "xenstore: writing %s: errno %d", node->path, errno);
        if (!r->call.xs_set_permissions(r->xs, t, node->path, node->perm, node->n_perm) && errno != ENOENT)
            return pvb_fail(e, PVBOOT_E_XEN, "xenstore: the permissions of %s: errno %d", node->path, errno);
    }
    return 0;
}

void pvb_nodes_dispose(struct pvb_nodes *nodes)
{
    for (size_t i = 0; i < nodes->n; i++) {
        free(nodes->at[i].path);
        free(nodes->at[i].perm);
    }
    free(nodes->at);
    *nodes = (struct pvb_nodes){ 0 };
}

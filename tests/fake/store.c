/* SPDX-License-Identifier: LGPL-2.1-only */
/* xenstored: nodes with values and owners, and transactions that can be taken back. */
#include "launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#define TRANSACTION 5u

static int handle;

/* One answer of xenstored's; none after it is lost. */
static bool answers(const char *name)
{
    if (!fake_asked(name, FAKE_DOMID, 0, 0, 0))
        return false;
    if (fake_launch.lost_at && ++fake_launch.asked >= fake_launch.lost_at)
        return !fake_error(ENOTCONN);
    return true;
}

static struct fake_node *find(const char *path)
{
    for (size_t i = 0; i < fake_launch.n_node; i++)
        if (!strcmp(fake_launch.node[i].path, path))
            return &fake_launch.node[i];
    return NULL;
}

const struct fake_node *fake_find(const char *path)
{
    return find(path);
}

struct xs_handle *xs_open(unsigned long flags)
{
    if (!fake_asked(__func__, FAKE_DOMID, flags, 0, 0) || (fake_launch.absent && !fake_launch.talked))
        return NULL;
    fake_launch.handles++;
    return (struct xs_handle *)&handle;
}

void xs_close(struct xs_handle *h)
{
    if (h)
        fake_launch.handles--;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
    struct fake_node *n;

    (void)h;
    (void)t;
    if (!answers(__func__))
        return NULL;
    n = find(path);
    if (!n) {
        errno = ENOENT;
        return NULL;
    }
    *len = (unsigned int)strlen(n->value);
    return strdup(n->value);
}

/* As @path, or what is nearest above it: a directory that only its content tells of is like that. */
static struct fake_node *nearest(const char *path)
{
    struct fake_node *n;
    char above[128];

    snprintf(above, sizeof(above), "%s", path);
    for (char *slash; !(n = find(above)) && (slash = strrchr(above, '/'));)
        *slash = 0;
    return n;
}

static bool is_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return !strncmp(path, dir, n) && path[n] == '/';
}

static bool is_there(const char *path)
{
    for (size_t i = 0; i < fake_launch.n_node; i++)
        if (!strcmp(fake_launch.node[i].path, path) || is_below(fake_launch.node[i].path, path))
            return true;
    return false;
}

/* The node at @path; one that is made is like the nearest one above. */
static struct fake_node *made(const char *path)
{
    struct fake_node *n = find(path), *above = nearest(path);

    if (n)
        return n;
    if (fake_launch.n_node == FAKE_NODES) {
        fake_breach("more nodes than the fake keeps");
        return NULL;
    }
    n = &fake_launch.node[fake_launch.n_node++];
    *n = (struct fake_node){ .owner = above ? above->owner : 0, .guest_reads = above && above->guest_reads };
    snprintf(n->path, sizeof(n->path), "%s", path);
    return n;
}

static void within(xs_transaction_t t)
{
    if (fake_launch.in_transaction && t != TRANSACTION)
        fake_breach("a change beside the transaction");
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data, unsigned int len)
{
    struct fake_node *n;

    (void)h;
    within(t);
    if (!answers(__func__))
        return false;
    n = made(path);
    if (n)
        snprintf(n->value, sizeof(n->value), "%.*s", (int)len, (const char *)data);
    return n;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path, struct xs_permissions *perms,
                        unsigned int count)
{
    struct fake_node *n;

    (void)h;
    within(t);
    if (!answers(__func__))
        return false;
    n = is_there(path) ? made(path) : NULL;
    if (!n || !count)
        return !fake_error(ENOENT);
    n->owner = perms[0].id;
    n->guest_reads = count > 1 && perms[1].id == FAKE_DOMID && (perms[1].perms & XS_PERM_READ);
    return true;
}

static void forget(const char *path)
{
    for (size_t i = 0; i < fake_launch.n_node;) {
        const char *p = fake_launch.node[i].path;

        if (strcmp(p, path) && !is_below(p, path))
            i++;
        else
            fake_launch.node[i] = fake_launch.node[--fake_launch.n_node];
    }
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    (void)h;
    (void)t;
    if (!answers(__func__))
        return false;
    forget(path);
    return true;
}

struct xs_permissions *xs_get_permissions(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num)
{
    struct xs_permissions *perm;
    struct fake_node *n;

    (void)h;
    (void)t;
    if (!answers(__func__))
        return NULL;
    if (!is_there(path)) {
        errno = ENOENT;
        return NULL;
    }
    n = nearest(path);
    perm = calloc(2, sizeof(*perm));
    perm[0] = (struct xs_permissions){ .id = n ? n->owner : 0 };
    perm[1] = (struct xs_permissions){ .id = FAKE_DOMID, .perms = XS_PERM_READ };
    *num = n && n->guest_reads ? 2 : 1;
    return perm;
}

/* One block, as libxenstore has it.  Of a directory that is not there, it is told that it is empty. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num)
{
    char(*name)[128], **list;

    (void)h;
    (void)t;
    if (!answers(__func__))
        return NULL;
    list = calloc(1, (FAKE_NODES + 1 + fake_launch.crowd) * (sizeof(*list) + sizeof(*name)));
    name = (void *)(list + FAKE_NODES + 1 + fake_launch.crowd);
    *num = 0;
    for (size_t i = 0; i < fake_launch.n_node; i++) {
        unsigned int k = 0;

        if (!is_below(fake_launch.node[i].path, path))
            continue;
        list[*num] = name[*num];
        snprintf(name[*num], sizeof(*name), "%s", fake_launch.node[i].path + strlen(path) + 1);
        name[*num][strcspn(name[*num], "/")] = 0;
        while (strcmp(list[k], list[*num]))
            k++;
        *num += k == *num;
    }
    for (unsigned int i = 0; i < fake_launch.crowd && !strcmp(path, FAKE_CROWDED); i++, ++*num) {
        list[*num] = name[*num];
        snprintf(name[*num], sizeof(*name), "crowd-%u", i);
    }
    return list;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
    (void)h;
    if (!answers(__func__))
        return XBT_NULL;
    if (fake_launch.in_transaction)
        fake_breach("a transaction inside another");
    fake_launch.in_transaction = true;
    if (fake_launch.rival) {
        struct fake_node *n = &fake_launch.node[fake_launch.n_node++];

        *n = (struct fake_node){ .path = "/local/domain/0/name" };
        snprintf(n->value, sizeof(n->value), "%s", fake_launch.rival);
        fake_launch.rival = NULL;
    }
    memcpy(fake_launch.kept, fake_launch.node, sizeof(fake_launch.kept));
    fake_launch.n_kept = fake_launch.n_node;
    return TRANSACTION;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
    bool ok = answers(__func__);

    (void)h;
    if (t != TRANSACTION || !fake_launch.in_transaction)
        fake_breach("the end of no transaction");
    fake_launch.in_transaction = false; /* as when the connection ends */
    if (ok && !abort && !fake_launch.between)
        return true;
    memcpy(fake_launch.node, fake_launch.kept, sizeof(fake_launch.kept));
    fake_launch.n_node = fake_launch.n_kept;
    if (!ok || abort)
        return ok;
    fake_launch.between--;
    if (fake_launch.destroys)
        forget("/local/domain/7");
    return !fake_error(EAGAIN);
}

/* Of one that it knows, tools/xenstore's keeps the connection and half a message: domain_conn_reset(). */
bool xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long gfn, unsigned int port)
{
    (void)h;
    (void)gfn;
    if (!answers(__func__))
        return false;
    if (domid != FAKE_DOMID || !port)
        return !fake_breach("the introduction of no domain");
    if (fake_launch.introduced)
        return !fake_breach("the introduction of a domain that is known");
    fake_launch.introduced = true;
    fake_launch.introduced_port = port;
    return true;
}

/* What the domain owns goes, and what is below that; what it may read, the next one of this number may not. */
bool xs_release_domain(struct xs_handle *h, unsigned int domid)
{
    char path[sizeof(fake_launch.node[0].path)];

    (void)h;
    (void)domid;
    if (!answers(__func__))
        return false;
    if (!fake_launch.introduced)
        return !fake_error(ENOENT);
    fake_launch.introduced = false;
    for (size_t i = 0; i < fake_launch.n_node;) {
        fake_launch.node[i].guest_reads = false;
        snprintf(path, sizeof(path), "%s", fake_launch.node[i].path);
        if (fake_launch.node[i].owner == FAKE_DOMID && fake_launch.orphans) {
            fake_launch.node[i++].owner = 0;
        } else if (fake_launch.node[i].owner == FAKE_DOMID) {
            forget(path);
            i = 0;
        } else {
            i++;
        }
    }
    return true;
}

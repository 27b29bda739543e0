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

/* Missing parents come with it, and it is like the nearest one that was there. */
bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data, unsigned int len)
{
    struct fake_node *n, *parent = NULL;
    char above[128];

    (void)h;
    (void)t;
    if (!answers(__func__))
        return false;
    n = find(path);
    snprintf(above, sizeof(above), "%s", path);
    for (char *slash; !parent && (slash = strrchr(above, '/')); parent = find(above))
        *slash = 0;
    if (!n) {
        if (fake_launch.n_node == FAKE_NODES)
            return !fake_breach("more nodes than the fake keeps");
        n = &fake_launch.node[fake_launch.n_node++];
        *n = (struct fake_node){ .owner = parent ? parent->owner : 0, .guest_reads = parent && parent->guest_reads };
        snprintf(n->path, sizeof(n->path), "%s", path);
    }
    snprintf(n->value, sizeof(n->value), "%.*s", (int)len, (const char *)data);
    return true;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path, struct xs_permissions *perms,
                        unsigned int count)
{
    struct fake_node *n;

    (void)h;
    (void)t;
    if (!answers(__func__))
        return false;
    n = find(path);
    if (!n || !count)
        return !fake_error(ENOENT);
    n->owner = perms[0].id;
    n->guest_reads = count > 1 && perms[1].id == FAKE_DOMID && (perms[1].perms & XS_PERM_READ);
    return true;
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    size_t n = strlen(path);

    (void)h;
    (void)t;
    if (!answers(__func__))
        return false;
    for (size_t i = 0; i < fake_launch.n_node;) {
        const char *p = fake_launch.node[i].path;

        if (strncmp(p, path, n) || (p[n] && p[n] != '/'))
            i++;
        else
            fake_launch.node[i] = fake_launch.node[--fake_launch.n_node];
    }
    return true;
}

/* Only how many nodes lie somewhere below is told. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num)
{
    size_t n = strlen(path);

    (void)h;
    (void)t;
    if (!answers(__func__))
        return NULL;
    *num = 0;
    for (size_t i = 0; i < fake_launch.n_node; i++)
        *num += !strncmp(fake_launch.node[i].path, path, n) && fake_launch.node[i].path[n] == '/';
    return calloc(1, sizeof(char *));
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
    (void)h;
    if (!answers(__func__))
        return XBT_NULL;
    if (fake_launch.in_transaction)
        fake_breach("a transaction inside another");
    fake_launch.in_transaction = true;
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
    if (ok && !abort)
        return true;
    memcpy(fake_launch.node, fake_launch.kept, sizeof(fake_launch.kept));
    fake_launch.n_node = fake_launch.n_kept;
    return ok;
}

bool xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long gfn, unsigned int port)
{
    (void)h;
    (void)gfn;
    if (!answers(__func__))
        return false;
    if (domid != FAKE_DOMID || !port)
        return !fake_breach("the introduction of no domain");
    fake_launch.introduced = true;
    fake_launch.introduced_port = port;
    return true;
}

/* tools/xenstore/xenstored_domain.c, do_resume() */
bool xs_resume_domain(struct xs_handle *h, unsigned int domid)
{
    (void)h;
    (void)domid;
    if (!answers(__func__))
        return false;
    if (!fake_launch.introduced)
        return !fake_error(ENOENT);
    fake_launch.resumed = true;
    return true;
}

bool xs_release_domain(struct xs_handle *h, unsigned int domid)
{
    (void)h;
    (void)domid;
    if (!answers(__func__))
        return false;
    fake_launch.introduced = false;
    return true;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Dom0 around a launcher: its daemon's socket, its kernel's xenbus, its files; and the guard over a domain that serves xenstore. */
#include "launch.h"

#include "frontends/launch/guard.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

bool launch_daemon_answers(void)
{
    return !fake_launch.absent && !fake_launch.served;
}

void launch_sleep(int ms)
{
    (void)ms;
    fake_launch.sleeps++;
}

/* Linux: once it has talked to a xenstored, it takes no other. */
int launch_xenbus_setup(uint32_t domid)
{
    if (!fake_asked(__func__, domid, 0, 0, 0))
        return -1;
    if (fake_launch.talked)
        return fake_error(EEXIST);
    fake_launch.handed_to = domid;
    return FAKE_XENBUS_PORT;
}

/* Linux keeps a request that nobody answers, and takes no other xenstored then. */
int launch_xenbus_ask(void)
{
    int end[2];

    if (!fake_asked(__func__, FAKE_DOMID, 0, 0, 0))
        return -1;
    if (!fake_launch.handed_to || !fake_launch.running || pipe(end))
        return fake_breach("a request with nobody behind it");
    if (fake_launch.ends)
        fake_breach("a request before xenstored is there");
    close(end[1]);
    fake_launch.talked = true;
    return end[0];
}

bool launch_noted_store(uint32_t *domid)
{
    *domid = FAKE_DOMID;
    return fake_launch.noted;
}

int launch_note(const char *path, const char *text, size_t n, unsigned int mode, struct pvboot_error *e)
{
    (void)mode;
    if (!fake_asked(__func__, FAKE_DOMID, n, 0, 0))
        return pvb_fail(e, PVBOOT_E_HOST, "refused");
    if (fake_launch.n_file == FAKE_FILES)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "more files than the fake keeps");
    snprintf(fake_launch.file[fake_launch.n_file].path, sizeof(fake_launch.file[0].path), "%s", path);
    snprintf(fake_launch.file[fake_launch.n_file++].value, sizeof(fake_launch.file[0].value), "%.*s", (int)n, text);
    return 0;
}

int launch_guard_start(struct launch *l, uint32_t domid, struct pvboot_error *e)
{
    l->guard = fake_asked(__func__, domid, 0, 0, 0) ? calloc(1, sizeof(*l->guard)) : NULL;
    if (!l->guard)
        return pvb_fail(e, PVBOOT_E_HOST, "refused");
    l->guard->domid = domid;
    fake_launch.handles++;
    return 0;
}

void launch_guard_stop(struct launch *l)
{
    fake_launch.handles -= l->guard != NULL;
    free(l->guard);
    l->guard = NULL;
}

/* Once an answer has not come. */
bool launch_store_lost(const struct launch *l)
{
    return l->guard && fake_launch.lost_at && fake_launch.asked >= fake_launch.lost_at;
}

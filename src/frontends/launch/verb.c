/* SPDX-License-Identifier: LGPL-2.1-only */
/* `launch` itself: prepare, create, start, and as long as somebody waits, see it to its end. */
#include "../../builder/describe/describe.h"
#include "launch.h"

#include <stdio.h>

#define BETWEEN_LIVES_MS 2000

static int print_json(json_t *o, struct pvboot_error *e)
{
    int r = o ? json_dumpf(o, stdout, JSON_INDENT(2)) : -1;

    json_decref(o);
    if (r || printf("\n") < 0 || fflush(stdout))
        return pvb_fail(e, PVBOOT_E_HOST, "cannot write to standard output");
    return 0;
}

static json_t *describe(const struct launch *l)
{
    char uuid[LAUNCH_UUID_TEXT];

    launch_uuid_text(l->cfg->uuid, uuid);
    return json_pack("{s:o, s:s, s:s, s:s, s:b, s:b, s:b}", "domid", pvb_json_u64(l->xen.domid), "name", l->cfg->name,
                     "uuid", uuid, "entry", pvboot_path_name(l->plan.path), "xenstore", l->xs != NULL, "timers",
                     l->cfg->timers, "paused", l->cfg->paused);
}

static int announce(const struct launch *l, struct pvboot_error *e)
{
    if (l->cfg->json)
        return print_json(describe(l), e);
    if (printf("%u\n", l->xen.domid) < 0 || fflush(stdout))
        return pvb_fail(e, PVBOOT_E_HOST, "cannot write to standard output");
    return 0;
}

/* From nothing to a running guest, whose console is ours if that was asked for. */
static int start(struct launch *l, struct launch_console **console, struct pvboot_error *e)
{
    int rc = launch_create(l, e);

    if (rc)
        return rc;
    if (l->cfg->console)
        rc = launch_console_open(console, l, e);
    if (!rc)
        rc = announce(l, e);
    if (!rc && !l->cfg->paused)
        rc = launch_unpause(l, e);
    return rc;
}

/*
 * The user has gone, for this life of the guest and those after it: from now on xenconsoled reads what it says.  Where there
 * is none, whoever waits reads on and forgets it, since a guest whose ring is full stops.
 */
static int leave(struct launch *l, struct launch_console **console, struct pvboot_error *e)
{
    launch_console_close(*console);
    *console = NULL;
    l->cfg->left = true;
    l->cfg->console = !l->xs;
    if (l->xs)
        return launch_store_console(l, e);
    return l->cfg->wait ? launch_console_open(console, l, e) : 0;
}

/*
 * A guest that does nothing but end shall not keep Xen and xenstored busy with that, nor us from looking for signals.  xl, too,
 * sleeps before it goes on.
 */
static int pause_for(struct pvboot_error *e)
{
    int rc = launch_interrupted(e);

    if (!rc)
        launch_sleep(BETWEEN_LIVES_MS);
    return rc ? rc : launch_interrupted(e);
}

/* Into its next kernel.  The channel of a console that is ours has another number now. */
static int go_on(struct launch *l, struct launch_console **console, struct pvboot_error *e)
{
    int rc = pause_for(e);

    launch_console_close(*console);
    *console = NULL;
    if (!rc)
        rc = launch_soft_reset(l, e);
    if (!rc && l->cfg->console)
        rc = launch_console_open(console, l, e);
    return rc ? rc : launch_unpause(l, e);
}

/* Until it has ended, as @how tells, or the user has left and nobody waits. */
static int watch(struct launch *l, struct launch_console **console, enum launch_end *how, struct pvboot_error *e)
{
    for (;;) {
        bool left = false;
        int rc = launch_wait(l, *console, how, &left, e);

        if (!rc && left)
            rc = leave(l, console, e);
        else if (!rc && *how == LAUNCH_SOFT_RESET && l->cfg->action[*how] == LAUNCH_GO_ON)
            rc = go_on(l, console, e);
        else
            return rc;
        if (rc || (left && !l->cfg->wait))
            return rc;
    }
}

/* One life of the guest.  @end: how it went; -1 while it goes on without us. */
static int live(struct launch *l, int *end, struct pvboot_error *e)
{
    struct launch_console *console = NULL;
    enum launch_end how = LAUNCH_GONE;
    int rc = start(l, &console, e);

    *end = -1;
    if (!rc && (l->cfg->wait || console))
        rc = watch(l, &console, &how, e);
    if (!rc && (l->cfg->wait || (l->cfg->console && !l->cfg->left))) {
        *end = (int)how;
        if (l->cfg->action[how] != LAUNCH_PRESERVE)
            rc = launch_destroy(l, e);
    }
    launch_console_close(console);
    if (rc)
        launch_undo(l);
    return rc;
}

int launch_verb(int argc, char **argv, struct pvboot_error *e)
{
    static struct launch l;
    static struct launch_config c;
    int end = -1, rc;

    memset(&l, 0, sizeof(l));
    memset(&c, 0, sizeof(c));
    l.cfg = &c;
    rc = launch_options(&c, argc, argv, e);
    if (!rc)
        rc = launch_prepare(&l, e);
    if (!rc && c.dry_run)
        rc = launch_load(&l, NULL, e);
    if (!rc && c.dry_run)
        rc = print_json(pvb_describe_plan(&l.plan), e);
    else if (!rc)
        rc = launch_open(&l, e);
    if (!rc && !c.dry_run)
        do
            rc = live(&l, &end, e);
        while (!rc && end >= 0 && c.action[end] == LAUNCH_RESTART && !(rc = pause_for(e)));
    launch_close(&l);
    launch_dispose(&l);
    return rc || end < 0 ? rc : end;
}

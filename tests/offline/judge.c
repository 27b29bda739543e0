/* SPDX-License-Identifier: LGPL-2.1-only */
#include "sweep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Which classes an error at each site may have. */
static const char *const classes[FAULT_SITES][2] = {
    [FAULT_XEN] = { "xen" },
    [FAULT_ALLOC] = { "host" },
    [FAULT_OPEN] = { "host", "unreadable" },
    [FAULT_READ] = { "host", "unreadable" },
    [FAULT_WRITE] = { "host" },
    [FAULT_MEMORY] = { "host", "sandbox" },
    [FAULT_PROCESS] = { "host", "sandbox" },
};

/* That a helper was killed is the host's fault, whatever it was about to ask for. */
static const char *const *classes_of(const struct run *run)
{
    return classes[run->error < 0 ? FAULT_PROCESS : run->site];
}

/* Interrupted calls are made again, and a kernel that does not know a flag is asked without it. */
static bool has_another_try(const struct run *run, const char *hit)
{
    if (run->error == EINVAL)
        return !strcmp(hit, "memfd_create");
    return run->error == EINTR &&
           (!strcmp(hit, "read") || !strcmp(hit, "write") || !strcmp(hit, "poll") || !strcmp(hit, "waitid"));
}

static const char *judge_refusal(const struct run *run, const struct outcome *o)
{
    char start[40];

    if (run->everybody || run->stock)
        return o->lines > 1 ? "more than one line" : NULL;
    if (has_another_try(run, o->hit))
        return "gave up";
    if (o->lines != 1)
        return "not exactly one line";
    for (int i = 0; i < 2 && classes_of(run)[i]; i++) {
        snprintf(start, sizeof(start), "pvboot: %s: ", classes_of(run)[i]);
        if (!strncmp(o->text, start, strlen(start)))
            return NULL;
    }
    return "another class of error";
}

/* Without the cache a build goes its usual way, and says so. */
static bool is_note(const struct outcome *o)
{
    static const char stem[] = "pvboot: note: nothing from the cache: ";

    return o->lines == 1 && !strncmp(o->text, stem, strlen(stem));
}

/* The build went on: it must have made the very same guest, and must not have looked away from what Xen said. */
static const char *judge_success(const struct run *run, const struct outcome *o, const struct outcome *whole)
{
    if (run->everybody)
        return NULL;
    if (o->lines && !is_note(o))
        return "a line, although the domain was built";
    if (o->digest != whole->digest || !fake.vcpu[0].up)
        return "the guest differs";
    if (o->dumped != whole->dumped)
        return "the dump differs";
    if (run->site == FAULT_XEN && run->error > 0 && strcmp(o->hit, "xc_domain_populate_physmap") &&
        strcmp(o->hit, "xenforeignmemory_restrict")) /* not every kernel can */
        return "went on after Xen refused";
    return NULL;
}

/* But for what a single failed call leaves by its own nature: a page not unmapped, a claim not dropped, a zombie. */
bool sweep_left_clean(const struct run *run, const struct outcome *o)
{
    const char *hit = o->hit ? o->hit : "";
    unsigned int mapped = !strcmp(hit, "xenforeignmemory_unmap");
    bool claim = !strcmp(hit, "xc_domain_claim_pages") || run->persist;

    return fake.maps == mapped && o->mappings == (long)mapped && !fake.handles && (claim || !fake.claim) &&
           !o->descriptors && !o->blocks && !o->hidden &&
           (!o->child || (!strcmp(hit, "waitid") && run->error != EINTR));
}

const char *sweep_judge(const struct run *run, const struct outcome *o, const struct outcome *whole)
{
    const char *wrong;

    if (!o->hit)
        return "never came to that request";
    wrong = o->r.rc ? judge_refusal(run, o) : judge_success(run, o, whole);
    if (!wrong && fake.broken)
        wrong = fake.broken;
    if (!wrong && !sweep_left_clean(run, o))
        wrong = "left something behind";
    return wrong;
}

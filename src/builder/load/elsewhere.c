/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Loading by another process, which ends with everything that it has mapped of the guest.  To take a page out of an address
 * space that is in use takes a PV dom0 three times as long as to give up the address space: most of what is left of a load
 * that reads straight into the guest.
 */
#include "../file/file.h"
#include "load.h"

#include <stdio.h>
#include <sys/socket.h>

/* In pages, as measured in a PV dom0: what a process costs, also for each page of memory that it begins with. */
#define PROCESS 1024u
#define PER_PAGE 2u

struct load_job {
    struct pvb_child_job job; /* first member */
    const struct pvboot_plan *plan;
    const struct pvboot_kernel *kernel;
    const struct pvboot_request *req;
    struct pvboot_guest *g;
};

struct told {
    int rc;
    struct pvboot_error e;
};

static bool child(const struct pvb_child_job *job, int answer)
{
    const struct load_job *l = (const struct load_job *)job;
    struct told t = { 0 };

    t.rc = pvboot_load(l->plan, l->kernel, l->req, l->g, &t.e);
    return send(answer, &t, sizeof(t), MSG_NOSIGNAL) == sizeof(t);
}

/* Pages of memory of our own: those that are no file's; UINT64_MAX: not known. */
static uint64_t own_pages(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long long all, resident, shared;
    bool known = f && fscanf(f, "%llu %llu %llu", &all, &resident, &shared) == 3 && resident >= shared;

    if (f)
        fclose(f);
    return known ? resident - shared : UINT64_MAX;
}

static uint64_t kernel_bytes(const struct pvboot_plan *plan, const struct pvboot_kernel *k)
{
    const struct pvboot_segment *seg = &plan->seg[PVBOOT_SEG_KERNEL];

    if (!pvb_loads_elf(plan->path))
        return k->image.bz.kernel_bytes;
    return k->placed ? 0 : seg->end - seg->start;
}

static bool is_worth_it(const struct load_job *l)
{
    const struct pvboot_segment *ramdisk = &l->plan->seg[PVBOOT_SEG_RAMDISK];
    uint64_t pages = (kernel_bytes(l->plan, l->kernel) + ramdisk->end - ramdisk->start) / PVB_PAGE, own;

    if (pages < PROCESS)
        return false;
    own = own_pages();
    return own < pages && PROCESS + own * PER_PAGE < pages;
}

/* What makes digests may have locks of its own, which another thread may hold. */
static bool can_be_done(const struct load_job *l)
{
    return !l->req->digests.wanted && is_worth_it(l);
}

int pvb_load_elsewhere(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel,
                       const struct pvboot_request *req, struct pvboot_guest *g, struct pvboot_error *e)
{
    const struct load_job l = { { .name = "pvboot-load", .allocates = true, .run = child }, plan, kernel, req, g };
    struct told t;
    struct iovec into = { &t, sizeof(t) };
    struct pvb_child c;
    size_t got;
    int err, fd;

    if (!can_be_done(&l) || pvb_child_fork(&c, &l.job))
        return PVB_NOT_LOADED;
    err = pvb_child_hear(&c, PVB_NO_DEADLINE, &into, &got, &fd);
    pvb_child_end(&c, err != 0);
    if (err)
        return pvb_fail(e, PVBOOT_E_HOST, "listening to who fills the guest's memory: %s", strerror(err));
    if (got != sizeof(t))
        return pvb_fail(e, PVBOOT_E_HOST, "who fills the guest's memory died, maybe for want of memory");
    if (t.rc)
        *e = t.e;
    return t.rc;
}

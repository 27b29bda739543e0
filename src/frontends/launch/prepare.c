/* SPDX-License-Identifier: LGPL-2.1-only */
/* Everything about a domain that needs no Xen, and is refused before there is one. */
#include "../../builder/load/load.h"
#include "launch.h"

#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define MIB_SHIFT 20
#define NO_RANDOM "no random bytes from the kernel"

static int open_kernel(struct launch *l, const char *self, struct pvboot_error *e)
{
    const struct pvboot_request *req = &l->cfg->req;
    char helper[PATH_MAX + 32];
    struct pvboot_confine c = { .sandbox = req->sandbox, .limits = req->limits, .path = req->path };
    int rc;

    c.helper = pvboot_confine_helper(self, helper, sizeof(helper));
    rc = pvboot_kernel_open_confined(&l->kernel, l->cfg->kernel, &c, e);
    if (c.missing[0])
        fprintf(stderr, "pvboot: note: the kernel's parser ran without: %s\n", c.missing);
    return rc;
}

static int read_ramdisks(struct launch *l, struct pvboot_error *e)
{
    struct pvboot_request *req = &l->cfg->req;
    const uint64_t max = pvboot_limit(req->limits.ramdisk, PVBOOT_RAMDISK_MAX);
    uint32_t n = 0;
    int rc = 0;

    for (uint32_t i = 0; !rc && i < l->cfg->n_ramdisks; i++) {
        uint32_t more = 0;

        rc = pvboot_files_read(&l->ramdisk[n], PVBOOT_RAMDISKS_MAX - n, &more, l->cfg->ramdisk[i], max, e);
        n += more;
    }
    for (uint32_t i = 0; i < n; i++)
        req->ramdisk[i] = l->ramdisk[i].bytes;
    req->n_ramdisks = n;
    return rc;
}

int launch_seed(struct launch_config *c, struct pvboot_error *e)
{
    if (c->req.has_rng_seed && getrandom(c->req.rng_seed, sizeof(c->req.rng_seed), 0) != sizeof(c->req.rng_seed))
        return pvb_fail(e, PVBOOT_E_HOST, NO_RANDOM);
    return 0;
}

static int fill_random(struct launch_config *c, struct pvboot_error *e)
{
    char uuid[LAUNCH_UUID_TEXT];
    bool ok = true;

    if (!c->has_uuid) {
        ok = getrandom(c->uuid, sizeof(c->uuid), 0) == sizeof(c->uuid);
        c->uuid[6] = (uint8_t)((c->uuid[6] & 0x0f) | 0x40); /* RFC 4122 4.4: version 4, variant 10 */
        c->uuid[8] = (uint8_t)((c->uuid[8] & 0x3f) | 0x80);
        c->has_uuid = true;
    }
    if (ok && !c->name[0]) {
        launch_uuid_text(c->uuid, uuid);
        snprintf(c->name, sizeof(c->name), "pvboot-%.8s", uuid);
    }
    return ok ? launch_seed(c, e) : pvb_fail(e, PVBOOT_E_HOST, NO_RANDOM);
}

static int make_plan(struct launch *l, struct pvboot_error *e)
{
    const struct launch_config *c = l->cfg;
    uint64_t mib = c->maxmem_mib ? c->maxmem_mib : c->memory_mib;
    int rc;

    if (c->timers && c->req.path == PVBOOT_PATH_PV)
        return pvb_fail(e, PVBOOT_E_USAGE, "timers contradict entry pv: a PV guest has Xen's own");
    if (c->maxmem_mib && c->maxmem_mib < c->memory_mib)
        return pvb_fail(e, PVBOOT_E_USAGE, "maxmem of %llu MiB is less than memory, %llu MiB",
                        (unsigned long long)c->maxmem_mib, (unsigned long long)c->memory_mib);
    if (c->req.path == PVBOOT_PATH_PV)
        rc = pvboot_machine_pv(&l->machine, c->memory_mib << MIB_SHIFT, c->vcpus, e);
    else
        rc = pvboot_machine_own(&l->machine, mib << MIB_SHIFT, c->vcpus,
                                c->timers ? PVBOOT_TABLES_TIMERS : PVBOOT_TABLES_PVH, e);
    if (c->no_xenstore)
        l->machine.xenstore_gpa = 0;
    if (!rc)
        rc = pvboot_plan_make(&l->plan, &l->kernel.image, &l->machine, &c->req, e);
    return rc ? rc : pvboot_plan_check(&l->plan, &l->kernel.image, e);
}

int launch_prepare(struct launch *l, struct pvboot_error *e)
{
    char self[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    int rc;

    self[n > 0 ? n : 0] = 0;
    rc = open_kernel(l, self, e);
    if (!rc)
        rc = read_ramdisks(l, e);
    if (!rc)
        rc = fill_random(l->cfg, e);
    if (!rc)
        rc = pvboot_request_embedded(&l->cfg->req, &l->kernel, e);
    if (!rc && l->cfg->req.path == PVBOOT_PATH_STUB)
        rc = pvb_in_file(e, l->cfg->kernel, launch_pack(l, self, e));
    if (!rc && l->cfg->req.digests.wanted)
        rc = pvb_digest_ready(e);
    return rc ? rc : pvb_in_file(e, l->cfg->kernel, make_plan(l, e));
}

int launch_load(struct launch *l, struct pvboot_guest *g, struct pvboot_error *e)
{
    struct pvboot_record record;
    int rc;

    if (!l->cfg->dump_dir)
        return g ? pvboot_load(&l->plan, &l->kernel, &l->cfg->req, g, e) : 0;
    pvboot_record_init(&record, &l->machine, g);
    rc = pvboot_load(&l->plan, &l->kernel, &l->cfg->req, &record.guest, e);
    if (!rc)
        rc = pvboot_record_dump(&record, &l->plan, &l->kernel.image, l->cfg->dump_dir, e);
    record.guest.ops->close(&record.guest);
    return rc;
}

void launch_dispose(struct launch *l)
{
    for (size_t i = 0; i < PVBOOT_RAMDISKS_MAX; i++)
        pvboot_file_dispose(&l->ramdisk[i]);
    pvboot_kernel_dispose(&l->kernel);
    launch_pv_dispose(l);
    launch_file_dispose(l->cfg);
    explicit_bzero(l->cfg->req.rng_seed, sizeof(l->cfg->req.rng_seed));
}

void launch_uuid_text(const uint8_t u[16], char text[LAUNCH_UUID_TEXT])
{
    char *p = text;

    for (size_t i = 0; i < 16; i++)
        p += sprintf(p, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
}

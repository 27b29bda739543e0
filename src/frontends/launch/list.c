/* SPDX-License-Identifier: LGPL-2.1-only */
/* `list` and `destroy`: what there is, and an end to it. */
#include "../../builder/describe/describe.h"
#include "launch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *state(const xc_domaininfo_t *d)
{
    static const char *const end[] = { "powered off", "rebooting", "suspended", "crashed", "watchdog", "soft reset" };
    unsigned int code = (d->flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;

    if (d->flags & XEN_DOMINF_dying)
        return "dying";
    if (d->flags & XEN_DOMINF_shutdown)
        return code < sizeof(end) / sizeof(end[0]) ? end[code] : "shut down";
    return d->flags & XEN_DOMINF_paused ? "paused" : "running";
}

#define PAGES_PER_MIB ((1u << 20) / PVB_PAGE)

/* Whose: told by the node that launch leaves; libxl's by theirs; nobody's that is known, "-". */
static const char *made_by(const struct launch *l, uint32_t domid)
{
    char *name = launch_store_read(l, domid, "name");
    const char *by = !domid || !name ? "-" : launch_store_ours(l, domid) ? "launch" : "other";

    free(name);
    return by;
}

static json_t *describe(const struct launch *l, const xc_domaininfo_t *d)
{
    char uuid[LAUNCH_UUID_TEXT], *name = launch_store_read(l, d->domain, "name");
    json_t *o;

    launch_uuid_text(d->handle, uuid);
    o = json_pack("{s:i, s:o, s:s, s:s, s:s, s:o, s:i}", "domid", (int)d->domain, "name",
                  pvb_json_text((struct pvboot_bytes){ (uint8_t *)name, name ? strlen(name) : 0 }), "uuid", uuid,
                  "state", state(d), "made_by", made_by(l, d->domain), "memory_bytes",
                  pvb_json_u64(d->tot_pages * PVB_PAGE), "vcpus", (int)d->max_vcpu_id + 1);
    free(name);
    return o;
}

static int print(const struct launch *l, bool json, struct pvboot_error *e)
{
    json_t *all = json_array();
    xc_domaininfo_t d;

    if (!json)
        printf("%-30s %5s %8s %5s  %-11s %s\n", "name", "domid", "MiB", "vcpus", "state", "made by");
    for (uint32_t next = 0; launch_next_domain(l->xen.xch, &next, &d);) {
        char *name = launch_store_read(l, d.domain, "name");

        if (json && json_array_append_new(all, describe(l, &d)))
            pvb_fail(e, PVBOOT_E_HOST, "no memory to tell of domain %u", d.domain);
        else if (!json)
            printf("%-30s %5u %8" PRIu64 " %5u  %-11s %s\n", name ? name : "-", d.domain,
                   (uint64_t)(d.tot_pages / PAGES_PER_MIB), d.max_vcpu_id + 1, state(&d), made_by(l, d.domain));
        free(name);
    }
    if (json && !e->code && (!all || json_dumpf(all, stdout, JSON_INDENT(2)) || printf("\n") < 0))
        pvb_fail(e, PVBOOT_E_HOST, "cannot print JSON");
    json_decref(all);
    return e->code ? -e->code : 0;
}

int launch_list(int argc, char **argv, struct pvboot_error *e)
{
    struct launch l = { 0 };
    bool json = argc == 2 && !strcmp(argv[1], "--json");
    int rc;

    if (argc > 1 && !json)
        return pvb_fail(e, PVBOOT_E_USAGE, "'%s' is too much: list [--json]", argv[1]);
    rc = launch_open(&l, e);
    if (!rc)
        rc = print(&l, json, e);
    launch_close(&l);
    return rc;
}

/* libxl keeps more than we know of behind its domains: devices, locks, files. */
static int may_destroy(const struct launch *l, const char *name, bool force, struct pvboot_error *e)
{
    if (!l->xen.domid)
        return pvb_fail(e, PVBOOT_E_USAGE, "domain 0 is this one");
    if (!force && !l->xs)
        return pvb_fail(e, PVBOOT_E_USAGE, "without xenstore nobody knows who made domain '%s': --force", name);
    if (!force && !launch_store_ours(l, l->xen.domid))
        return pvb_fail(e, PVBOOT_E_USAGE, "domain '%s' was not made by pvboot launch: xl destroy, or --force", name);
    return 0;
}

int launch_destroy_verb(int argc, char **argv, struct pvboot_error *e)
{
    struct launch l = { 0 };
    bool force = argc > 1 && !strcmp(argv[1], "--force");
    const char *name = argc == 2 + force ? argv[1 + force] : NULL;
    int rc;

    if (!name)
        return pvb_fail(e, PVBOOT_E_USAGE, "one domain, by name or number: destroy [--force] DOMAIN");
    rc = launch_open(&l, e);
    if (!rc && !launch_find(&l, name, &l.xen.domid))
        rc = pvb_fail(e, PVBOOT_E_USAGE, "there is no domain '%s'", name);
    if (!rc)
        rc = may_destroy(&l, name, force, e);
    if (!rc) {
        l.exists = l.introduced = true;
        rc = launch_destroy(&l, e);
    }
    launch_close(&l);
    return rc;
}

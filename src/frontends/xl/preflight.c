/* SPDX-License-Identifier: LGPL-2.1-only */
/* What can be refused while the config is read, so that no domain has to be made and taken back for it. */
#include "../../builder/load/load.h"
#include "cfg.h"

int pvb_cfg_check(const struct pvb_cfg *c, struct pvboot_error *e)
{
    int rc;

    if (pvb_refusal())
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "%s", pvb_refusal());
    if (c->paths.ramdisks && c->req.path == PVBOOT_PATH_STUB)
        return pvb_fail(e, PVBOOT_E_USAGE, "pvboot_ramdisks contradicts pvboot_entry=\"stub\": libxl hands over one");
    if (c->paths.dump_dir && c->req.path == PVBOOT_PATH_STUB)
        return pvb_fail(e, PVBOOT_E_USAGE, "pvboot_dump contradicts pvboot_entry=\"stub\": the guest fills the page");
    rc = pvb_stub_check(e);
    if (!rc && (c->req.digests.wanted || c->paths.dump_dir))
        rc = pvb_digest_ready(e);
    return rc;
}

/* These read the config of a domain that has its memory already; what lies in /boot by now must not be in its way. */
static bool wants_no_kernel(void)
{
    static const char *const command[] = { "restore", "save", "migrate", "migrate-receive" };

    for (size_t i = 0; i < sizeof(command) / sizeof(command[0]); i++)
        if (!strcmp(pvb_command(), command[i]))
            return true;
    return false;
}

int pvb_cfg_preflight(const struct pvb_cfg *c, struct pvboot_error *e)
{
    const char *path = pvb_cfg_get(c, "kernel");
    struct pvb_kernel_file w = { 0 };
    int rc;

    if (!path || !c->from_file || wants_no_kernel() || pvb_cfg_get(c, "bootloader") || c->req.path == PVBOOT_PATH_STUB)
        return 0;
    rc = pvboot_file_hold(&w.file, path, pvboot_limit(c->req.limits.kernel, PVBOOT_KERNEL_MAX), true, e);
    if (rc == -PVBOOT_E_UNREADABLE) {
        *e = (struct pvboot_error){ 0 };
        return 0;
    }
    if (!rc)
        rc = pvb_kernel_parse(&w, &c->req, PVBOOT_PATH_LINUX64, e); /* a path that unpacks nothing */
    if (!rc && (c->req.path != PVBOOT_PATH_AUTO || w.parsed.image.has_elf ||
                !pvboot_image_needs_elf(&w.parsed.image, c->req.path)))
        rc = pvboot_plan_possible(&w.parsed.image, &c->req, e);
    if (rc)
        pvb_kernel_file_dispose(&w);
    else
        pvb_kernel_cache_put(path, &w);
    return pvb_in_file(e, path, rc);
}

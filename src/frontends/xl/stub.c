/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Our own stub, as it is installed: stock Xen starts it by its notes, which a packager's strip may have taken along.
 * It is as trustworthy as the plugin beside it, so no confined parser looks at it.
 */
#include "xl.h"

#include <errno.h>
#include <unistd.h>

int pvb_stub_check(struct pvboot_error *e)
{
    const char *path = pvb_stub_path();
    struct pvboot_kernel k = { 0 };
    char why[160];
    int rc;

    if (access(path, R_OK))
        return pvb_fail(e, PVBOOT_E_HOST, "%s, which belongs beside the plugin, is not readable: errno %d", path,
                        errno);
    rc = pvboot_kernel_open(&k, path, e);
    if (!rc && !pvboot_image_offers(&k.image, PVBOOT_PATH_STUB, why, sizeof(why)))
        rc = pvb_fail(e, PVBOOT_E_HOST, "%s has lost its ELF notes or is another file: %s", path, why);
    pvboot_kernel_dispose(&k);
    return rc;
}

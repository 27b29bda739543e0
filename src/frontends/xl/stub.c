/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Our own stub, as it is installed: stock Xen starts it by its notes, which a packager's strip may have taken along.
 * It is as trustworthy as the plugin beside it, so no confined parser looks at it.
 */
#include "xl.h"

#include <errno.h>
#include <pvboot/file.h>
#include <pvboot/limits.h>
#include <stdlib.h>
#include <unistd.h>

/* What is held is read to *@buf, and by no other process: it lies on a disk of this machine, as it should. */
static int read_stub(struct pvboot_file *f, uint8_t **buf, struct pvboot_bytes *bytes, struct pvboot_error *e)
{
    const struct pvboot_source from = pvboot_file_source(f);
    int rc;

    *bytes = f->bytes;
    if (!f->held)
        return 0;
    *buf = malloc(f->bytes.len);
    if (!*buf)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for the stub");
    bytes->p = *buf;
    rc = from.get(&from, 0, *buf, f->bytes.len, e);
    return rc ? rc : pvboot_file_settle(f, e);
}

int pvb_stub_check(struct pvboot_error *e)
{
    const char *path = pvb_stub_path();
    struct pvboot_file f = { 0 };
    struct pvboot_kernel k = { 0 };
    struct pvboot_bytes bytes;
    uint8_t *buf = NULL;
    char why[160];
    int rc;

    if (access(path, R_OK))
        return pvb_fail(e, PVBOOT_E_HOST, "%s, which belongs beside the plugin, is not readable: errno %d", path,
                        errno);
    rc = pvboot_file_hold(&f, path, PVBOOT_KERNEL_MAX, PVBOOT_SHOW_NOTHING, e);
    if (!rc)
        rc = read_stub(&f, &buf, &bytes, e);
    if (!rc)
        rc = pvb_in_file(e, path, pvboot_kernel_parse(&k, bytes, e));
    if (!rc && !pvboot_image_offers(&k.image, PVBOOT_PATH_STUB, why, sizeof(why)))
        rc = pvb_fail(e, PVBOOT_E_HOST, "%s has lost its ELF notes or is another file: %s", path, why);
    pvboot_kernel_dispose(&k);
    pvboot_file_dispose(&f);
    free(buf);
    return rc;
}

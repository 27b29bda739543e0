/* SPDX-License-Identifier: LGPL-2.1-only */
#include "config.h"

#include <pvboot/confine.h>

int pvb_kernel_file_parse(struct pvb_kernel_file *w, const struct pvboot_request *req, enum pvboot_path path,
                          const char *helper, struct pvboot_error *e)
{
    struct pvboot_confine c = { .sandbox = req->sandbox, .helper = helper, .limits = req->limits, .path = path };
    int rc = pvboot_kernel_confine(&w->parsed, &w->file, &c, e);

    w->sandbox = req->sandbox;
    memcpy(w->missing, c.missing, sizeof(w->missing));
    return rc;
}

void pvb_kernel_file_dispose(struct pvb_kernel_file *w)
{
    pvboot_kernel_dispose(&w->parsed);
    pvboot_file_dispose(&w->file);
}

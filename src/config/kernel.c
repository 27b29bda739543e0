/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../cache/cache.h"
#include "config.h"

#include <pvboot/confine.h>

int pvb_kernel_file_hold(struct pvb_kernel_file *w, const char *path, const struct pvboot_request *req,
                         struct pvboot_error *e)
{
    return pvboot_file_hold(&w->file, path, pvboot_limit(req->limits.kernel, PVBOOT_KERNEL_MAX),
                            pvb_enters_payload(req->path) ? PVBOOT_SHOW_BEGINNING : PVBOOT_SHOW_HEADERS, e);
}

/* Once for a file; a guest that starts at the bzImage has no use for it. */
static bool ask_cache(struct pvb_kernel_file *w, const struct pvboot_request *req, const struct pvb_paths *paths)
{
    bool zero_page = req->path == PVBOOT_PATH_LINUX32 || req->path == PVBOOT_PATH_LINUX64;

    if (zero_page || w->cache_asked)
        return false;
    w->cache_asked = true;
    w->sandbox = req->sandbox;
    return pvb_cache_find(&w->parsed, &w->file, pvb_cache_dir(paths->cache),
                          pvboot_limit(req->limits.unpacked, PVBOOT_UNPACKED_MAX), &w->stale);
}

int pvb_kernel_file_parse(struct pvb_kernel_file *w, const struct pvboot_request *req, const struct pvb_paths *paths,
                          bool look, const char *helper, struct pvboot_error *e)
{
    struct pvboot_confine c = {
        .sandbox = req->sandbox, .helper = helper, .limits = req->limits, .path = req->path, .look = look
    };
    int rc;

    if (ask_cache(w, req, paths))
        return 0;
    rc = pvboot_kernel_confine(&w->parsed, &w->file, &c, e);
    w->sandbox = req->sandbox;
    memcpy(w->missing, c.missing, sizeof(w->missing));
    return rc;
}

bool pvb_kernel_file_lacks_elf(const struct pvb_kernel_file *w, const struct pvboot_request *req)
{
    return !w->parsed.image.has_elf && pvboot_image_needs_elf(&w->parsed.image, req->path);
}

void pvb_kernel_file_dispose(struct pvb_kernel_file *w)
{
    pvboot_kernel_dispose(&w->parsed);
    pvboot_file_dispose(&w->file);
}

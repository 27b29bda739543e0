/* SPDX-License-Identifier: LGPL-2.1-only */
#include "cli.h"

int cli_read_ramdisks(struct pvboot_file file[PVBOOT_RAMDISKS_MAX], struct pvboot_request *req, const char *const *path,
                      uint32_t n, struct pvboot_error *e)
{
    uint64_t max = pvboot_limit(req->limits.ramdisk, PVBOOT_RAMDISK_MAX);
    uint32_t all = 0, got;
    int rc = 0;

    for (uint32_t i = 0; !rc && i < n; i++) {
        rc = pvboot_files_read(&file[all], PVBOOT_RAMDISKS_MAX - all, &got, path[i], max, e);
        for (uint32_t end = all + got; all < end; all++)
            req->ramdisk[all] = file[all].bytes;
    }
    req->n_ramdisks = all;
    return rc;
}

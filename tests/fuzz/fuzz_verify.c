/* SPDX-License-Identifier: LGPL-2.1-only */
/* Hostile answers of the confined parser: what the verifier accepts, the planner and the loader must survive. */
#include "../../src/sandbox/sandbox.h"

#include <pvboot/record.h>
#include <stdlib.h>

#define FILE_BYTES 0x10000u
#define LOADED_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t bytes[LOADED_MAX];
    struct pvboot_kernel k = { .file = { bytes, FILE_BYTES } };
    struct pvboot_image claim;
    struct pvboot_request req;
    struct pvboot_machine m;
    struct pvboot_record r;
    static struct pvboot_plan plan;

    if (n < sizeof(claim))
        return 0;
    memcpy(&claim, data, sizeof(claim));
    if (pvb_image_verify(&k.image, &claim, FILE_BYTES, NULL))
        return 0;
    k.elf = (struct pvboot_bytes){ bytes, k.image.has_bzimage ? (size_t)k.image.bz.unpacked_bytes : FILE_BYTES };
    pvboot_request_init(&req);
    for (req.path = PVBOOT_PATH_AUTO; req.path < PVBOOT_PATHS; req.path++) {
        if (pvboot_machine_default(&m, 64u << 20, 1, NULL) || pvboot_plan_make(&plan, &k.image, &m, &req, NULL))
            continue;
        if (pvboot_plan_check(&plan, &k.image, NULL))
            abort();
        pvboot_record_init(&r, &m, NULL);
        if (k.elf.len <= LOADED_MAX)
            (void)pvboot_load(&plan, &k, &req, &r.guest, NULL);
        r.guest.ops->close(&r.guest);
    }
    return 0;
}

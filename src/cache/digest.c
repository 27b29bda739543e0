/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../builder/load/load.h"
#include "inner.h"

#include <stdlib.h>

#define PART (1u << 20)

int pvb_cache_digest_head(const struct pvb_cache_head *head, uint8_t sha256[32], struct pvboot_error *e)
{
    struct pvb_hash hash;
    int rc = pvb_hash_open(&hash, e);

    if (rc)
        return rc;
    pvb_hash_more(&hash, (struct pvboot_bytes){ (const uint8_t *)head, offsetof(struct pvb_cache_head, head_sha256) });
    pvb_hash_close(&hash, sha256);
    return 0;
}

int pvb_cache_digest(const struct pvboot_source *from, uint64_t off, uint64_t n, uint8_t sha256[32],
                     struct pvboot_error *e)
{
    uint8_t *part = malloc(PART);
    struct pvb_hash hash = { 0 };
    int rc = part ? pvb_hash_open(&hash, e) : pvb_fail(e, PVBOOT_E_HOST, "no memory to hash by way of");

    for (uint64_t done = 0, some; !rc && done < n; done += some) {
        some = n - done < PART ? n - done : PART;
        rc = from->get(from, off + done, part, (size_t)some, e);
        if (!rc)
            pvb_hash_more(&hash, (struct pvboot_bytes){ part, (size_t)some });
    }
    if (hash.md)
        pvb_hash_close(&hash, rc ? NULL : sha256);
    free(part);
    return rc;
}

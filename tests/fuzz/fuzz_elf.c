/* SPDX-License-Identifier: LGPL-2.1-only */
/* A wish, then any bytes as an ELF: program headers, notes, and the plans for its two ways in. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pvboot_bytes file = { data, size };
    struct pvboot_error e = { 0 };
    struct fuzz_wish wish;
    struct pvboot_kernel k;
    int rc;

    fuzz_wish(&wish, &file);
    rc = pvboot_kernel_parse(&k, file, &e);
    fuzz_judge(rc, &e);
    if (rc || !k.image.has_elf)
        return 0;
    fuzz_verified(&k.image, file.len);
    fuzz_start(&k, &wish, NULL);
    pvboot_kernel_dispose(&k);
    return 0;
}

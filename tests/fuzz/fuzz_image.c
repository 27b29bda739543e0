/* SPDX-License-Identifier: LGPL-2.1-only */
/* Any bytes as a kernel file, all the way: parse, unpack, ask, verify, plan, load. */
#include "builder/image/image.h"
#include "fuzz.h"

#define UNPACKED_MAX (1u << 20) /* more only costs time: the limits are judged before that */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t plain[FUZZ_WISH_BYTES] = { 0, 0x80, 0, 0, 9, 0, 0, 1, 1, 1 }; /* 128 MiB, a ramdisk */
    struct pvboot_bytes file = { data, size }, in = { plain, sizeof(plain) };
    struct pvboot_error e = { 0 };
    struct fuzz_wish wish;
    struct pvboot_kernel k;
    struct pvboot_elf seen;
    bool looked;
    char why[160];
    int rc;

    rc = pvboot_kernel_parse_within(&k, file, UNPACKED_MAX, &e);
    fuzz_judge(rc, &e);
    if (rc)
        return 0;
    if (k.image.bz.unpacked_bytes > UNPACKED_MAX)
        return 0;
    looked = k.image.has_bzimage && pvb_kernel_look(&k, &seen);
    rc = pvboot_kernel_unpack(&k, &e);
    fuzz_judge(rc, &e);
    FUZZ_MUST(rc || k.image.has_elf);
    if (looked && !rc)
        FUZZ_MUST(seen.n_loads == k.image.elf.n_loads && !memcmp(seen.load, k.image.elf.load, sizeof(seen.load)));
    for (unsigned int p = 0; p < PVBOOT_PATHS; p++)
        FUZZ_MUST(!pvboot_image_offers(&k.image, (enum pvboot_path)p, why, sizeof(why)) == (why[0] != 0));
    fuzz_verified(&k.image, file.len);
    fuzz_wish(&wish, &in);
    fuzz_start(&k, &wish, NULL);
    pvboot_kernel_dispose(&k);
    return 0;
}

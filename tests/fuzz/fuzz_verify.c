/* SPDX-License-Identifier: LGPL-2.1-only */
/* Hostile answers of the confined parser: what the verifier accepts, the planner and the loader must survive. */
#include "fuzz.h"

#include "sandbox/sandbox.h"

#define FILE_BYTES 0x10000u
#define LOADED_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t plain[FUZZ_WISH_BYTES] = { 0, 0x40, [9] = 1 }; /* 64 MiB, and no more than that */
    static uint8_t bytes[LOADED_MAX];
    struct pvboot_bytes in = { data, size };
    struct pvboot_kernel k = { .file = { bytes, FILE_BYTES } };
    struct pvboot_error e = { 0 };
    struct pvboot_image claim;
    struct fuzz_wish wish;
    int rc;

    if (size < sizeof(claim))
        return 0;
    fuzz_take(&in, &claim, sizeof(claim));
    rc = pvb_image_verify(&k.image, &claim, FILE_BYTES, PVBOOT_UNPACKED_MAX, &e);
    fuzz_judge(rc, &e);
    if (rc)
        return 0;
    if (k.image.wrapper.kind != PVBOOT_WRAPPER_NONE)
        k.file.len = (size_t)k.image.wrapper.kernel_bytes;
    k.elf = (struct pvboot_bytes){ bytes, k.image.has_bzimage ? (size_t)k.image.bz.unpacked_bytes : k.file.len };
    if (k.elf.len > LOADED_MAX || k.file.len > LOADED_MAX)
        return 0;
    if (!in.len)
        in = (struct pvboot_bytes){ plain, sizeof(plain) };
    fuzz_wish(&wish, &in);
    fuzz_start(&k, &wish, NULL);
    return 0;
}

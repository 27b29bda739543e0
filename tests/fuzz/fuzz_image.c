/* SPDX-License-Identifier: LGPL-2.1-only */
/* Any bytes as a kernel file: parse, unpack, ask. */
#include <assert.h>
#include <pvboot/image.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pvboot_kernel k;
    struct pvboot_error e = { 0 };
    char why[160];
    int rc = pvboot_kernel_parse(&k, (struct pvboot_bytes){ data, size }, &e);

    if (!rc)
        rc = pvboot_kernel_unpack(&k, &e);
    assert(rc == -e.code && (!rc || e.text[0]));
    for (unsigned p = 0; p < PVBOOT_PATHS; p++)
        if (pvboot_image_offers(&k.image, (enum pvboot_path)p, why, sizeof(why)) && k.image.has_elf)
            assert(p != PVBOOT_PATH_PVH ||
                   pvboot_image_entry(&k.image, PVBOOT_PATH_PVH, 0) + k.image.elf.window.pref_gpa <= UINT32_MAX);
    for (uint32_t i = 0; i < k.image.elf.n_loads; i++) /* what the loader will copy must exist */
        assert(pvboot_has(k.elf, k.image.elf.load[i].off, k.image.elf.load[i].file_bytes));
    pvboot_kernel_dispose(&k);
    return 0;
}

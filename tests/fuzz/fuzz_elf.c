/* SPDX-License-Identifier: LGPL-2.1-only */
/* A wish, then any bytes as an ELF: program headers, notes, and the plans for its two ways in. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_file((struct pvboot_bytes){ data, size }, PVBOOT_FORMAT_ELF, NULL);
}

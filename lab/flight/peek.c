/* SPDX-License-Identifier: LGPL-2.1-only */
/* peek DOMID ADDRESS COUNT: so many 64-bit words at that virtual address of a paused PV guest's vCPU 0, one a line. */
#define XC_WANT_COMPAT_MAP_FOREIGN_API
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xenctrl.h>

static uint64_t word_at(xc_interface *xch, uint32_t domid, uint64_t va)
{
    unsigned long mfn = xc_translate_foreign_address(xch, domid, 0, va);
    const uint8_t *page = mfn ? xc_map_foreign_range(xch, domid, XC_PAGE_SIZE, PROT_READ, mfn) : NULL;
    uint64_t word;

    if (!page)
        errx(70, "nothing is mapped at 0x%" PRIx64, va);
    word = *(const uint64_t *)(const void *)(page + va % XC_PAGE_SIZE);
    munmap((void *)(uintptr_t)page, XC_PAGE_SIZE);
    return word;
}

int main(int argc, char **argv)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    uint64_t va, n;

    if (argc != 4 || !xch)
        errx(64, "peek DOMID ADDRESS COUNT, in dom0");
    va = strtoull(argv[2], NULL, 0);
    n = strtoull(argv[3], NULL, 0);
    for (uint64_t i = 0; i < n; i++)
        printf("%016" PRIx64 "\n", word_at(xch, (uint32_t)strtoul(argv[1], NULL, 10), va + 8 * i));
    return 0;
}

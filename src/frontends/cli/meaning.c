/* SPDX-License-Identifier: LGPL-2.1-only */
/* Names beside bits.  Spec: Linux Documentation/arch/x86/boot.rst. */
#include "cli.h"

#include <stdio.h>

struct bit {
    const char *key, *name;
    unsigned int bit;
};

static const struct bit bits[] = {
    { "loadflags", "LOADED_HIGH", 0 },
    { "loadflags", "KASLR_FLAG", 1 },
    { "loadflags", "QUIET_FLAG", 5 },
    { "loadflags", "KEEP_SEGMENTS", 6 },
    { "loadflags", "CAN_USE_HEAP", 7 },
    { "xloadflags", "XLF_KERNEL_64", 0 },
    { "xloadflags", "XLF_CAN_BE_LOADED_ABOVE_4G", 1 },
    { "xloadflags", "XLF_EFI_HANDOVER_32", 2 },
    { "xloadflags", "XLF_EFI_HANDOVER_64", 3 },
    { "xloadflags", "XLF_EFI_KEXEC", 4 },
    { "xloadflags", "XLF_5LEVEL", 5 },
    { "xloadflags", "XLF_5LEVEL_ENABLED", 6 },
    { "xloadflags", "XLF_MEM_ENCRYPTION", 7 },
};

/* The number is the high half of a byte; what is beyond it has a field of its own. */
static const char *const loaders[] = { "LILO",
                                       "Loadlin",
                                       "bootsect-loader",
                                       "Syslinux",
                                       "Etherboot/gPXE/iPXE",
                                       "ELILO",
                                       NULL,
                                       "GRUB",
                                       "U-Boot",
                                       "Xen",
                                       "Gujin",
                                       "QEMU",
                                       "Arcturus",
                                       "kexec",
                                       "extended",
                                       "special" };

static void name_loader(uint64_t value, char *text, size_t n)
{
    const char *name = value > 0xff || value == 0xff ? NULL : loaders[value >> 4];

    if (value == 0x91 || value == 0x92) /* docs/handover.md */
        name = value == 0x91 ? "Xen: pvboot's toolstack side" : "Xen: pvboot's in-guest stub";
    snprintf(text, n, "%s%s%s", name ? "(" : "", name ? name : "", name ? ")" : "");
}

void cli_meaning(const char *key, uint64_t value, char *text, size_t n)
{
    size_t used = 0;

    text[0] = 0;
    if (!strcmp(key, "type_of_loader")) {
        name_loader(value, text, n);
        return;
    }
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
        if (!strcmp(key, bits[i].key) && value >> bits[i].bit & 1 && used < n)
            used += (size_t)snprintf(text + used, n - used, "%s%s", used ? ", " : "(", bits[i].name);
    if (used && used < n)
        snprintf(text + used, n - used, ")");
}

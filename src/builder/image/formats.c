/* SPDX-License-Identifier: LGPL-2.1-only */
/* Files that are called kernels by mistake, or by other loaders: recognised to be called by their names, no more. */
#include "image.h"

static const struct {
    uint32_t off;
    uint8_t n;
    uint8_t magic[8];
    const char *name;
} formats[] = {
    { 56, 4, { 'A', 'R', 'M', 0x64 }, "an arm64 Image" },
    { 48, 4, { 'R', 'I', 'S', 'C' }, "a RISC-V Image" },
    { 36, 4, { 0x18, 0x28, 0x6f, 0x01 }, "an arm zImage" },
    { 0, 4, { 0x27, 0x05, 0x19, 0x56 }, "a uImage (U-Boot)" },
    { 0, 4, { 0xd0, 0x0d, 0xfe, 0xed }, "a device tree or FIT image" },
    { 0, 4, { 'Q', 'F', 'I', 0xfb }, "a qcow2 disk image" },
    { 0, 4, { 'K', 'D', 'M', 'V' }, "a VMDK disk image" },
    { 0, 8, { 'c', 'o', 'n', 'e', 'c', 't', 'i', 'x' }, "a VHD disk image" },
    { 0x8001, 5, { 'C', 'D', '0', '0', '1' }, "an ISO 9660 image" },
    { 257, 5, { 'u', 's', 't', 'a', 'r' }, "a tar archive" },
    { 0, 5, { '0', '7', '0', '7', '0' }, "a cpio archive, as ramdisks are" },
    { 0, 4, { 0x04, 0x22, 0x4d, 0x18 }, "an lz4 frame; kernels have the legacy one (lz4 -l)" },
    { 0, 4, { 'h', 's', 'q', 's' }, "a squashfs file system" },
    { 0x438, 2, { 0x53, 0xef }, "an ext2, ext3 or ext4 file system" },
    { 0, 7, { '!', '<', 'a', 'r', 'c', 'h', '>' }, "an ar archive, as .deb packages are" },
    { 0, 4, { 0xed, 0xab, 0xee, 0xdb }, "an RPM package" },
    { 0, 4, { 'P', 'K', 3, 4 }, "a zip archive" },
    { 0, 2, { '#', '!' }, "a script" },
    { 0, 4, { 0x07, 0x01, 0x64, 0x00 }, "an a.out file" },
    { 0, 4, { 0x08, 0x01, 0x64, 0x00 }, "an a.out file" },
    { 0, 4, { 0x0b, 0x01, 0x64, 0x00 }, "an a.out file" },
    { 0, 4, { 0xcc, 0x00, 0x64, 0x00 }, "an a.out file" },
    { 0, 2, { 'M', 'Z' }, "a DOS program" },
    { 0x1fe, 2, { 0x55, 0xaa }, "a disk image or boot sector" },
};

const char *pvb_format_name(struct pvboot_bytes b)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (pvboot_has(b, formats[i].off, formats[i].n) &&
            !memcmp(b.p + formats[i].off, formats[i].magic, formats[i].n))
            return formats[i].name;
    return NULL;
}

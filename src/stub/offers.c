/* SPDX-License-Identifier: LGPL-2.1-only */
/* Stand-ins for image/entries.c, image/codec.c, plan/distance.c and plan/obstacle.c of src/builder: what a small stub that unpacks nothing can start. */
#include "../builder/image/image.h"
#include "../builder/plan/plan.h"
#include "../startinfo/abi.h"

#include <stdio.h>

#define STARTUP_64_OFF 0x200u    /* boot.rst, "64-bit Boot Protocol" */
#define LINUX32_PROTOCOL 0x0206u /* as the toolstack */

enum pvboot_codec pvb_codec_find(struct pvboot_bytes payload)
{
    (void)payload;
    return PVBOOT_CODEC_UNKNOWN;
}

size_t pvb_distance(const char *a, const char *b)
{
    (void)a;
    (void)b;
    return SIZE_MAX;
}

const char *pvb_in_the_way(char *text, const struct pvboot_machine *m, uint64_t start, uint64_t end)
{
    (void)text, (void)m, (void)start, (void)end;
    return "";
}

bool pvboot_image_offers(const struct pvboot_image *img, enum pvboot_path path, char *why, size_t why_bytes)
{
    const char *text = NULL;

    if (path != PVBOOT_PATH_LINUX32 && path != PVBOOT_PATH_LINUX64)
        text = "the stub unpacks no kernel; pvboot on the host does";
    else if (path == PVBOOT_PATH_LINUX64 /* whose flag newer protocols have */
                 ? !(img->bz.xloadflags & XLF_KERNEL_64) || img->bz.kernel_bytes <= STARTUP_64_OFF
                 : img->bz.protocol < LINUX32_PROTOCOL || !img->bz.code32_start)
        text = "it has no such entry";
    snprintf(why, why_bytes, "%s", text ? text : "");
    return !text;
}

uint64_t pvboot_image_entry(const struct pvboot_image *img, enum pvboot_path path, uint64_t kernel_gpa)
{
    (void)img;
    return kernel_gpa + (path == PVBOOT_PATH_LINUX64 ? STARTUP_64_OFF : 0);
}

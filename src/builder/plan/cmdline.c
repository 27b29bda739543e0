/* SPDX-License-Identifier: LGPL-2.1-only */
/* Limits of what goes along with the kernel: command line and ramdisks. */
#include "plan.h"

#include <inttypes.h>

/* COMMAND_LINE_SIZE on x86, less the NUL: what Linux copies whatever its header says. */
#define LINUX_CMDLINE_MAX 2047u
#define DELETE 0x7f

int pvb_check_request(const struct pvboot_request *req, struct pvboot_error *e)
{
    uint64_t most = pvboot_limit(req->limits.ramdisk, PVBOOT_RAMDISK_MAX);

    if (req->n_ramdisks > PVBOOT_RAMDISKS_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%u ramdisks: limit %u", req->n_ramdisks, PVBOOT_RAMDISKS_MAX);
    for (uint32_t i = 0; i < req->n_ramdisks; i++) {
        if (!req->ramdisk[i].len)
            return pvb_fail(e, PVBOOT_E_USAGE, "ramdisk %u is empty", i + 1);
        if (req->ramdisk[i].len > most)
            return pvb_fail(e, PVBOOT_E_LIMIT, "ramdisk %u is %zu bytes: limit %" PRIu64, i + 1, req->ramdisk[i].len,
                            most);
    }
    if (req->hypervisor != PVBOOT_HYPERVISOR_NONE && req->hypervisor != PVBOOT_HYPERVISOR_XEN)
        return pvb_fail(e, PVBOOT_E_USAGE, "hypervisor number %u does not exist", (unsigned int)req->hypervisor);
    return 0;
}

/* How long the command line may be, and whose limit that is. */
static size_t cmdline_max(const struct pvboot_image *img, enum pvboot_path path, const char **whose)
{
    const struct pvboot_notes *notes = &img->elf.notes;
    bool is_linux = path == PVBOOT_PATH_VMLINUX64 || notes->linux_note || !strcmp(notes->guest_os, "linux");
    size_t max = PVBOOT_CMDLINE_MAX;

    *whose = "pvboot's";
    if (img->has_bzimage && img->bz.cmdline_max < max) {
        *whose = "the kernel's";
        return img->bz.cmdline_max;
    }
    if (!img->has_bzimage && is_linux) {
        *whose = "Linux's";
        return LINUX_CMDLINE_MAX;
    }
    return max;
}

int pvb_check_cmdline(const struct pvboot_image *img, enum pvboot_path path, const char *cmdline,
                      struct pvboot_error *e)
{
    const char *whose;
    size_t max = cmdline_max(img, path, &whose), n = cmdline ? strlen(cmdline) : 0;

    if (n > max)
        return pvb_fail(e, PVBOOT_E_LIMIT, "command line is %zu bytes, %zu over %s %zu", n, n - max, whose, max);
    /* A newline or an escape would reach logs and consoles of whoever prints it. */
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)cmdline[i] < ' ' || cmdline[i] == DELETE)
            return pvb_fail(e, PVBOOT_E_USAGE, "command line has control byte 0x%02x at %zu",
                            (unsigned int)(uint8_t)cmdline[i], i);
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Says what it was handed, tells xenstore that it is there, and stays until it is asked to shut down: `xl shutdown`, or
 * xenstore-write /local/domain/N/control/shutdown poweroff.  Spec: Xen public arch-x86/hvm/start_info.h.
 */
#include "unikernel.h"

#include <xen/arch-x86/hvm/start_info.h>

#define SHUTDOWN "control/shutdown"

static void tell(const struct hvm_start_info *si)
{
    const struct hvm_memmap_table_entry *map = (const void *)(uintptr_t)si->memmap_paddr;

    say("unikernel: start info version ");
    say_hex(si->version);
    say(", RSDP ");
    say_hex(si->rsdp_paddr);
    say(", modules ");
    say_hex(si->nr_modules);
    say(", command line \"");
    say(si->cmdline_paddr ? (const char *)(uintptr_t)si->cmdline_paddr : "");
    say("\"\r\n");
    for (uint32_t i = 0; si->version && i < si->memmap_entries; i++) {
        say("unikernel: memory ");
        say_hex(map[i].addr);
        say("+");
        say_hex(map[i].size);
        say(" type ");
        say_hex(map[i].type);
        say("\r\n");
    }
}

void unikernel(const struct hvm_start_info *si);
void unikernel(const struct hvm_start_info *si)
{
    char why[32] = "";

    if (!xen_init())
        return;
    console_init();
    if (si->magic != XEN_HVM_START_MAGIC_VALUE)
        xen_poweroff();
    tell(si);
    if (!store_init()) {
        say("unikernel: no xenstore: good bye\r\n");
        xen_poweroff();
    }
    store_write("data/unikernel", "up");
    store_watch(SHUTDOWN);
    say("unikernel: waits for " SHUTDOWN "\r\n");
    while (!why[0]) {
        store_next_event(); /* the first one comes at once */
        store_read(SHUTDOWN, why, sizeof(why));
    }
    store_write(SHUTDOWN, ""); /* seen */
    say("unikernel: ");
    say(why);
    say(": good bye\r\n");
    xen_poweroff();
}

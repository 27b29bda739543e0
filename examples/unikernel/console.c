/* SPDX-License-Identifier: LGPL-2.1-only */
/* The PV console's ring.  Spec: Xen public io/console.h. */
#include "unikernel.h"

#include <xen/hvm/params.h>
#include <xen/io/console.h>

static struct xencons_interface *ring;
static uint32_t port;

void console_init(void)
{
    ring = (void *)(uintptr_t)(xen_param(HVM_PARAM_CONSOLE_PFN) << 12);
    port = (uint32_t)xen_param(HVM_PARAM_CONSOLE_EVTCHN);
}

/* Nobody may be reading: what finds no room is lost, for a domain that waits for its console would not serve. */
void say(const char *text)
{
    uint32_t prod;

    if (!ring)
        return;
    for (prod = ring->out_prod; *text; text++) {
        if (prod - __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE) == sizeof(ring->out))
            break;
        ring->out[MASK_XENCONS_IDX(prod, ring->out)] = *text;
        prod++;
    }
    __atomic_store_n(&ring->out_prod, prod, __ATOMIC_RELEASE);
    xen_notify(port);
}

void say_hex(uint64_t n)
{
    char text[19], *p = text + sizeof(text) - 1;

    *p = 0;
    do
        *--p = "0123456789abcdef"[n & 15];
    while (n >>= 4);
    *--p = 'x';
    *--p = '0';
    say(p);
}

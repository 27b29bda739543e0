/* SPDX-License-Identifier: LGPL-2.1-only */
/* The fake hypervisor as the builder sees it: a table of calls. */
#ifndef FAKE_TABLE_H
#define FAKE_TABLE_H

#include "fake.h"

#include <pvboot/xen.h>

static inline struct pvboot_xen fake_xen(void)
{
    return (struct pvboot_xen){
        .call = {
#define X(f) .f = f,
            PVBOOT_XEN_CALLS(X)
#undef X
        },
        .fmem = xenforeignmemory_open(NULL, 0),
        .domid = FAKE_DOMID,
    };
}

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "config.h"

#include <inttypes.h>

bool pvb_store_noted(uint32_t *domid)
{
    FILE *f = fopen(PVB_STORE_PIDFILE, "re");
    bool is = f && fscanf(f, "domid:%" SCNu32, domid) == 1;

    if (f)
        fclose(f);
    return is;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "pv_start_info.h"
#include "start_info.h"

bool pvb_start_info_built_in(void)
{
    return false;
}

uint64_t pvb_put_start_info(struct pvb_blob *b, const struct pvb_start_info *in)
{
    (void)b;
    (void)in;
    return 0;
}

uint64_t pvb_put_pv_start_info(struct pvb_blob *b, const struct pvb_pv_start_info *in)
{
    (void)b;
    (void)in;
    return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "plan.h"

#include <stdio.h>

void pvb_remark(struct pvboot_plan *plan, const char *fmt, ...)
{
    va_list ap;

    for (size_t i = 0; i < sizeof(plan->notes) / sizeof(plan->notes[0]); i++) {
        if (plan->notes[i][0])
            continue;
        va_start(ap, fmt);
        vsnprintf(plan->notes[i], sizeof(plan->notes[i]), fmt, ap);
        va_end(ap);
        return;
    }
}

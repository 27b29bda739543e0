/* SPDX-License-Identifier: LGPL-2.1-only */
#include "base.h"

#include <errno.h>

int pvb_fail_errno(struct pvboot_error *e, enum pvboot_class code, const char *what)
{
    const char *why = strerrordesc_np(errno);

    return why ? pvb_fail(e, code, "%s: %s", what, why) : pvb_fail(e, code, "%s: errno %d", what, errno);
}

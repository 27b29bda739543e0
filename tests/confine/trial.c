/* SPDX-License-Identifier: LGPL-2.1-only */
#include "trial.h"

#include <stdio.h>

const char *trial_helper;

int trial_order(struct pvboot_file *f, const char *attack, uint32_t layers, struct pvboot_error *e)
{
    struct order o = { .magic = ORDER_MAGIC, .layers = layers };

    snprintf(o.name, sizeof(o.name), "%s", attack);
    return pvboot_file_seal(f, (struct pvboot_bytes){ (uint8_t *)&o, sizeof(o) }, e);
}

int trial(const char *attack, uint32_t layers, enum pvboot_sandbox sandbox, char *missing, struct pvboot_error *e)
{
    struct pvboot_confine c = { .helper = trial_helper, .path = PVBOOT_PATH_PVH, .sandbox = sandbox };
    struct pvboot_kernel k;
    struct pvboot_file f;
    int rc = trial_order(&f, attack, layers, e);

    if (rc)
        return rc;
    rc = pvboot_kernel_confine(&k, &f, &c, e);
    pvboot_file_dispose(&f);
    if (missing)
        snprintf(missing, sizeof(c.missing), "%s", c.missing);
    return rc;
}

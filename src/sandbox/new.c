/* SPDX-License-Identifier: LGPL-2.1-only */
/* As src/builder/load/new.c, for what the sandbox is told. */
#include <limits.h>
#include <pvboot/confine.h>
#include <stdlib.h>

struct whole {
    struct pvboot_confine confine; /* first member */
    char helper[PATH_MAX];
};

struct pvboot_confine *pvboot_confine_new(void)
{
    struct whole *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->confine.helper = pvboot_confine_helper("", w->helper, sizeof(w->helper));
    return &w->confine;
}

void pvboot_confine_free(struct pvboot_confine *c)
{
    free(c);
}

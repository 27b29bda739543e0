/* SPDX-License-Identifier: LGPL-2.1-only */
/* A list of an xl.cfg in the comma form that the shim's options have. */
#include "config.h"

const char *pvb_cfg_list(const struct pvb_cfg *c, const char *key, char *text, size_t n)
{
    XLU_ConfigList *list = NULL;
    int entries = 0;
    size_t used = 0;

    if (c->xlu->get_list(c->scratch, key, &list, &entries, 1))
        return NULL;
    text[0] = 0;
    for (int i = 0; i < entries; i++) {
        const char *item = c->xlu->get_listitem(list, i);

        if (!item || strchr(item, ','))
            return NULL;
        used += (size_t)snprintf(text + used, n - used, "%s%s", i ? "," : "", item);
        if (used >= n)
            return NULL;
    }
    return text;
}

/* SPDX-License-Identifier: LGPL-2.1-only */
#include "base.h"

#include <errno.h>

int pvb_bare_path(char *bare, size_t n, const char *path)
{
    size_t len = strlen(path);

    if (len >= n) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(bare, path, len + 1);
    while (len > 1 && (bare[len - 1] == '/' || (bare[len - 1] == '.' && bare[len - 2] == '/')))
        bare[--len] = '\0';
    return 0;
}

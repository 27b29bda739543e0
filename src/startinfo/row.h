/* SPDX-License-Identifier: LGPL-2.1-only */
/* A row of a table that a macro writes: braces of its own every version of clang-format lays out in another way. */
#ifndef PVB_ROW_H
#define PVB_ROW_H

#define PVB_ROW(...) \
    {                \
        __VA_ARGS__, \
    }

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The 64-bit divisions a 32-bit compiler calls by these names; libgcc, which has them, is not installed everywhere. */
#include <stddef.h>
#include <stdint.h>

uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *rest);
uint64_t __udivdi3(uint64_t n, uint64_t d);
uint64_t __umoddi3(uint64_t n, uint64_t d);

/* One bit at a time; @d is not 0. */
uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *rest)
{
    uint64_t r = 0;

    for (int i = 0; i < 64; i++) {
        uint64_t top = r >> 63;

        r = r << 1 | n >> 63;
        n <<= 1;
        if (top || r >= d) {
            r -= d;
            n |= 1;
        }
    }
    if (rest)
        *rest = r;
    return n;
}

uint64_t __udivdi3(uint64_t n, uint64_t d)
{
    return __udivmoddi4(n, d, NULL);
}

uint64_t __umoddi3(uint64_t n, uint64_t d)
{
    uint64_t rest;

    __udivmoddi4(n, d, &rest);
    return rest;
}

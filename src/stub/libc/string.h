/* SPDX-License-Identifier: LGPL-2.1-only */
/* The four functions a freestanding compiler may call on its own, and the one the filler uses beside them. */
#ifndef PVB_STUB_STRING_H
#define PVB_STUB_STRING_H

#include <stddef.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* Of stdio, what the planner says its reasons with: flags # and 0, width, .precision for s; ll, z; %, c, d, s, u, x. */
#ifndef PVB_LIBC_STDIO_H
#define PVB_LIBC_STDIO_H

#include <stdarg.h>
#include <stddef.h>

int snprintf(char *buf, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buf, size_t n, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

#endif

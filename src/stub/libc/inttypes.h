/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef PVB_LIBC_INTTYPES_H
#define PVB_LIBC_INTTYPES_H

#include <stdint.h>

#define PRIu64 "llu"
#define PRIx64 "llx"

#endif

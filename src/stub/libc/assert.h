/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef PVB_LIBC_ASSERT_H
#define PVB_LIBC_ASSERT_H

#define static_assert _Static_assert

#endif

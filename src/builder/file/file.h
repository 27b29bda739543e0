/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading a file in one version, beside <pvboot/file.h>; and what the confined parser's caller needs, too: memory that can
 * be sealed, a child that answers.
 */
#ifndef PVB_FILE_H
#define PVB_FILE_H

#include "child.h"
#include "memfd.h"

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* The bzImage parser's seam: without libelf and decoders, because the in-guest stub parses with it too. */
#ifndef PVB_BZIMAGE_H
#define PVB_BZIMAGE_H

#include "internal.h"

#define PVB_ALIGN_MAX (1ull << 30) /* no kernel asks for more: CONFIG_PHYSICAL_ALIGN ends at 16 MiB */

/* Does @file carry the format's magic?  Looks no further. */
bool pvb_is_bzimage(struct pvboot_bytes file);

/* Fills its zeroed struct.  -MALFORMED, -UNSUPPORTED, -LIMIT. */
int pvb_bzimage_parse(struct pvboot_bzimage *bz, struct pvboot_bytes file, struct pvboot_error *e);

/* The payload's codec by its magic. */
enum pvboot_codec pvb_codec_find(struct pvboot_bytes payload);

#endif

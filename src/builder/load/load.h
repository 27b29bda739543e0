/* SPDX-License-Identifier: LGPL-2.1-only */
/* Loading a guest: <pvboot/build.h>, <pvboot/record.h>; and digests of what is loaded. */
#ifndef PVB_LOAD_H
#define PVB_LOAD_H

#include "../base/base.h"

/*
 * Can digests be made?  To be asked before there is anything to leave behind: what makes them ends the process
 * if the host is out of descriptors when it is used first.  -HOST.
 */
int pvb_digest_ready(struct pvboot_error *e) PVB_CHECKED;

/* sha256 as 64 hex digits. */
void pvb_sha256_hex(struct pvboot_bytes b, char hex[65]);

#endif

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

/* The sha256 of bytes that come one after the other.  Zeroes: none is wanted; then the other two do nothing. */
struct pvb_hash {
    void *md;
};
/* -HOST, and then there is nothing to close. */
int pvb_hash_open(struct pvb_hash *h, struct pvboot_error *e) PVB_CHECKED;
void pvb_hash_more(struct pvb_hash *h, struct pvboot_bytes b);
/* Its value to @digest, or nowhere (NULL); @h is zeroes again. */
void pvb_hash_close(struct pvb_hash *h, uint8_t digest[32]);

/* sha256 as 64 hex digits. */
void pvb_sha256_hex(struct pvboot_bytes b, char hex[65]);

#endif

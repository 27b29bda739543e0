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

/*
 * elsewhere.c: pvboot_load() by another process, where that is faster: @g leaves its mappings to that one's end.
 * PVB_NOT_LOADED: it is not, or there is no process to be had; then nothing has been done.
 */
#define PVB_NOT_LOADED 1
int pvb_load_elsewhere(const struct pvboot_plan *plan, const struct pvboot_kernel *kernel,
                       const struct pvboot_request *req, struct pvboot_guest *g, struct pvboot_error *e) PVB_CHECKED;

/* sha256 as 64 hex digits. */
void pvb_sha256_hex(struct pvboot_bytes b, char hex[65]);

#endif

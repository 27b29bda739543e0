/* SPDX-License-Identifier: LGPL-2.1-only */
/* The helper as a process. */
#ifndef PVB_HELPER_H
#define PVB_HELPER_H

#include "../builder/file/file.h"
#include "sandbox.h"

/* user.c: whom a helper of root's becomes, by @passwd, which is as passwd(5) says; nobody where it knows none for us. */
struct pvb_user {
    uint32_t uid, gid;
};
struct pvb_user pvb_parser_user(const char *passwd);

/* Start @run's helper.  -SANDBOX, -HOST; then there is no child. */
int pvb_helper_start(struct pvb_child *c, const struct pvb_run *run, struct pvboot_error *e) PVB_CHECKED;

#endif

/* SPDX-License-Identifier: LGPL-2.1-only */
/* An xl.cfg as a file, read by a libxlutil that is looked for when one is to be read: the rest of pvboot needs no Xen. */
#ifndef PVB_CLI_XLCFG_H
#define PVB_CLI_XLCFG_H

#include "../../config/config.h"
#include "cli.h"

struct xlcfg {
    struct pvb_xlu xlu;
    struct pvboot_file file;
    struct pvb_cfg cfg; /* ->req has been set by the caller */
    char *said;         /* by libxlutil, of what it could not read */
    size_t said_bytes;
};

/* Read and parse @path, but take no options yet.  -HOST: no libxlutil; -USAGE: it could not be parsed; as -UNREADABLE. */
int xlcfg_open(struct xlcfg *x, const char *path, struct pvboot_error *e) PVB_CHECKED;
void xlcfg_close(struct xlcfg *x); /* idempotent; accepts a zeroed struct */
/* The line of the last statement of @key, which is the one that counts; 0: there is none. */
unsigned int xlcfg_line(const struct xlcfg *x, const char *key);

#endif

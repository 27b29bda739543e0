/* SPDX-License-Identifier: LGPL-2.1-only */
/* An xl.cfg while it is being read: config.c takes it apart and puts it together again with what stands here. */
#ifndef PVB_CFG_H
#define PVB_CFG_H

#include "xl.h"

#include <libxlutil.h>
#include <stdio.h>

#define PVB_BUILDER "pvboot"
#define PVB_CFG_KEYS_MAX 32u /* more than there are options */

struct pvb_cfg_key {
    char name[32];
    bool overrides; /* said on xl's command line */
};

/* What a config asks of us. */
struct pvb_cfg {
    const char *source;  /* the file it came from, as xl names it */
    FILE *quiet;         /* where the scratch parse's complaints go */
    XLU_Config *scratch; /* the same text, parsed to be asked for values */
    struct pvboot_request req;
    struct pvb_paths paths;
    bool from_file; /* and not text that xl has, of a domain that exists already */
    struct pvb_cfg_key said[PVB_CFG_KEYS_MAX];
    size_t n_said, words_bytes;
    char words[PVB_SHIM_OPTIONS_MAX]; /* " entry=linux64 subarch=xen" */
};

/* cfg_source.c: which file a config came from, from xlu_cfg_init() to xlu_cfg_destroy().  "": not known. */
bool pvb_cfg_source_set(const XLU_Config *cfg, const char *name); /* false: no memory */
const char *pvb_cfg_source(const XLU_Config *cfg);
void pvb_cfg_source_drop(const XLU_Config *cfg);

/* cfg_list.c: the list @key of @cfg, with commas between; NULL: no list of strings without commas, or over @n. */
const char *pvb_cfg_list(const XLU_Config *cfg, const char *key, char *text, size_t n);

/* cfg_options.c: the value of @key, a string or a number; NULL: there is none. */
const char *pvb_cfg_get(const struct pvb_cfg *c, const char *key);
/* Take the pvboot_ options out of @text into @c, which has its scratch parse already.  -USAGE, -LIMIT, -HOST. */
int pvb_cfg_options(struct pvb_cfg *c, struct pvboot_bytes text, struct pvboot_error *e) PVB_CHECKED;

/* The first pvboot_ key of @text; false: there is none. */
bool pvb_cfg_stray(struct pvboot_bytes text, struct pvb_cfg_statement *st);

/* preflight.c: what else the config says that cannot go together with us.  -UNSUPPORTED, -USAGE; as pvb_stub_check(). */
int pvb_cfg_check(const struct pvb_cfg *c, struct pvboot_error *e) PVB_CHECKED;
/*
 * What the kernel's header alone can refuse is refused before a domain exists.  What needs the unpacked kernel or
 * the domain's own memory map waits for the build, and so does a kernel that cannot be read.  A missing kernel= is xl's
 * to complain about.
 */
int pvb_cfg_preflight(const struct pvb_cfg *c, struct pvboot_error *e) PVB_CHECKED;

#endif

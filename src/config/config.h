/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What an xl.cfg asks of us, and whether that can be had: for the plugin while xl reads one, for the pvboot command
 * without any Xen.  libxlutil reads the values; which one that is, and how it was found, is the front end's matter.
 */
#ifndef PVB_CONFIG_H
#define PVB_CONFIG_H

#include "../builder/base/base.h"

#include <libxlutil.h>
#include <pvboot/file.h>
#include <pvboot/plan.h>
#include <stdio.h>

#define PVB_BUILDER "pvboot"
#define PVB_CFG_KEYS_MAX 32u /* more than there are options */

/* The shim's command line: this word (pvshim_cmdline), and the options behind it as key=value words (pvshim_extra). */
#define PVB_SHIM_WORD "pvboot"
#define PVB_SHIM_OPTIONS_MAX 4096u

/* libxlutil. */
struct pvb_xlu {
    __typeof__(&xlu_cfg_init) init;
    __typeof__(&xlu_cfg_destroy) destroy;
    __typeof__(&xlu_cfg_readdata) readdata;
    __typeof__(&xlu_cfg_get_string) get_string;
    __typeof__(&xlu_cfg_get_list) get_list;
    __typeof__(&xlu_cfg_get_listitem) get_listitem;
};

/* Options that name files: the toolstack's own, since the request knows none.  Owned; NULL: not asked for. */
struct pvb_paths {
    char *dump_dir;
    char *ramdisks; /* "/path/a,/path/b": to be joined, in this order, behind the domain's own */
    char *cache;    /* the directory of unpacked kernels, or "off"; NULL: where pvboot was built to look */
};

struct pvb_cfg_key {
    char name[32];
    bool overrides; /* said on xl's command line */
};

/* What a config asks of us. */
struct pvb_cfg {
    const struct pvb_xlu *xlu;
    const char *source;  /* the file it came from, as xl names it */
    FILE *report;        /* where the parse's complaints go */
    XLU_Config *scratch; /* the text, parsed to be asked for values */
    struct pvboot_request req;
    struct pvb_paths paths;
    bool from_file;    /* and not text that xl has, of a domain that exists already */
    unsigned int line; /* of the statement that was refused; 0: none */
    struct pvb_cfg_key said[PVB_CFG_KEYS_MAX];
    size_t n_said, words_bytes;
    char words[PVB_SHIM_OPTIONS_MAX]; /* " entry=linux64 subarch=xen" */
};

/* shim.c: options as words on the shim's command line. */
bool pvb_shim_options_present(const char *cmdline);
int pvb_shim_option(const char *key, const char *value, struct pvboot_request *req, struct pvb_paths *paths,
                    struct pvboot_error *e);
int pvb_shim_options_parse(const char *cmdline, struct pvboot_request *req, struct pvb_paths *paths,
                           struct pvboot_error *e);
void pvb_paths_dispose(struct pvb_paths *paths);

/* list.c: the list @key, with commas between; NULL: no list of strings without commas, or over @n. */
const char *pvb_cfg_list(const struct pvb_cfg *c, const char *key, char *text, size_t n);

/* options.c: the value of @key, a string or a number; NULL: there is none. */
const char *pvb_cfg_get(const struct pvb_cfg *c, const char *key);
/* Parse @text into ->scratch: 0, or what libxlutil returned. */
int pvb_cfg_parse(struct pvb_cfg *c, struct pvboot_bytes text) PVB_CHECKED;
/* Does it say builder="pvboot"? */
bool pvb_cfg_is_ours(const struct pvb_cfg *c);
/* Take the pvboot_ options out of @text into @c, which has its scratch parse already.  -USAGE, -LIMIT, -HOST. */
int pvb_cfg_options(struct pvb_cfg *c, struct pvboot_bytes text, struct pvboot_error *e) PVB_CHECKED;
/* Is @key an option of ours? */
bool pvb_cfg_is_option(const char *key);

/* domain.c: what a config says of the domain in stock words, as xl and libxl understand them. */
struct pvb_cfg_domain {
    uint64_t memory_mib; /* what there can be at most */
    uint64_t vcpus;
    const char *memory_key, *vcpus_key; /* which say so */
    const char *kernel, *ramdisk;       /* borrowed from the config; NULL: none */
    bool bootloader;
    char *cmdline; /* owned */
};
/* -USAGE, -HOST; @key: the one that is at fault.  Idempotent dispose. */
int pvb_cfg_domain(struct pvb_cfg_domain *d, const struct pvb_cfg *c, const char **key,
                   struct pvboot_error *e) PVB_CHECKED;
void pvb_cfg_domain_dispose(struct pvb_cfg_domain *d);

/* A kernel in sealed memory and what its parser, confined as @sandbox says, found; zeroes: not looked at yet. */
struct pvb_kernel_file {
    struct pvboot_file file;
    struct pvboot_kernel parsed;
    enum pvboot_sandbox sandbox;
    char missing[128];         /* the layers that best did without; "": none */
    bool told;                 /* those */
    bool cache_asked;          /* for it, whatever the answer was */
    struct pvboot_error stale; /* why the cache has an entry and no use of it; class 0: nothing to say */
};
/* kernel.c: the file at @path, with what is looked at for @req's path shown.  As pvboot_file_hold(). */
int pvb_kernel_file_hold(struct pvb_kernel_file *w, const char *path, const struct pvboot_request *req,
                         struct pvboot_error *e) PVB_CHECKED;
/*
 * @w->file, from the cache of unpacked kernels, if it is there and @req's path may want the ELF; else parsed by the
 * confined @helper and, unless it is only to @look, unpacked if the path needs that.
 */
int pvb_kernel_file_parse(struct pvb_kernel_file *w, const struct pvboot_request *req, const struct pvb_paths *paths,
                          bool look, const char *helper, struct pvboot_error *e) PVB_CHECKED;
/* Is there anything left to be unpacked? */
bool pvb_kernel_file_lacks_elf(const struct pvb_kernel_file *w, const struct pvboot_request *req);
void pvb_kernel_file_dispose(struct pvb_kernel_file *w); /* idempotent */

/* trial.c: a domain as it would be built, up to the point where there would have to be one. */
struct pvb_trial {
    const char *helper; /* in: the confined parser */
    const char *key;    /* of the config, which a refusal is about; NULL: none in particular */
    bool look;    /* in: leave a kernel packed that is unpacked when the guest has memory; then nothing is planned */
    bool planned; /* false: nobody outside the guest, or nobody yet, can look at the kernel */
    struct pvb_cfg_domain domain;
    struct pvb_kernel_file kernel;
    struct pvboot_request req; /* with command line and ramdisks, of which there are only the lengths */
    struct pvboot_machine machine;
    struct pvboot_plan plan;
};
/*
 * Everything that a config can be refused for without Xen: what contradicts itself, what is not there, the kernel, the
 * plan on the machine that libxl makes of such a config, the plan's check.  All classes but -XEN.  Of @t, ->helper
 * and ->look are set, and all else is zero.
 */
int pvb_cfg_try(struct pvb_trial *t, const struct pvb_cfg *c, struct pvboot_error *e) PVB_CHECKED;
void pvb_trial_dispose(struct pvb_trial *t);

/* store.c: what init-xenstore-domain, Xen's or ours, has noted in Debian's XEN_RUN_DIR: a domain serves xenstore, or did. */
#define PVB_STORE_PIDFILE "/var/run/xen/xenstored.pid"
bool pvb_store_noted(uint32_t *domid);

#endif

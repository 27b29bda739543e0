/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The plugin's own names.  pvboot-xl.so is preloaded into a stock xl; it registers a loader and arch hooks with
 * libxenguest and interposes eight functions: xlu_cfg_init, xlu_cfg_readdata, xlu_cfg_get_string and xlu_cfg_destroy
 * (options), xc_dom_kernel_file (whose domain it is), xc_dom_module_file and xc_dom_release (private file copies and
 * their end), libxl_domain_soft_reset (a guest's kexec).
 */
#ifndef PVB_XL_H
#define PVB_XL_H

#include "../../config/config.h"

#include <pvboot/file.h>
#include <pvboot/record.h>
#include <pvboot/xen.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <xenguest.h>

#define PVB_GUEST_TYPE "hvm-3.0-x86_64"

/* What the plugin knows of one domain under construction. */
struct pvb_domain {
    struct pvb_domain *next;
    const struct xc_dom_image *dom;
    bool stub_is_first;               /* loaded as the kernel: by libxl as a shim, or by a tenant who wrote kernel= */
    char *kernel_path, *ramdisk_path; /* NULL when a bootloader handed memory over */
    struct pvb_kernel_file kernel;
    struct pvboot_file ramdisk_file[PVBOOT_RAMDISKS_MAX];
    struct pvboot_request req;
    struct pvb_paths paths;
    bool has_request; /* the shim's options are in the last two */
    struct pvboot_machine machine;
    struct pvboot_plan plan;
    struct pvboot_record record;
    struct pvboot_xen xen;
    struct pvb_clock {
        const char *phase;
        uint64_t ns; /* when it began */
    } clock;
};

/* domain.c: the domains under construction, found by their xc_dom_image. */
struct pvb_domain *pvb_domain_find(const struct xc_dom_image *dom);
struct pvb_domain *pvb_domain_get(const struct xc_dom_image *dom); /* finds or makes; NULL: no memory */
/* Its options, from the command line it was allocated with; read once.  As pvb_shim_options_parse(). */
int pvb_domain_request(struct pvb_domain *d, struct pvboot_error *e) PVB_CHECKED;
void pvb_domain_drop(const struct xc_dom_image *dom);

/* kernel.c: tell on standard error what the parser's sandbox had to do without, and why the cache was of no use. */
void pvb_kernel_notes(struct pvb_kernel_file *w);
/* What can be told of a domain's kernel before it has memory; a payload may remain packed. */
int pvb_kernel_begin(struct pvb_domain *d, struct pvboot_error *e) PVB_CHECKED;
/* The rest, when it has: what is needed and still packed is unpacked to the guest, or to memory of ours (not ->placed). */
int pvb_kernel_complete(struct pvb_domain *d, struct pvboot_error *e) PVB_CHECKED;
/* The plan moves what has been unpacked to the guest: take it back, and unpack to memory of ours. */
int pvb_kernel_move(struct pvb_domain *d, struct pvboot_guest *g, struct pvboot_error *e) PVB_CHECKED;
/* A dump wants the bytes, and without a sandbox nobody could unpack to a guest and do nothing else. */
bool pvb_kernel_may_place(const struct pvboot_request *req, const struct pvb_paths *paths);

/* kernel_cache.c: hand @what, read from @path, over for a build of it. Empties @what. */
void pvb_kernel_cache_put(const char *path, struct pvb_kernel_file *what);
/* What is kept of @path, if that is still what is there. */
bool pvb_kernel_cache_take(const char *path, struct pvb_kernel_file *what);

/* files.c: read the further ramdisks of @d->paths, each like libxl's own one.  -LIMIT, and as pvboot_file_read(). */
int pvb_read_ramdisks(struct pvb_domain *d, struct pvboot_error *e) PVB_CHECKED;
/* Of a domain that is stock code's after all: what was read for its kernel and ramdisk, whole.  As pvboot_file_copy(). */
int pvb_give_back(struct xc_dom_image *dom, struct pvboot_error *e) PVB_CHECKED;

/* owner.c: who builds this domain? */
enum pvb_owner {
    PVB_OWNER_STOCK,
    PVB_OWNER_PVBOOT,
    PVB_OWNER_UNMARKED, /* a guest of ours, or a tenant's stub with a ramdisk: to be refused */
};
enum pvb_owner pvb_owner(const struct xc_dom_image *dom);
/* The same before there is a module: @guest_cmdline is what the first one comes with. */
enum pvb_owner pvb_owner_by_cmdline(const struct xc_dom_image *dom, const char *guest_cmdline);
/* One of those that stock code builds: a guest of ours, to be started by the in-guest stub. */
bool pvb_owner_is_stub(const struct xc_dom_image *dom);

/*
 * loader.c, hooks.c: what libxenguest calls.  struct xc_dom_loader is exported by the library but declared in no
 * installed header since Xen 4.15, so these five fields stand here, and the function that takes them.
 */
struct xc_dom_loader {
    const char *name;
    int (*probe)(struct xc_dom_image *dom);
    int (*parser)(struct xc_dom_image *dom);
    int (*loader)(struct xc_dom_image *dom);
    struct xc_dom_loader *next;
};
void xc_dom_register_loader(struct xc_dom_loader *loader);
extern struct xc_dom_loader pvb_loader;
extern struct xc_dom_arch pvb_arch_hooks;

/* acpi.c: take the GPE block out of the tables that libxl has made for @dom, before they are put into the guest. */
void pvb_acpi_drop_gpe(struct xc_dom_image *dom);

/* phase.c: how long the builder's own steps take, into libxenguest's log when they end; one begins after the other. */
void pvb_phase_begin(struct xc_dom_image *dom, struct pvb_domain *d, const char *phase); /* ends the one before */
void pvb_phase_end(struct xc_dom_image *dom, struct pvb_domain *d);

/*
 * symbol.c: functions of the libraries around us, each looked for once, whichever thread comes first.  A library that
 * was found stays loaded.
 */
struct pvb_symbol {
    const char *name;
    _Atomic(void *) found;
};
void *
pvb_symbol_next(struct pvb_symbol *s); /* the definition we stand in front of; ends the process when there is none */
void *pvb_symbol_find(struct pvb_symbol *s); /* any definition; NULL: none is loaded */
int pvb_xen_calls(struct pvboot_xen_calls *calls, struct pvboot_error *e) PVB_CHECKED;
int pvb_reset_calls(struct pvboot_reset_calls *calls, struct pvboot_error *e) PVB_CHECKED;
#define PVB_STOCK(f)                                      \
    ({                                                    \
        static struct pvb_symbol stock_ = { .name = #f }; \
        (__typeof__(&f))pvb_symbol_next(&stock_);         \
    })
#define PVB_FIND(f)                                       \
    ({                                                    \
        static struct pvb_symbol found_ = { .name = #f }; \
        (__typeof__(&f))pvb_symbol_find(&found_);         \
    })

/* cfg_source.c: which file a config came from, from xlu_cfg_init() to xlu_cfg_destroy().  "": not known. */
bool pvb_cfg_source_set(const XLU_Config *cfg, const char *name); /* false: no memory */
const char *pvb_cfg_source(const XLU_Config *cfg);
void pvb_cfg_source_drop(const XLU_Config *cfg);

/*
 * preflight.c: what can be refused while the config is read, so that no domain has to be made and taken back for it:
 * that we cannot work here, and all that pvb_cfg_try() finds.  A missing kernel= is xl's to complain about.
 */
int pvb_preflight(const struct pvb_cfg *c, struct pvboot_error *e) PVB_CHECKED;

/* store.c: does xenstore still have its domain, where it had one?  -XEN */
int pvb_store_check(struct pvboot_error *e) PVB_CHECKED;

/* stub.c: is the file of pvb_stub_path() there, and is it the stub?  -HOST, and as pvboot_kernel_open(). */
int pvb_stub_check(struct pvboot_error *e) PVB_CHECKED;

/* plugin.c */
const char *pvb_stub_path(void);   /* the file pvshim_path names, beside this plugin */
const char *pvb_helper_path(void); /* the confined parser, beside this plugin or where it is installed */
bool pvb_dry_run(void);            /* maybe: a word says so; then all is looked at, since nothing will be built */
const char *pvb_command(void);     /* of `xl [-options] command ...`; "": there is none */
/* Register with libxenguest, if that is there and has not been done. Why the plugin cannot work here; NULL: it can. */
const char *pvb_refusal(void);
/* Print @e as the one line a refusal is. Returns -1, what libxenguest's hooks fail with. */
int pvb_report(const struct pvboot_error *e);

#endif

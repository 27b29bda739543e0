/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * pvboot-launch: a domain made, built and started without libxl; also listed and destroyed.
 *
 * Everything that can be refused is refused before there is a domain.  From then on a failure, a signal or a lost
 * xenstored takes the domain and its nodes away again.
 */
#ifndef PVB_LAUNCH_H
#define PVB_LAUNCH_H

#include "../../builder/base/base.h"

#include <pvboot/file.h>
#include <pvboot/record.h>
#include <pvboot/xen.h>
#include <stdio.h>
#include <xenctrl.h>
#include <xenguest.h>
#include <xenstore.h>

#define LAUNCH_NAME_MAX 63u
#define LAUNCH_UUID_TEXT 37u /* with NUL */

/* What becomes of the domain when its guest has ended, while somebody waits for that. */
enum launch_action { LAUNCH_DESTROY, LAUNCH_PRESERVE, LAUNCH_RESTART };
/* How guests end: Xen's public sched.h, SHUTDOWN_*; these numbers are also exit codes. */
enum launch_end {
    LAUNCH_POWEROFF,
    LAUNCH_REBOOT,
    LAUNCH_SUSPEND,
    LAUNCH_CRASH,
    LAUNCH_WATCHDOG,
    LAUNCH_SOFT_RESET,
    LAUNCH_GONE, /* somebody else destroyed it */
    LAUNCH_ENDS,
};

/* What was asked for.  Strings are borrowed but for those that say otherwise. */
struct launch_config {
    char name[LAUNCH_NAME_MAX + 1];
    uint8_t uuid[16];
    bool has_uuid;
    uint64_t memory_mib, maxmem_mib; /* maxmem 0: as memory */
    uint32_t vcpus;
    const char *kernel;
    uint32_t n_ramdisks;
    const char *ramdisk[PVBOOT_RAMDISKS_MAX];
    const char *seclabel, *cpus;
    const char *dump_dir; /* what is handed over goes there, too */
    enum launch_action action[LAUNCH_ENDS];
    struct pvboot_request req;
    bool timers, paused, console, wait, dry_run, json, no_xenstore;
    /* -f: what the strings from it are part of */
    struct XLU_Config *file;
    FILE *report;
    char *said, *cmdline, *ramdisks;
};

struct launch {
    struct launch_config *cfg;
    struct pvboot_file ramdisk[PVBOOT_RAMDISKS_MAX];
    struct pvboot_kernel kernel;
    struct pvboot_machine machine;
    struct pvboot_plan plan;
    struct pvboot_xen xen; /* domid: of ours, once @exists */
    bool exists, introduced;
    struct xs_handle *xs; /* NULL: there is no xenstored, or none is wanted */
    uint32_t store_domid, console_domid;
    struct pvboot_xen_rings rings;
    xc_cpumap_t cpus; /* hard affinity of every vCPU; NULL: any */
};

/* options.c: the command line of `launch`. */
int launch_options(struct launch_config *c, int argc, char **argv, struct pvboot_error *e) PVB_CHECKED;
/* set.c: one option of the command line or key of the file, by its long name. */
int launch_set(struct launch_config *c, const char *name, const char *value, struct pvboot_error *e) PVB_CHECKED;

/* file.c: -f.  -USAGE, -UNSUPPORTED name the line; as pvboot_file_read(). */
int launch_file(struct launch_config *c, const char *path, struct pvboot_error *e) PVB_CHECKED;
void launch_file_dispose(struct launch_config *c);

/* prepare.c: files read, kernel parsed, plan made and checked: all that needs no Xen.  Idempotent dispose. */
int launch_prepare(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
void launch_dispose(struct launch *l);
/* Write what the plan says to @g, NULL: to nowhere, and to the directory for a dump, if there is one.  -HOST, -XEN */
int launch_load(struct launch *l, struct pvboot_guest *g, struct pvboot_error *e) PVB_CHECKED;

/* host.c: Xen's interfaces and xenstored's, if there is one. */
int launch_open(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
void launch_close(struct launch *l);
/* The domains of @xch, one after the other: the first one from @*next on, which is moved behind it. */
bool launch_next_domain(xc_interface *xch, uint32_t *next, xc_domaininfo_t *info);
/* The number of the domain called @name, or that @name is the number of; false: there is none. */
bool launch_find(const struct launch *l, const char *name, uint32_t *domid);

/*
 * domain.c: the domain as libxl would make it for type="pvh", built and still paused.  On failure nothing is left of
 * it.  -XEN, -HOST; when a signal came, -128 - its number, and @e says so.
 */
int launch_create(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
int launch_unpause(const struct launch *l, struct pvboot_error *e) PVB_CHECKED;
/* Take the domain and its nodes away.  -XEN: it would not go. */
int launch_destroy(struct launch *l, struct pvboot_error *e);

/* store.c: what tools and the guest find in xenstore; all of it does nothing without a xenstored. */
int launch_store_nodes(const struct launch *l, struct pvboot_error *e) PVB_CHECKED;
int launch_store_introduce(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
/* Hand the console to xenconsoled. */
int launch_store_console(const struct launch *l, struct pvboot_error *e) PVB_CHECKED;
void launch_store_remove(const struct launch *l);
/* Text of a node, to be freed; NULL: absent. */
char *launch_store_read(const struct launch *l, uint32_t domid, const char *node);
/* Was domain @domid made by this program? */
bool launch_store_ours(const struct launch *l, uint32_t domid);

/* signals.c */
void launch_signals(void);
/* The signal that came, or 0. */
int launch_signalled(void);
/* -128 - the signal's number, and @e says so; 0: none came. */
int launch_interrupted(struct pvboot_error *e) PVB_CHECKED;

/* console.c: the guest's console through its ring, without xenconsoled. */
struct launch_console;
int launch_console_open(struct launch_console **c, const struct launch *l, struct pvboot_error *e) PVB_CHECKED;
/* Wait up to @ms for something to carry, and carry it.  True: the user has left with ^]. */
bool launch_console_carry(struct launch_console *c, int ms);
void launch_console_close(struct launch_console *c); /* accepts NULL */

/* wait.c: until the guest has ended, or the console was left when nobody waits.  @left: the latter. */
int launch_wait(struct launch *l, struct launch_console *c, enum launch_end *end, bool *left,
                struct pvboot_error *e) PVB_CHECKED;

/* The verbs.  Each returns 0, -class, or how the guest ended. */
typedef int launch_main(int argc, char **argv, struct pvboot_error *e);
launch_main launch_verb, launch_list, launch_destroy_verb;

void launch_uuid_text(const uint8_t uuid[16], char text[LAUNCH_UUID_TEXT]);

#endif

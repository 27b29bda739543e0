/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * pvboot-launch: a domain made, built and started without libxl; also listed and destroyed.  pvboot-init-xenstore-domain
 * is made of the same parts.
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
enum launch_action {
    LAUNCH_DESTROY,
    LAUNCH_PRESERVE,
    LAUNCH_RESTART,
    LAUNCH_GO_ON,
    LAUNCH_UNSAID, /* until it is known what kind of guest it is */
};
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
    const char *type;     /* as a file says, "pvh" or "pv"; NULL: it does not */
    const char *dump_dir; /* what is handed over goes there, too */
    enum launch_action action[LAUNCH_ENDS];
    struct pvboot_request req;
    bool seed_by_default; /* nobody has said anything of rng_seed */
    bool timers, paused, console, wait, dry_run, json, no_xenstore;
    bool left;            /* the user, with ^]: who has asked for the console has no more to do with it */
    bool serves_xenstore; /* it is xenstored's own domain: there is no xenstore before it */
    const char *param;    /* of its command line, behind the event channel */
    unsigned int verbose;
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
    struct xs_handle *xs;       /* NULL: there is no xenstored, or none is wanted */
    struct launch_guard *guard; /* NULL: xenstored is no domain of its own */
    xentoollog_logger *logger;  /* NULL: libxenctrl's own */
    uint32_t store_domid, console_domid;
    struct pvboot_xen_rings rings;
    uint32_t xenbus_port; /* this kernel's, for the domain that serves xenstore */
    xc_cpumap_t cpus;     /* hard affinity of every vCPU; NULL: any */
    uint64_t *mfn;        /* of a PV domain; ->xen and ->machine borrow it */
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
/* Each life of a guest gets a random seed of its own, if it gets one.  -HOST */
int launch_seed(struct launch_config *c, struct pvboot_error *e) PVB_CHECKED;
/* packed.c: kernel and ramdisks become one image that starts with the in-guest stub beside @self.  As pvb_pack_make() */
int launch_pack(struct launch *l, const char *self, struct pvboot_error *e) PVB_CHECKED;
/* Write what the plan says to @g, NULL: to nowhere, and to the directory for a dump, if there is one.  -HOST, -XEN */
int launch_load(struct launch *l, struct pvboot_guest *g, struct pvboot_error *e) PVB_CHECKED;

/* host.c: Xen's interfaces and xenstored's, if there is one.  -XEN: there was one, whose domain has ended. */
int launch_open(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
void launch_close(struct launch *l);
/* The domains of @xch, one after the other: the first one from @*next on, which is moved behind it. */
bool launch_next_domain(xc_interface *xch, uint32_t *next, xc_domaininfo_t *info);
/* The number of the domain called @name, or that @name is the number of; false: there is none. */
bool launch_find(const struct launch *l, const char *name, uint32_t *domid);

/*
 * xenstored.c: who serves xenstore.  A daemon that dies closes its socket; of a domain that dies nobody says so, and the
 * kernel waits for its answers for ever.  So a guard looks at it, and cuts the connection: then requests fail.
 */
int launch_store_connect(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
/* The same for the domain @domid, which is known to serve it. */
int launch_store_connect_to(struct launch *l, uint32_t domid, struct pvboot_error *e) PVB_CHECKED;
bool launch_domain_lives(xc_interface *xch, uint32_t domid);
void launch_store_disconnect(struct launch *l);
/* Has the domain that served it ended since?  Then launch_store_gone() says so, and returns -XEN. */
bool launch_store_lost(const struct launch *l);
int launch_store_gone(const struct launch *l, struct pvboot_error *e) PVB_CHECKED;
/* Is there a daemon in this domain, or a domain that serves xenstore?  Then @domid, 0 for the daemon. */
bool launch_store_served(xc_interface *xch, uint32_t *domid);

/*
 * domain.c: the domain as libxl would make it for type="pvh", built and still paused.  On failure nothing is left of
 * it.  -XEN, -HOST; when a signal came, -128 - its number, and @e says so.
 */
int launch_create(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
int launch_unpause(const struct launch *l, struct pvboot_error *e) PVB_CHECKED;
/* Its kernel has shut down to go on as another one: as pvboot_xen_soft_reset(); still paused. */
int launch_soft_reset(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
/* Take the domain and its nodes away.  -XEN: it would not go. */
int launch_destroy(struct launch *l, struct pvboot_error *e);
/* The same after a failure, which is what is told; of a domain that would not go there is a note besides. */
void launch_undo(struct launch *l);

/* pv.c: steps of a PV domain, and the frame of what others know by its gpa.  -XEN, -HOST */
int launch_pv_memory(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
int launch_pv_start(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
uint64_t launch_frame(const struct launch *l, uint64_t gpa);
void launch_pv_dispose(struct launch *l);

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

/*
 * xenbus.c: for the domain that serves xenstore.  The one gives it this kernel's end of xenstore, and its command line the
 * port; the other has Xen tell it of domains that end.  Both do nothing for other domains.  -XEN, -HOST
 */
int launch_hand_over_xenbus(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
int launch_hand_over_virq(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
/* Its command line; before the port is known, with the longest there is. */
int launch_event_cmdline(struct launch_config *c, uint32_t port, struct pvboot_error *e) PVB_CHECKED;

/* surroundings.c.  Does a daemon in this domain answer? */
bool launch_daemon_answers(void);
/* Or until a signal comes. */
void launch_sleep(int ms);
/* The port of this kernel's that domain @domid is to bind; -1 and errno. */
int launch_xenbus_setup(uint32_t domid);
/* A request to whoever serves this kernel, whose answer can be polled for; -1 and errno. */
int launch_xenbus_ask(void);
/* A whole file.  -HOST */
int launch_note(const char *path, const char *text, size_t n, unsigned int mode, struct pvboot_error *e) PVB_CHECKED;
bool launch_noted_store(uint32_t *domid); /* as pvb_store_noted() */

/* storedom_*.c: pvboot-init-xenstore-domain: its options; until it answers; what it then stores and notes. */
int launch_storedom_options(struct launch_config *c, int argc, char **argv, char **maxmem,
                            struct pvboot_error *e) PVB_CHECKED;
/* "MB", "a/b" of @host_bytes, or both with a colon between, of which the greater counts. */
int launch_storedom_maxmem(struct launch_config *c, const char *text, uint64_t host_bytes,
                           struct pvboot_error *e) PVB_CHECKED;
int launch_storedom_wait(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
int launch_storedom_note(struct launch *l, struct pvboot_error *e) PVB_CHECKED;
int launch_storedom(int argc, char **argv, struct pvboot_error *e) PVB_CHECKED;

/* signals.c */
void launch_signals(void);
/* The signal that came, or 0. */
int launch_signalled(void);
/* -128 - the signal's number, and @e says so; 0: none came. */
int launch_interrupted(struct pvboot_error *e) PVB_CHECKED;

/*
 * console.c: the guest's console through its ring, without xenconsoled.  Of xenstored's domain it is only read, and goes to
 * standard error if that is wanted, else nowhere.
 */
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
